"""One order of a batch, decided by itself out of what the others leave.

Owns what blocks do not express: orders too long to be priced again and again, lines that must be divided, orders whose
lines compete with each other for units or work. batch.py calls it. Invariant: nothing is taken twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from math import inf
from time import perf_counter

from fulfillment.optimizer.decide import decide
from fulfillment.optimizer.exact import solve_exact
from fulfillment.optimizer.plan import Assignment, Plan, cost_by_term
from fulfillment.optimizer.problem import UNLIMITED, Integers, Problem
from fulfillment.optimizer.reasons import left_after

_TIME_LIMIT_S, _LEAST_TIME_S = 5.0, 0.5


def decided_first(problem: Problem, orders: Sequence[int], *, deadline: float = inf) -> tuple[list[Assignment], int]:
    """Decide orders one after the other, each out of what is left; return also what they cost at least.

    Towards the deadline (perf_counter) every model gets its share of the time that is left, and at least a little.
    """
    stock, capacities = problem.stock.copy(), problem.capacities.copy()
    assignments: list[Assignment] = []
    bound = 0
    for place, index in enumerate(orders):
        share = (deadline - perf_counter()) / (2 * (len(orders) - place))
        limit_s = min(_TIME_LIMIT_S, max(_LEAST_TIME_S, share))
        bound += _solved(_alone(problem, index, problem.stock, problem.capacities), limit_s).bound
        mine = _solved(_alone(problem, index, stock, capacities), limit_s).assignments
        assignments += _taken(problem, index, mine, stock, capacities)
    return assignments, bound


def served_last(problem: Problem, assignments: Sequence[Assignment]) -> list[Assignment]:
    """Decide every order with unfilled units again, out of what is left and what it has; keep what is cheaper."""
    by_order: dict[int, list[Assignment]] = defaultdict(list)
    for part in assignments:
        by_order[part.order].append(part)
    stock, capacities = left_after(problem, assignments)
    for index, order in enumerate(problem.orders):
        before = [part._replace(order=0) for part in by_order[index]]
        if sum(part.units for part in before) == sum(line.units for line in order.lines):
            continue
        _taken(problem, index, before, stock, capacities, sign=1)
        alone = _alone(problem, index, stock, capacities)
        plan = _solved(alone, _TIME_LIMIT_S)
        better = plan.status != "infeasible" and plan.objective < sum(cost_by_term(alone, before).values())
        by_order[index] = _taken(problem, index, plan.assignments if better else before, stock, capacities)
    return [part for parts in by_order.values() for part in parts]


def _alone(problem: Problem, index: int, stock: Integers, capacities: Integers) -> Problem:
    """State the problem of one order with the given stock (S,N) and capacities (C)."""
    order = problem.orders[index]
    skus = sorted({line.sku for line in order.lines})
    lines = tuple(replace(line, sku=skus.index(line.sku)) for line in order.lines)
    return Problem(
        nodes=problem.nodes,
        open_cost=problem.open_cost,
        capacity_ids=problem.capacity_ids,
        capacities=capacities,
        skus=tuple(problem.skus[sku] for sku in skus),
        stock=stock[skus],
        orders=(replace(order, lines=lines),),
    )


def _solved(problem: Problem, time_limit_s: float) -> Plan:
    return decide(problem) or solve_exact(problem, time_limit_s=time_limit_s, seed=0)


def _taken(
    problem: Problem, index: int, parts: Sequence[Assignment], stock: Integers, capacities: Integers, *, sign: int = -1
) -> list[Assignment]:
    """Take what parts of an order need from stock and capacities, or give it back (sign 1); name the order in them."""
    order = problem.orders[index]
    packed: set[int] = set()
    for _, number, option, units in parts:
        line = order.lines[number]
        node, capacity = order.option_node[option], order.option_capacity[option]
        if problem.stock[line.sku, node] < UNLIMITED:
            stock[line.sku, node] += sign * units
        if capacity >= 0 and problem.capacities[capacity] < UNLIMITED:
            work = -(-int(order.line_work[number, option]) * units // line.units)
            capacities[capacity] += sign * (work + (0 if option in packed else int(order.work[option])))
            packed.add(option)
    return [part._replace(order=index) for part in parts]
