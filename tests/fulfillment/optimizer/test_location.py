"""Long orders as facility location: plans that fit, bounds that hold, and nothing left out that a better plan needs."""

import numpy as np

from bench.published import generated_location
from fulfillment.optimizer.check import check
from fulfillment.optimizer.exact import solve_exact
from fulfillment.optimizer.location import located
from fulfillment.optimizer.plan import priced_plan
from fulfillment.optimizer.problem import Line
from fulfillment.optimizer.problem_file import read_problem
from fulfillment.optimizer.solve import SolveParams, solve
from tests.fulfillment.optimizer.drawn import drawn_problem, problem
from tests.fulfillment.optimizer.oracle import optimum


def _located(stated):
    return located(stated, time_limit_s=20)


def test_the_bound_holds_and_the_narrowed_problem_keeps_the_optimum():
    found_some, proven = 0, 0
    for seed in range(300):
        drawn = drawn_problem(seed)
        found = _located(drawn)
        if found is None:
            continue
        expected = optimum(drawn)
        plan = priced_plan(drawn, found.assignments, bound=found.bound, seconds=0, solver="test", seed=0)
        assert check(drawn, plan) == ()
        assert found.bound <= expected <= found.cost == plan.objective
        assert solve_exact(found.narrowed, time_limit_s=20, seed=0).objective == expected
        found_some += 1
        proven += found.bound == found.cost
    assert found_some > 50
    assert proven > 25


def test_an_order_of_four_hundred_lines_is_proven_within_a_thousandth():
    stated = read_problem(generated_location("plane", 60, 400, seed=1).content)
    found = _located(stated)
    assert found.cost <= 1.001 * found.bound
    assert len(found.narrowed.orders[0].option_ids) < 60
    plan = solve(stated, SolveParams(time_limit_s=60))
    assert check(stated, plan) == ()
    assert (plan.status, plan.bound) == ("optimal", plan.objective)


def test_long_orders_with_limits_and_penalties_are_decided_as_the_model_says():
    for seed in range(12):
        rng = np.random.default_rng(seed)
        lines = tuple(Line(str(n), n, 1, unfilled_cost=None if n % 3 else 60) for n in range(18))
        stated = problem(
            lines,
            line_cost=rng.integers(0, 90, (18, 8)),
            package_cost=rng.integers(20, 120, 8),
            max_packages=None if seed % 2 else 3,
            together=((0, 1), (4, 5)) if seed % 3 else (),
        )
        plan = solve(stated, SolveParams(time_limit_s=20))
        assert check(stated, plan) == ()
        assert (plan.status, plan.objective) == ("optimal", optimum(stated))


def test_divided_lines_and_orders_without_a_plan_are_left_to_the_model():
    divided = problem((Line("1", 0, 2, divisible=True),), line_cost=[[1, 2]], package_cost=5)
    nowhere = problem((Line("1", 0, 2),), line_cost=[[1, 2]], package_cost=5, eligible=False)
    assert _located(divided) is None
    assert _located(nowhere) is None
