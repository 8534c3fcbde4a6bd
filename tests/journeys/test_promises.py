"""A shop asks in which ways a basket could be served, holds one of them, and sells it: all over REST."""

from datetime import date

from fulfillment.network import catalog, policies
from tests.journeys.order import refused
from tests.journeys.retailer import MADRID

NEAR_MADRID = {"postal_code": "28001", "country": "ES"}


def asked(retailer, place=NEAR_MADRID, **units_or_more):
    """Ask for promises: units by article, and what else is said."""
    more = {
        name: units_or_more.pop(name) for name in [*units_or_more] if name in {"methods", "services", "cart", "limit"}
    }
    lines = [{"sku": sku, "quantity": count} for sku, count in units_or_more.items()]
    return retailer.post("/promises", {"channel": "web", "lines": lines, "place": place, **more})


def ways(answer):
    """In short: method and service or store, nodes, and labels."""
    return [
        (way["service"] or way["store"]["node"], [package["node"] for package in way["packages"]], way["labels"])
        for way in answer["ways"]
    ]


def buys(retailer, promise_id, **basket):
    """Buy what was promised."""
    return retailer.takes(retailer.basket(**basket) | {"promise": promise_id})


def without_transfers(session):
    policies.activate(session, "default", policies.put(session, "default", {"transfers": False}))


def full_until_thursday(retailer, node):
    for day in (10, 11):
        retailer.house.doors.write(lambda session, on=date(2026, 3, day): catalog.set_capacity(session, node, on, 0))


def test_a_promise_is_held_and_bought(retailer):
    retailer.gets("WH", coat=1)
    answer = asked(retailer, methods=["ship"], services=["standard"], coat=1)
    [way] = answer["ways"]
    assert way["labels"] == ["earliest", "cheapest", "fewest_packages"]
    assert (way["arrives_local"], way["arrives_on"]) == ("2026-03-11T20:00:00+01:00", "2026-03-11")
    # The cut-off is at 20:00 in Madrid; a quote is good for a quarter of an hour.
    assert (way["order_by"][11:16], way["valid_until"][11:16]) == ("19:00", "09:15")
    assert (way["cost"]["amount"], answer["missing"]) == ("4.41", [])

    held = retailer.post(f"/promises/{way['id']}/hold", {"minutes": 10})
    assert held["promised_by"] == way["arrives_at"]
    assert retailer.stock("WH", "coat") == {"on_hand": 1, "reserved": 1}
    with refused("out_of_stock"):
        retailer.sells(channel="market", coat=1)

    order = buys(retailer, way["id"], coat=1)
    assert order.part["promised_by"] <= way["arrives_at"]
    assert (order.nodes, order.units("coat")) == (["WH"], {"ordered": 1, "allocated": 1})
    assert retailer.stock("WH", "coat") == {"on_hand": 1, "reserved": 1}


def test_an_order_keeps_a_date_that_costs_more(retailer):
    retailer.gets("WH", coat=1)
    retailer.gets("BCN", coat=1)
    full_until_thursday(retailer, "WH")
    answer = asked(retailer, methods=["ship"], services=["standard"], coat=1)
    assert [(nodes, labels) for _, nodes, labels in ways(answer)] == [
        (["BCN"], ["earliest"]), (["WH"], ["cheapest", "fewest_packages"]),
    ]  # fmt: skip
    earliest = answer["ways"][0]
    retailer.post(f"/promises/{earliest['id']}/hold", {})
    order = buys(retailer, earliest["id"], coat=1)
    assert (order.nodes, order.part["promised_by"]) == (["BCN"], earliest["arrives_at"])
    assert retailer.sells(coat=1).nodes == ["WH"]


def test_where_minutes_have_gone_the_date_is_as_near_as_can_be(retailer):
    retailer.gets("WH", coat=1)
    [way] = asked(retailer, methods=["ship"], services=["standard"], coat=1)["ways"]
    retailer.post(f"/promises/{way['id']}/hold", {})
    full_until_thursday(retailer, "WH")
    order = buys(retailer, way["id"], coat=1)
    assert (order.nodes, order.part["promised_by"] > way["arrives_at"]) == (["WH"], True)


def test_who_buys_at_the_end_of_a_hold_collects_when_it_was_promised(retailer):
    retailer.gets("MAD", coat=1)
    [way] = asked(retailer, methods=["collect"], limit=1, coat=1)["ways"]
    retailer.waits(days=14 / (24 * 60))
    retailer.post(f"/promises/{way['id']}/hold", {})
    retailer.waits(days=14 / (24 * 60))
    order = buys(retailer, way["id"], collect_at="MAD", coat=1)
    assert order.part["promised_by"] <= way["arrives_at"]


def test_every_service_and_every_store_near_is_a_way(retailer):
    retailer.gets("WH", coat=2, hat=2)
    retailer.gets("MAD", coat=1)
    answer = asked(retailer, coat=1)
    found = {name for name, _, _ in ways(answer)}
    assert found == {"standard", "express", "MAD", "BCN"}
    # From its own shelves, after the time it needs, and no later for whoever buys at the end of the hold.
    [own] = [way for way in answer["ways"] if way["method"] == "collect" and not way["packages"][0]["transfer"]]
    assert (own["store"]["node"], own["arrives_local"], own["labels"][-1]) == (
        "MAD", "2026-03-10T12:30:00+01:00", "nearest",
    )  # fmt: skip
    assert own["store"]["distance_km"] < 2


def test_what_nobody_has_is_named_with_when_it_comes(retailer):
    retailer.post(
        "/purchase-orders",
        {
            "number": "PO-1", "supplier": "ACME", "node": "WH", "expected_at": "2026-03-20T08:00:00Z",
            "lines": [{"sku": "coat", "units": 5}],
        },
    )  # fmt: skip
    retailer.gets("WH", hat=1)
    answer = asked(retailer, coat=1, hat=1)
    assert {way["complete"] for way in answer["ways"]} == {False}
    [missing] = answer["missing"]
    assert (missing["line"], missing["sku"], missing["reason"]) == (1, "coat", "no_stock")
    assert missing["expected_at"].startswith("2026-03-20T08:00")


def test_a_quote_that_is_no_longer_valid_cannot_be_held(retailer):
    retailer.gets("WH", coat=2)
    held, late = asked(retailer, coat=1)["ways"][:2]
    retailer.post(f"/promises/{held['id']}/hold", {"minutes": 60})
    retailer.waits(days=16 / (24 * 60))
    with refused("promise_expired"):
        retailer.post(f"/promises/{late['id']}/hold", {})
    # What is held may go on being held.
    retailer.post(f"/promises/{held['id']}/hold", {"minutes": 20})
    with refused("unknown_promise", 404):
        retailer.post("/promises/nothing-1/hold", {})
    with refused("invalid_order", 422):
        buys(retailer, "nothing-1", coat=1)


def test_units_that_others_took_cannot_be_held(retailer):
    retailer.gets("WH", coat=1)
    [way] = asked(retailer, methods=["ship"], services=["standard"], coat=1)["ways"]
    retailer.sells(coat=1)
    with refused("promise_gone"):
        retailer.post(f"/promises/{way['id']}/hold", {})


def test_a_hold_ends_before_the_cut_off_and_can_be_given_back(retailer):
    retailer.gets("WH", coat=1)
    retailer.waits(days=9 / 24 + 55 / (24 * 60))
    [way] = asked(retailer, methods=["ship"], services=["standard"], coat=1)["ways"]
    assert way["valid_until"] == way["order_by"]
    retailer.post(f"/promises/{way['id']}/hold", {"minutes": 30})
    order = buys(retailer, way["id"], coat=1)
    assert order.part["promised_by"] == way["arrives_at"]

    retailer.gets("WH", coat=1)
    [way] = asked(retailer, methods=["ship"], services=["standard"], coat=1)["ways"]
    retailer.post(f"/promises/{way['id']}/hold", {})
    assert retailer.post(f"/promises/{way['id']}/release")["held_until"] is None
    assert retailer.stock("WH", "coat") == {"on_hand": 2, "reserved": 1}


def test_a_promise_for_a_cart_is_held_for_the_cart(retailer):
    retailer.gets("WH", coat=1)
    cart = retailer.starts_cart(coat=1)
    [way] = asked(retailer, place=None, cart=cart.id, methods=["ship"], services=["standard"])["ways"]
    retailer.post(f"/promises/{way['id']}/hold", {})
    assert cart.held == {"coat": 1}
    order = cart.is_ordered(promise=way["id"])
    assert order.part["promised_by"] == way["arrives_at"]
    assert retailer.stock("WH", "coat") == {"on_hand": 1, "reserved": 1}


def test_a_collection_its_store_cannot_serve_is_offered_elsewhere(retailer):
    retailer.gets("BCN", coat=1)
    # Transfers are not allowed, so that Madrid cannot have it sent.
    retailer.house.doors.write(without_transfers)
    basket = retailer.basket("market", "MAD", coat=1) | {"ship_to": MADRID}
    with refused("out_of_stock") as refusal:
        retailer.takes(basket)
    assert {(each["method"], each["instead_of"]) for each in refusal.value.problem["alternatives"]} == {
        ("collect", "MAD"), ("ship", "MAD"),
    }  # fmt: skip

    # A line of a mixed basket, in a channel whose orders wait; what can be shipped is.
    retailer.gets("WH", hat=1)
    basket = retailer.basket("web", coat=1, hat=1)
    basket["lines"][0] |= {"method": "collect", "collect_node": "MAD"}
    placed = retailer.post("/orders", basket)
    other, home = sorted(placed["alternatives"], key=lambda each: each["method"])
    assert (other["store"]["node"], home["service"], other["packages"][0]["lines"]) == (
        "BCN", "standard", [{"line": None, "sku": "coat", "units": 1}],
    )  # fmt: skip
    assert [(part["node"], part["method"]) for part in placed["fulfillment_orders"]] == [("WH", "ship")]
