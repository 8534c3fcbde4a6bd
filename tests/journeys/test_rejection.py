"""A store cannot do the work: it says why, keeps its stock, and another node takes over."""


def test_a_rejected_order_goes_to_another_node_and_not_back(retailer):
    retailer.gets("MAD", coat=1)
    order = retailer.sells(coat=1)
    retailer.gets("BCN", coat=1)
    retailer.rejects(order.part)
    assert order.nodes == ["BCN"]
    assert retailer.stock("MAD", "coat") == {"on_hand": 1}

    retailer.rejects(order.part, "closing")
    assert (order.parts, order.units("coat")) == ([], {"ordered": 1, "waiting": 1})


def test_what_was_rejected_as_damaged_cannot_be_sold(retailer):
    retailer.gets("MAD", coat=1)
    order = retailer.sells(coat=1)
    retailer.accepts(order.part)
    retailer.rejects(order.part, "damaged")
    assert order.units("coat") == {"ordered": 1, "waiting": 1}
    assert retailer.stock("MAD", "coat") == {"damaged": 1}


def test_units_in_the_tote_are_put_back_before_they_are_sold_again(retailer):
    retailer.gets("MAD", coat=1, hat=1)
    order = retailer.sells(coat=1, hat=1)
    retailer.gets("WH", coat=1, hat=1)
    retailer.starts(order.part)
    retailer.scans(order.part, "coat")
    retailer.rejects(order.part)
    assert order.nodes == ["WH"]
    assert retailer.stock("MAD", "coat") == {"on_hand": 1, "reserved": 1, "picked": 1}
    assert retailer.puts_back("MAD") == 1
    assert retailer.stock("MAD", "coat") == {"on_hand": 1}
