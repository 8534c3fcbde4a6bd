"""Which movements of a run still fit together, once some were declined and the world moved on.

Pure: works on a problem gathered now, the assignments that hold now and those a run wants. Invariant: what is kept uses
no more units and no more minutes than there are, with everything not kept standing where it stands now.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fulfillment.optimizer.plan import Assignment, share
from fulfillment.optimizer.problem import UNLIMITED, Problem

Cell: TypeAlias = tuple[str, int, int]
"""("stock", sku, node) in units, or ("minutes", capacity, 0) in minutes of work."""


@dataclass(frozen=True)
class Change:
    """What a run wants for one order of the problem: where it stands now, where it should, and what that saves."""

    order: int
    now: tuple[Assignment, ...]
    wanted: tuple[Assignment, ...]
    saving: int


def keep_fitting(
    problem: Problem, changes: Sequence[Change], *, standing: Sequence[Assignment] = ()
) -> tuple[list[Change], list[Change]]:
    """Return the changes that fit together and those struck; `standing` are the assignments of orders without a change.

    While some cell is used beyond what there is, the change of least saving that takes more of it than before is struck
    and its order stays where it is. That may undo room that another change rested on, which is then struck in turn. In
    the end nothing is left, which is how things stand and so fits: each round strikes one, so it ends.
    """
    kept = {change.order: change for change in changes}
    struck: list[Change] = []
    takes = {change.order: _use(problem, change.wanted) for change in changes}
    gives = {change.order: _use(problem, change.now) for change in changes}
    used = _use(problem, standing)
    for use in takes.values():
        used.update(use)
    takers = _takers(takes, gives)
    while (losers := _takers_of_overused(problem, used, takers, kept)) is not None:
        loser = min(losers, key=lambda change: (change.saving, change.order))
        del kept[loser.order]
        struck.append(loser)
        used.subtract(takes[loser.order])
        used.update(gives[loser.order])
    return [change for change in changes if change.order in kept], struck


def _takers(takes: Mapping[int, Counter[Cell]], gives: Mapping[int, Counter[Cell]]) -> Mapping[Cell, set[int]]:
    takers: defaultdict[Cell, set[int]] = defaultdict(set)
    for order, use in takes.items():
        for cell, amount in use.items():
            if amount > gives[order][cell]:
                takers[cell].add(order)
    return takers


def _takers_of_overused(
    problem: Problem, used: Counter[Cell], takers: Mapping[Cell, set[int]], kept: Mapping[int, Change]
) -> list[Change] | None:
    """Return who takes more than before of the first overused cell; one overused as things stand has none."""
    for cell in sorted(takers):
        if used[cell] > _there_is(problem, cell):
            changes = [kept[order] for order in takers[cell] if order in kept]
            if changes:
                return changes
    return None


def _there_is(problem: Problem, cell: Cell) -> int:
    kind, row, node = cell
    amount = problem.stock[row, node] if kind == "stock" else problem.capacities[row]
    return UNLIMITED if amount >= UNLIMITED else int(amount)


def _use(problem: Problem, assignments: Iterable[Assignment]) -> Counter[Cell]:
    use: Counter[Cell] = Counter()
    packages: set[tuple[int, int]] = set()
    for assignment in assignments:
        order = problem.orders[assignment.order]
        node, capacity = int(order.option_node[assignment.option]), int(order.option_capacity[assignment.option])
        use["stock", order.lines[assignment.line].sku, node] += assignment.units
        if capacity < 0:
            continue
        line_work = int(order.line_work[assignment.line, assignment.option])
        use["minutes", capacity, 0] += share(line_work, assignment.units, order.lines[assignment.line].units)
        if (assignment.order, assignment.option) not in packages:
            packages.add((assignment.order, assignment.option))
            use["minutes", capacity, 0] += int(order.work[assignment.option])
    return use
