"""Counting the shelf: opened for some articles, recorded line by line, reviewed, posted.

Called by store pages and by the doors. Invariant: a count posts the difference to what the shelf should have held at
the moment it was counted, so that what moved since, and what is in totes, stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from kernel import states
from kernel.errors import Fault, Rejected
from kernel.events import record as record_event
from kernel.ids import new_id
from stock import availability, reasons
from stock.availability import Level
from stock.displacement import Levels, settle
from stock.documents import COUNT_TRANSITIONS, Count, CountLine, CountStatus
from stock.errors import UnknownDocument, UnknownReason
from stock.events import CountMoved, CountPosted
from stock.lines import NONE_TO_MAX, check_known, check_units
from stock.postings import Header, Movement

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class CountIncomplete(Rejected):
    """Some lines of the count have no result yet; every one is named."""

    code = "count_incomplete"

    def __init__(self, skus: Iterable[str]) -> None:
        faults = tuple(Fault(f"/lines/{sku}", self.code, f"{sku} has not been counted") for sku in skus)
        super().__init__("Count every article first, or void the count.", faults=faults)


def open_count(
    session: Session, *, node: str, skus: Sequence[str], reason: str = "recount", actor: str, now: datetime
) -> Count:
    """Open a count of some articles at a node. Raises UnknownStock, UnknownReason."""
    _effect(session, reason)
    wanted = sorted(set(skus))
    check_known(session, [(sku, node) for sku in wanted])
    count = Count(
        id=new_id(), node=node, status=CountStatus.OPEN, reason=reason, version=1,
        lines=[CountLine(sku=sku) for sku in wanted],
    )  # fmt: skip
    session.add(count)
    session.flush()
    _tell(session, count, "", actor=actor, now=now)
    return count


def record(session: Session, count_id: str, *, sku: str, units: int, actor: str, now: datetime) -> CountLine:
    """Write down what the shelf holds of an article; counting it again replaces the first result.

    An article that was not asked for is added. Raises InvalidUnits, UnknownDocument, UnknownStock, IllegalTransition.
    """
    check_units([units], within=NONE_TO_MAX)
    count = _locked(session, count_id)
    if count.status != CountStatus.COUNTING:
        _advance(session, count, CountStatus.COUNTING, actor=actor, now=now)
    line = next((line for line in count.lines if line.sku == sku), None)
    if line is None:
        check_known(session, [(sku, count.node)])
        line = CountLine(sku=sku)
        count.lines.append(line)
    level = availability.levels(session, [sku], nodes=[count.node]).get((sku, count.node), Level())
    line.expected, line.counted = level.on_shelf, units
    line.counted_by, line.counted_at = actor, now
    session.flush()
    return line


def submit(session: Session, count_id: str, *, actor: str, now: datetime) -> Count:
    """Hand the count in for review. Raises CountIncomplete, UnknownDocument, IllegalTransition."""
    count = _locked(session, count_id)
    if missing := [line.sku for line in count.lines if line.counted is None]:
        raise CountIncomplete(missing)
    return _advance(session, count, CountStatus.REVIEW, actor=actor, now=now)


def post(session: Session, count_id: str, *, actor: str, now: datetime) -> str | None:
    """Post the differences and displace reservations if need be; returns the posting's id, None when all was right.

    Raises UnknownDocument, IllegalTransition.
    """
    count = _locked(session, count_id)
    _advance(session, count, CountStatus.POSTED, actor=actor, now=now)
    effect = _effect(session, count.reason)
    differences = {line.sku: (line.counted or 0) - (line.expected or 0) for line in count.lines}
    differences = {sku: units for sku, units in differences.items() if units}

    def plan(seen: Levels) -> list[Movement]:
        # What was found missing may have been corrected or sold meanwhile: no more can go than the shelf still holds.
        found = {sku: max(units, -seen[sku, count.node].on_shelf) for sku, units in differences.items()}
        return [effect.movement(sku, count.node, -units) for sku, units in sorted(found.items()) if units]

    header = Header(kind="count", reason=count.reason, reference=count.id, actor=actor, occurred_at=now)
    posting_id = settle(session, header, [(sku, count.node) for sku in differences], plan)
    told = tuple(sorted(differences.items()))
    record_event(session, CountPosted(aggregate_id=count.id, node=count.node, posting_id=posting_id, differences=told))
    return posting_id


def void(session: Session, count_id: str, *, actor: str, now: datetime) -> Count:
    """Throw a count away. Raises UnknownDocument, IllegalTransition."""
    return _advance(session, _locked(session, count_id), CountStatus.VOID, actor=actor, now=now)


def _locked(session: Session, count_id: str) -> Count:
    query = select(Count).where(Count.id == count_id).with_for_update()
    count = session.scalar(query, execution_options={"populate_existing": True})
    if count is None:
        raise UnknownDocument("count", count_id)
    return count


def _advance(session: Session, count: Count, target: CountStatus, *, actor: str, now: datetime) -> Count:
    before = count.status
    count.status = states.advance(COUNT_TRANSITIONS, before, target, what=f"Count {count.id}")
    count.version += 1
    session.flush()
    _tell(session, count, before, actor=actor, now=now)
    return count


def _tell(session: Session, count: Count, before: str, *, actor: str, now: datetime) -> None:
    moved = CountMoved(
        aggregate_id=count.id, node=count.node, from_status=before, to_status=count.status, actor=actor,
        occurred_at=now.isoformat(),
    )  # fmt: skip
    record_event(session, moved)


def _effect(session: Session, reason: str) -> reasons.Effect:
    effect = reasons.effect(session, reason, reasons.ADJUSTMENT)
    if effect is None:
        raise UnknownReason(reason, "moving units", ())
    return effect
