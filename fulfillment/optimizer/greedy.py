"""A plan at once, for when the time ended before a model had any, or a good one.

Owns the greedy rule: package after package, each from the option that saves most of what is left unserved. exact.py
calls it. Invariant: the plan fits all limits and rules, but that a line which must be served may stay unfilled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from fulfillment.optimizer.mip import Floats
from fulfillment.optimizer.parts import keeps_worth
from fulfillment.optimizer.plan import Assignment, share
from fulfillment.optimizer.problem import COST_LIMIT, UNLIMITED, Integers, OrderProblem, Problem

_ROUNDED_UP: Final = 1 + 1e-9
"""Factor by which a limit worked out in floats is raised, so that it holds."""


class _Left(NamedTuple):
    """What orders leave each other: stock (S,N), capacities (C and one that never ends), opening costs (N)."""

    stock: Integers
    room: Integers
    opening: Integers


class _Package(NamedTuple):
    saved: int
    parts: list[Assignment]


def packed(problem: Problem) -> list[Assignment]:
    """Serve orders one after the other, each out of what the others leave."""
    room = np.append(problem.capacities, UNLIMITED)
    left, assignments = _Left(problem.stock, room, problem.open_cost), list[Assignment]()
    for index, order in enumerate(problem.orders):
        mine = _Left(*(each.copy() for each in left))
        parts = _packages(order, mine)
        if parts and keeps_worth(order, parts):
            left = mine
            assignments += [part._replace(order=index) for part in parts]
    return assignments


def least_cost(problem: Problem) -> int:
    """Return what no plan costs less than: each line served where it is cheapest, or left, and no package paid for."""
    least = 0
    for order in problem.orders:
        served = np.where(order.eligible, order.line_cost, COST_LIMIT).min(axis=1, initial=COST_LIMIT)
        least += int(np.minimum(served, _penalties(order)).sum())
    return least


def _packages(order: OrderProblem, left: _Left) -> list[Assignment]:
    """Pack an order while that saves something, and take it from what is left."""
    need = [line.units for line in order.lines]
    parts: list[Assignment] = []
    options = np.arange(len(order.option_ids))
    while options.size and (order.max_packages is None or len({part.option for part in parts}) < order.max_packages):
        best = _best(order, options.tolist(), need, left)
        if best is None:
            break
        parts += best.parts
        option = best.parts[0].option
        _take(order, best.parts, need, left)
        options = options[options != option]
    return parts


def _best(order: OrderProblem, options: Sequence[int], need: Sequence[int], left: _Left) -> _Package | None:
    """Return the package that saves most; what an option could save at most is worked out of all at once."""
    wanted = np.array(need) > 0
    savings = np.where(order.eligible & wanted[:, None], _penalties(order)[:, None] - order.line_cost, 0).clip(0)
    costs = order.package_cost + left.opening[order.option_node]
    most = _most_saved(order, savings, need, left) - costs
    best: _Package | None = None
    for option in sorted(options, key=lambda each: -most[each]):
        if most[option] <= (best.saved if best else 0):
            break
        package = _filled(order, option, savings[:, option].tolist(), need, left)
        if package.parts and package.saved - int(costs[option]) > (best.saved if best else 0):
            best = package._replace(saved=package.saved - int(costs[option]))
    return best


def _most_saved(order: OrderProblem, savings: Integers, need: Sequence[int], left: _Left) -> Floats:
    """Return what no package of an option saves more than (K), by the units of each SKU that its node has."""
    rows = np.argsort([line.sku for line in order.lines], kind="stable")
    lines = [order.lines[row] for row in rows]
    skus, units = np.array([line.sku for line in lines], dtype=np.int64), np.array([line.units for line in lines])
    stock = left.stock[skus][:, order.option_node]
    parts = np.minimum(np.array(need)[rows, None], stock) / units[:, None]
    parts[(parts < 1) & ~np.array([line.divisible for line in lines])[:, None]] = 0
    # The share of a part is rounded, to the next whole unit of money at most.
    of_lines = savings[rows] * parts + ((parts > 0) & (parts < 1))
    first = np.flatnonzero(np.diff(skus, prepend=-1))
    dearest = np.maximum.reduceat(savings[rows] / units[:, None], first, axis=0)
    alike = np.diff(first, append=len(rows))
    of_skus = np.minimum(np.add.reduceat(of_lines, first, axis=0), dearest * stock[first] + alike[:, None])
    most: Floats = of_skus.sum(axis=0) * _ROUNDED_UP
    return most


def _filled(order: OrderProblem, option: int, savings: Sequence[int], need: Sequence[int], left: _Left) -> _Package:
    """Put into a package what saves most, as far as units and work are there."""
    node = order.option_node[option]
    room = int(left.room[order.option_capacity[option]]) - int(order.work[option])
    stock = {line.sku: int(left.stock[line.sku, node]) for line in order.lines}
    minutes = order.line_work[:, option].tolist()
    saved, parts = 0, list[Assignment]()
    for group in sorted(_groups(order), key=lambda lines: -sum(savings[line] for line in lines)):
        mine = [_part(order, line, option, need[line], stock) for line in group if savings[line] > 0]
        if len(mine) < len(group) or any(part.units == 0 for part in mine):
            continue
        work = sum(_share_up(minutes[part.line], part.units, order.lines[part.line].units) for part in mine)
        taken = Counter[int]()
        for part in mine:
            taken[order.lines[part.line].sku] += part.units
        if work > room or any(units > stock[sku] for sku, units in taken.items()):
            continue
        room -= work
        for sku, units in taken.items():
            stock[sku] -= units
        saved += sum(share(savings[part.line], part.units, order.lines[part.line].units) for part in mine)
        parts += mine
    return _Package(saved, parts)


def _part(order: OrderProblem, line: int, option: int, units: int, stock: dict[int, int]) -> Assignment:
    wanted = order.lines[line]
    most = min(units, stock[wanted.sku]) if wanted.divisible else units
    return Assignment(0, line, option, max(0, most))


def _share_up(work: int, units: int, of_units: int) -> int:
    return -(-work * units // of_units)


def _take(order: OrderProblem, parts: Sequence[Assignment], need: list[int], left: _Left) -> None:
    option = parts[0].option
    node, capacity = order.option_node[option], order.option_capacity[option]
    left.opening[node] = 0
    if left.room[capacity] < UNLIMITED:
        left.room[capacity] -= int(order.work[option]) + sum(
            _share_up(int(order.line_work[part.line, option]), part.units, order.lines[part.line].units)
            for part in parts
        )
    for part in parts:
        need[part.line] -= part.units
        if left.stock[order.lines[part.line].sku, node] < UNLIMITED:
            left.stock[order.lines[part.line].sku, node] -= part.units


def _groups(order: OrderProblem) -> list[tuple[int, ...]]:
    tied = {line for group in order.together for line in group}
    return [*((line,) for line in range(len(order.lines)) if line not in tied), *filter(None, order.together)]


def _penalties(order: OrderProblem) -> Integers:
    """Return what each line costs that stays unfilled (L)."""
    costs = [COST_LIMIT if line.unfilled_cost is None else line.unfilled_cost for line in order.lines]
    return np.array(costs, dtype=np.int64)
