"""Transfer legs on their way: dispatched by the source, received by the node that awaits them.

Called by store pages and by REST. Invariants: units are in transit in the ledger exactly from dispatch to receipt; what
arrives for an order is reserved for it in the posting that receives it; what does not arrive waits again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session
from stock.transfers import TransferWant

from fulfillment.work import completion, packing, shipping, states, transport
from fulfillment.work.errors import WrongMethod
from fulfillment.work.locks import lock_order
from fulfillment.work.models import OPEN, FulfillmentLine, FulfillmentOrder, Method, Status
from stock import transfers
from stock.documents import Transfer, TransferLine, TransferStatus

ARRIVED = frozenset({TransferStatus.RECEIVED, TransferStatus.CLOSED_SHORT})


@dataclass(frozen=True)
class Receipt:
    """What a receipt did: units reserved for the order that awaited them, and units that did not come, by SKU."""

    transfer: Transfer
    reserved: Mapping[str, int]
    missing: Mapping[str, int]


def dispatch(
    session: Session,
    fo_id: str,
    *,
    tracking_number: str | None = None,
    carrier_service: str | None = None,
    actor: str,
    now: datetime,
) -> Transfer:
    """Send a picked or packed transfer leg on its way to the node it supplies."""
    leg = lock_order(session, fo_id)
    if leg.method != Method.TRANSFER:
        raise WrongMethod(leg.number, leg.method, "only transfers are dispatched")
    states.require(leg, {Status.PICKED, Status.PACKED})
    if leg.status == Status.PICKED:
        packing.close_package(session, leg, weight_g=None, packages=1, actor=actor, now=now)
    shipment = shipping.open_shipment(session, leg, tracking_number, carrier_service, now=now)
    transfer = transport.document(session, leg) or _open_document(session, leg, actor=actor, now=now)
    held = {line.demand_line_id: line for line in leg.lines if line.units}
    sent = [_sent(held, line) for line in transfer.lines]
    transfers.dispatch(session, transfer.id, sent, actor=actor, now=now)
    details = {"tracking_number": shipment.tracking_number, "transfer": transfer.number}
    states.move(session, leg, Status.SHIPPED, actor=actor, now=now, details=details)
    session.flush()
    return transfer


def receive(
    session: Session,
    transfer_id: str,
    received: Mapping[int, int] | None = None,
    *,
    complete: bool = True,
    actor: str,
    now: datetime,
) -> Receipt:
    """Receive units of a transfer, by its line numbers; all that is on its way when `received` is not given.

    When that is all that comes (`complete`), the transfer is closed and what is missing waits for another node. Units
    that nobody awaits any more become plain stock.
    """
    transfer = session.get_one(Transfer, transfer_id)
    leg = lock_order(session, transfer.reference) if _is_leg(session, transfer) else None
    supplied = _supplied(session, leg)
    if received is None:
        received = {line.line: on_its_way(line) for line in transfer.lines}
    wanted = _wanted(transfer, supplied, received)
    arrived = transfers.receive(session, transfer_id, received, wanted=wanted, actor=actor, now=now)
    if supplied is not None:
        _attach(session, supplied, arrived)
    missing = _close_short(session, transfer, supplied, leg, actor=actor, now=now) if complete else Counter[str]()
    if leg is not None and transfer.status in ARRIVED:
        _arrive(session, leg, actor=actor, now=now)
    if supplied is not None and supplied.status in OPEN:
        completion.settle(session, supplied, actor=actor, now=now)
    session.flush()
    reserved = Counter[str]()
    for part in arrived:
        reserved[part.sku] += part.units if part.reservation_id else 0
    return Receipt(transfer, +reserved, +missing)


def on_its_way(line: TransferLine) -> int:
    """Return the units of a line that are dispatched and not yet accounted for."""
    return line.dispatched - line.received - line.written_off


def _open_document(session: Session, leg: FulfillmentOrder, *, actor: str, now: datetime) -> Transfer:
    assert leg.destination_node is not None, f"transfer leg {leg.number} goes nowhere"
    wants = [
        TransferWant(sku=line.sku, units=line.units, reference=line.demand_line_id, rank=leg.rank)
        for line in leg.lines
        if line.units
    ]
    return transfers.open_transfer(
        session, source=leg.node, destination=leg.destination_node, reference=leg.id, lines=wants,
        status=TransferStatus.APPROVED, expected_at=leg.promised_by, actor=actor, now=now,
    )  # fmt: skip


def _sent(held: Mapping[str, FulfillmentLine], line: TransferLine) -> object:
    return None


def _is_leg(session: Session, transfer: Transfer) -> bool:
    return session.get(FulfillmentOrder, transfer.reference) is not None if transfer.reference else False


def _supplied(session: Session, leg: FulfillmentOrder | None) -> FulfillmentOrder | None:
    if leg is None or leg.supplies is None:
        return None
    supplied = session.get_one(FulfillmentOrder, leg.supplies)
    return supplied if supplied.status in OPEN else None


def _awaiting(fo: FulfillmentOrder, demand_line_id: str) -> list[FulfillmentLine]:
    return [
        line
        for line in fo.lines
        if line.demand_line_id == demand_line_id and line.reservation_id is None and line.units
    ]
