"""An order in trouble comes to a person, who sees the ways it may go on and chooses one."""

import pytest

from tests.journeys.order import refused


@pytest.fixture
def stuck(retailer):
    """An order for a coat that Madrid did not find; one failed attempt is enough for a person to be asked."""
    retailer.follows(most_attempts=1)
    retailer.gets("MAD", coat=1)
    order = retailer.sells(coat=1)
    retailer.gets("SVQ", coat=1)
    retailer.rejects(order.part, "not_found")
    assert order.line("coat")["waiting_reason"] == "needs_person"
    return order


def ways(order):
    (trouble,) = order.retailer.get(f"/orders/{order.id}/recovery")["demands"]
    return trouble


def way(order, choice, node=None):
    (found,) = [each for each in ways(order)["choices"] if (each["choice"], each["node"]) == (choice, node)]
    return found


def chooses(order, choice, key=None, **more):
    asked = {"demand_id": ways(order)["demand_id"], "choice": choice, "reason": "customer"} | more
    return order.retailer.post(f"/orders/{order.id}/recovery", asked, key=key)


def test_what_failed_too_often_is_left_to_a_person_who_sees_each_way(retailer, stuck):
    retailer.runs("decide_waiting")
    assert stuck.nodes == []
    assert [row["id"] for row in retailer.get("/orders", needs_person="true")["items"]] == [stuck.id]

    trouble = ways(stuck)
    assert [(each["node"], each["reason"]) for each in trouble["failures"]] == [("MAD", "not_found")]
    choices = [(each["choice"], each["node"]) for each in trouble["choices"]]
    assert choices[-2:] == [("wait", None), ("cancel", None)]
    assert {("ship", None), ("collect", "BCN"), ("collect", "MAD")} <= set(choices)
    home = way(stuck, "ship")
    assert (home["nodes"], home["units"], home["left"]) == (["SVQ"], 1, 0)
    assert 0 < home["probability"] <= 1
    assert home["arrives_at"]
    assert way(stuck, "cancel")["probability"] == 1


def test_shipping_it_from_elsewhere_is_carried_out_once(retailer, stuck):
    demand = ways(stuck)["demand_id"]
    asked = {"demand_id": demand, "choice": "ship", "reason": "customer"}
    first = retailer.post(f"/orders/{stuck.id}/recovery", asked, key="chosen")
    assert retailer.post(f"/orders/{stuck.id}/recovery", asked, key="chosen") == first
    assert stuck.nodes == ["SVQ"]
    assert stuck.happened().count("recovered") == 1
    assert retailer.get("/orders", needs_person="true")["items"] == []


def test_it_is_collected_at_another_store_instead(retailer, stuck):
    chooses(stuck, "collect", node="BCN")
    assert sorted((part["method"], part["node"]) for part in stuck.parts) == [("collect", "BCN"), ("transfer", "SVQ")]
    assert (stuck.line("coat")["method"], stuck.line("coat")["collect_node"]) == ("collect", "BCN")


def test_what_was_to_be_collected_at_a_store_that_closed_goes_elsewhere(retailer):
    retailer.gets("MAD", coat=1)
    order = retailer.sells(collect_at="MAD", paid=True, coat=1)
    retailer.gets("BCN", coat=1)
    retailer.closes("MAD")
    assert order.parts == []
    assert [row["id"] for row in retailer.get("/orders", needs_person="true")["items"]] == [order.id]
    chooses(order, "collect", node="BCN")
    assert [(part["method"], part["node"]) for part in order.parts] == [("collect", "BCN")]
    retailer.picks(order.part)
    retailer.sets_ready(order.part)
    retailer.hands_over(order.part)
    assert order.status == "completed"


def test_another_article_goes_instead_at_the_same_price(retailer, stuck):
    retailer.post("/articles/substitutes", [{"sku": "coat", "substitute": "hat", "rank": 1}])
    retailer.gets("BCN", hat=1)
    (found,) = [each for each in ways(stuck)["choices"] if each["choice"] == "substitute"]
    assert (found["substitutes"], found["nodes"]) == ({"coat": "hat"}, ["BCN"])
    before = stuck.whole["due"]
    chooses(stuck, "substitute", substitutes={"coat": "hat"})
    assert stuck.units("coat") == {"ordered": 1, "cancelled": 1}
    assert stuck.units("hat") == {"ordered": 1, "allocated": 1}
    assert stuck.whole["due"] == before
    parcel = stuck.part
    retailer.picks_and_packs(parcel)
    retailer.ships(parcel)
    assert stuck.status == "completed"


def test_an_article_that_nobody_named_does_not_go_instead(retailer, stuck):
    retailer.gets("BCN", hat=1)
    unnamed = {"coat": {"coat": "hat"}, "hat": {"hat": "coat"}, "a~1b": {"a/b": "none"}}
    for pointer, other in unnamed.items():
        with refused("invalid_request", 422) as refusal:
            chooses(stuck, "substitute", substitutes=other)
        assert [fault["pointer"] for fault in refusal.value.problem["errors"]] == [f"/substitutes/{pointer}"]
    assert stuck.units("coat") == {"ordered": 1, "waiting": 1}


def test_it_waits_and_is_then_decided_by_itself(retailer, stuck):
    chooses(stuck, "wait")
    retailer.runs("decide_waiting")
    assert stuck.nodes == ["SVQ"]


def test_it_is_cancelled(retailer, stuck):
    chooses(stuck, "cancel")
    assert (stuck.status, stuck.units("coat")) == ("cancelled", {"ordered": 1, "cancelled": 1})
    assert retailer.get("/orders", needs_person="true")["items"] == []


def test_a_way_that_is_gone_or_was_never_there_is_refused(retailer, stuck):
    retailer.sells_at_till("SVQ", coat=1)
    with refused("remedy_gone"):
        chooses(stuck, "ship")
    with refused("invalid_request", 422):
        chooses(stuck, "collect")
    with refused("cannot_collect", 422) as nowhere:
        chooses(stuck, "collect", node="MARS")
    assert nowhere.value.problem["errors"][0]["pointer"] == "/node"
    chooses(stuck, "cancel")
    demand = {"demand_id": stuck.retailer.get("/orders")["items"][0]["id"], "choice": "wait", "reason": "customer"}
    with refused("invalid_request", 422):
        retailer.post(f"/orders/{stuck.id}/recovery", demand)
