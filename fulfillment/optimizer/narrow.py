"""Which options an order's best plan can use at all.

Owns what the subset tables know of an order that they cannot decide: what a plan through each option costs at least,
and a plan that fits. Options that are dearer than that plan need not trouble the model. `solve` and explain.py call it.
Invariant: an option left out is in no optimal plan.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fulfillment.optimizer.decide import (
    Parcels,
    best_assignments,
    best_splits,
    overdrawn,
    package_prices,
    parcels_of,
)
from fulfillment.optimizer.plan import Assignment, cost_by_term
from fulfillment.optimizer.problem import Integers, OrderProblem, Problem
from fulfillment.optimizer.subsets import IMPOSSIBLE, forced


def made_to_use(order: OrderProblem, parcels: Parcels) -> Integers:
    """Return for each option (K) what a plan that serves something from it costs at least."""
    if order.max_packages == 0:
        return np.full(len(parcels.package), IMPOSSIBLE, dtype=np.int64)
    others = None if order.max_packages is None else order.max_packages - 1
    packages = package_prices(parcels)
    rest = best_splits(parcels, packages, others)[0]
    prices = forced(parcels.package, parcels.lines, parcels.work, rest)
    if any(line.divisible for line in order.lines):
        np.minimum(prices, parcels.package + rest[-1], out=prices)
    return prices


def promising_options(problem: Problem) -> Integers:
    """Return the options of a one-order problem that its optimal plans can use."""
    order = problem.orders[0]
    parcels = parcels_of(problem)
    known = None if parcels is None else _fitting(problem, parcels)
    if parcels is None or known is None:
        return np.arange(len(order.option_ids))
    cost = sum(cost_by_term(problem, known).values())
    return np.flatnonzero(made_to_use(order, parcels) <= cost)


def with_options(problem: Problem, options: Integers) -> Problem:
    """Return a one-order problem with only some of its options."""
    order = problem.orders[0]
    narrower = replace(
        order,
        option_ids=tuple(order.option_ids[option] for option in options.tolist()),
        option_node=order.option_node[options],
        option_capacity=order.option_capacity[options],
        package_terms=order.package_terms[:, options],
        line_terms=order.line_terms[:, :, options],
        eligible=order.eligible[:, options],
        work=order.work[options],
        line_work=order.line_work[:, options],
    )
    return replace(problem, orders=(narrower,))


def _fitting(problem: Problem, parcels: Parcels) -> list[Assignment] | None:
    """Find a plan that fits by giving up the nodes that the tables overdraw, one set after the other."""
    order = problem.orders[0]
    for _ in problem.nodes:
        assignments = best_assignments(order, parcels)
        if assignments is None:
            return None
        nodes = overdrawn(problem, assignments)
        if not nodes.size:
            return assignments
        parcels = parcels.of(np.flatnonzero(~np.isin(order.option_node[parcels.options], nodes)))
    return None
