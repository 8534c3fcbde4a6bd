"""What `solve` promises of every problem, and tiny orders against complete enumeration."""

import pytest

from fulfillment.optimizer.decide import decide, expressible
from fulfillment.optimizer.plan import priced_plan
from fulfillment.optimizer.solve import SolveParams, solve
from tests.fulfillment.optimizer.drawn import drawn_problem
from tests.fulfillment.optimizer.oracle import agrees, enumerated_optimum, optimum


def test_the_oracle_and_complete_enumeration_agree_on_tiny_orders():
    tiny = [
        problem
        for problem in map(drawn_problem, range(2000, 2400))
        if len(problem.orders[0].lines) <= 3 and len(problem.orders[0].option_ids) <= 4
    ]
    assert len(tiny) > 50
    for problem in tiny:
        expected = enumerated_optimum(problem)
        assert optimum(problem) == expected
        agrees(problem, expected)


def test_most_orders_need_no_solver():
    problems = [drawn_problem(seed) for seed in range(500)]
    decided = [problem for problem in problems if expressible(problem) and decide(problem)]
    assert len(decided) > len(problems) / 2


def test_the_same_problem_gives_the_same_plan():
    for seed in (7, 3001):
        problem = drawn_problem(seed, orders=1 if seed < 3000 else 3)
        first, second = solve(problem), solve(problem)
        assert (first.assignments, first.objective) == (second.assignments, second.objective)


def test_no_orders_need_no_plan():
    problem = drawn_problem(1, orders=0)
    plan = solve(problem)
    assert plan == priced_plan(problem, (), bound=None, seconds=plan.seconds, solver=plan.solver, seed=0)
    assert plan.objective == 0


def test_a_time_limit_must_be_positive():
    with pytest.raises(ValueError, match="time_limit_s must be above 0"):
        SolveParams(time_limit_s=0)
