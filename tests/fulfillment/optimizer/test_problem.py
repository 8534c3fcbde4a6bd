"""A problem that exists is consistent: each contradiction is refused, with its place."""

from dataclasses import replace

import numpy as np
import pytest

from fulfillment.optimizer.problem import COST_LIMIT, Line, ProblemError
from tests.fulfillment.optimizer.drawn import problem

LINES = (Line("1", sku=0, units=1), Line("2", sku=0, units=2, divisible=True))


@pytest.fixture
def small():
    return problem(LINES, line_cost=[[1, 2], [3, 4]], package_cost=[5, 6])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lines": ()}, "it has no lines"),
        ({"lines": (LINES[0], LINES[0])}, "line '1' appears twice"),
        ({"option_ids": ("P", "P")}, "option 'P' appears twice"),
        ({"terms": ("package", "unfilled")}, "term 'unfilled' appears twice"),
        ({"max_packages": -1}, "max_packages must not be negative"),
        ({"eligible": np.ones((2, 3), dtype=bool)}, r"eligible has shape \(2, 3\), expected \(2, 2\)"),
        ({"work": np.array([0.5, 1.0])}, "work must hold whole numbers"),
        ({"work": np.array([-1, 0])}, "work must lie between 0"),
        ({"line_work": np.array([[0, 0], [0, -1]])}, "line_work must lie between 0"),
        ({"package_terms": np.array([[-5, 5], [0, 0]])}, "package cost must lie between 0"),
        ({"line_terms": np.full((2, 2, 2), COST_LIMIT + 1)}, "line_terms must lie between"),
        ({"line_terms": np.full((2, 2, 2), COST_LIMIT)}, "line cost must lie between"),
        ({"together": ((0, 2),)}, "together names line 2"),
        ({"together": ((0,), (0,))}, "line 1 is in together twice"),
        ({"together": ((0, 1),)}, "line 2 is divisible"),
    ],
)
def test_an_inconsistent_order_is_refused(small, change, message):
    with pytest.raises(ProblemError, match=message):
        replace(small.orders[0], **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nodes": ("N", "N")}, "nodes 'N' appears twice"),
        ({"nodes": ("N",)}, "open_cost has shape"),
        ({"stock": np.array([[-1, 0]])}, "stock must lie between 0"),
        ({"open_cost": np.array([0, -1])}, "open_cost must lie between 0"),
        ({"capacity_ids": ("C",)}, "capacities has shape"),
        ({"skus": (), "stock": np.zeros((0, 2), dtype=np.int64)}, "names an SKU that the problem does not have"),
    ],
)
def test_an_inconsistent_problem_is_refused(small, change, message):
    with pytest.raises(ProblemError, match=message):
        replace(small, **change)


def test_an_order_may_not_name_nodes_or_capacities_that_are_not_there(small):
    order = small.orders[0]
    for change in ({"option_node": np.array([0, 2])}, {"option_capacity": np.array([0, -1])}):
        with pytest.raises(ProblemError, match="must lie between"):
            replace(small, orders=(replace(order, **change),))
    with pytest.raises(ProblemError, match="orders 'O1' appears twice"):
        replace(small, orders=(order, order))


@pytest.mark.parametrize("units", [0, -1, 10**9 + 1])
def test_a_line_asks_for_a_sensible_number_of_units(units):
    with pytest.raises(ProblemError, match="units must be between 1"):
        Line("1", sku=0, units=units)


def test_a_penalty_is_not_negative():
    with pytest.raises(ProblemError, match="unfilled_cost must be between 0"):
        Line("1", sku=0, units=1, unfilled_cost=-1)


def test_a_problem_cannot_be_changed_and_leaves_its_callers_arrays_alone():
    stock = np.array([[3, 4]])
    stated = problem(LINES, line_cost=[[1, 2], [3, 4]], package_cost=0, stock=stock)
    with pytest.raises(ValueError, match="read-only"):
        stated.stock[0, 0] = 1
    stock[0, 0] = 7
