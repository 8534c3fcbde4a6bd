"""Random problems of every shape, each decided at the cost that an independent model says is least.

Two thousand in every run, a hundred thousand in `make soak`; OMS_SOAK scales those.
"""

import pytest

from fulfillment.optimizer import exact
from fulfillment.optimizer.check import check
from fulfillment.optimizer.exact import solve_exact
from tests.faults.tally import SOAK
from tests.fulfillment.optimizer.drawn import drawn_shape
from tests.fulfillment.optimizer.oracle import agrees, optimum

PER_TEST = 100
PROBLEMS = max(2_000, int(100_000 * SOAK))


@pytest.mark.parametrize("first", range(0, PROBLEMS, PER_TEST))
def test_a_decision_costs_what_an_independent_model_says_is_least(first):
    for seed in range(first, first + PER_TEST):
        problem = drawn_shape(seed)
        agrees(problem, optimum(problem))


@pytest.mark.parametrize("first", range(0, PROBLEMS, 10 * PER_TEST))
def test_the_solver_of_large_models_says_the_same_of_small_ones(first, monkeypatch):
    monkeypatch.setattr(exact, "solve_sat", lambda *_, **__: None)
    for seed in range(first, first + 10 * PER_TEST, 10):
        problem = drawn_shape(seed)
        plan = solve_exact(problem, time_limit_s=30, seed=0)
        assert check(problem, plan) == ()
        assert (None if plan.status == "infeasible" else plan.objective) == optimum(problem)
