"""The least worth of each part of an order: where it bites, where it does not, and who decides then."""

import pytest

from fulfillment.optimizer.check import check
from fulfillment.optimizer.decide import decide
from fulfillment.optimizer.plan import Assignment, priced_plan
from fulfillment.optimizer.problem import Line
from fulfillment.optimizer.solve import solve
from tests.fulfillment.optimizer.drawn import drawn_long, problem, with_worth
from tests.fulfillment.optimizer.oracle import agrees, optimum


def basket(least):
    """Two lines, worth 100 and 30; each has a node where it is cheap, and the third node has both."""
    return problem(
        (Line("1", 0, 1, unfilled_cost=900, unit_value=100), Line("2", 1, 1, unfilled_cost=900, unit_value=30)),
        line_cost=[[0, 500, 200], [500, 0, 200]],
        package_cost=[50, 50, 50],
        min_part_value=least,
    )


def nodes(plan):
    return [part.option for part in plan.assignments]


@pytest.mark.parametrize(("least", "expected"), [(0, [0, 1]), (30, [0, 1]), (31, [2, 2]), (9_999, [2, 2])])
def test_an_order_is_split_only_into_parts_worth_enough(least, expected):
    plan = decide(basket(least))
    assert nodes(plan) == expected
    assert plan.status == "optimal"


def test_what_would_stay_unfilled_is_a_part_too():
    without = problem(
        basket(0).orders[0].lines,
        line_cost=[[0, 500, 200], [500, 0, 200]],
        package_cost=[50, 50, 50],
        stock=[[1, 1, 1], [0, 0, 0]],
        min_part_value=31,
    )
    plan = solve(without)
    assert (plan.assignments, [(each.line, each.reason) for each in plan.unfilled]) == (
        (),
        [(0, "part_value"), (1, "no_stock")],
    )
    assert check(without, plan) == ()


def test_the_judge_finds_a_part_worth_too_little():
    asked = basket(31)
    split = [Assignment(0, 0, 0, 1), Assignment(0, 1, 1, 1)]
    plan = priced_plan(asked, split, bound=None, seconds=0.0, solver="hand", seed=0)
    assert [finding.kind for finding in check(asked, plan)] == ["part_value"]
    alone = priced_plan(asked, split[:1], bound=None, seconds=0.0, solver="hand", seed=0)
    assert [finding.kind for finding in check(asked, alone)] == ["part_value"]


def test_a_line_is_divided_where_that_makes_a_part_worth_enough():
    asked = problem(
        (Line("1", 0, 1, unfilled_cost=6000, unit_value=10), Line("2", 1, 4, divisible=True, unit_value=10)),
        line_cost=[[0, 3000], [3000, 0]],
        package_cost=[60, 60],
        min_part_value=20,
    )
    agrees(asked, optimum(asked))
    assert {(part.line, part.option): part.units for part in solve(asked).assignments} == {
        (0, 0): 1,
        (1, 0): 1,
        (1, 1): 3,
    }


def test_long_orders_cost_what_an_independent_model_says():
    for seed in range(15):
        asked = with_worth(drawn_long(seed), seed)
        agrees(asked, optimum(asked))
