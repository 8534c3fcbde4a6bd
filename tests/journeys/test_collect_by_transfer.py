"""The store lacks what its shopper collects: another node sends it there."""

from tests.journeys.order import refused


def test_the_warehouse_sends_it_to_the_store_where_it_is_collected(retailer):
    retailer.gets("WH", coat=1)
    order = retailer.sells(collect_at="MAD", paid=True, coat=1)
    leg = order.part_at("WH")
    assert (leg["method"], leg["destination_node"]) == ("transfer", "MAD")
    assert order.part_at("MAD")["status"] == "awaiting_transfer"
    with refused("not_possible_now"):
        retailer.starts(order.part_at("MAD"))

    retailer.picks_and_packs(leg)
    transfer = retailer.dispatches(leg)
    assert retailer.stock("MAD", "coat") == {"in_transit": 1}
    assert order.units("coat") == {"ordered": 1, "allocated": 1}

    retailer.takes_in(transfer)
    assert (order.part["status"], order.status) == ("allocated", "approved")
    assert retailer.stock("MAD", "coat") == {"on_hand": 1, "reserved": 1}
    retailer.picks(order.part)
    retailer.sets_ready(order.part)
    retailer.hands_over(order.part)
    assert (order.status, order.told) == ("completed", "OrderDelivered")


def test_a_part_lies_in_the_store_and_a_part_comes(retailer):
    retailer.gets("MAD", hat=1)
    retailer.gets("BCN", coat=1)
    order = retailer.sells(collect_at="MAD", paid=True, coat=1, hat=1)
    assert order.nodes == ["BCN", "MAD"]

    leg = order.part_at("BCN")
    retailer.picks_and_packs(leg)
    retailer.takes_in(retailer.dispatches(leg))
    retailer.picks(order.part)
    retailer.sets_ready(order.part)
    retailer.hands_over(order.part)
    assert order.status == "completed"


def test_an_arrival_completes_no_order_whose_other_lines_were_shipped(retailer):
    retailer.gets("WH", coat=1, hat=1)
    basket = retailer.basket(paid=True, coat=1, hat=1)
    basket["lines"][1] |= {"method": "collect", "collect_node": "MAD"}
    order = retailer.takes(basket)
    parts = {part["method"]: part for part in order.parts}
    assert {method: part["node"] for method, part in parts.items()} == {
        "ship": "WH",
        "transfer": "WH",
        "collect": "MAD",
    }

    retailer.picks_and_packs(parts["ship"])
    retailer.ships(parts["ship"])
    retailer.picks_and_packs(parts["transfer"])
    retailer.takes_in(retailer.dispatches(parts["transfer"]))
    assert (order.status, order.nodes) == ("approved", ["MAD"])
    retailer.picks(order.part)
    retailer.sets_ready(order.part)
    retailer.hands_over(order.part)
    assert order.status == "completed"


def test_what_got_lost_on_the_way_is_sent_again(retailer):
    retailer.gets("WH", coat=2)
    order = retailer.sells(collect_at="MAD", paid=True, coat=1)
    leg = order.part_at("WH")
    retailer.picks_and_packs(leg)
    transfer = retailer.dispatches(leg)
    retailer.post(f"/transfers/{transfer['id']}/receive", {"lines": [{"line": 1, "units": 0}]})
    assert order.part_at("WH")["id"] != leg["id"]
    assert order.part_at("MAD")["status"] == "awaiting_transfer"
    assert retailer.stock("MAD", "coat") == {}
