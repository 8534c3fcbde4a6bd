"""Replay of orders one after another under a simple rule, to lay beside the optimum what simpler systems would pay.

Pure: works on a problem of many orders in order of arrival. Every rule draws on the same stock and minutes and
is priced by the same terms, so that their costs may be compared. Invariant: no rule uses a unit or a minute twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from fulfillment.optimizer.plan import Assignment, cost_by_term
from fulfillment.optimizer.problem import Flags, Integers, Problem
from fulfillment.optimizer.solve import solve

Preference: TypeAlias = Callable[[int], tuple[Integers, Flags]]
"""For an order of the problem: how near each option is, in whatever unit, and whether the rule would use it at all."""


@dataclass(frozen=True)
class Replayed:
    """What a rule did: its assignments, and what they cost by term, in minor units."""

    assignments: tuple[Assignment, ...]
    by_term: Mapping[str, int]

    @property
    def cost(self) -> int:
        """The whole cost, the penalty for what stays unfilled included."""
        return sum(self.by_term.values())


@dataclass
class _Left:
    """What earlier orders left of stock (S, N) and minutes (C)."""

    stock: Integers
    capacities: Integers

    def take(self, problem: Problem, assignments: list[Assignment]) -> None:
        packed: set[tuple[int, int]] = set()
        for assignment in assignments:
            order = problem.orders[assignment.order]
            capacity = int(order.option_capacity[assignment.option])
            self.stock[order.lines[assignment.line].sku, order.option_node[assignment.option]] -= assignment.units
            if capacity >= 0:
                self.capacities[capacity] -= order.line_work[assignment.line, assignment.option]
                if (assignment.order, assignment.option) not in packed:
                    packed.add((assignment.order, assignment.option))
                    self.capacities[capacity] -= order.work[assignment.option]


def optimally(problem: Problem) -> Replayed:
    """Decide each order exactly as it arrives, on what earlier ones left."""
    return _replay(problem, lambda left, order: _exactly(problem, left, order))


def by_preference(problem: Problem, preference: Preference) -> Replayed:
    """Serve each order from the option most preferred that has anything of it, the rest from the next, and so on.

    This is what sorted lists of locations do: nobody asks what a second package costs, or what the next shopper needs.
    """
    return _replay(problem, lambda left, order: _greedily(problem, left, order, preference))


def _replay(problem: Problem, serve: Callable[[_Left, int], list[Assignment]]) -> Replayed:
    left = _Left(problem.stock.copy(), problem.capacities.copy())
    served: list[Assignment] = []
    for order in range(len(problem.orders)):
        assignments = serve(left, order)
        left.take(problem, assignments)
        served += assignments
    return Replayed(tuple(served), cost_by_term(problem, served))


def _exactly(problem: Problem, left: _Left, order: int) -> list[Assignment]:
    alone = replace(problem, stock=left.stock, capacities=left.capacities.clip(0), orders=(problem.orders[order],))
    return [assignment._replace(order=order) for assignment in solve(alone).assignments]


def _greedily(problem: Problem, left: _Left, index: int, preference: Preference) -> list[Assignment]:
    order = problem.orders[index]
    nearness, usable = preference(index)
    cost = order.package_cost + np.where(order.eligible, order.line_cost, 0).sum(axis=0)
    wanted = [line.units for line in order.lines]
    served: list[Assignment] = []
    used_nodes: set[int] = set()
    for option in np.lexsort((cost, nearness)).tolist():
        node = int(order.option_node[option])
        if not usable[option] or node in used_nodes or not any(wanted):
            continue
        part = _from_option(problem, left, index, option, wanted)
        for assignment in part:
            wanted[assignment.line] -= assignment.units
            used_nodes.add(node)
        served += part
    return served


def _from_option(problem: Problem, left: _Left, index: int, option: int, wanted: list[int]) -> list[Assignment]:
    """Take from one option whole lines, or parts of divisible ones, as far as its stock and minutes go."""
    order = problem.orders[index]
    node, capacity = int(order.option_node[option]), int(order.option_capacity[option])
    minutes = int(left.capacities[capacity] - order.work[option]) if capacity >= 0 else None
    there = {line.sku: int(left.stock[line.sku, node]) for line in order.lines}
    part: list[Assignment] = []
    for position, line in enumerate(order.lines):
        units = min(wanted[position], there[line.sku])
        work = int(order.line_work[position, option])
        whole = units == line.units or (line.divisible and units > 0)
        if not whole or not order.eligible[position, option] or (minutes is not None and minutes < work):
            continue
        minutes = None if minutes is None else minutes - work
        there[line.sku] -= units
        part.append(Assignment(index, position, option, units))
    return part
