"""The planner's page of safety stock: rules in the order in which they bind, written, changed and taken away."""

import re
from html import unescape

import pytest

from stock import safety_rules
from stock.safety_rules import RuleRow
from tests.api.pages.test_planner import read, send

AT = "/planner/safety-rules"


@pytest.fixture
def planner(signed_in):
    return signed_in("planner")


@pytest.fixture(scope="module", autouse=True)
def _rules(house):
    rows = (
        RuleRow(id="all", units=1),
        RuleRow(id="stores-market", units=3, kind="store", channel="market"),
        RuleRow(id="boots", units=2, sku="boots"),
        RuleRow(id="stores", units=4, kind="store"),
        RuleRow(id="mistyped", units=9, family="shirst", active=False),
    )
    house.doors.write(lambda session: safety_rules.put(session, rows))


def save(client, seen="", **typed):
    page = f"{AT}?rule={typed['id']}" if seen else AT
    return send(client, page, AT, seen=seen, **{"active": "on"} | typed)


def seen_on(page):
    return unescape(re.search(r'name="seen" value="([^"]+)"', page)[1])


def row(page, rule):
    return re.search(rf'<a href="[^"]*rule={rule}"[^>]*>{rule}</a>.*?</tr>', page, re.DOTALL)[0]


def test_rules_stand_in_the_order_in_which_they_bind(planner):
    page = read(planner, AT)
    order = re.findall(rf'<a href="{AT}\?rule=([\w-]+)"', page)
    assert order == ["boots", "mistyped", "stores-market", "stores", "all"]
    assert "kind store: 3 nodes" in row(page, "stores-market")
    assert "Marketplace" in row(page, "stores-market")
    assert "every article" in row(page, "all")
    assert "family shirst: 0 articles" in row(page, "mistyped")
    assert "stopped for now" in row(page, "mistyped")
    lines = planner.get(f"{AT}?format=csv").get_data().decode("utf-8-sig").splitlines()
    assert lines[0] == "id,units,sku,family,node,group,kind,channel,active"
    assert lines[1] == "boots,2,boots,,,,,,true"


def test_what_is_kept_of_an_article_names_the_rule_that_decides(planner):
    page = read(planner, f"{AT}?sku=coat&channel=market")
    assert re.search(r"Madrid</th>\s*<td><a [^>]*>stores-market</a>.*?>20<.*?>0<.*?>3<.*?>17<", page, re.DOTALL)
    assert "There is no article nothing." in read(planner, f"{AT}?sku=nothing")
    assert re.search(r"Madrid</th>\s*<td><a [^>]*>boots</a>", read(planner, f"{AT}?rule=boots"))
    assert planner.get(f"{AT}?rule=nothing").status_code == 404


def test_a_rule_is_written_changed_and_taken_away(planner):
    assert "The rule is saved" in save(planner, id="new", units="5", sku="hat", node="SVQ").get_data(as_text=True)
    page = read(planner, f"{AT}?rule=new")
    assert "Sevilla" in row(page, "new")
    seen = seen_on(page)
    page = save(planner, seen, id="new", units="6", sku="hat", node="SVQ").get_data(as_text=True)
    assert '<td class="number">6</td>' in row(page, "new")
    late = save(planner, seen, id="new", units="7", sku="hat", node="SVQ")
    assert late.status_code == 422
    assert "while you were editing" in late.get_data(as_text=True)
    assert 'value="7"' in late.get_data(as_text=True)
    assert send(planner, AT, f"{AT}/remove", id="new", seen=seen).status_code == 409
    page = send(planner, AT, f"{AT}/remove", id="new", seen=seen_on(page)).get_data(as_text=True)
    assert "taken away" in page
    assert "rule=new" not in page


def test_faults_stand_beside_their_fields_and_nothing_typed_is_lost(planner):
    answer = save(planner, id="faulty", units="few", sku="nothing", family="shirts", node="MAD", kind="store")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    for name in ("units", "sku", "family", "kind"):
        assert re.search(rf'name="{name}"[^>]*aria-invalid="true" aria-describedby="{name}-fault"', page), name
        assert f'id="{name}-fault"' in page
    assert 'value="few"' in page
    assert 'value="shirts"' in page
    assert '<option value="MAD" selected>' in page
    assert "There is a rule of this name" in save(planner, id="boots", units="1").get_data(as_text=True)
    assert "rule all is about the same" in save(planner, id="again", units="1").get_data(as_text=True)


def test_rules_are_for_planners_and_reached_from_policies(planner, signed_in):
    assert f'href="{AT}"' in read(planner, "/planner/policies")
    assert signed_in("store").get(AT).status_code == 403
