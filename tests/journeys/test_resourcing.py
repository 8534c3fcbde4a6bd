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


def test_each_new_decision_tells_what_went_wrong_before(retailer):
    retailer.gets("MAD", coat=1)
    order = retailer.sells(coat=1)
    retailer.gets("BCN", coat=1)
    retailer.rejects(order.part, "no_staff")
    first, second = retailer.get(f"/orders/{order.id}/decision")["decisions"]
    assert not any("instead" in sentence for sentence in first["words"])
    assert second["words"][:2] == [
        "Madrid refused 1 units of coat.", "Barcelona now serves instead of Madrid.",
    ]  # fmt: skip


def test_units_that_a_count_took_away_are_remembered_and_bar_nobody(retailer):
    retailer.gets("MAD", coat=2)
    order = retailer.sells(coat=2)
    retailer.counts("MAD", coat=1)
    retailer.gets("MAD", coat=1)
    assert order.units("coat") == {"ordered": 2, "allocated": 2}
    words = [each["words"] for each in retailer.get(f"/orders/{order.id}/decision")["decisions"]]
    assert any("Madrid turned out to have 1 units of coat less." in sentences for sentences in words)


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
