"""Orders served whole by one node each: plans that fit, bounds that hold, the optimum where there is time for it."""

from dataclasses import replace

import numpy as np

from bench.published import generated_assignment, generated_opening
from fulfillment.optimizer.assignment import assignable, solve_assignment
from fulfillment.optimizer.check import check
from fulfillment.optimizer.problem import UNLIMITED, Line, OrderProblem, Problem
from fulfillment.optimizer.problem_file import read_problem
from fulfillment.optimizer.solve import SolveParams, solve
from fulfillment.optimizer.tabu import Assigning, searched
from tests.fulfillment.optimizer.oracle import optimum


def _drawn(seed):
    """Draw up to nine orders of one line each, some of which may stay unfilled, at up to four nodes."""
    rng = np.random.default_rng(seed)
    nodes, orders = int(rng.integers(2, 5)), int(rng.integers(2, 10))
    names = tuple(f"N{node}" for node in range(nodes))
    return Problem(
        nodes=names,
        open_cost=rng.integers(0, 40, nodes) * (rng.random() < 0.6),
        capacity_ids=names,
        capacities=rng.integers(2, 4 * orders, nodes),
        skus=("S",),
        stock=np.full((1, nodes), UNLIMITED),
        orders=tuple(_order(rng, number, names) for number in range(orders)),
    )


def _order(rng, number, names):
    shape = (1, len(names))
    return OrderProblem(
        id=f"O{number}",
        lines=(Line("1", 0, 1, unfilled_cost=None if rng.random() < 0.7 else int(rng.integers(20, 90))),),
        option_ids=names,
        option_node=np.arange(len(names)),
        option_capacity=np.arange(len(names)),
        terms=("cost",),
        package_terms=rng.integers(0, 9, shape),
        line_terms=rng.integers(1, 40, (1, *shape)),
        eligible=rng.random(shape) < 0.9,
        work=rng.integers(0, 2, len(names)),
        line_work=rng.integers(1, 9, shape),
    )


def test_assignments_cost_what_an_independent_model_says_is_least():
    infeasible = 0
    for seed in range(100):
        problem = _drawn(seed)
        assert assignable(problem)
        plan, expected = solve_assignment(problem, time_limit_s=20, seed=1), optimum(problem)
        infeasible += expected is None
        if expected is None:
            assert plan is None
            continue
        assert check(problem, plan) == ()
        assert (plan.status, plan.objective, plan.bound) == ("optimal", expected, expected)
    assert 0 < infeasible < 50


def test_a_generated_assignment_is_solved_as_a_file_would_be():
    problem = read_problem(generated_assignment("C", 5, 60, seed=1).content)
    assert assignable(problem)
    plan = solve(problem, SolveParams(time_limit_s=30))
    assert check(problem, plan) == ()
    assert (plan.status, plan.bound) == ("optimal", plan.objective)


def test_when_time_runs_out_the_bound_is_valid_and_the_plan_fits():
    problem = read_problem(generated_opening(12, 60, 2, seed=1).content)
    hurried = solve(problem, SolveParams(time_limit_s=1.5))
    patient = solve(problem, SolveParams(time_limit_s=30))
    assert check(problem, hurried) == ()
    assert hurried.bound <= patient.objective <= hurried.objective
    assert hurried.bound <= patient.bound


def test_shared_stock_divided_lines_and_long_orders_are_not_for_the_search():
    problem = _drawn(1)
    first = problem.orders[0]
    assert not assignable(replace(problem, stock=np.full_like(problem.stock, 3)))
    divided = replace(first, lines=(Line("1", 0, 2, divisible=True),))
    assert not assignable(replace(problem, orders=(divided, *problem.orders[1:])))
    assert not assignable(replace(problem, capacity_ids=(), capacities=np.empty(0, dtype=np.int64), orders=()))


def test_the_search_leaves_an_overdrawn_start_and_says_when_it_finds_none():
    cost = np.array([[1.0, 1.0, 5.0], [4.0, 2.0, 1.0]])
    room = Assigning(cost, np.ones((2, 3)), np.array([1.0, 2.0]), np.zeros(2))
    found = searched(room, np.zeros(3, dtype=np.int64), moves=50, deadline=np.inf, seed=1)
    assert found.tolist() == [0, 1, 1]
    full = Assigning(cost, np.ones((2, 3)), np.array([1.0, 1.0]), np.zeros(2))
    assert searched(full, np.zeros(3, dtype=np.int64), moves=50, deadline=np.inf, seed=1) is None
