"""Why a line stays unfilled, or an option cannot serve it.

Owns the words that plans and explanations give for what was not done. Called with what is left of stock and capacity
after a plan. Invariant: the first reason that holds is given, in the order of the checks below.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from fulfillment.optimizer.problem import UNLIMITED, Flags, Integers, OrderProblem, Problem

Exclusion: TypeAlias = Literal["not_eligible", "no_stock", "no_capacity"]
Reason: TypeAlias = Literal[
    "not_eligible", "no_stock", "no_capacity", "package_limit", "part_value", "cost", "must_serve"
]


def left_after(problem: Problem, assignments: Sequence[tuple[int, int, int, int]]) -> tuple[Integers, Integers]:
    """Return what assignments (order, line, option, units) leave of stock (S,N) and of capacities (C)."""
    stock, capacities = problem.stock.copy(), problem.capacities.copy()
    packages: set[tuple[int, int]] = set()
    for index, line_index, option, units in assignments:
        order = problem.orders[index]
        line = order.lines[line_index]
        node, capacity = int(order.option_node[option]), int(order.option_capacity[option])
        if stock[line.sku, node] < UNLIMITED:
            stock[line.sku, node] -= units
        if capacity < 0 or capacities[capacity] == UNLIMITED:
            continue
        capacities[capacity] -= -(-int(order.line_work[line_index, option]) * units // line.units)
        if (index, option) not in packages:
            packages.add((index, option))
            capacities[capacity] -= order.work[option]
    return stock, capacities


def has_stock(order: OrderProblem, line: int, stock: Integers) -> Flags:
    """Tell for each option whether its node has the units that the line needs at least."""
    wanted = order.lines[line]
    flags: Flags = stock[wanted.sku, order.option_node] >= (1 if wanted.divisible else wanted.units)
    return flags


def has_capacity(order: OrderProblem, line: int, capacities: Integers, packed: Sequence[int] = ()) -> Flags:
    """Tell for each option whether its capacity has room for the line, in a package that `packed` options already have.

    A divisible line needs room for one unit, rounded up.
    """
    units = order.lines[line].units if order.lines[line].divisible else 1
    needed = order.work - (-order.line_work[line] // units)
    if packed:
        needed[list(packed)] -= order.work[list(packed)]
    limits = np.append(capacities, UNLIMITED)[order.option_capacity]
    flags: Flags = (limits == UNLIMITED) | (needed <= limits)
    return flags


def stock_of(order: OrderProblem, stock: Integers) -> Flags:
    """Tell for each line and option (L,K) whether the node has the units that the line needs at least."""
    skus = np.array([line.sku for line in order.lines])
    needed = np.array([1 if line.divisible else line.units for line in order.lines])
    flags: Flags = stock[skus[:, None], order.option_node] >= needed[:, None]
    return flags


def capacity_of(order: OrderProblem, capacities: Integers) -> Flags:
    """Tell for each line and option (L,K) whether the capacity has room for a package of the line alone."""
    if not len(capacities):
        return np.ones(order.eligible.shape, dtype=np.bool_)
    return np.array([has_capacity(order, line, capacities) for line in range(len(order.lines))])


def usable_of(order: OrderProblem, stock: Integers, capacities: Integers) -> Flags:
    """Tell for each line and option (L,K) whether a package of the line alone could leave from there."""
    return order.eligible & stock_of(order, stock) & capacity_of(order, capacities)


def unfilled_reason(
    order: OrderProblem, line: int, *, stock: Integers, capacities: Integers, packed: Sequence[int]
) -> Reason:
    """Say why a line is not served, given what a plan leaves and the options that the order already uses."""
    may_serve = order.eligible[line]
    if not may_serve.any():
        return "not_eligible"
    may_serve = may_serve & has_stock(order, line, stock)
    if not may_serve.any():
        return "no_stock"
    may_serve = may_serve & has_capacity(order, line, capacities, packed)
    if not may_serve.any():
        return "no_capacity"
    if order.max_packages is not None and len(packed) >= order.max_packages and not may_serve[list(packed)].any():
        return "package_limit"
    return "part_value" if order.min_part_value else "cost"
