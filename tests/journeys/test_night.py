"""The night looks at all orders together: what is cheaper by now is shown, and changed where a planner accepts it."""

import pytest


@pytest.fixture
def orders(retailer):
    """Two orders for Madrid that Barcelona was given before Madrid had the goods."""
    retailer.gets("BCN", coat=1, hat=1)
    orders = retailer.sells(coat=1), retailer.sells(hat=1)
    retailer.gets("MAD", coat=1, hat=1)
    assert [order.nodes for order in orders] == [["BCN"], ["BCN"]]
    return orders


def movement_of(run, order):
    line_id = order.whole["lines"][0]["id"]
    (found,) = [movement for movement in run["movements"] if line_id in str(movement["after"])]
    return found


def test_a_run_is_shown_before_and_after_and_accepted_in_part(retailer, orders):
    coat, hat = orders
    run = retailer.plans_the_night()
    assert (run["status"], len(run["movements"])) == ("proposed", 2)
    assert float(run["bound"]["amount"]) <= float(run["cost_after"]["amount"]) < float(run["cost_before"]["amount"])
    assert [order.nodes for order in orders] == [["BCN"], ["BCN"]]

    outcome = retailer.accepts_run(run, movement_of(run, coat))
    assert (len(outcome["applied"]), outcome["lapsed"]) == (1, {})
    assert (coat.nodes, hat.nodes) == (["MAD"], ["BCN"])
    assert retailer.stock("BCN", "coat") == {"on_hand": 1}
    assert retailer.stock("MAD", "coat") == {"on_hand": 1, "reserved": 1}


def test_what_no_longer_fits_in_the_morning_lapses_and_is_told(retailer, orders):
    run = retailer.plans_the_night()
    retailer.sells_at_till("MAD", hat=1)
    coat, hat = orders
    outcome = retailer.accepts_run(run, *run["movements"])
    assert outcome["lapsed"] == {movement_of(run, hat)["demand_id"]: "no_longer_possible"}
    assert (coat.nodes, hat.nodes) == (["MAD"], ["BCN"])


def test_the_night_leaves_alone_what_somebody_works_on(retailer, orders):
    coat, hat = orders
    retailer.starts(coat.part)
    run = retailer.plans_the_night()
    assert len(run["movements"]) == 1
    retailer.accepts_run(run, *run["movements"])
    assert (coat.nodes, hat.nodes) == (["BCN"], ["MAD"])
