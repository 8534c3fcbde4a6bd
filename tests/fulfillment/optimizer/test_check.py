"""The judge finds every kind of fault, planted one at a time in a good plan."""

from dataclasses import replace

import pytest

from fulfillment.optimizer.check import check
from fulfillment.optimizer.plan import Assignment, Plan, Unfilled, infeasible_plan, priced_plan
from fulfillment.optimizer.problem import Line
from fulfillment.optimizer.solve import solve
from tests.fulfillment.optimizer.drawn import drawn_problem, problem

LINES = (
    Line("1", sku=0, units=2, unfilled_cost=1000),
    Line("2", sku=1, units=1),
    Line("3", sku=2, units=4, divisible=True, unfilled_cost=1000),
)


@pytest.fixture(scope="module")
def basket():
    return problem(
        LINES,
        line_cost=[[40, 40, 40], [20, 20, 20], [80, 80, 80]],
        package_cost=[100, 120, 140],
        stock=[[2, 2, 1], [9, 9, 9], [9, 9, 9]],
        capacities=[9, 9, 4],
        option_capacity=[0, 1, 2],
        work=2,
        line_work=[[1, 1, 1], [1, 1, 1], [4, 4, 4]],
        eligible=[[True, True, True], [True, True, False], [True, True, True]],
        max_packages=2,
        together=((0, 1),),
    )


def _planned(basket, *parts):
    assignments = [Assignment(0, *part) for part in parts]
    return priced_plan(basket, assignments, bound=None, seconds=0.0, solver="hand", seed=0)


def _kinds(basket, plan):
    return {finding.kind for finding in check(basket, plan)}


def test_a_good_plan_has_no_finding(basket):
    assert check(basket, _planned(basket, (0, 0, 2), (1, 0, 1), (2, 0, 2), (2, 1, 2))) == ()


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("units", [(0, 0, 2), (1, 0, 1), (2, 0, 5)]),
        ("units", [(0, 0, 2), (1, 0, 1), (2, 0, 4), (2, 1, 0)]),
        ("units", [(0, 0, 2), (1, 0, 1), (2, 0, 2), (2, 0, 2)]),
        ("divided", [(0, 0, 1), (1, 0, 1), (2, 0, 4)]),
        ("divided", [(0, 0, 1), (0, 1, 1), (1, 0, 1)]),
        ("not_eligible", [(0, 2, 2), (1, 2, 1)]),
        ("stock", [(0, 2, 2), (1, 2, 1)]),
        ("capacity", [(0, 0, 2), (1, 0, 1), (2, 2, 4)]),
        ("packages", [(0, 0, 2), (1, 0, 1), (2, 1, 2), (2, 2, 2)]),
        ("together", [(0, 0, 2), (1, 1, 1)]),
        ("together", [(1, 1, 1)]),
        ("must_serve", [(2, 0, 4)]),
    ],
)
def test_a_broken_rule_is_found(basket, kind, parts):
    assert kind in _kinds(basket, _planned(basket, *parts))


def test_half_a_divisible_line_takes_half_the_work(basket):
    assert _kinds(basket, _planned(basket, (0, 0, 2), (1, 0, 1), (2, 2, 2))) == set()


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("unfilled", {"unfilled": ()}),
        ("unfilled", {"unfilled": (Unfilled(0, 2, 3, "cost"),)}),
        ("unknown", {"unfilled": (Unfilled(0, 7, 1, "cost"),)}),
        ("unknown", {"assignments": (Assignment(3, 0, 0, 2),)}),
        ("unknown", {"assignments": (Assignment(0, 3, 0, 2),)}),
        ("unknown", {"assignments": (Assignment(0, 0, 3, 2),)}),
        ("unknown", {"assignments": (Assignment(0, 0, -1, 2),)}),
        ("cost", {"objective": 1159}),
        ("cost", {"by_term": {"package": 100, "line": 59, "unfilled": 1001, "open": 0}}),
        ("cost", {"by_term": {"package": 100, "line": 60, "unfilled": 1000, "open": 0, "gift": -1}}),
        ("bound", {"bound": 1161}),
        ("status", {"status": "feasible"}),
        ("status", {"bound": 1159}),
    ],
)
def test_a_false_statement_is_found(basket, kind, fault):
    honest = _planned(basket, (0, 0, 2), (1, 0, 1))
    assert check(basket, honest) == ()
    assert kind in _kinds(basket, replace(honest, **fault))


def test_an_infeasible_plan_must_name_lines_that_must_be_served(basket):
    def infeasible(*lines):
        return infeasible_plan(lines, seconds=0.0, solver="hand", seed=0)

    assert _kinds(basket, infeasible(Unfilled(0, 1, 1, "must_serve"))) == set()
    assert _kinds(basket, infeasible()) == {"status"}
    assert _kinds(basket, infeasible(Unfilled(0, 0, 1, "must_serve"))) == {"status"}
    busy = Plan("infeasible", 0, 0, 0.0, (Assignment(0, 1, 0, 1),), (Unfilled(0, 1, 1, "must_serve"),), {}, "hand", 0)
    assert _kinds(basket, busy) == {"status"}


def test_any_change_of_one_assignment_is_found_or_is_another_honest_plan():
    for seed in range(200):
        drawn = drawn_problem(seed)
        plan = solve(drawn)
        for position, part in enumerate(plan.assignments):
            moved = [
                *plan.assignments[:position],
                *plan.assignments[position + 1 :],
                part._replace(units=part.units + 1),
            ]
            assert check(drawn, replace(plan, assignments=tuple(moved)))
