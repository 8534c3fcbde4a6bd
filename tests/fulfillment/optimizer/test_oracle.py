"""Random problems of every shape, each decided at the cost that an independent model says is least.

Two thousand in every run, a hundred thousand in `make soak`; OMS_SOAK scales those.
"""

import pytest

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
