"""The tree over sets of options: what it proves, and what it leaves open."""

from itertools import combinations
from time import perf_counter

import numpy as np

from bench.published import generated_location
from fulfillment.optimizer.branching import Sites, branched
from fulfillment.optimizer.check import check
from fulfillment.optimizer.location import located
from fulfillment.optimizer.plan import priced_plan
from fulfillment.optimizer.problem_file import read_problem
from fulfillment.optimizer.subsets import IMPOSSIBLE

FINER = 1 << 20


def _drawn(rng):
    options, lines = int(rng.integers(1, 7)), int(rng.integers(2, 9))
    costs = np.where(rng.random((lines, options)) < 0.8, rng.integers(-9, 60, (lines, options)), IMPOSSIBLE)
    unfilled = np.where(rng.random(lines) < 0.7, rng.integers(30, 90, lines), IMPOSSIBLE)
    return rng.integers(0, 80, options), costs, unfilled, int(rng.integers(1, options + 1))


def _sites(package, costs, unfilled, most):
    lines, left = (np.where(values < IMPOSSIBLE, values * FINER, IMPOSSIBLE) for values in (costs, unfilled))
    return Sites(package * FINER, lines, left, np.minimum(left, 200 * FINER), most, FINER)


def _cost(stated, options):
    package, costs, unfilled, _ = stated
    nearest = np.column_stack([costs[:, list(options)], unfilled]).min(axis=1)
    return IMPOSSIBLE if nearest.max() >= IMPOSSIBLE else int(nearest.sum() + package[list(options)].sum())


def _every_cost(stated):
    for count in range(stated[-1] + 1):
        for options in combinations(range(len(stated[0])), count):
            yield _cost(stated, options)


def _proof(stated, known, fits=lambda _: True, seconds=30):
    start = np.zeros(len(stated[2]))
    return branched(_sites(*stated), known * FINER, start, fits, deadline=perf_counter() + seconds)


def test_the_least_cost_of_all_sets_is_found_and_proven():
    for seed in range(150):
        stated = _drawn(np.random.default_rng(seed))
        least = min(_every_cost(stated))
        if least >= IMPOSSIBLE:
            continue
        proof = _proof(stated, least + 25)
        assert (proof.cost, proof.bound) == (least * FINER, least * FINER)
        assert _cost(stated, np.flatnonzero(proof.options)) == least
        again = _proof(stated, least)
        assert (again.cost, again.options, again.bound) == (least * FINER, None, least * FINER)


def test_where_no_better_plan_fits_the_bound_stays_below_the_cost():
    stated = np.array([50, 60]), np.array([[0, 9], [0, 9]]), np.array([200, 200]), 2
    proof = _proof(stated, 78, fits=lambda options: bool(options[1]))
    assert proof.options is None
    assert 50 * FINER <= proof.bound < proof.cost == 78 * FINER


def test_an_order_that_the_linear_relaxation_hardly_bounds_is_proven():
    problem = read_problem(generated_location("uniform", 50, 50, seed=1).content)
    found = located(problem, time_limit_s=30)
    assert found.bound == found.cost == 61032 * 10**6
    plan = priced_plan(problem, found.assignments, bound=found.bound, seconds=0, solver="test", seed=0)
    assert check(problem, plan) == ()


def test_without_time_the_bound_says_nothing():
    stated = _drawn(np.random.default_rng(1))
    proof = _proof(stated, 500, seconds=-1)
    assert (proof.cost, proof.options) == (500 * FINER, None)
    assert proof.bound < min(_every_cost(stated))
