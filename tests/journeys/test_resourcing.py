"""What goes wrong with an order: it is decided anew, remembers who failed it, and in the end a person is asked."""


def test_a_node_that_had_nobody_today_is_asked_again_tomorrow(retailer):
    retailer.gets("MAD", coat=1)
    order = retailer.sells(coat=1)
    retailer.rejects(order.part, "no_staff")
    retailer.runs("decide_waiting")
    assert order.nodes == []
    retailer.waits(days=1)
    retailer.runs("decide_waiting")
    assert order.nodes == ["MAD"]


def test_what_was_not_begun_in_time_leaves_on_another_day(retailer):
    retailer.gets("MAD", coat=2)
    missed, begun = retailer.sells(coat=1), retailer.sells(coat=1)
    retailer.accepts(begun.part)
    first, late = missed.part, begun.part
    retailer.waits(days=1)
    assert retailer.runs("take_back_unstarted") == 1
    assert missed.part["promised_by"] > first["promised_by"]
    assert begun.part["id"] == late["id"]
    assert retailer.runs("take_back_unstarted") == 0


def test_a_node_that_closes_gives_back_what_it_has_not_begun(retailer):
    retailer.gets("MAD", coat=2)
    order, begun = retailer.sells(coat=1), retailer.sells(coat=1)
    retailer.accepts(begun.part)
    retailer.gets("BCN", coat=2)
    retailer.closes("MAD")
    assert (order.nodes, begun.nodes) == (["BCN"], ["MAD"])
