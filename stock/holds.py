"""Holds: units reserved for a reference until a moment of the database's clock, for carts and quoted promises.

Called by sourcing, which chooses the nodes, by the order service, and by the job that sweeps. Invariants: a hold counts
only before its end, whether it was swept or not; units are claimed and released by postings alone; an end only ever
moves later, and never past the longest that its reference may hold without a break.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, bindparam, select, tuple_, update

from kernel.db import database_now, table
from kernel.errors import Fault
from stock.errors import ClaimsChanged
from stock.ledger import OWN_SAFETY_STOCK, Floors, post
from stock.models import Purpose, Reservation, StockBalance
from stock.postings import Header, Key, ReservationChange
from stock.reservations import Claim, ReservedUnits, rebind

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# Whoever only thinks of buying gives way before whoever has bought.
RANK = -1


@dataclass(frozen=True, slots=True)
class HoldUnits:
    """Units of a SKU to be held at a node."""

    sku: str
    node: str
    units: int


@dataclass(frozen=True, slots=True)
class Term:
    """For how many minutes to hold, and for how many at most without a break however often that is extended."""

    minutes: int
    most_minutes: int


@dataclass(frozen=True, slots=True)
class Held:
    """Units that a reference still claims; `valid` tells whether they counted when this was read."""

    sku: str
    reservation_id: str
    node: str
    units: int
    expires_at: datetime
    extendable_until: datetime
    valid: bool

    @property
    def key(self) -> Key:
        """The balance that they are claimed from."""
        return self.sku, self.node


_RESERVATION = table(Reservation)
_OPEN_UNITS = _RESERVATION.c.units - _RESERVATION.c.consumed - _RESERVATION.c.released
_EXTEND = (
    update(_RESERVATION)
    .where(_RESERVATION.c.sku == bindparam("of_sku"), _RESERVATION.c.id == bindparam("of_id"))
    .values(expires_at=bindparam("ends"), extendable_until=bindparam("latest"))
)


def hold(
    session: Session,
    header: Header,
    reference: str,
    wanted: Sequence[HoldUnits],
    *,
    term: Term,
    instead_of: Sequence[Held] = (),
    floors: Floors = OWN_SAFETY_STOCK,
) -> datetime:
    """Hold units for a reference, in one posting with the end of what it held before; return until when.

    `instead_of` is what the reference claims, as `claimed_by` read it: what it goes on wanting is kept and extended,
    all else of it is released, and what had run out is held anew. `floors` are as in `rebind`. Raises
    InsufficientStock with every shortage, and ClaimsChanged when a hold ended meanwhile, or somebody held for the same.
    """
    now = _clock(session)
    valid = [held for held in instead_of if held.expires_at > now]
    latest = min((held.extendable_until for held in valid), default=now + timedelta(minutes=term.most_minutes))
    ends = max([min(now + timedelta(minutes=term.minutes), latest), *(held.expires_at for held in valid)])
    kept, wanting = _kept(valid, wanted)
    release = [
        ReservedUnits(held.sku, held.reservation_id, held.units - kept[held.reservation_id])
        for held in instead_of
        if held.units > kept[held.reservation_id]
    ]
    claims = [
        Claim(sku=sku, node=node, units=units, reference=reference, purpose=Purpose.HOLD, rank=RANK, expires_at=ends)
        for (sku, node), units in sorted(wanting.items())
    ]
    made = rebind(session, header, release=release, claims=claims, floors=floors)
    _settle_ends(session, reference, {*made, *(id_ for id_, units in kept.items() if units)}, ends, latest)
    return ends


def extend(session: Session, reference: str, *, minutes: int) -> datetime | None:
    """Let what a reference holds last for at least so many minutes from now, as far as it may.

    Returns when the first of its holds ends, None when it holds nothing any more; what has run out is not revived.
    """
    valid = [held for held in _locked(session, reference) if held.valid]
    if not valid:
        return None
    wished = _clock(session) + timedelta(minutes=minutes)
    ends = {held.reservation_id: max(held.expires_at, min(wished, held.extendable_until)) for held in valid}
    _write_ends(session, [(held, ends[held.reservation_id], held.extendable_until) for held in valid])
    return min(ends.values())


def release(session: Session, header: Header, reference: str, *, keep: Mapping[str, int] | None = None) -> int:
    """Release what a reference claims beyond the units of each SKU that it may keep; return how many units.

    What counts longest is kept; what has run out is never. Raises ClaimsChanged when a hold ended meanwhile.
    """
    left = Counter(keep or {})
    freed = []
    for held in sorted(claimed_by(session, reference), key=lambda each: each.expires_at, reverse=True):
        kept = min(left[held.sku], held.units) if held.valid else 0
        left[held.sku] -= kept
        if held.units > kept:
            freed.append(ReservedUnits(held.sku, held.reservation_id, held.units - kept))
    rebind(session, header, release=freed)
    return sum(each.units for each in freed)


def release_all(session: Session, header: Header, references: Sequence[str]) -> None:
    """Release all that several references claim, in one posting. Raises ClaimsChanged when a hold ended meanwhile."""
    freed = [
        ReservedUnits(held.sku, held.reservation_id, held.units)
        for reference in references
        for held in claimed_by(session, reference)
    ]
    rebind(session, header, release=freed)


def open_of(session: Session, reference: str) -> list[Held]:
    """Return what a reference holds, without what has run out, by SKU."""
    return [held for held in claimed_by(session, reference) if held.valid]


def claimed_by(session: Session, reference: str) -> list[Held]:
    """Return what a reference still claims, by SKU, with what has run out and is not swept yet."""
    return _read(session, _CLAIMED, reference)


def was_held(session: Session, reference: str) -> bool:
    """Tell whether anything was ever held for a reference."""
    return session.execute(_EVER, {"reference": reference}).first() is not None


def any_units(reference: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that units are still claimed for a reference, with what has run out and is not swept yet."""
    mine = (_RESERVATION.c.reference == reference) & (_RESERVATION.c.purpose == Purpose.HOLD.value)
    return select(_RESERVATION.c.id).where(mine, _OPEN_UNITS > 0).exists()


def expire(session: Session, *, limit: int) -> int:
    """Release up to `limit` holds whose time is over by the database's clock, the oldest first; return how many.

    One that is extended at the same moment is left alone: its row is looked at again once it is locked, after its
    balance as in every posting.
    """
    now = _clock(session)
    over = (Reservation.expires_at <= now) & (Reservation.consumed + Reservation.released < Reservation.units)
    free = Reservation.units - Reservation.consumed - Reservation.released - Reservation.picked
    due = session.execute(
        select(Reservation.sku, Reservation.id, Reservation.node)
        .where(over, free > 0)
        .order_by(Reservation.expires_at, Reservation.id)
        .limit(limit)
    ).all()
    _lock_balances(session, {(sku, node) for sku, _, node in due})
    still_due = session.execute(
        select(Reservation.sku, Reservation.id, Reservation.node, free)
        .where(tuple_(Reservation.sku, Reservation.id).in_([(sku, id_) for sku, id_, _ in due]), over, free > 0)
        .order_by(Reservation.sku, Reservation.id)
        .with_for_update()
    )
    changes = [ReservationChange(sku=sku, id=id_, node=node, released=units) for sku, id_, node, units in still_due]
    if changes:
        post(session, Header(kind="expire", actor="system", occurred_at=now), (), changes=changes)
    return len(changes)


def _kept(valid: Iterable[Held], wanted: Iterable[HoldUnits]) -> tuple[Counter[str], dict[Key, int]]:
    """Return how many units of each hold stay as they are, and what is wanted of each balance beyond them."""
    wanting: Counter[Key] = Counter()
    for each in wanted:
        wanting[each.sku, each.node] += each.units
    kept: Counter[str] = Counter()
    for held in valid:
        kept[held.reservation_id] = min(held.units, wanting[held.key])
        wanting[held.key] -= kept[held.reservation_id]
    return kept, {key: units for key, units in wanting.items() if units > 0}


def _settle_ends(session: Session, reference: str, ids: set[str], ends: datetime, latest: datetime) -> None:
    """Give the holds of `ids` one end. Raises ClaimsChanged when one of them has ended, or another was made."""
    found = [held for held in _locked(session, reference) if held.valid]
    present = {held.reservation_id for held in found}
    faults = [Fault("", "hold_ended", f"Hold {id_} has ended.") for id_ in sorted(ids - present)]
    faults += [Fault("", "held_already", f"Hold {id_} was made meanwhile.") for id_ in sorted(present - ids)]
    if faults:
        raise ClaimsChanged(faults, reservation_ids=ids ^ present)
    _write_ends(session, [(held, ends, latest) for held in found])


def _write_ends(session: Session, ends: Sequence[tuple[Held, datetime, datetime]]) -> None:
    rows = [
        {"of_sku": held.sku, "of_id": held.reservation_id, "ends": end, "latest": latest} for held, end, latest in ends
    ]
    if rows:
        session.execute(_EXTEND, rows)


def _locked(session: Session, reference: str) -> list[Held]:
    """Lock what a reference claims and return it as it is then."""
    session.execute(_LOCK, {"reference": reference}).all()
    return claimed_by(session, reference)


def _lock_balances(session: Session, keys: set[Key]) -> None:
    same = tuple_(StockBalance.sku, StockBalance.node).in_(sorted(keys))
    locked = select(StockBalance.sku).where(same).order_by(StockBalance.sku, StockBalance.node).with_for_update()
    session.execute(locked).all()


def _clock(session: Session) -> datetime:
    now: datetime | None = session.scalar(select(database_now()))
    assert now is not None, "the database has a clock"
    return now


_MINE = (_RESERVATION.c.reference == bindparam("reference")) & (_RESERVATION.c.purpose == Purpose.HOLD.value)
_EVER = select(_RESERVATION.c.id).where(_MINE).limit(1)
_LOCK = select(_RESERVATION.c.id).where(_MINE, _OPEN_UNITS > 0).order_by(_RESERVATION.c.sku, _RESERVATION.c.id)
_LOCK = _LOCK.with_for_update()
# A hold that was made without a latest end cannot be extended.
_CLAIMED = (
    select(
        _RESERVATION.c.sku, _RESERVATION.c.id, _RESERVATION.c.node, _OPEN_UNITS, _RESERVATION.c.expires_at,
        _RESERVATION.c.extendable_until, database_now().label("now"),
    )
    .where(_MINE, _OPEN_UNITS > 0)
    .order_by(_RESERVATION.c.sku, _RESERVATION.c.id)
)  # fmt: skip


def _read(session: Session, query: Select[*tuple[Any, ...]], reference: str) -> list[Held]:
    return [
        Held(sku, id_, node, units, expires_at, latest or expires_at, expires_at > now)
        for sku, id_, node, units, expires_at, latest, now in session.execute(query, {"reference": reference})
    ]
