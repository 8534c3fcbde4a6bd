"""An order of the web shop leaves the warehouse as a parcel and arrives."""

from tests.journeys.order import refused


def test_an_order_is_shipped_from_the_warehouse_and_arrives(retailer):
    retailer.gets("WH", coat=2)
    order = retailer.sells(coat=1)
    parcel = order.part
    assert (parcel["node"], parcel["method"], parcel["status"]) == ("WH", "ship", "allocated")
    assert retailer.stock("WH", "coat") == {"on_hand": 2, "reserved": 1}

    retailer.picks_and_packs(parcel)
    assert retailer.ships(parcel)["tracking_number"]
    assert (order.status, order.told) == ("completed", "OrderInTransit")
    assert order.units("coat") == {"ordered": 1, "fulfilled": 1}
    assert retailer.stock("WH", "coat") == {"on_hand": 1}

    retailer.delivers(parcel)
    assert order.told == "OrderDelivered"


def test_a_parcel_leaves_once(retailer):
    retailer.gets("WH", coat=2)
    parcel = retailer.sells(coat=1).part
    retailer.picks_and_packs(parcel)
    retailer.ships(parcel)
    with refused("already_shipped") as caught:
        retailer.ships(parcel)
    assert "a return" in caught.value.detail


def test_the_wrong_article_and_one_too_many_are_said_at_once_and_not_counted(retailer):
    retailer.gets("WH", coat=3, hat=1)
    order = retailer.sells(coat=2)
    retailer.starts(order.part)
    with refused("wrong_article", 422):
        retailer.scans(order.part, "hat")
    with refused("too_many"):
        retailer.scans(order.part, "coat", units=3)
    assert "picked" not in retailer.stock("WH", "coat")
    retailer.scans(order.part, "coat", units=2)
    assert order.part["status"] == "picked"
