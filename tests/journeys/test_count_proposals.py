"""What should be counted is proposed by the work itself and by the night, and closed by the count."""


def proposed(retailer, node="MAD"):
    tasks = retailer.get("/count-tasks", node=node, status="proposed")["items"]
    return {task["sku"]: task["cause"] for task in tasks}


def test_a_pick_that_should_have_emptied_the_shelf_proposes_to_look(retailer):
    retailer.gets("MAD", coat=1, hat=2)
    order = retailer.sells(coat=1, hat=1)
    retailer.picks(order.part)
    assert proposed(retailer) == {"coat": "zero_check"}
    retailer.counts("MAD", coat=0)
    assert proposed(retailer) == {}
    assert retailer.stock("MAD", "coat") == {"on_hand": 1, "reserved": 1, "picked": 1}


def test_the_night_proposes_what_was_not_counted_for_long(retailer):
    retailer.gets("MAD", coat=1, hat=1)
    retailer.counts("MAD", hat=1)
    assert retailer.runs("propose_counts") == 1
    assert proposed(retailer) == {"coat": "age"}
    assert retailer.runs("propose_counts") == 0
    retailer.waits(days=400)
    retailer.runs("propose_counts")
    assert proposed(retailer) == {"coat": "age", "hat": "age"}
