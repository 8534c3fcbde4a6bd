"""The order pages: found by what a caller has at hand, shown whole, cancelled after saying what that releases."""

import re

import pytest

from api.pages import costs
from api.pages.orders.sentences import TOLD, WHY
from fulfillment.sourcing import explain
from fulfillment.work import picking
from tests import factories
from tests.api.pages.visitors import token

BY = factories.BY


@pytest.fixture
def agent(signed_in):
    return signed_in("agent")


@pytest.fixture(scope="module")
def order(house):
    """An order of two coats and a hat that is shipped."""

    def place(session):
        lines = factories.line("coat", 2), factories.line("hat")
        made = factories.place(session, *lines, external_id="=2+5", paid=True)
        return made.id, made.number, [line.id for line in made.lines]

    return house.doors.write(place)


def read(client, address):
    answer = client.get(address)
    assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
    return answer.get_data(as_text=True)


def send(client, page, address, **fields):
    return client.post(address, data={"csrf_token": token(client, page), **fields}, follow_redirects=True)


@pytest.mark.parametrize("text", ["number", "=2+5", "ana@example.org", "600111222", "ana carvalho"])
def test_a_search_that_finds_one_order_leads_to_it(agent, order, text):
    order_id, number, _ = order
    answer = agent.get("/orders/", query_string={"q": number.lower() if text == "number" else text})
    assert answer.headers["Location"] == f"/orders/{order_id}"


def test_a_search_that_finds_nothing_says_what_to_do(agent):
    assert "No order matches" in read(agent, "/orders/?q=nobody@example.org")


def test_filters_are_in_the_address(agent, order):
    assert order[1] in read(agent, "/orders/?channel=web&status=approved")
    assert order[1] not in read(agent, "/orders/?channel=market")
    assert order[1] not in read(agent, "/orders/?waiting=1")


def test_the_file_of_orders_runs_no_formula_and_names_no_person(agent, order):
    text = agent.get("/orders/?format=csv").get_data().decode("utf-8-sig")
    assert "'=2+5" in text
    assert "Carvalho" not in text


def test_the_order_is_shown_whole(agent, order):
    page = read(agent, f"/orders/{order[0]}")
    for told in ("being prepared", "paid", "ana@example.org", "Calle del Pez 7", "The order came in", "was chosen"):
        assert told in page
    assert "This is proven" in page
    assert "candidates, by cost" in page


def test_a_cancel_says_first_what_it_releases(agent, order, house):
    order_id, _, (coat, hat) = order
    foreseen = read(agent, f"/orders/{order_id}/cancel?units-{coat}=1&units-{hat}=&reason=customer")
    assert "This cancels 1 unit for good" in foreseen
    assert "for sale again at once" in foreseen
    assert house.doors.read(lambda session: factories.counters(session, _of(order), "coat")) == (2, 0, 2, 0)
    address = f"/orders/{order_id}/cancel"
    text = send(agent, f"/orders/{order_id}", address, **{f"units-{coat}": "1", "reason": "customer"})
    assert "1 unit is cancelled." in text.get_data(as_text=True)
    assert "1 unit was cancelled" in text.get_data(as_text=True)
    assert house.doors.read(lambda session: factories.counters(session, _of(order), "coat")) == (1, 0, 1, 0)


def test_units_in_a_tote_are_said_to_be_put_back(agent, house):
    def place_and_pick(session):
        made = factories.place(session, factories.line("scarf"), external_id="T-1")
        fo = factories.fulfillment_orders(session, made)[0]
        picking.propose(session, fo.node, max_orders=50, **BY)
        for line in fo.lines:
            picking.scan(session, fo.id, scan_id="tote", code=line.sku, units=line.units, **BY)
        return made.id, made.lines[0].id

    order_id, line = house.doors.write(place_and_pick)
    assert "put them back on the shelf" in read(agent, f"/orders/{order_id}/cancel?units-{line}=1")


def test_nothing_asked_for_is_said(agent, order):
    answer = agent.get(f"/orders/{order[0]}/cancel?units-{order[2][0]}=0", follow_redirects=True)
    assert "Say how many units" in answer.get_data(as_text=True)


def test_a_line_of_another_order_is_not_found(agent, order):
    assert agent.get(f"/orders/{order[0]}/cancel?units-other=1").status_code == 404


def test_an_order_is_held_and_let_go(agent, order):
    page = f"/orders/{order[0]}"
    held = send(agent, page, f"{page}/hold", reason="fraud").get_data(as_text=True)
    assert "On hold" in held
    assert "It looks like fraud" in held
    assert "The hold is lifted" in send(agent, page, f"{page}/lift", reason="fraud").get_data(as_text=True)


def test_an_address_is_corrected_and_decided_again(agent, order):
    page = f"/orders/{order[0]}"
    home = {
        "name": "Ana Carvalho",
        "line1": "Calle Nueva 1",
        "postal_code": "41001",
        "city": "Sevilla",
        "country": "ES",
    }
    text = send(agent, page, f"{page}/address", **home).get_data(as_text=True)
    assert "decided again" in text
    assert "Calle Nueva 1" in text
    assert "The address was corrected" in text


def test_planners_read_and_do_not_change(signed_in, order):
    planner = signed_in("planner")
    page = read(planner, f"/orders/{order[0]}")
    assert "See what cancelling releases" not in page
    assert planner.get(f"/orders/{order[0]}/cancel?units-{order[2][0]}=1").status_code == 403
    assert signed_in("store").get("/orders/").status_code == 403


def test_a_decision_says_what_would_have_changed_it(agent, order):
    (path,) = set(re.findall(r'hx-get="(/orders/[^"]+/flips)"', read(agent, f"/orders/{order[0]}")))
    assert re.search(r"would (serve it|be|leave)|No small change", read(agent, path))
    assert agent.get(f"/orders/{order[0]}/decisions/none/flips").status_code == 404


def test_an_agent_chooses_how_an_order_goes_on(agent, house):
    waiting = house.doors.write(
        lambda session: factories.place(session, factories.line("boots", 99), external_id="W-77", paid=True).id
    )
    page = f"/orders/{waiting}/recovery"
    assert page in read(agent, f"/orders/{waiting}")
    shown = read(agent, page)
    demand = re.search(r'name="demand_id" value="([^"]+)"', shown).group(1)
    assert re.findall(r'name="choice" value="(\w+)"', shown)[-2:] == ["wait", "cancel"]
    done = send(agent, page, page, demand_id=demand, choice="cancel", reason="customer").get_data(as_text=True)
    assert "The order goes on as you chose" in done
    assert "A person chose: cancel" in done
    assert "Nothing to decide" in read(agent, page)
    assert waiting not in read(agent, "/orders/?needs_person=1")


def test_every_sentence_of_a_decision_has_words():
    assert explain.TEMPLATES.keys() == TOLD.keys() | (explain.TEMPLATES.keys() & costs.EXCLUSIONS.keys())
    assert set(explain.REASONS.values()) == WHY.keys()


def _of(order):
    return type("OrderId", (), {"id": order[0]})


def test_an_unknown_order_is_not_found(agent):
    assert agent.get("/orders/none").status_code == 404


def test_every_reason_for_a_cancel_has_words(agent, order):
    options = re.findall(r"<option value=\"\w+\">([^<]+)</option>", read(agent, f"/orders/{order[0]}"))
    assert options
    assert all(word[0].isupper() for word in options)
