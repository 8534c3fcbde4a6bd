"""Plans are priced in whole numbers, and say why lines stay unfilled."""

import pytest

from fulfillment.optimizer.plan import Assignment, priced_plan, share
from fulfillment.optimizer.problem import Line
from tests.fulfillment.optimizer.drawn import problem

LINES = (Line("1", sku=0, units=1, unfilled_cost=500), Line("2", sku=1, units=3, divisible=True, unfilled_cost=900))


def _priced(basket, *parts, bound=None):
    return priced_plan(
        basket, [Assignment(0, *part) for part in parts], bound=bound, seconds=0.0, solver="hand", seed=0
    )


def test_a_plan_costs_its_packages_lines_openings_and_what_it_leaves():
    basket = problem(LINES, line_cost=[[10, 11], [30, 31]], package_cost=[100, 200], open_cost=[1, 2])
    plan = _priced(basket, (0, 0, 1), (1, 0, 1), (1, 1, 1))
    assert plan.by_term == {"package": 300, "line": 10 + 10 + 10, "unfilled": 300, "open": 3}
    assert plan.objective == 633
    assert plan.status == "optimal"


@pytest.mark.parametrize(("cost", "units", "expected"), [(10, 1, 3), (10, 2, 7), (10, 3, 10), (-10, 1, -3), (5, 0, 0)])
def test_a_share_is_rounded_half_up(cost, units, expected):
    assert share(cost, units, 3) == expected


def test_a_bound_below_the_objective_leaves_a_gap():
    basket = problem(LINES, line_cost=[[10], [30]], package_cost=60)
    plan = _priced(basket, (0, 0, 1), (1, 0, 3), bound=90)
    assert (plan.status, plan.objective, plan.bound, plan.gap) == ("feasible", 100, 90, 0.1)


def test_a_bound_above_the_objective_is_lowered_to_it():
    basket = problem(LINES, line_cost=[[10], [30]], package_cost=60)
    plan = _priced(basket, (0, 0, 1), (1, 0, 3), bound=101)
    assert (plan.status, plan.bound) == ("optimal", 100)


@pytest.mark.parametrize(
    ("reason", "shape", "parts"),
    [
        ("not_eligible", {"eligible": [[False], [True]]}, [(1, 0, 3)]),
        ("no_stock", {"stock": [[0], [3]]}, [(1, 0, 3)]),
        ("no_capacity", {"capacities": [4], "option_capacity": [0], "work": 2, "line_work": [[1], [2]]}, [(1, 0, 3)]),
        ("no_capacity", {"capacities": [2], "option_capacity": [0], "work": 2, "line_work": [[1], [0]]}, []),
        ("package_limit", {"max_packages": 0}, []),
        ("cost", {"capacities": [5], "option_capacity": [0], "work": 2, "line_work": [[1], [2]]}, [(1, 0, 3)]),
    ],
)
def test_an_unfilled_line_has_a_reason(reason, shape, parts):
    basket = problem(LINES, line_cost=[[10], [30]], package_cost=60, **shape)
    assert _priced(basket, *parts).unfilled[0][1:] == (0, 1, reason)


def test_units_that_other_lines_took_are_no_stock():
    lines = (Line("1", sku=0, units=2, unfilled_cost=5), Line("2", sku=0, units=2, unfilled_cost=5))
    basket = problem(lines, line_cost=[[1], [1]], package_cost=0, stock=[[3]])
    assert _priced(basket, (1, 0, 2)).unfilled == ((0, 0, 2, "no_stock"),)
