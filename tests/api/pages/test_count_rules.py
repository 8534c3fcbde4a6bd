"""The planner's page of how nodes count: one rule for everywhere, and those of single nodes."""

import re

import pytest

from stock.counting import rules
from stock.counting.rules import EVERYWHERE, Rule
from tests.api.pages.test_planner import read, send

AT = "/planner/counts/rules"
TYPED = {
    "recount_units": "3", "recount_value_minor": "99.5", "max_age_days": "60", "tasks_a_day": "0", "zero_checks": "on",
}  # fmt: skip


@pytest.fixture
def planner(signed_in):
    return signed_in("planner")


def seen_on(page):
    return re.search(r'name="seen" value="([^"]+)"', page)[1]


def save(client, node, seen="", **typed):
    address = f"{AT}?node={node}" if node != EVERYWHERE else AT
    seen = seen or seen_on(read(client, address))
    return send(client, address, AT, node=node, seen=seen, **TYPED | typed)


def test_a_node_follows_the_rule_for_everywhere_until_it_has_its_own(planner, house):
    assert AT in read(planner, "/planner/counts")
    assert f"{AT}?node=SVQ" in read(planner, "/planner/nodes/SVQ")
    assert "Saved" in save(planner, EVERYWHERE).get_data(as_text=True)
    page = read(planner, f"{AT}?node=SVQ")
    assert "It follows the rule for everywhere" in page
    assert 'name="recount_value_minor" value="99.50"' in page
    before = seen_on(page)
    page = save(planner, "SVQ", max_age_days="30", four_eyes="on").get_data(as_text=True)
    assert re.search(r"Sevilla</a></th>\s*<td>yes</td>.*?€99\.50.*?>30<", page, re.DOTALL)
    found = house.doors.read(rules.own)
    assert found == {
        "*": Rule(recount_units=3, recount_value_minor=9950, four_eyes=False, max_age_days=60, tasks_a_day=0),
        "SVQ": Rule(recount_units=3, recount_value_minor=9950, max_age_days=30, tasks_a_day=0),
    }
    late = save(planner, "SVQ", seen=before, max_age_days="31")
    assert late.status_code == 422
    assert "while you were editing" in late.get_data(as_text=True)
    page = send(planner, AT, f"{AT}/remove", node="SVQ", seen=seen_on(page)).get_data(as_text=True)
    assert "counts as all others" in page
    assert house.doors.read(rules.own).keys() == {"*"}


def test_every_fault_stands_beside_its_field_and_nothing_typed_is_lost(planner):
    answer = save(planner, "MAD", recount_units="few", recount_value_minor="-1", max_age_days="0", tasks_a_day="7")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    for name in ("recount_units", "recount_value_minor", "max_age_days"):
        assert re.search(rf'name="{name}"[^>]*aria-invalid="true" aria-describedby="{name}-fault"', page), name
    assert "from 1 to 3,650" in page
    for typed in ('value="few"', 'value="-1"', 'name="tasks_a_day" value="7"'):
        assert typed in page
    assert not re.search(r'name="four_eyes" checked', page)


def test_rules_of_counting_are_for_planners_and_for_nodes_that_there_are(planner, signed_in):
    assert planner.get(f"{AT}?node=XXX").status_code == 404
    assert signed_in("store").get(AT).status_code == 403
