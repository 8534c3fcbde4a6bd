"""No node has it all: the order is split, between lines and within one."""


def test_two_nodes_serve_one_order(retailer):
    retailer.gets("WH", coat=1)
    retailer.gets("BCN", hat=1)
    order = retailer.sells(coat=1, hat=1)
    assert order.nodes == ["BCN", "WH"]

    from_warehouse, from_store = order.part_at("WH"), order.part_at("BCN")
    retailer.picks_and_packs(from_warehouse)
    retailer.ships(from_warehouse)
    assert (order.status, order.told) == ("approved", "OrderProcessing")
    retailer.picks_and_packs(from_store)
    retailer.ships(from_store)
    assert (order.status, order.told) == ("completed", "OrderInTransit")


def test_a_line_is_divided_when_no_node_has_all_its_units(retailer):
    retailer.gets("WH", coat=2)
    retailer.gets("MAD", coat=1)
    order = retailer.sells(coat=3)
    assert {part["node"]: part["lines"][0]["units"] for part in order.parts} == {"WH": 2, "MAD": 1}
    assert order.units("coat") == {"ordered": 3, "allocated": 3}


def test_what_one_node_has_is_not_split(retailer):
    retailer.gets("WH", coat=1)
    retailer.gets("MAD", hat=1)
    retailer.gets("BCN", coat=1, hat=1)
    assert retailer.sells(coat=1, hat=1).nodes == ["BCN"]
