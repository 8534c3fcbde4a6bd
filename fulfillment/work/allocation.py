"""Fulfillment orders coming into being, and giving way to others before anybody works on them.

Called by sourcing's commit, with the demands locked and their units claimed in the ledger. Invariant: a fulfillment
order begins with its first history row and its event; a leg by transfer begins with its transfer document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session
from stock.transfers import TransferWant

from fulfillment.work import states, transport
from fulfillment.work.models import FulfillmentLine, FulfillmentOrder, Method, Status
from kernel.ids import digits, new_id, short_code
from stock import transfers
from stock.documents import TransferStatus


@dataclass(frozen=True, kw_only=True)
class AllocatedLine:
    """Units of a demand line at a new fulfillment order; no reservation while they come by transfer."""

    demand_line_id: str
    sku: str
    units: int
    reservation_id: str | None


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """A fulfillment order to be made. `supplies` is the collection that a transfer leg goes to."""

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
    lines: tuple[AllocatedLine, ...]


def allocate(
    session: Session, allocations: Sequence[Allocation], *, actor: str, now: datetime, reason: str
) -> list[FulfillmentOrder]:
    """Make fulfillment orders, open the transfers of those that are legs, and return them in order."""
    orders = [_order(allocation) for allocation in allocations]
    session.add_all(orders)
    session.flush()
    for order in orders:
        states.begin(session, order, actor=actor, now=now, reason=reason)
        if order.method == Method.TRANSFER:
            _open_transfer(session, order, actor=actor, now=now)
    return orders


def supersede(session: Session, orders: Sequence[FulfillmentOrder], *, actor: str, now: datetime, reason: str) -> None:
    """End fulfillment orders whose units are served otherwise, and the transfers of those that are legs."""
    for order in orders:
        states.move(session, order, Status.SUPERSEDED, actor=actor, now=now, reason=reason)
        if order.method == Method.TRANSFER:
            transport.cancel(session, order, actor=actor, now=now)


def _order(allocation: Allocation) -> FulfillmentOrder:
    awaits = any(line.reservation_id is None for line in allocation.lines)
    return FulfillmentOrder(
        id=allocation.id,
        number=f"F{short_code()}",
        demand_id=allocation.demand_id,
        reference=allocation.reference,
        decision_id=allocation.decision_id,
        node=allocation.node,
        method=allocation.method,
        status=Status.AWAITING_TRANSFER if awaits else Status.ALLOCATED,
        service=allocation.service,
        carrier_service=allocation.carrier_service,
        destination_node=allocation.destination_node,
        supplies=allocation.supplies,
        work_on=allocation.work_on,
        work_minutes=allocation.work_minutes,
        ship_by=allocation.ship_by,
        promised_by=allocation.promised_by,
        pickup_code=digits() if allocation.method == Method.COLLECT else None,
        rank=allocation.rank,
        lines=[_line(line) for line in allocation.lines],
    )


def _line(line: AllocatedLine) -> FulfillmentLine:
    return FulfillmentLine(
        id=new_id(),
        demand_line_id=line.demand_line_id,
        sku=line.sku,
        units=line.units,
        reservation_id=line.reservation_id,
    )


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
