"""Where a fulfillment order stands once units were picked, came, or were taken off: it moves on by itself.

Called after every change of lines. Invariant: no order stays in picking when all its units are picked, nor waits for a
transfer when none of its units do; a pick list is done when none of its orders is being picked.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fulfillment.work import states
from fulfillment.work.models import FulfillmentOrder, PickList, Status

LIST_PICKING, LIST_DONE = "picking", "done"


def settle(session: Session, fo: FulfillmentOrder, *, actor: str, now: datetime, opened: bool = False) -> None:
    """Move `fo` on to where its lines say it stands; `opened` says that a closed package had to be opened."""
    if fo.status == Status.AWAITING_TRANSFER and not awaits(fo):
        states.move(session, fo, Status.ALLOCATED, actor=actor, now=now, reason="arrived")
    elif fo.status == Status.PICKING and all(line.picked == line.units for line in fo.lines):
        states.move(session, fo, Status.PICKED, actor=actor, now=now)
    elif fo.status == Status.PACKED and opened:
        states.move(session, fo, Status.PICKED, actor=actor, now=now, reason="contents_changed")
    close_list(session, fo.pick_list_id)


def awaits(fo: FulfillmentOrder) -> bool:
    """Tell whether units of `fo` are still to come by transfer."""
    return any(line.reservation_id is None and line.units > 0 for line in fo.lines)


def close_list(session: Session, pick_list_id: str | None) -> None:
    """Close a pick list of which nothing is left to pick."""
    if pick_list_id is None:
        return
    session.flush()
    being_picked = (FulfillmentOrder.pick_list_id == pick_list_id) & (FulfillmentOrder.status == Status.PICKING)
    left = session.scalar(select(func.count()).select_from(FulfillmentOrder).where(being_picked))
    pick_list = session.get(PickList, pick_list_id)
    if pick_list is not None and not left and pick_list.status != LIST_DONE:
        pick_list.status = LIST_DONE
        pick_list.version += 1
