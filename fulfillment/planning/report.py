"""What planners see of runs: the list, the cost by term before and after, and which units would move where.

Called by pages above; reads and writes nothing. Invariant: the flows of a run account for every unit whose node
changes, each once, and for no other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.planning.models import Movement, Run

Assignment: TypeAlias = Mapping[str, Any]
WAITING = None
"""The place of units for which no node is chosen."""


@dataclass(frozen=True)
class TermChange:
    """One term of the cost, before and after, in minor units of the network's currency."""

    term: str
    before_minor: int
    after_minor: int

    @property
    def saving_minor(self) -> int:
        """What the run saves in this term; negative where it pays more, to save elsewhere."""
        return self.before_minor - self.after_minor

    @property
    def saving_share(self) -> float | None:
        """The saving as a share of the cost before; None where there was no cost."""
        return self.saving_minor / self.before_minor if self.before_minor else None


@dataclass(frozen=True)
class Change:
    """Units of one line that a run serves otherwise: from another node, by another carrier, or on another day.

    `kind` is node, carrier, day or method; `source` and `target` are what the kind names, None for waiting.
    """

    kind: str
    line: str
    sku: str
    units: int
    source: str | None
    target: str | None


@dataclass(frozen=True)
class Flow:
    """Units that would be served from `target` instead of `source`; None stands for waiting."""

    source: str | None
    target: str | None
    units: int
    demands: int


def latest(session: Session, *, status: str | None = None, before: str | None = None, limit: int = 100) -> list[Run]:
    """Return the newest runs first; `before` is the id of the last run seen."""
    query = select(Run).order_by(Run.id.desc()).limit(limit)
    if status is not None:
        query = query.where(Run.status == status)
    if before is not None:
        query = query.where(Run.id < before)
    return list(session.scalars(query))


def gap(run: Run) -> float | None:
    """Return how far a run's plan may be from the optimum, as a share of its cost; None before it is solved."""
    if run.cost_after_minor is None or run.bound_minor is None:
        return None
    return (run.cost_after_minor - run.bound_minor) / max(1, abs(run.cost_after_minor))


def terms(run: Run) -> list[TermChange]:
    """Return the terms that cost anything before or after, the largest first."""
    names = run.before_by_term.keys() | run.after_by_term.keys()
    changes = (TermChange(name, run.before_by_term.get(name, 0), run.after_by_term.get(name, 0)) for name in names)
    relevant = [change for change in changes if change.before_minor or change.after_minor]
    return sorted(relevant, key=lambda change: (-max(change.before_minor, change.after_minor), change.term))


def flows(movements: Iterable[Movement]) -> list[Flow]:
    """Return the units that change their node, added up by pair of nodes, the largest flow first."""
    units: Counter[tuple[str | None, str | None]] = Counter()
    demands: defaultdict[tuple[str | None, str | None], set[str]] = defaultdict(set)
    for movement in movements:
        for pair, moved in moves(movement.before, movement.after).items():
            units[pair] += moved
            demands[pair].add(movement.demand_id)
    found = [Flow(*pair, total, len(demands[pair])) for pair, total in units.items()]
    return sorted(found, key=lambda flow: (-flow.units, flow.source or "", flow.target or ""))


def changes(movement: Movement) -> list[Change]:
    """Return what a movement changes, line by line; a line whose node stays is told by what else changes."""
    was, becomes = _by_line(movement.before), _by_line(movement.after)
    found: list[Change] = []
    for line in sorted(was.keys() | becomes.keys()):
        before, after = was.get(line, []), becomes.get(line, [])
        sku = (before or after)[0]["sku"]
        moved = _line_moves(_units(before), _units(after))
        found += [Change("node", line, sku, units, *pair) for pair, units in sorted(moved.items(), key=str)]
        if not moved:
            found += _other_change(line, sku, before, after)
    return found


def moves(before: Iterable[Assignment], after: Iterable[Assignment]) -> Counter[tuple[str | None, str | None]]:
    """Return how many units of one demand go from which node to which, line by line."""
    was, becomes = _by_line(before), _by_line(after)
    moved: Counter[tuple[str | None, str | None]] = Counter()
    for line in was.keys() | becomes.keys():
        moved.update(_line_moves(_units(was.get(line, [])), _units(becomes.get(line, []))))
    return moved


def _other_change(line: str, sku: str, before: list[Assignment], after: list[Assignment]) -> list[Change]:
    """Return the first thing that differs between assignments to the same nodes."""
    units = sum(assignment["units"] for assignment in after)
    for kind, field in (("method", "method"), ("carrier", "carrier_service"), ("day", "work_on")):
        source, target = (_values(assignments, field) for assignments in (before, after))
        if source != target:
            return [Change(kind, line, sku, units, source, target)]
    return []


def _values(assignments: list[Assignment], field: str) -> str:
    return ", ".join(sorted({str(assignment.get(field) or "") for assignment in assignments}))


def _by_line(assignments: Iterable[Assignment]) -> dict[str, list[Assignment]]:
    lines: defaultdict[str, list[Assignment]] = defaultdict(list)
    for assignment in assignments:
        lines[assignment["line"]].append(assignment)
    return dict(lines)


def _units(assignments: Iterable[Assignment]) -> Counter[str | None]:
    units: Counter[str | None] = Counter()
    for assignment in assignments:
        units[assignment["node"]] += assignment["units"]
    return units


def _line_moves(was: Counter[str | None], becomes: Counter[str | None]) -> Counter[tuple[str | None, str | None]]:
    # Units that one side lacks wait on that side.
    missing = becomes.total() - was.total()
    left, arrived = was - becomes, becomes - was
    left[WAITING] += max(0, missing)
    arrived[WAITING] += max(0, -missing)
    moved: Counter[tuple[str | None, str | None]] = Counter()
    sources = sorted(left.elements(), key=str)
    targets = sorted(arrived.elements(), key=str)
    for pair in zip(sources, targets, strict=True):
        moved[pair] += 1
    return moved
