"""Repair of the claims that work makes: what nobody holds is released, what waits is open demand, by postings.

Called by the doors (`ledger repair`). Invariant: a demand line knows what was wanted and what became of it, and is
believed; reservations and open demand are brought to it by ordinary postings, which refuse what does not fit. A day's
claimed minutes are only the sum of its work and of what is held: they are counted anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fulfillment.network.models import NodeDay
from fulfillment.work import minutes_proof, verify
from fulfillment.work.models import DemandLine
from kernel.proofs import Stretch
from stock.ledger import post
from stock.models import OpenDemand, Reservation
from stock.postings import DemandChange, Header, Key, ReservationChange
from stock.proof.repair import KIND, REASON, Mend


def by_demand_line(session: Session, stretch: Stretch) -> Iterator[Mend]:
    """Yield a mend for each demand line in a stretch whose waiting units are not its open demand."""
    for change in _changes(session, stretch):
        deed = f"opens {change.units}" if change.units > 0 else f"closes {-change.units}"
        line = f"posting {KIND} {deed} of open demand of {change.sku} for {change.reference}"
        tables = {"demand_line": change.reference, "open_demand": change.reference}
        rows = {*tables.items(), ("open_demand", f"{change.sku} for {change.reference}")}
        yield Mend(frozenset(rows), (line,), partial(_settle, key=(change.sku, change.reference)))


def strays(session: Session, stretch: Stretch) -> Iterator[Mend]:
    """Yield a mend for each open reservation in a stretch of SKUs that no open order holds."""
    for stray in session.scalars(verify.strays(stretch)):
        whose = f"reservation {stray.id} for {stray.reference}"
        lines = [f"posting {KIND} releases {stray.open_units} {stray.sku} at {stray.node}, {whose}"]
        if stray.picked:
            lines.append(f"  {stray.picked} of them are in a tote: put them back on the shelf")
        rows = frozenset({("reservation", stray.id)})
        yield Mend(rows, tuple(lines), partial(_release, key=(stray.sku, stray.id)))


def by_node(session: Session, stretch: Stretch) -> Iterator[Mend]:
    """Yield a mend for each day, in a stretch of nodes, whose claimed minutes are not those of anything."""
    for node, on, claimed, needed in session.execute(minutes_proof.unlike(stretch)):
        key = minutes_proof.key_of(node, on)
        line = f"node day {key}: claimed minutes {claimed} become {needed}"
        yield Mend(frozenset({(minutes_proof.TABLE, key)}), (line,), partial(_count_anew, node=node, on=on))


def _changes(session: Session, stretch: Stretch) -> Iterator[DemandChange]:
    """Yield what has to be opened, or closed, for open demand to be what waits, in a stretch of references."""
    of_line = (OpenDemand.reference == DemandLine.id) & (OpenDemand.sku == DemandLine.sku)
    missing = DemandLine.units - DemandLine.allocated - DemandLine.fulfilled - func.coalesce(OpenDemand.units, 0)
    unlike = select(DemandLine.sku, DemandLine.id, missing).outerjoin(OpenDemand, of_line)
    for sku, reference, units in session.execute(unlike.where(stretch.over(DemandLine.id), missing != 0)):
        yield DemandChange(sku, reference, units)
    for sku, reference, units in session.execute(verify.of_nothing(stretch)):
        yield DemandChange(sku, reference, -units)


def _settle(session: Session, *, actor: str, now: datetime, key: Key) -> bool:
    of_reference = Stretch(only=key[1])
    due = [change for change in _changes(session, of_reference) if change.sku == key[0]]
    if due:
        post(session, _header(actor, now, reference=key[1]), (), demand=due)
    return bool(due)


def _release(session: Session, *, actor: str, now: datetime, key: Key) -> bool:
    stray = session.scalars(verify.strays(Stretch(only=key[0])).where(Reservation.id == key[1])).first()
    if stray is None:
        return False
    ended = ReservationChange(
        sku=stray.sku, id=stray.id, node=stray.node, picked=-stray.picked, released=stray.open_units
    )
    post(session, _header(actor, now, reference=stray.reference), (), changes=[ended])
    return True


def _count_anew(session: Session, *, actor: str, now: datetime, node: str, on: date) -> bool:  # noqa: ARG001 (Writes)
    # Whoever claims or releases comes to this row last, so that all that is seen is counted and all else comes after.
    day = session.get(NodeDay, (node, on), with_for_update=True, populate_existing=True)
    due = [needed for _, at, _, needed in session.execute(minutes_proof.unlike(Stretch(only=node))) if at == on]
    if due:
        day = day or NodeDay(node=node, on_date=on)
        day.claimed_minutes = due[0]
        session.add(day)
    return bool(due)


def _header(actor: str, now: datetime, *, reference: str) -> Header:
    return Header(kind=KIND, reason=REASON, actor=actor, occurred_at=now, reference=reference)
