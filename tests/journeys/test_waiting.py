"""What nobody has waits, openly, and is filled when it comes in: the oldest order first."""

from tests.journeys.order import refused


def test_an_order_waits_and_is_filled_when_goods_come_in(retailer):
    order = retailer.sells(coat=2)
    assert order.units("coat") == {"ordered": 2, "waiting": 2}
    assert order.line("coat")["waiting_reason"] == "no_stock"

    retailer.gets("WH", coat=3)
    assert order.units("coat") == {"ordered": 2, "allocated": 2}
    assert retailer.stock("WH", "coat") == {"on_hand": 3, "reserved": 2}


def test_the_oldest_order_is_filled_first(retailer):
    older, younger = retailer.sells(coat=1), retailer.sells(coat=1)
    retailer.gets("MAD", coat=1)
    assert older.units("coat") == {"ordered": 1, "allocated": 1}
    assert younger.units("coat") == {"ordered": 1, "waiting": 1}


def test_what_is_there_goes_and_the_rest_waits(retailer):
    retailer.gets("WH", coat=1)
    order = retailer.sells(coat=1, hat=1)
    parcel = order.part
    retailer.picks_and_packs(parcel)
    retailer.ships(parcel)
    assert (order.status, order.units("hat")) == ("approved", {"ordered": 1, "waiting": 1})

    retailer.gets("BCN", hat=1)
    parcel = order.part
    retailer.picks_and_packs(parcel)
    retailer.ships(parcel)
    assert order.status == "completed"


def test_a_channel_that_cannot_wait_is_refused_and_nothing_is_kept(retailer):
    retailer.gets("WH", coat=1)
    with refused("out_of_stock"):
        retailer.sells(channel="market", coat=2)
    assert retailer.stock("WH", "coat") == {"on_hand": 1}
    assert retailer.get("/orders", channel="market")["items"] == []
