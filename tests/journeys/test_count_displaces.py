"""A count finds less than was promised: what is there is kept, and the rest is served from elsewhere."""


def test_the_missing_unit_comes_from_elsewhere(retailer):
    retailer.gets("MAD", coat=2)
    retailer.gets("WH", hat=1)
    order = retailer.sells(coat=2)
    assert order.nodes == ["MAD"]

    retailer.gets("BCN", coat=1)
    retailer.counts("MAD", coat=1)
    assert {part["node"]: part["lines"][0]["units"] for part in order.parts} == {"MAD": 1, "BCN": 1}
    assert retailer.stock("MAD", "coat") == {"on_hand": 1, "reserved": 1}


def test_of_two_orders_the_younger_one_gives_way(retailer):
    retailer.gets("MAD", coat=2)
    older, younger = retailer.sells(coat=1), retailer.sells(coat=1)
    retailer.counts("MAD", coat=1)
    assert older.units("coat") == {"ordered": 1, "allocated": 1}
    assert younger.units("coat") == {"ordered": 1, "waiting": 1}


def test_what_is_found_fills_what_waits(retailer):
    retailer.gets("MAD", hat=1)
    order = retailer.sells(coat=1)
    retailer.counts("MAD", coat=1)
    assert order.nodes == ["MAD"]
