"""A shopper collects at a store: with the code, or with a document, paid or paying there."""

import pytest

from tests.journeys.order import refused


@pytest.fixture
def order(retailer):
    retailer.gets("MAD", coat=1)
    return retailer.sells(collect_at="MAD", coat=1)


@pytest.fixture
def ready(retailer, order):
    """The order, waiting on its shelf by the counter."""
    retailer.picks(order.part)
    retailer.sets_ready(order.part)
    return order


def test_it_is_picked_set_ready_paid_and_handed_over(retailer, ready):
    assert ready.told == "OrderPickupAvailable"
    with refused("payment_due"):
        retailer.hands_over(ready.part)
    retailer.hands_over(ready.part, paid_by="card")
    assert (ready.status, ready.told) == ("completed", "OrderDelivered")
    assert ready.whole["due"]["amount"] == "0.00"
    assert retailer.stock("MAD", "coat") == {}


def test_after_five_wrong_codes_only_a_document_helps(retailer, ready):
    wrong = "000000" if ready.part["pickup_code"] != "000000" else "000001"
    for _ in range(5):
        with refused("wrong_code", 422):
            retailer.hands_over(ready.part, wrong, paid_by="cash")
    with refused("code_locked"):
        retailer.hands_over(ready.part, paid_by="cash")
    retailer.hands_over(ready.part, identified_by="passport", paid_by="cash")
    assert ready.status == "completed"


def test_what_is_refused_at_the_counter_goes_back_to_its_shelf(retailer):
    retailer.gets("MAD", coat=1, hat=1)
    order = retailer.sells(collect_at="MAD", paid=True, coat=1, hat=1)
    retailer.picks(order.part)
    retailer.sets_ready(order.part)
    lines = retailer.get(f"/fulfillment-orders/{order.part['id']}")["lines"]
    taken = {line["id"]: 1 for line in lines if line["sku"] == "hat"}
    retailer.hands_over(order.part, accepted=taken)
    assert order.units("hat") == {"ordered": 1, "fulfilled": 1}
    assert order.units("coat") == {"ordered": 1, "cancelled": 1}
    assert retailer.puts_back("MAD") == 1
    assert retailer.stock("MAD", "coat") == {"on_hand": 1}


def test_no_other_store_is_chosen_silently(retailer):
    retailer.gets("SVQ", coat=1)
    with refused("invalid_order", 422):
        retailer.sells(collect_at="SVQ", coat=1)
