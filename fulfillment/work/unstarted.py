"""Fulfillment orders that their node will not begin in time: it closed, or what was to leave did not.

Called by a job, and after a node was changed. Each is noted as a setback and its demand marked to be decided again;
what a node has accepted is left with it, and shows as late. Invariant: one fulfillment order is taken up once for each
cause, so that what cannot be served otherwise stays where it is and is not asked about for ever.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, exists, or_, select, text
from sqlalchemy.orm import Session

from fulfillment.work import setbacks
from fulfillment.work.locks import lock_orders
from fulfillment.work.models import NOT_STARTED, Demand, FulfillmentOrder, Method, Setback, Status
from fulfillment.work.setbacks import SetbackCause
from fulfillment.work.withdrawal import Part
from stock.models import Node, NodeStatus

LEAVES = (Method.SHIP, Method.TRANSFER)
# Written out, so that the index of what is not begun answers.
UNSTARTED = text("fulfillment_order.status IN ('allocated', 'awaiting_transfer')")


def mark(session: Session, *, now: datetime, limit: int, actor: str) -> list[tuple[str, str]]:
    """Mark up to `limit` demands whose node closed or let a departure pass; return them, each with the cause."""
    found = {cause: _found(session, cause, now=now, limit=limit) for cause in CONDITIONS}
    orders = {fo.id: fo for fo in lock_orders(session, {fo_id for ids in found.values() for fo_id in ids})}
    marked: dict[str, str] = {}
    for cause, ids in found.items():
        # Somebody may have begun between the reading and the lock.
        still = [orders[fo_id] for fo_id in ids if orders[fo_id].status in NOT_STARTED]
        parts = [Part.of(fo, line, line.units) for fo in still for line in fo.lines if line.units]
        setbacks.note(session, parts, cause=cause, reason=cause.value, actor=actor, now=now)
        marked |= {fo.demand_id: cause.value for fo in still}
    for demand in session.scalars(select(Demand).where(Demand.id.in_(marked))):
        demand.decide_cause = marked[demand.id]
    session.flush()
    return sorted(marked.items())


def _found(session: Session, cause: SetbackCause, *, now: datetime, limit: int) -> list[str]:
    known = exists().where(
        Setback.demand_id == FulfillmentOrder.demand_id,
        Setback.fulfillment_order_id == FulfillmentOrder.id,
        Setback.cause == cause.value,
    )
    query = (
        select(FulfillmentOrder.id)
        .join(Demand, Demand.id == FulfillmentOrder.demand_id)
        .join(Node, Node.id == FulfillmentOrder.node)
        .where(UNSTARTED, CONDITIONS[cause](now), ~known)
        .where(Demand.paused_at.is_(None), Demand.person_since.is_(None))
        .order_by(FulfillmentOrder.ship_by)
        .limit(limit)
    )
    return list(session.scalars(query))


def _closed(_now: datetime) -> ColumnElement[bool]:
    # Who wants to collect at a store that comes back is not sent elsewhere.
    suspended = (Node.status == NodeStatus.SUSPENDED) & FulfillmentOrder.method.in_(LEAVES)
    return or_(Node.status == NodeStatus.CLOSED, suspended)


def _departed(now: datetime) -> ColumnElement[bool]:
    allocated = FulfillmentOrder.status == Status.ALLOCATED
    return allocated & FulfillmentOrder.method.in_(LEAVES) & (FulfillmentOrder.ship_by < now)


CONDITIONS = {SetbackCause.NODE_CLOSED: _closed, SetbackCause.MISSED_CUT_OFF: _departed}
