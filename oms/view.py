"""An order whole: what was sold, where every unit stands, what was decided and done, in one timeline.

Read by the doors. Invariant: nothing is written, and nothing here names a person; names and addresses are read from the
vault by `customers`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, defer, selectinload

from fulfillment.sourcing.commit import Committed
from fulfillment.sourcing.proposal import Proposal
from fulfillment.work.models import (
    LEFT,
    Decision,
    Demand,
    DemandLine,
    FulfillmentHistory,
    FulfillmentOrder,
    Shipment,
)
from kernel.db import table
from kernel.money import Money
from oms import history, payments
from oms.errors import UnknownDecision
from oms.models import Hold, Order, OrderHistory, OrderLine, Payment, Return
from oms.status import LineCounters, Part, PublicStatus, public_status


@dataclass(frozen=True)
class LineView:
    """A line and where its units stand; `waiting_reason` says why some have no node."""

    line: OrderLine
    counters: LineCounters
    waiting_reason: str | None


@dataclass(frozen=True)
class Standing:
    """Where the units of a demand line stand; `reason` says why its demand waits, if some of it does."""

    waiting: int
    allocated: int
    fulfilled: int
    reason: str | None


@dataclass(frozen=True)
class PartView:
    """A fulfillment order and, once it has left, its shipment."""

    fulfillment_order: FulfillmentOrder
    shipment: Shipment | None


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One thing that happened, to the order or to one of its fulfillment orders."""

    occurred_at: datetime
    what: str
    actor: str
    reason: str
    from_status: str | None
    to_status: str | None
    details: dict[str, Any]
    fulfillment_order: str | None = None
    node: str | None = None


@dataclass(frozen=True, kw_only=True)
class Outline:
    """What a channel asks about an order: its lines, where their units stand, and why."""

    order: Order
    public_status: PublicStatus
    lines: Sequence[LineView]
    parts: Sequence[PartView]
    decisions: Sequence[Decision]


@dataclass(frozen=True, kw_only=True)
class OrderView(Outline):
    """Everything about one order but the person."""

    payments: Sequence[Payment]
    holds: Sequence[Hold]
    returns: Sequence[Return]
    timeline: Sequence[Moment]
    paid: Money
    due: Money


# Built once, since every order that is placed is shown.
_DEMAND, _LINE = table(Demand), table(DemandLine)
_PHYSICAL = (
    select(_LINE.c.id, _LINE.c.units, _LINE.c.allocated, _LINE.c.fulfilled, _DEMAND.c.waiting_reason)
    .join(_DEMAND, _DEMAND.c.id == _LINE.c.demand_id)
    .where(_DEMAND.c.reference.in_(bindparam("order_ids", expanding=True)))
)
_PARTS = (
    select(FulfillmentOrder)
    .where(FulfillmentOrder.reference == bindparam("order_id"))
    .options(selectinload(FulfillmentOrder.lines))
    .order_by(FulfillmentOrder.id)
)
_SHIPPED = select(Shipment).where(Shipment.fulfillment_order_id.in_(bindparam("ids", expanding=True)))
_DECISIONS = (
    select(Decision)
    .join(Demand, Demand.id == Decision.demand_id)
    .where(Demand.reference == bindparam("order_id"))
    .order_by(Decision.id)
)
# Hundreds of candidates, which a summary does not tell.
_SUMMARISED = _DECISIONS.options(defer(Decision.weighed))


def outline(session: Session, order_id: str) -> Outline:
    """Return the order with its lines, fulfillment orders and decisions. Raises UnknownOrder."""
    order = history.get(session, order_id)
    decided = session.scalars(_SUMMARISED, {"order_id": order_id}).all()
    return _outline(order, _physical(session, [order_id]), _parts(session, order_id), decided)


def outline_of_new(order: Order, committed: Committed) -> Outline:
    """Return what `outline` would of an order that was just written with no more than its proposal."""
    physical = dict(_planned(committed.proposal))
    parts = [PartView(part, None) for part in sorted(committed.orders, key=attrgetter("id"))]
    return _outline(order, physical, parts, committed.decisions)


def _outline(
    order: Order, physical: Mapping[str, Standing], parts: Sequence[PartView], decided: Sequence[Decision]
) -> Outline:
    return Outline(
        order=order,
        public_status=_public_status(order, physical, [part.fulfillment_order for part in parts]),
        lines=[LineView(line, _counters(line, physical), _reason(line, physical)) for line in order.lines],
        parts=parts,
        decisions=decided,
    )


def _planned(proposal: Proposal) -> Iterator[tuple[str, Standing]]:
    """Yield where the units of new demands stand, by line."""
    for change in proposal.changes:
        waiting = Counter[str]()
        for missing in change.missing:
            waiting[missing.line_id] += missing.units
        reason = change.missing[0].reason if change.missing else None
        for line in change.wanted.lines:
            yield line.id, Standing(waiting[line.id], line.units - waiting[line.id], 0, reason)


def whole(session: Session, order_id: str) -> OrderView:
    """Return the order with all that hangs on it. Raises UnknownOrder."""
    outlined = outline(session, order_id)
    order = outlined.order
    return OrderView(
        **vars(outlined),
        payments=list(session.scalars(select(Payment).where(Payment.order_id == order_id).order_by(Payment.id))),
        holds=list(session.scalars(select(Hold).where(Hold.order_id == order_id).order_by(Hold.id))),
        returns=_returns(session, order_id),
        timeline=timeline(session, order_id),
        paid=Money(payments.paid_minor(session, order_id), order.currency),
        due=payments.due(session, order),
    )


def public_statuses(session: Session, orders: Sequence[Order]) -> dict[str, PublicStatus]:
    """Return what shoppers are told about each of these orders, by id, for lists."""
    ids = [order.id for order in orders]
    physical = _physical(session, ids)
    parts: dict[str, list[FulfillmentOrder]] = defaultdict(list)
    for part in session.scalars(select(FulfillmentOrder).where(FulfillmentOrder.reference.in_(ids))):
        parts[part.reference].append(part)
    return {order.id: _public_status(order, physical, parts[order.id]) for order in orders}


def counters(session: Session, order: Order) -> dict[str, LineCounters]:
    """Return where the units of each line stand, by line id."""
    physical = _physical(session, [order.id])
    return {line.id: _counters(line, physical) for line in order.lines}


def decisions(session: Session, order_id: str, *, only: str | None = None) -> list[Decision]:
    """Return every decision about the order, oldest first, or only the one with an id.

    Raises UnknownDecision when that one is not about the order.
    """
    query = _DECISIONS if only is None else _DECISIONS.where(Decision.id == only)
    found = list(session.scalars(query, {"order_id": order_id}))
    if only is not None and not found:
        raise UnknownDecision(order_id, only)
    return found


def timeline(session: Session, order_id: str) -> list[Moment]:
    """Return what happened to the order and to its fulfillment orders, in the order in which it was recorded."""
    own = select(OrderHistory).where(OrderHistory.order_id == order_id)
    physical = (
        select(FulfillmentHistory, FulfillmentOrder.number, FulfillmentOrder.node)
        .join(FulfillmentOrder, FulfillmentOrder.id == FulfillmentHistory.fulfillment_order_id)
        .where(FulfillmentOrder.reference == order_id)
    )
    moments = [(row.id, _moment(row)) for row in session.scalars(own)]
    moments += [(row.id, _moment(row, number, node)) for row, number, node in session.execute(physical)]
    return [moment for _, moment in sorted(moments, key=lambda pair: pair[0])]


def _physical(session: Session, order_ids: Collection[str]) -> Mapping[str, Standing]:
    """Return where the units of the demand lines of these orders stand, by the id they share with order lines."""
    rows = session.execute(_PHYSICAL, {"order_ids": list(order_ids)})
    return {
        line_id: Standing(units - allocated - fulfilled, allocated, fulfilled, reason)
        for line_id, units, allocated, fulfilled, reason in rows
    }


def _counters(line: OrderLine, physical: Mapping[str, Standing]) -> LineCounters:
    standing = physical[line.id]
    return LineCounters(
        ordered=line.ordered, cancelled=line.cancelled, returned=line.returned,
        waiting=standing.waiting, allocated=standing.allocated, fulfilled=standing.fulfilled,
    )  # fmt: skip


def _reason(line: OrderLine, physical: Mapping[str, Standing]) -> str | None:
    standing = physical[line.id]
    return standing.reason if standing.waiting else None


def _public_status(order: Order, physical: Mapping[str, Standing], parts: Sequence[FulfillmentOrder]) -> PublicStatus:
    lines = [_counters(line, physical) for line in order.lines]
    return public_status(order.status, lines, [Part(part.method, part.status) for part in parts])


def _parts(session: Session, order_id: str) -> list[PartView]:
    orders = session.scalars(_PARTS, {"order_id": order_id}).all()
    left = [order.id for order in orders if order.status in LEFT]
    shipped = session.scalars(_SHIPPED, {"ids": left}) if left else ()
    shipments = {shipment.fulfillment_order_id: shipment for shipment in shipped}
    return [PartView(order, shipments.get(order.id)) for order in orders]


def _returns(session: Session, order_id: str) -> list[Return]:
    of_order = select(Return).where(Return.order_id == order_id).options(selectinload(Return.lines))
    return list(session.scalars(of_order.order_by(Return.id)))


def _moment(row: OrderHistory | FulfillmentHistory, number: str | None = None, node: str | None = None) -> Moment:
    return Moment(
        occurred_at=row.occurred_at, what=row.what, actor=row.actor, reason=row.reason, details=row.details,
        from_status=row.from_status, to_status=row.to_status, fulfillment_order=number, node=node,
    )  # fmt: skip
