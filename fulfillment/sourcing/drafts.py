"""Which fulfillment orders a change would make, and which of those it takes along it leaves as they are.

Pure; called by `commit`. Invariant: a collection and its transfer legs stay or go together, and what stays is exactly
what the plan would make anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from fulfillment.sourcing.proposal import Change, FreedFulfillment, LineUnits, Package
from fulfillment.work.models import Method
from kernel.ids import new_id


@dataclass(frozen=True, kw_only=True)
class DraftLine:
    """Units of a demand line; `claimed` at the draft's node, or coming by transfer."""

    units: LineUnits
    claimed: bool


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A fulfillment order as the plan wants it."""

    node: str
    method: str
    carrier_service: str | None
    destination_node: str | None
    supplies: str | None
    work_on: date
    work_minutes: int
    ship_by: datetime
    promised_by: datetime
    lines: tuple[DraftLine, ...]
    id: str = field(default_factory=new_id)


@dataclass(frozen=True)
class Difference:
    """What a change makes, and what it ends."""

    made: tuple[Draft, ...]
    ended: tuple[FreedFulfillment, ...]


def difference(change: Change) -> Difference:
    """Compare the plan with the fulfillment orders it takes along."""
    stays = Counter(map(_freed_key, _groups(change.wanted.freed)))
    made: list[Draft] = []
    for group in _drafts(change):
        key = frozenset(map(_draft_key, group))
        if stays[key]:
            stays[key] -= 1
        else:
            made += group
    ended: list[FreedFulfillment] = []
    for freed in _groups(change.wanted.freed):
        if stays[_freed_key(freed)]:
            stays[_freed_key(freed)] -= 1
            ended += freed
    return Difference(tuple(made), tuple(ended))


def _drafts(change: Change) -> list[tuple[Draft, ...]]:
    if change.wanted.method != Method.COLLECT:
        return [(_own(package, Method.SHIP),) for package in change.packages]
    direct = [_own(package, Method.COLLECT) for package in change.packages if not package.transfer]
    legs = [package for package in change.packages if package.transfer]
    if not legs:
        return [(draft,) for draft in direct]
    store = change.wanted.collect_node
    assert store is not None, f"demand {change.wanted.demand_id} is collected nowhere"
    first = _awaiting(store, direct[0] if direct else None, legs)
    return [(first, *(_leg(package, first) for package in legs)), *((draft,) for draft in direct[1:])]


def _own(package: Package, method: Method) -> Draft:
    return Draft(
        node=package.node,
        method=method,
        carrier_service=package.carrier_service,
        destination_node=None,
        supplies=None,
        work_on=package.work_on,
        work_minutes=package.work_minutes,
        ship_by=package.leaves_at,
        promised_by=package.arrives_at,
        lines=tuple(DraftLine(units=units, claimed=True) for units in package.lines),
    )


def _awaiting(store: str, direct: Draft | None, legs: Sequence[Package]) -> Draft:
    """Draft the collection that takes what comes by transfer; its minutes at the store are those of its own lines."""
    last = max(legs, key=lambda package: package.arrives_at)
    coming = tuple(DraftLine(units=units, claimed=False) for package in legs for units in package.lines)
    if direct is not None:
        promised = max(direct.promised_by, last.arrives_at)
        return replace(direct, ship_by=promised, promised_by=promised, lines=(*direct.lines, *coming))
    return Draft(
        node=store,
        method=Method.COLLECT,
        carrier_service=None,
        destination_node=None,
        supplies=None,
        work_on=last.arrives_on,
        work_minutes=0,
        ship_by=last.arrives_at,
        promised_by=last.arrives_at,
        lines=coming,
    )


def _leg(package: Package, supplied: Draft) -> Draft:
    return replace(_own(package, Method.TRANSFER), id=new_id(), destination_node=supplied.node, supplies=supplied.id)


def _groups(freed: Iterable[FreedFulfillment]) -> list[tuple[FreedFulfillment, ...]]:
    groups: dict[str, list[FreedFulfillment]] = {}
    for order in freed:
        groups.setdefault(order.supplies or order.id, []).append(order)
    return [tuple(group) for group in groups.values()]


def _freed_key(group: Sequence[FreedFulfillment]) -> Hashable:
    return frozenset(
        (
            order.method, order.node, order.carrier_service, order.work_on, order.work_minutes,
            frozenset((line.line_id, line.units, line.reservation_id is not None) for line in order.lines),
        )
        for order in group
    )  # fmt: skip


def _draft_key(draft: Draft) -> Hashable:
    return (
        draft.method, draft.node, draft.carrier_service, draft.work_on, draft.work_minutes,
        frozenset((line.units.line_id, line.units.units, line.claimed) for line in draft.lines),
    )  # fmt: skip
