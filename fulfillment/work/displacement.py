"""What the work does when the ledger showed fewer units than were reserved: the orders that lost some follow.

`api/` wires both verbs: the lock under `stock.displacement.BEFORE_DISPLACEMENT`, the handler for
`stock.events.ReservationsDisplaced`; they run in the transaction that displaces. Invariant: afterwards every
fulfillment line holds what its reservation holds.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.work import setbacks
from fulfillment.work.locks import lock_demands_of_lines, lock_orders
from fulfillment.work.models import OPEN, DemandLine, FulfillmentLine, PutBack, Status
from fulfillment.work.setbacks import SetbackCause
from fulfillment.work.withdrawal import Cause, Fate, Part, follow
from stock.events import Displaced, ReservationsDisplaced
from stock.models import Posting, Purpose


def before_displacement(session: Session, references: Collection[str]) -> None:
    """Lock the demands of these lines before the ledger takes units from their reservations, in the house's order."""
    known = session.scalars(select(DemandLine.id).where(DemandLine.id.in_(references)))
    lock_demands_of_lines(session, known.all())


def on_reservations_displaced(session: Session, event: ReservationsDisplaced) -> None:
    """Lower the lines, demands and put-back tasks whose reservations lost units."""
    promised = [lost for lost in event.displaced if lost.purpose in {Purpose.ORDER, Purpose.TRANSFER}]
    if promised:
        _follow(session, event, promised)
    for lost in event.displaced:
        if lost.purpose == Purpose.PUT_BACK:
            _shrink_task(session, lost)


def _follow(session: Session, event: ReservationsDisplaced, promised: list[Displaced]) -> None:
    losses = {lost.reservation_id: lost for lost in promised}
    serving = select(FulfillmentLine.fulfillment_order_id).where(
        FulfillmentLine.demand_line_id.in_({lost.reference for lost in promised}),
        FulfillmentLine.reservation_id.in_(losses),
    )
    orders = lock_orders(session, set(session.scalars(serving)))
    parts = [
        Part(fo, line, lost.units, lost.picked)
        for fo in orders
        if fo.status in OPEN
        for line in fo.lines
        if (lost := losses.get(line.reservation_id or "")) is not None
    ]
    posting = session.get_one(Posting, event.aggregate_id)
    cause = Cause(
        kind="displaced", reference=posting.reference, reason=event.kind, actor=posting.actor, now=posting.occurred_at,
        fate=Fate.WAIT, ends=Status.SUPERSEDED,
    )  # fmt: skip
    follow(session, parts, cause)
    setbacks.note(session, parts, cause=SetbackCause.DISPLACEMENT, reason=event.kind, actor=cause.actor, now=cause.now)


def _shrink_task(session: Session, lost: Displaced) -> None:
    task = session.get(PutBack, lost.reference, with_for_update=True, populate_existing=True)
    assert task is not None, f"reservation {lost.reservation_id} puts back for no task"
    task.units -= lost.units
