"""The proof of the ledger: every room's parts walked stretch by stretch, again and again, and what was found kept.

Called by the job, the command line, readiness and the planner's pages. Invariants: proving only reads the rooms, each
stretch in one snapshot, so that it may run at any time; where a pass has got to is a row, so that the next process goes
on from there, and of two that prove the same stretch one is remembered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

import fulfillment.work.repair
import fulfillment.work.verify
import oms.verify
import stock.past.seals
import stock.proof.remembered
import stock.proof.repair
import stock.proof.verify
from api.models import LedgerFinding, ProofPass
from kernel.db import database_now
from kernel.ids import new_id
from kernel.proofs import Finding, Part, Stretch, everything, following, snapshot
from stock.proof.repair import Mend

Value = TypeVar("Value")
PARTS: Final = (
    *stock.proof.verify.PARTS,
    *stock.past.seals.PARTS,
    *stock.proof.remembered.PARTS,
    *fulfillment.work.verify.PARTS,
    *oms.verify.PARTS,
)
MENDS: Final[Mapping[str, Callable[[Session, Stretch], Iterator[Mend]]]] = {
    "entries": stock.proof.repair.by_sku,
    "postings": stock.proof.repair.by_posting,
    "demand lines": fulfillment.work.repair.by_demand_line,
    "reservations": fulfillment.work.repair.strays,
    "node days": fulfillment.work.repair.by_node,
}
ROWS: Final = 20_000
"""Rows of one stretch: some tenths of a second each."""
MOST_KEPT: Final = 1000
"""Findings kept at one time; all are counted."""
REMEMBERED: Final = timedelta(days=90)
_UNDER_WAY: Final = select(ProofPass).where(ProofPass.finished_at.is_(None)).order_by(ProofPass.id)


@dataclass(frozen=True)
class Proof:
    """How the ledger stands: when it was last proven whole, what is still wrong, and how far the present pass is."""

    at: datetime | None
    findings: int
    begun_at: datetime | None = None
    part: str = ""
    after: str | None = None


@dataclass(frozen=True)
class Place:
    """Where a pass is: the part, and the key up to which it is proven."""

    part: int = 0
    after: str | None = None


@dataclass(frozen=True)
class Slice:
    """One stretch of one part, proven; `rows` are counted before and are not exact."""

    part: Part
    stretch: Stretch
    findings: tuple[Finding, ...]
    beyond: Place | None


@dataclass(frozen=True)
class Repair:
    """What becomes of the findings of a stretch: mends, and what is left for a person, each with what to do."""

    mends: tuple[Mend, ...]
    left: tuple[tuple[Finding, str], ...]


class Turns(Protocol):
    """What a pass needs: transactions to read in and to write in. The doors have them, and a job under its lease."""

    def read(self, verb: Callable[[Session], Value], /) -> Value:
        """Return what `verb` reads."""

    def write(self, verb: Callable[[Session], Value], /) -> Value:
        """Commit what `verb` writes."""


def findings(session: Session) -> Iterator[Finding]:
    """Yield whatever does not add up, in any room, each part as a whole."""
    return everything(session, PARTS)


def slices(turns: Turns, *, rows: int = ROWS) -> Iterator[Slice]:
    """Prove everything from the beginning, a stretch at a time, each in a snapshot of its own; nothing is written."""
    place: Place | None = Place()
    while place is not None:
        start = place
        proven = turns.read(lambda session, start=start: _prove(session, start, rows=rows))  # type: ignore[misc]
        yield proven
        place = proven.beyond


def advance(turns: Turns, *, rows: int = ROWS) -> bool:
    """Prove the next stretch of the present pass, or the first of a new one; tell whether the pass is over."""
    present = turns.read(_present)
    if present is None:
        turns.write(begin)
        return False
    pass_id, place = present
    proven = turns.read(lambda session: _prove(session, place, rows=rows))
    turns.write(lambda session: _remember(session, pass_id, place, proven))
    return proven.beyond is None


def advance_for(turns: Turns, *, seconds: float) -> bool:
    """Prove on for some seconds, or until the pass is over; tell whether it is."""
    until = time.monotonic() + seconds
    while not (over := advance(turns)) and time.monotonic() < until:
        pass
    return over


def repairs(turns: Turns, *, rows: int = ROWS) -> Iterator[Repair]:
    """Prove everything, and yield for each stretch with findings what postings could mend and what they could not.

    Nothing is written: whoever asked writes each mend in a transaction of its own, or does not.
    """
    for proven in slices(turns, rows=rows):
        if proven.findings:
            mends = turns.read(lambda session, proven=proven: _mends(session, proven))  # type: ignore[misc]
            mended = {row for mend in mends for row in mend.rows}
            left = [finding for finding in proven.findings if (finding.table, finding.key) not in mended]
            yield Repair(mends, tuple((finding, stock.proof.repair.advice(finding)) for finding in left))


def _mends(session: Session, proven: Slice) -> tuple[Mend, ...]:
    snapshot(session)
    return tuple(MENDS[proven.part.name](session, proven.stretch)) if proven.part.name in MENDS else ()


def begin(session: Session) -> None:
    """Begin a pass at the first part, in the place of one that is under way."""
    under_way = session.scalars(_UNDER_WAY.with_for_update()).first()
    if under_way is None:
        session.add(ProofPass(id=new_id(), part=PARTS[0].name, findings=0))
        return
    under_way.begun_at, under_way.part, under_way.after, under_way.findings = _now(session), PARTS[0].name, None, 0


def standing(session: Session) -> Proof:
    """Return how the ledger stands."""
    last = session.scalar(select(func.max(ProofPass.finished_at)))
    present = session.scalars(_UNDER_WAY).first()
    under_way = (present.begun_at, present.part, present.after) if present else ()
    return Proof(last, still_there(session), *under_way)


def still_there(session: Session) -> int:
    """Return how many findings were there when their stretch was last proven."""
    return session.scalar(select(func.count()).where(LedgerFinding.gone_at.is_(None))) or 0


def kept(session: Session, *, limit: int) -> list[LedgerFinding]:
    """Return the findings that were there when their stretch was last proven, oldest first."""
    there = select(LedgerFinding).where(LedgerFinding.gone_at.is_(None))
    ordered = there.order_by(LedgerFinding.first_seen_at, LedgerFinding.table_name, LedgerFinding.key)
    return list(session.scalars(ordered.limit(limit)))


def size(session: Session) -> dict[str, int]:
    """Return how many rows each part goes along."""
    return {part.name: max(_rows(session, column) for column in part.walked) for part in PARTS}


def _rows(session: Session, column: Any) -> int:
    return session.scalar(select(func.count()).select_from(column.class_)) or 0


def _present(session: Session) -> tuple[str, Place] | None:
    row = session.scalars(_UNDER_WAY).first()
    if row is None:
        return None
    names = [part.name for part in PARTS]
    # A part that a new version no longer has is proven under another name: the pass begins again.
    return row.id, Place(names.index(row.part), row.after) if row.part in names else Place()


def _prove(session: Session, place: Place, *, rows: int) -> Slice:
    snapshot(session)
    part = PARTS[place.part]
    stretch = following(session, part, place.after, rows=rows)
    found = tuple(part.check(session, stretch))
    if stretch.upto is not None:
        beyond: Place | None = Place(place.part, stretch.upto)
    else:
        beyond = Place(place.part + 1) if place.part + 1 < len(PARTS) else None
    return Slice(part, stretch, found, beyond)


def _remember(session: Session, pass_id: str, place: Place, proven: Slice) -> None:
    """Note what was found in a stretch, and how far the pass is, unless another process was there first."""
    now = _now(session)
    here = (ProofPass.id == pass_id) & (ProofPass.part == proven.part.name) & ProofPass.finished_at.is_(None)
    here &= ProofPass.after.is_(None) if place.after is None else ProofPass.after == place.after
    beyond = proven.beyond
    moved = update(ProofPass).where(here).values(
        part=PARTS[beyond.part].name if beyond else proven.part.name, after=beyond.after if beyond else None,
        findings=ProofPass.findings + len(proven.findings), finished_at=None if beyond else now,
    )  # fmt: skip
    if session.scalar(moved.returning(ProofPass.id)) is None:
        return
    _keep(session, proven, now)
    if beyond is None:
        session.execute(delete(LedgerFinding).where(LedgerFinding.gone_at < now - REMEMBERED))
        session.execute(delete(ProofPass).where(ProofPass.finished_at < now - REMEMBERED))


def _keep(session: Session, proven: Slice, now: datetime) -> None:
    """Store what is found, and mark as gone what was found in this stretch before and is no longer."""
    found = {(each.invariant, each.table, each.key): each for each in proven.findings}
    in_stretch = (LedgerFinding.part == proven.part.name) & proven.stretch.over(LedgerFinding.place)
    for known in session.scalars(select(LedgerFinding).where(in_stretch, LedgerFinding.gone_at.is_(None))):
        again = found.pop((known.invariant, known.table_name, known.key), None)
        if again is None:
            known.gone_at = now
        else:
            known.message, known.last_seen_at = again.message, now
    room = MOST_KEPT - still_there(session) if found else 0
    for (invariant, table, key), each in list(found.items())[: max(0, room)]:
        session.merge(
            LedgerFinding(
                invariant=invariant, table_name=table, key=key, part=proven.part.name, place=each.place,
                message=each.message, first_seen_at=now, last_seen_at=now, gone_at=None,
            )
        )  # fmt: skip


def _now(session: Session) -> datetime:
    now: datetime | None = session.scalar(select(database_now()))
    assert now is not None, "the database has a clock"
    return now
