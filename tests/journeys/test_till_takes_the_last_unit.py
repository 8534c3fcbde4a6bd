"""A shopper in the store is faster than the picker: the till is right, and the order is served from elsewhere."""


def test_the_order_is_served_from_another_store(retailer):
    retailer.gets("MAD", coat=1)
    retailer.gets("BCN", coat=1)
    order = retailer.sells(coat=1)
    assert order.nodes == ["MAD"]

    retailer.sells_at_till("MAD", coat=1)
    assert order.nodes == ["BCN"]
    assert retailer.stock("MAD", "coat") == {}
    assert retailer.stock("BCN", "coat") == {"on_hand": 1, "reserved": 1}


def test_where_nobody_else_has_it_the_order_waits_until_it_comes_in(retailer):
    retailer.gets("MAD", coat=1)
    order = retailer.sells(coat=1)
    retailer.sells_at_till("MAD", coat=1)
    assert (order.parts, order.units("coat")) == ([], {"ordered": 1, "waiting": 1})
    retailer.gets("WH", coat=1)
    assert order.nodes == ["WH"]


def test_a_unit_in_the_tote_stays_with_its_order(retailer):
    retailer.gets("MAD", coat=1)
    order = retailer.sells(coat=1)
    retailer.picks(order.part)
    # The ledger knew of no second coat, but the till has just sold one.
    retailer.sells_at_till("MAD", coat=1)
    retailer.packs(order.part)
    retailer.ships(order.part)
    assert order.status == "completed"
