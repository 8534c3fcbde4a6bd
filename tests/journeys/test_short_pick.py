"""The shelf holds less than the system says: the picker says so, and the rest is sourced again at once."""


def test_what_is_not_found_is_shipped_from_elsewhere(retailer):
    retailer.gets("MAD", coat=1)
    order = retailer.sells(coat=1)
    retailer.gets("WH", coat=1)
    missing = order.part
    retailer.starts(missing)
    retailer.misses(missing, "coat")
    assert order.nodes == ["WH"]
    assert retailer.stock("MAD", "coat") == {}

    parcel = order.part
    retailer.picks_and_packs(parcel)
    retailer.ships(parcel)
    assert order.status == "completed"


def test_what_was_found_leaves_and_the_rest_follows(retailer):
    retailer.gets("MAD", coat=3)
    order = retailer.sells(coat=3)
    retailer.gets("BCN", coat=5)
    retailer.starts(order.part)
    retailer.scans(order.part, "coat", units=2)
    retailer.misses(order.part, "coat", found=2, reason="damaged")
    assert order.nodes == ["BCN", "MAD"]
    assert retailer.stock("MAD", "coat") == {"on_hand": 2, "reserved": 2, "picked": 2, "damaged": 1}

    first, second = order.part_at("MAD"), order.part_at("BCN")
    retailer.packs(first)
    retailer.ships(first)
    retailer.picks_and_packs(second)
    retailer.ships(second)
    assert order.units("coat") == {"ordered": 3, "fulfilled": 3}


def test_where_nobody_has_it_the_rest_waits(retailer):
    retailer.gets("MAD", coat=1)
    order = retailer.sells(coat=1)
    retailer.starts(order.part)
    retailer.misses(order.part, "coat")
    assert (order.parts, order.units("coat")) == ([], {"ordered": 1, "waiting": 1})
