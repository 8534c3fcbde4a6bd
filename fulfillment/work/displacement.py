"""What the work does when the ledger showed fewer units than were reserved: the orders that lost some follow.

A handler of `stock.events.ReservationsDisplaced`, run in the transaction that displaced. Invariant: afterwards every
fulfillment line holds what its reservation holds.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.work.locks import lock_orders
from fulfillment.work.models import OPEN, FulfillmentLine, PutBack, Status
from fulfillment.work.withdrawal import Cause, Fate, Part, follow
from stock.events import Displaced, ReservationsDisplaced
from stock.models import Posting, Purpose


def on_reservations_displaced(session: Session, event: ReservationsDisplaced) -> None:
    """Lower the lines, demands and put-back tasks whose reservations lost units."""
    promised = [lost for lost in event.displaced if lost.purpose in {Purpose.ORDER, Purpose.TRANSFER}]
    if promised:
        _follow(session, event, promised)
    for lost in event.displaced:
        if lost.purpose == Purpose.PUT_BACK:
            _shrink_task(session, lost)


def _follow(session: Session, event: ReservationsDisplaced, promised: list[Displaced]) -> None:
    units = {lost.reservation_id: lost.units for lost in promised}
    serving = select(FulfillmentLine.fulfillment_order_id).where(
        FulfillmentLine.demand_line_id.in_({lost.reference for lost in promised}),
        FulfillmentLine.reservation_id.in_(units),
    )
    orders = lock_orders(session, set(session.scalars(serving)))
    parts = [
        Part(fo, line, units[line.reservation_id])
        for fo in orders
        if fo.status in OPEN
        for line in fo.lines
        if line.reservation_id in units
    ]
    posting = session.get_one(Posting, event.aggregate_id)
    cause = Cause(
        kind="displaced", reference=posting.reference, reason=event.kind, actor=posting.actor, now=posting.occurred_at,
        fate=Fate.WAIT, ends=Status.SUPERSEDED,
    )  # fmt: skip
    follow(session, parts, cause)


def _shrink_task(session: Session, lost: Displaced) -> None:
    task = session.get(PutBack, lost.reference, with_for_update=True, populate_existing=True)
    assert task is not None, f"reservation {lost.reservation_id} puts back for no task"
    task.units -= lost.units
