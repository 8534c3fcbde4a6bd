"""A shopper changes their mind, in every state: before it leaves, everything is released; afterwards it is a return."""

import pytest

from tests.journeys.order import refused


def waiting(retailer):
    return retailer.sells(coat=1)


def allocated(retailer, collect_at=None):
    retailer.gets("MAD", coat=1)
    return retailer.sells(collect_at=collect_at, paid=True, coat=1)


def accepted(retailer):
    order = allocated(retailer)
    retailer.accepts(order.part)
    return order


def picking(retailer):
    order = allocated(retailer)
    retailer.starts(order.part)
    return order


def picked(retailer, collect_at=None):
    order = allocated(retailer, collect_at)
    retailer.picks(order.part)
    return order


def packed(retailer):
    order = picked(retailer)
    retailer.packs(order.part)
    return order


def ready(retailer):
    order = picked(retailer, "MAD")
    retailer.sets_ready(order.part)
    return order


def awaiting_transfer(retailer):
    retailer.gets("WH", coat=1)
    return retailer.sells(collect_at="MAD", coat=1)


def on_its_way(retailer):
    order = awaiting_transfer(retailer)
    leg = order.part_at("WH")
    retailer.picks_and_packs(leg)
    order.transfer = retailer.dispatches(leg)
    return order


def shipped(retailer):
    order = picked(retailer)
    retailer.packs(order.part)
    order.parcel = order.part
    retailer.ships(order.parcel)
    return order


def delivered(retailer):
    order = shipped(retailer)
    retailer.delivers(order.parcel)
    return order


def handed_over(retailer):
    order = ready(retailer)
    retailer.hands_over(order.part)
    return order


@pytest.mark.parametrize("state", [waiting, allocated, accepted, picking, awaiting_transfer])
def test_before_anybody_holds_it_the_units_are_free_at_once(retailer, state):
    order = state(retailer)
    retailer.cancels(order)
    assert (order.status, order.told, order.parts) == ("cancelled", "OrderCancelled", [])
    assert order.units("coat") == {"ordered": 1, "cancelled": 1}
    assert "reserved" not in retailer.stock("MAD", "coat") | retailer.stock("WH", "coat")


@pytest.mark.parametrize("state", [picked, packed, ready])
def test_what_somebody_holds_is_put_back_first(retailer, state):
    order = state(retailer)
    retailer.cancels(order)
    assert (order.status, order.told, order.parts) == ("cancelled", "OrderCancelled", [])
    assert retailer.stock("MAD", "coat") == {"on_hand": 1, "reserved": 1, "picked": 1}
    assert retailer.puts_back("MAD") == 1
    assert retailer.stock("MAD", "coat") == {"on_hand": 1}


def test_what_is_on_its_way_to_the_store_arrives_there_as_stock(retailer):
    order = on_its_way(retailer)
    retailer.cancels(order)
    assert order.status == "cancelled"
    retailer.takes_in(order.transfer)
    assert retailer.stock("MAD", "coat") == {"on_hand": 1}


@pytest.mark.parametrize("state", [shipped, delivered, handed_over])
def test_what_has_left_is_a_return(retailer, state):
    order = state(retailer)
    with refused("nothing_to_cancel") as caught:
        retailer.cancels(order, coat=1)
    assert "comes back as a return" in caught.value.detail
    assert order.units("coat") == {"ordered": 1, "fulfilled": 1}


def test_units_of_a_line_are_cancelled_waiting_ones_first(retailer):
    retailer.gets("WH", coat=2)
    order = retailer.sells(coat=3)
    assert [given_up["taken_from"] for given_up in retailer.cancels(order, coat=1)] == ["waiting"]
    retailer.cancels(order, coat=1)
    assert order.units("coat") == {"ordered": 3, "cancelled": 2, "allocated": 1}
    assert retailer.stock("WH", "coat") == {"on_hand": 2, "reserved": 1}


def test_what_one_shopper_gives_up_another_one_gets(retailer):
    retailer.gets("WH", coat=1)
    first, second = retailer.sells(coat=1), retailer.sells(coat=1)
    retailer.cancels(first)
    retailer.runs("decide_waiting")
    assert second.nodes == ["WH"]


def test_more_than_is_still_here_is_refused_whole(retailer):
    retailer.gets("WH", coat=1)
    order = retailer.sells(coat=2)
    parcel = order.part
    retailer.picks_and_packs(parcel)
    retailer.ships(parcel)
    with refused("already_shipped"):
        retailer.cancels(order, coat=2)
    retailer.cancels(order, coat=1)
    assert (order.status, order.units("coat")) == ("completed", {"ordered": 2, "cancelled": 1, "fulfilled": 1})
