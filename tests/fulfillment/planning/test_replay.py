"""Rules replayed on the same orders: each uses what there is once, and the optimum of each order costs no more."""

import numpy as np
import pytest

from fulfillment.optimizer.check import check
from fulfillment.optimizer.plan import priced_plan
from fulfillment.optimizer.problem import Line, OrderProblem, Problem
from fulfillment.planning.replay import by_preference, optimally


def a_day(seed, orders=30, nodes=5, skus=8):
    rng = np.random.default_rng(seed)

    def order(number):
        lines = int(rng.integers(1, 4))
        wanted = rng.choice(skus, lines, replace=False)
        return OrderProblem(
            str(number),
            tuple(Line(str(i), int(sku), int(rng.integers(1, 3)), True, 4000) for i, sku in enumerate(wanted)),
            tuple(f"n{i}" for i in range(nodes)), np.arange(nodes), np.arange(nodes), ("carrier",),
            rng.integers(300, 900, (1, nodes)), rng.integers(10, 90, (1, lines, nodes)), np.ones((lines, nodes), bool),
            np.full(nodes, 3), np.ones((lines, nodes), int),
        )  # fmt: skip

    return Problem(
        tuple(f"N{i}" for i in range(nodes)), np.zeros(nodes, int),
        tuple(f"C{i}" for i in range(nodes)), rng.integers(20, 60, nodes),
        tuple(f"S{i}" for i in range(skus)), rng.integers(0, 9, (skus, nodes)), tuple(order(i) for i in range(orders)),
    )  # fmt: skip


def nearest(nodes=5):
    return lambda _order: (np.arange(nodes), np.ones(nodes, bool))


@pytest.mark.parametrize("seed", range(5))
def test_each_rule_keeps_stock_and_minutes(seed):
    day = a_day(seed)
    for replayed in (optimally(day), by_preference(day, nearest())):
        plan = priced_plan(day, replayed.assignments, bound=0, seconds=0, solver="replay", seed=0)
        assert check(day, plan) == ()
        assert replayed.cost == plan.objective


@pytest.mark.parametrize("seed", range(5))
def test_exact_decisions_cost_less_over_a_day_with_stock_for_all(seed):
    day = a_day(seed)
    plenty = Problem(
        day.nodes, day.open_cost, day.capacity_ids, day.capacities + 10_000, day.skus, day.stock + 1000, day.orders
    )
    assert optimally(plenty).cost < by_preference(plenty, nearest()).cost


def test_a_rule_that_may_use_no_option_leaves_everything():
    day = a_day(1)
    nobody = by_preference(day, lambda _order: (np.arange(5), np.zeros(5, bool)))
    assert nobody.assignments == ()
    assert nobody.cost == nobody.by_term["unfilled"] > 0
