"""One order, decided exactly without a solver.

Owns the way from a one-order problem to the subset tables and back. `solve` calls it for every order as it arrives.
Invariant: a plan returned is optimal.

The tables know nothing of what options share: units of one SKU at a node, work of one capacity, the single units of a
divisible line. They solve the problem without those limits, so their optimum is the problem's own whenever it keeps
the limits, as it nearly always does; where it does not, `decide` returns None and the order needs exact.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import numpy as np

from fulfillment.optimizer.parts import keeps_worth, worthy_split
from fulfillment.optimizer.plan import Assignment, Plan, priced_plan
from fulfillment.optimizer.problem import UNLIMITED, Integers, OrderProblem, Problem
from fulfillment.optimizer.reasons import left_after, stock_of
from fulfillment.optimizer.subsets import (
    IMPOSSIBLE,
    MAX_LINES,
    Work,
    cheapest,
    packages_of,
    partition,
    undominated,
    unpacked,
)

_MERGED_LINES: Final = 60
_WORTH_PRUNING: Final = 7


@dataclass(frozen=True, slots=True)
class Parcels:
    """An order as the subset tables see it: n groups of lines that travel together, K of its options.

    members   n    the lines of each group
    options   K    the options, as indices into those of the order
    package   K    cost of a package
    lines     n,K  cost of a group, IMPOSSIBLE where it cannot be served
    unfilled  n    penalty of a group, IMPOSSIBLE where it must be served
    work           what packages take from capacities that may not be enough, None if all are
    """

    members: tuple[tuple[int, ...], ...]
    options: Integers
    package: Integers
    lines: Integers
    unfilled: Integers
    work: Work | None

    def of(self, columns: Integers) -> Parcels:
        """Return the same order with only the options in some columns, given in ascending order."""
        work = self.work
        if work:
            inside = np.isin(work.columns, columns)
            places = np.searchsorted(columns, work.columns[inside])
            work = Work(places, work.package[inside], work.lines[:, inside], work.limits[inside])
        return Parcels(
            self.members, self.options[columns], self.package[columns], self.lines[:, columns], self.unfilled, work
        )


def expressible(problem: Problem) -> bool:
    """Tell whether the subset tables can hold the problem: one order, few kinds of lines, no shared opening cost."""
    return len(problem.orders) == 1 and parcels_of(problem) is not None


def decide(problem: Problem) -> Plan | None:
    """Decide an expressible order; None where limits that options share, or lines that must be served, forbid it."""
    started = perf_counter()
    parcels = parcels_of(problem)
    assignments = None if parcels is None else best_assignments(problem.orders[0], parcels)
    if assignments is None or overdrawn(problem, assignments).size:
        return None
    seconds = perf_counter() - started
    return priced_plan(problem, assignments, bound=None, seconds=seconds, solver="subset programme", seed=0)


def overdrawn(problem: Problem, assignments: Sequence[Assignment]) -> Integers:
    """Return the nodes of a one-order problem from which assignments take more units or work than there is."""
    stock, capacities = left_after(problem, assignments)
    order = problem.orders[0]
    short = np.flatnonzero((stock < 0).any(axis=0))
    full = np.append(capacities, 0)[order.option_capacity] < 0
    return np.union1d(short, order.option_node[full])


def best_assignments(order: OrderProblem, parcels: Parcels) -> list[Assignment] | None:
    """Return the cheapest assignments that the tables know; None if lines that must be served cannot be."""
    if len(parcels.members) >= _WORTH_PRUNING:
        full = np.zeros(len(parcels.package), dtype=bool)
        if parcels.work:
            full[parcels.work.columns] = True
        parcels = parcels.of(undominated(parcels.package, parcels.lines, full))
    chosen = _split(parcels, order.max_packages)
    assignments = None if chosen is None else _assignments(order, parcels, chosen)
    if assignments is None or keeps_worth(order, assignments):
        return assignments
    chosen = _worthy(order, parcels)
    return None if chosen is None else _assignments(order, parcels, chosen)


def _worthy(order: OrderProblem, parcels: Parcels) -> list[int] | None:
    """Return the packages of the cheapest plan whose parts are worth enough; None where the tables do not know it.

    A line may be divided, or lines with the same best options parted, only to make a part worth enough.
    """
    divisible = any(line.divisible and line.units > 1 for line in order.lines)
    if divisible or len(parcels.members) < len(_together(order)):
        return None
    values = [line.units * line.unit_value for line in order.lines]
    worths = [sum(values[line] for line in group) for group in parcels.members]
    most = len(worths) if order.max_packages is None else order.max_packages
    packages = package_prices(parcels)
    return worthy_split(np.array(worths), packages, parcels.unfilled, order.min_part_value, most)


def parcels_of(problem: Problem, *, any_length: bool = False) -> Parcels | None:
    """State the one order of a problem for the subset tables; None if they cannot hold it.

    With `any_length`, lines are not merged, and there may be more than the tables hold.
    """
    order = problem.orders[0]
    opening = problem.open_cost[order.option_node]
    if opening.any() and len(np.unique(order.option_node[opening > 0])) < np.count_nonzero(opening):
        return None
    if len(order.lines) > _MERGED_LINES and not any_length:
        return None
    members = _together(order)
    demands = _line_work(order)
    limits = np.append(problem.capacities, UNLIMITED)[order.option_capacity]
    lines = np.where(order.eligible & stock_of(order, problem.stock), order.line_cost, IMPOSSIBLE)
    unfilled = np.array([IMPOSSIBLE if line.unfilled_cost is None else line.unfilled_cost for line in order.lines])
    if len(members) < len(order.lines):
        lines, demands, unfilled = (_grouped(values, members) for values in (lines, demands, unfilled))
    options = np.arange(len(order.option_ids))
    work = _work(order.work, demands, limits)
    parcels = Parcels(members, options, order.package_cost + opening, lines, unfilled, work)
    return parcels if any_length or len(members) <= MAX_LINES else _merged_alike(parcels)


def _together(order: OrderProblem) -> tuple[tuple[int, ...], ...]:
    tied = {line for group in order.together for line in group}
    return (*((line,) for line in range(len(order.lines)) if line not in tied), *filter(None, order.together))


def _line_work(order: OrderProblem) -> Integers:
    """Return the work of each line by option; none for a divisible one, of which any part may be served."""
    divisible = [line.divisible for line in order.lines]
    if not any(divisible):
        return order.line_work
    work: Integers = np.where(np.array(divisible)[:, None], 0, order.line_work)
    return work


def _grouped(values: Integers, members: tuple[tuple[int, ...], ...]) -> Integers:
    grouped = [np.minimum(values[list(group)], IMPOSSIBLE).sum(axis=0) for group in members]
    return np.minimum(np.array(grouped, dtype=np.int64), IMPOSSIBLE)


def _work(package: Integers, lines: Integers, limits: Integers) -> Work | None:
    """State the work of the options whose capacity the whole order would exceed."""
    columns = np.flatnonzero(package + lines.sum(axis=0) > limits)
    return Work(columns, package[columns], lines[:, columns], limits[columns]) if len(columns) else None


def _merged_alike(parcels: Parcels) -> Parcels | None:
    """Merge groups whose costs differ by one amount everywhere: they have the same best option in every plan.

    Work is left out: merged groups would share a fate that a full capacity need not give them.
    """
    rows = np.column_stack([parcels.lines, parcels.unfilled])
    rows = np.where(rows >= IMPOSSIBLE, IMPOSSIBLE, rows - rows.min(axis=1, keepdims=True))
    _, kinds = np.unique(rows, axis=0, return_inverse=True)
    kinds = kinds.reshape(-1)
    if kinds.max() >= MAX_LINES:
        return None
    alike = tuple(tuple(np.flatnonzero(kinds == kind).tolist()) for kind in range(int(kinds.max()) + 1))
    members = tuple(tuple(line for group in kind for line in parcels.members[group]) for kind in alike)
    lines, unfilled = _grouped(parcels.lines, alike), _grouped(parcels.unfilled, alike)
    return Parcels(members, parcels.options, parcels.package, lines, unfilled, None)


def package_prices(parcels: Parcels) -> Integers:
    """Price every subset of groups as one package from its cheapest option."""
    return cheapest(parcels.package, parcels.lines, parcels.work)


def best_splits(parcels: Parcels, packages: Integers, most: int | None) -> list[Integers]:
    """Return the partition of every subset; where at most so many packages bind, also those for ever fewer."""
    groups = len(parcels.members)
    if most is None or most >= groups:
        return [partition(packages, parcels.unfilled)]
    tables = [unpacked(parcels.unfilled)]
    for _ in range(most):
        tables.append(partition(packages, parcels.unfilled, tables[-1]))
    return tables[::-1]


def _split(parcels: Parcels, most: int | None) -> list[int] | None:
    """Return the packages of the cheapest plan as subsets of groups; None if lines that must be served cannot be."""
    whole = (1 << len(parcels.members)) - 1
    packages = package_prices(parcels)
    for limit in (None, most):
        best = best_splits(parcels, packages, limit)
        if best[0][whole] >= IMPOSSIBLE // 2:
            return None
        chosen = packages_of(whole, packages, parcels.unfilled, best)
        if most is None or len(chosen) <= most:
            break
    return chosen


def _assignments(order: OrderProblem, parcels: Parcels, chosen: list[int]) -> list[Assignment]:
    assignments = []
    for package in chosen:
        groups = [group for group in range(len(parcels.members)) if package >> group & 1]
        prices = parcels.package + parcels.lines[groups].sum(axis=0)
        if parcels.work:
            work = parcels.work
            full = work.package + work.lines[groups].sum(axis=0) > work.limits
            prices[work.columns[full]] = IMPOSSIBLE
        option = int(parcels.options[prices.argmin()])
        assignments += [
            Assignment(0, line, option, order.lines[line].units) for group in groups for line in parcels.members[group]
        ]
    return assignments
