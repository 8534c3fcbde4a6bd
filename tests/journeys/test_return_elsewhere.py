"""What was shipped from one node comes back to another, graded, and serves whoever waits for it."""

import pytest

from tests.journeys.order import refused


@pytest.fixture
def order(retailer):
    """Two coats that were shipped from the warehouse."""
    retailer.gets("WH", coat=2)
    order = retailer.sells(coat=2)
    parcel = order.part
    retailer.picks_and_packs(parcel)
    retailer.ships(parcel)
    return order


def test_a_shopper_brings_a_parcel_back_to_a_store(retailer, order):
    retailer.takes_back(order, "BCN", coat=2)
    assert order.told == "OrderReturned"
    assert order.units("coat") == {"ordered": 2, "fulfilled": 2, "returned": 2}
    assert retailer.stock("BCN", "coat") == {"on_hand": 2}


def test_what_comes_back_damaged_is_not_sold_again(retailer, order):
    retailer.takes_back(order, "SVQ", grade="damaged", coat=1)
    assert retailer.stock("SVQ", "coat") == {"damaged": 1}
    assert retailer.sells(coat=1).units("coat") == {"ordered": 1, "waiting": 1}


def test_what_comes_back_serves_whoever_waits_for_it(retailer, order):
    waiting = retailer.sells(coat=1)
    retailer.takes_back(order, "BCN", coat=1)
    assert waiting.nodes == ["BCN"]


def test_nothing_comes_back_twice_nor_where_nobody_takes_it(retailer, order):
    retailer.takes_back(order, "MAD", coat=2)
    with refused("not_returnable"):
        retailer.takes_back(order, "MAD", coat=1)
    with refused("takes_no_returns", 422):
        retailer.takes_back(order, "WH", coat=1)
