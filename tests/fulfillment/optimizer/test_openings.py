"""Sets of nodes to open: bounds that hold, proofs that are right, plans that are found."""

from time import perf_counter

import numpy as np

from bench.published import generated_opening
from fulfillment.optimizer.assignment import solve_assignment
from fulfillment.optimizer.check import check
from fulfillment.optimizer.openings import Openings, bounded
from fulfillment.optimizer.problem_file import read_problem

NEVER = 1e9


def _drawn(rng):
    """Draw a few nodes and orders, some of which may be left, and some of which some nodes cannot serve."""
    nodes, orders = int(rng.integers(1, 5)), int(rng.integers(1, 6))
    cost = np.where(rng.random((nodes, orders)) < 0.85, rng.integers(1, 40, (nodes, orders)), NEVER)
    leaving = np.where(rng.random(orders) < 0.4, rng.integers(20, 60, orders), NEVER)
    work = rng.integers(1, 6, orders) * 3
    capacity = rng.integers(3, 12 * orders, nodes)
    opening = rng.integers(0, 50, nodes).astype(float)
    return cost.astype(float), leaving.astype(float), work, capacity, opening


def _best(cost, leaving, work, capacity, opening, allowed):
    """Try every way to serve the orders from allowed nodes, the last place being nowhere."""
    best = np.inf
    nodes, orders = cost.shape
    for number in range((nodes + 1) ** orders):
        chosen = np.array([number // (nodes + 1) ** order % (nodes + 1) for order in range(orders)])
        price = np.vstack([cost, leaving])[chosen, np.arange(orders)].sum()
        used = np.unique(chosen[chosen < nodes])
        load = np.bincount(chosen, work, minlength=nodes + 1)[:nodes]
        if price < NEVER and (load <= capacity).all() and set(used) <= set(allowed):
            best = min(best, price + opening[used].sum())
    return best


class _Plans:
    """Plans sets of nodes by trying everything."""

    def __init__(self, stated, known=np.inf):
        self.stated, self.known = stated, known

    def plan(self, nodes):
        self.known = min(self.known, _best(*self.stated, allowed=nodes))

    def prove(self, nodes):
        self.plan(nodes)
        return _best(*self.stated, allowed=nodes)


def test_what_is_proven_is_what_trying_everything_finds():
    proven = 0
    for seed in range(60):
        cost, leaving, work, capacity, opening = stated = _drawn(np.random.default_rng(seed))
        expected = _best(*stated, allowed=range(len(cost)))
        sites = Openings.of(cost, leaving, work, capacity, opening, must=leaving >= NEVER, step=1.0)
        plans = _Plans(stated)
        bound = bounded(sites, plans, deadline=perf_counter() + 30)
        if np.isfinite(expected):
            assert plans.known == expected
            assert expected - 1 < bound <= expected
            proven += 1
    assert proven > 30


def test_without_time_the_bound_is_none():
    cost, leaving, work, capacity, opening = stated = _drawn(np.random.default_rng(4))
    sites = Openings.of(cost, leaving, work, capacity, opening, must=leaving >= NEVER, step=1.0)
    assert bounded(sites, _Plans(stated, 70.0), deadline=perf_counter() - 1) == -np.inf


def test_knapsacks_too_large_are_left_to_others():
    cost = np.ones((40, 1000))
    work = np.full(1000, 997)
    work[0] = 1
    capacity, opening = np.full(40, 10**6), np.ones(40)
    assert Openings.of(cost, np.full(1000, NEVER), work, capacity, opening, must=work > 0, step=1.0) is None


def test_nodes_to_open_are_found_and_nearly_proven():
    problem = read_problem(generated_opening(12, 60, 3, seed=1).content)
    plan = solve_assignment(problem, time_limit_s=20, seed=0)
    assert check(problem, plan) == ()
    assert plan.objective <= 1.005 * plan.bound
