"""Fulfillment orders coming into being, and giving way to others before anybody works on them.

Called by sourcing's commit, with the demands locked and their units claimed in the ledger. Invariant: a fulfillment
order begins with its first history row and its event; a leg by transfer begins with its transfer document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from fulfillment.work import states, transport
from fulfillment.work.events import FulfillmentOrderMoved
from fulfillment.work.models import FulfillmentHistory, FulfillmentLine, FulfillmentOrder, Method, Status
from kernel import events
from kernel.db import adopt, table
from kernel.ids import digits, new_id, short_code
from stock import transfers
from stock.documents import TransferStatus
from stock.transfers import TransferWant


@dataclass(frozen=True, kw_only=True)
class AllocatedLine:
    """Units of a demand line at a new fulfillment order; no reservation while they come by transfer."""

    demand_line_id: str
    sku: str
    units: int
    reservation_id: str | None


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """A fulfillment order to be made, and why. `supplies` is the collection that a transfer leg goes to."""

    id: str
    demand_id: str
    reference: str
    decision_id: str
    node: str
    method: str
    service: str
    carrier_service: str | None
    destination_node: str | None
    supplies: str | None
    work_on: date
    work_minutes: int
    ship_by: datetime
    promised_by: datetime
    rank: int
    reason: str
    lines: tuple[AllocatedLine, ...]


def allocate(
    session: Session, allocations: Sequence[Allocation], *, actor: str, now: datetime
) -> list[FulfillmentOrder]:
    """Make fulfillment orders, open the transfers of those that are legs, and return them in order."""
    if not allocations:
        return []
    orders = [_order(allocation) for allocation in allocations]
    lines = [
        [_line(order, line) for line in sorted(each.lines, key=attrgetter("sku"))]
        for order, each in zip(orders, allocations, strict=True)
    ]
    reasons = [each.reason for each in allocations]
    session.execute(_ORDER, orders)
    session.execute(_LINE, [line for own in lines for line in own])
    session.execute(
        _HISTORY, [_begun(order, actor=actor, now=now, reason=why) for order, why in zip(orders, reasons, strict=True)]
    )
    known = [adopt(session, FulfillmentOrder, order, lines=own) for order, own in zip(orders, lines, strict=True)]
    events.record_many(
        session,
        [_allocated(order, actor=actor, now=now, reason=why) for order, why in zip(known, reasons, strict=True)],
    )
    for order in known:
        if order.method == Method.TRANSFER:
            _open_transfer(session, order, actor=actor, now=now)
    return known


def supersede(session: Session, orders: Sequence[FulfillmentOrder], *, actor: str, now: datetime, reason: str) -> None:
    """End fulfillment orders whose units are served otherwise, and the transfers of those that are legs."""
    for order in orders:
        states.move(session, order, Status.SUPERSEDED, actor=actor, now=now, reason=reason)
        if order.method == Method.TRANSFER:
            transport.cancel(session, order, actor=actor, now=now)


# Built once: every order that is placed passes here.
_ORDER = insert(table(FulfillmentOrder))
_LINE = insert(table(FulfillmentLine))
_HISTORY = insert(table(FulfillmentHistory))
_EMPTY = {column.name: None for column in table(FulfillmentOrder).columns if column.nullable}


def _order(allocation: Allocation) -> dict[str, Any]:
    awaits = any(line.reservation_id is None for line in allocation.lines)
    values = {
        each.name: getattr(allocation, each.name) for each in fields(allocation) if each.name not in {"lines", "reason"}
    }
    return {
        **_EMPTY,
        **values,
        "number": f"F{short_code()}",
        "status": Status.AWAITING_TRANSFER.value if awaits else Status.ALLOCATED.value,
        "pickup_code": digits() if allocation.method == Method.COLLECT else None,
        "wrong_codes": 0,
        "version": 1,
    }


def _line(order: Mapping[str, Any], line: AllocatedLine) -> dict[str, Any]:
    return {
        "id": new_id(),
        "fulfillment_order_id": order["id"],
        "demand_line_id": line.demand_line_id,
        "sku": line.sku,
        "units": line.units,
        "picked": 0,
        "reservation_id": line.reservation_id,
    }


def _begun(order: Mapping[str, Any], *, actor: str, now: datetime, reason: str) -> dict[str, Any]:
    return {
        "id": new_id(),
        "fulfillment_order_id": order["id"],
        "what": order["status"],
        "from_status": None,
        "to_status": order["status"],
        "actor": actor,
        "reason": reason,
        "details": {},
        "occurred_at": now,
    }


def _allocated(order: FulfillmentOrder, *, actor: str, now: datetime, reason: str) -> FulfillmentOrderMoved:
    return FulfillmentOrderMoved(
        aggregate_id=order.id, number=order.number, demand_id=order.demand_id, reference=order.reference,
        node=order.node, method=order.method, from_status="", to_status=order.status, reason=reason,
        actor=actor, occurred_at=now,
    )  # fmt: skip


def _open_transfer(session: Session, leg: FulfillmentOrder, *, actor: str, now: datetime) -> None:
    assert leg.destination_node is not None, f"transfer leg {leg.number} has no destination"
    transfers.open_transfer(
        session,
        source=leg.node,
        destination=leg.destination_node,
        reference=leg.id,
        lines=[
            TransferWant(sku=line.sku, units=line.units, reference=line.demand_line_id, rank=leg.rank)
            for line in leg.lines
        ],
        status=TransferStatus.APPROVED,
        expected_at=leg.promised_by,
        actor=actor,
        now=now,
    )
