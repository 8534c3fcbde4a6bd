"""A store ships what it has, and the nearest one that has it."""


def test_the_store_that_has_it_ships_it(retailer):
    retailer.gets("SVQ", coat=1)
    order = retailer.sells(coat=1)
    assert (order.part["node"], order.part["method"]) == ("SVQ", "ship")

    parcel = order.part
    retailer.picks_and_packs(parcel)
    retailer.ships(parcel)
    assert order.status == "completed"
    assert retailer.stock("SVQ", "coat") == {}


def test_of_two_stores_the_cheaper_one_ships(retailer):
    retailer.gets("BCN", coat=1)
    retailer.gets("MAD", coat=1)
    assert retailer.sells(coat=1).nodes == ["MAD"]
    assert retailer.sells(coat=1).nodes == ["BCN"]


def test_several_orders_are_picked_in_one_walk(retailer):
    retailer.gets("MAD", coat=2, hat=1)
    parcels = [retailer.sells(coat=1).part, retailer.sells(coat=1, hat=1).part]
    walk = retailer.starts(*parcels)
    assert [stop["sku"] for stop in walk["stops"]] == ["coat", "coat", "hat"]
    for parcel, sku in ((parcels[0], "coat"), (parcels[1], "coat"), (parcels[1], "hat")):
        retailer.scans(parcel, sku)
    for parcel in parcels:
        retailer.packs(parcel)
        retailer.ships(parcel)
    assert [order.status for order in retailer.orders] == ["completed", "completed"]
