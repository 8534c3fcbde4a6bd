"""What planners see of the work: the load of each node, and the units that wait with the reason.

Called by pages above; reads and writes nothing. Invariant: the number of statements does not grow with the network.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from fulfillment.work.models import Demand, DemandLine, FulfillmentHistory, FulfillmentOrder, Status
from stock.models import OpenDemand

TO_PICK = (Status.ALLOCATED, Status.ACCEPTED)
IN_PROGRESS = (Status.PICKING, Status.PICKED, Status.PACKED)
UNSENT = (Status.AWAITING_TRANSFER, *TO_PICK, *IN_PROGRESS)
REJECTIONS_SINCE = timedelta(hours=24)
UNKNOWN_REASON = "undecided"


@dataclass(frozen=True)
class Load:
    """Fulfillment orders of one node: to pick, in progress, waiting on the shelf, late, and refused in a day."""

    to_pick: int = 0
    in_progress: int = 0
    ready: int = 0
    late: int = 0
    rejected: int = 0


@dataclass(frozen=True)
class WaitingLine:
    """Units of one demand line for which no node is chosen."""

    demand_id: str
    reference: str
    demand_line_id: str
    sku: str
    units: int
    method: str
    collect_node: str | None
    postal_code: str | None
    country: str | None
    placed_at: datetime
    promised_by: datetime | None
    reason: str
    attempts: int


@dataclass(frozen=True)
class WaitingReason:
    """How many demands, and units of them, wait for one reason."""

    reason: str
    demands: int
    units: int


def load_by_node(session: Session, *, now: datetime, node: str | None = None) -> dict[str, Load]:
    """Return the load of each node that has any, or of `node` alone."""
    order = FulfillmentOrder
    counts = (
        _count(order.status.in_(TO_PICK)),
        _count(order.status.in_(IN_PROGRESS)),
        _count(order.status == Status.READY),
        _count(order.status.in_(UNSENT) & (order.ship_by < now)),
    )
    query = select(order.node, *counts).where(order.status.in_((*UNSENT, Status.READY)))
    if node is not None:
        query = query.where(order.node == node)
    open_orders = {row[0]: row[1:] for row in session.execute(query.group_by(order.node))}
    rejected = _rejected(session, since=now - REJECTIONS_SINCE, node=node)
    return {
        name: Load(*open_orders.get(name, (0, 0, 0, 0)), rejected=rejected.get(name, 0))
        for name in open_orders.keys() | rejected.keys()
    }


def waiting_reasons(session: Session) -> list[WaitingReason]:
    """Return what waits by reason, the largest first."""
    reason = func.coalesce(Demand.waiting_reason, UNKNOWN_REASON)
    units = func.sum(OpenDemand.units)
    query = (
        select(reason, func.count(Demand.id.distinct()), units)
        .select_from(OpenDemand)
        .join(DemandLine, DemandLine.id == OpenDemand.reference)
        .join(Demand, Demand.id == DemandLine.demand_id)
        .group_by(reason)
        .order_by(units.desc(), reason)
    )
    return [WaitingReason(name, demands, int(total)) for name, demands, total in session.execute(query)]


def waiting_lines(session: Session, *, reason: str | None = None, limit: int = 1000) -> list[WaitingLine]:
    """Return what waits, the longest waiting first, at most `limit` lines."""
    shown = func.coalesce(Demand.waiting_reason, UNKNOWN_REASON)
    query = (
        select(DemandLine, Demand, OpenDemand.units, shown)
        .select_from(OpenDemand)
        .join(DemandLine, DemandLine.id == OpenDemand.reference)
        .join(Demand, Demand.id == DemandLine.demand_id)
        .order_by(Demand.placed_at, DemandLine.id)
        .limit(limit)
    )
    if reason is not None:
        query = query.where(shown == reason)
    return [_waiting_line(*row) for row in session.execute(query)]


def unsent_by_carrier_service(session: Session) -> dict[str, int]:
    """Return how many fulfillment orders that have not left yet are to go by each carrier service."""
    order = FulfillmentOrder
    query = select(order.carrier_service, func.count()).where(order.status.in_(UNSENT))
    rows = session.execute(query.where(order.carrier_service.is_not(None)).group_by(order.carrier_service))
    return {str(service): count for service, count in rows}


def references(session: Session, demand_ids: Iterable[str]) -> dict[str, str]:
    """Return the caller's reference of each demand."""
    query = select(Demand.id, Demand.reference).where(Demand.id.in_(set(demand_ids)))
    return {row.id: row.reference for row in session.execute(query)}


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(condition)


def _rejected(session: Session, *, since: datetime, node: str | None) -> dict[str, int]:
    query = (
        select(FulfillmentOrder.node, func.count())
        .join(FulfillmentHistory, FulfillmentHistory.fulfillment_order_id == FulfillmentOrder.id)
        .where(FulfillmentHistory.to_status == Status.REJECTED, FulfillmentHistory.occurred_at >= since)
        .group_by(FulfillmentOrder.node)
    )
    if node is not None:
        query = query.where(FulfillmentOrder.node == node)
    return dict(session.execute(query).all())


def _waiting_line(line: DemandLine, demand: Demand, units: int, reason: str) -> WaitingLine:
    return WaitingLine(
        demand_id=demand.id,
        reference=demand.reference,
        demand_line_id=line.id,
        sku=line.sku,
        units=units,
        method=demand.method,
        collect_node=demand.collect_node,
        postal_code=demand.postal_code,
        country=demand.country,
        placed_at=demand.placed_at,
        promised_by=demand.promised_by,
        reason=reason,
        attempts=demand.attempts,
    )
