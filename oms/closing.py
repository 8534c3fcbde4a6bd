"""Closing an order: completed or cancelled by itself once no unit of it waits or is on its way to be.

Called by `subscribers` when units leave or are cancelled, and by `holds` when the last hold is lifted. Invariant: an
order that is not held closes in the transaction of the last unit that left or was cancelled.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fulfillment.work.models import Demand, DemandLine
from oms import customers, history
from oms.models import Hold, Order, OrderStatus


def settle(session: Session, order: Order, *, actor: str, now: datetime) -> None:
    """Close a locked order of which nothing is left to do; leave any other as it is."""
    wanted, fulfilled = _units(session, order.id)
    if order.status not in customers.OPEN or wanted > fulfilled:
        return
    if fulfilled == 0:
        _drop_holds(session, order, actor=actor, now=now)
        history.move(session, order, OrderStatus.CANCELLED, actor=actor, now=now)
    elif order.status == OrderStatus.APPROVED:
        history.move(session, order, OrderStatus.COMPLETED, actor=actor, now=now)
    else:
        return
    if order.customer_id is not None:
        customers.erase_if_asked(session, order.customer_id)


def _units(session: Session, order_id: str) -> tuple[int, int]:
    """Return how many units of the order are wanted, and how many of them have left."""
    counters = (
        select(func.coalesce(func.sum(DemandLine.units), 0), func.coalesce(func.sum(DemandLine.fulfilled), 0))
        .join(Demand, Demand.id == DemandLine.demand_id)
        .where(Demand.reference == order_id)
    )
    wanted, fulfilled = session.execute(counters).one()
    return int(wanted), int(fulfilled)


def _drop_holds(session: Session, order: Order, *, actor: str, now: datetime) -> None:
    for hold in session.scalars(select(Hold).where(Hold.order_id == order.id, Hold.lifted_at.is_(None))):
        hold.lifted_by, hold.lifted_at = actor, now
