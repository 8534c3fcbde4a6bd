"""Nobody comes for an order: after its days at the counter it goes back to its shelf, and can be sold again."""


def test_what_nobody_collects_goes_back_to_its_shelf_and_is_sold_again(retailer):
    retailer.gets("MAD", coat=1)
    order = retailer.sells(collect_at="MAD", coat=1)
    retailer.picks(order.part)
    retailer.sets_ready(order.part)

    retailer.waits(days=6)
    assert retailer.runs("expire_no_shows") == 0
    retailer.waits(days=2)
    assert retailer.runs("expire_no_shows") == 1
    assert (order.status, order.told, order.parts) == ("cancelled", "OrderCancelled", [])

    next_order = retailer.sells(coat=1)
    assert next_order.units("coat") == {"ordered": 1, "waiting": 1}
    assert retailer.puts_back("MAD") == 1
    retailer.runs("decide_waiting")
    assert next_order.nodes == ["MAD"]
