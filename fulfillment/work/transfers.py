"""Transfer legs on their way: dispatched by the source, received by the node that awaits them.

Called by store pages and by REST. Invariants: units are in transit in the ledger exactly from dispatch to receipt; what
arrives for an order is reserved for it in the posting that receives it; what does not arrive waits again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fulfillment.work import completion, packing, shipping, states, transport
from fulfillment.work.errors import WrongMethod
from fulfillment.work.locks import lock_order
from fulfillment.work.models import OPEN, FulfillmentLine, FulfillmentOrder, Method, Status
from fulfillment.work.shipping import reserved_units
from fulfillment.work.withdrawal import Cause, Fate, Part, spread, withdraw, withdraw_missing
from kernel.ids import new_id
from stock import arrivals, transfers
from stock.arrivals import Arrived, SetAside, Surplus
from stock.documents import Transfer, TransferLine, TransferStatus
from stock.errors import UnknownDocument
from stock.reservations import ReservedUnits
from stock.transfers import Choice, TransferWant, on_the_way

ARRIVED = frozenset({TransferStatus.RECEIVED, TransferStatus.CLOSED_SHORT})


@dataclass(frozen=True)
class Receipt:
    """What a receipt did: units reserved for the order that awaited them, and units that did not come, by SKU."""

    transfer: Transfer
    reserved: Mapping[str, int]
    missing: Mapping[str, int]


def open_document(session: Session, leg: FulfillmentOrder, *, actor: str, now: datetime) -> Transfer:
    """Open the document of a leg: what its source is to send, and for whom."""
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
    transfer = transport.document(session, leg) or open_document(session, leg, actor=actor, now=now)
    sent = [_sent(leg, line) for line in transfer.lines]
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
    set_aside: Sequence[SetAside] = (),
    surplus: Sequence[Surplus] = (),
    complete: bool = True,
    actor: str,
    now: datetime,
) -> Receipt:
    """Receive units of a transfer, by its line numbers; all that is on its way when `received` is not given.

    When that is all that comes (`complete`), the transfer is closed and what is missing waits for another node, as do
    units that came in a state in which they cannot be sold. Units that nobody awaits any more become plain stock.
    """
    transfer = _document(session, transfer_id)
    leg = _leg(session, transfer)
    supplied = _supplied(session, leg)
    if received is None:
        received = {line.line: on_the_way(line) for line in transfer.lines}
    wanted = _wanted(transfer, supplied, received)
    arrived = arrivals.receive(
        session, transfer_id, received, set_aside=set_aside, surplus=surplus, wanted=wanted, actor=actor, now=now
    )
    reserved = Counter[str]()
    for part in arrived:
        if supplied is not None and part.reservation_id is not None:
            _attach(supplied, part, part.reservation_id)
            reserved[part.sku] += part.units
    missing = _close_short(session, transfer, actor=actor, now=now) if complete else Counter[str]()
    if missing or set_aside:
        _let_wait(session, transfer, supplied, "not_received", actor=actor, now=now)
    if leg is not None and transfer.status in ARRIVED:
        _arrive(session, leg, actor=actor, now=now)
    if supplied is not None and supplied.status in OPEN:
        completion.settle(session, supplied, actor=actor, now=now)
    session.flush()
    return Receipt(transfer, +reserved, missing)


def cancel(session: Session, transfer_id: str, *, choice: Choice | None = None, actor: str, now: datetime) -> Transfer:
    """Call a transfer off; on its way, `choice` says whether its units go back to the source or are written off.

    What an order awaited of it waits for another node.
    """
    transfer = _document(session, transfer_id)
    leg = _leg(session, transfer)
    if leg is not None and leg.status in OPEN:
        parts = [Part.of(leg, line, line.units) for line in leg.lines if line.units]
        withdraw(session, parts, _cause(leg, "cancel_transfer", "called_off", Status.CANCELLED, actor=actor, now=now))
        return transfer
    transfers.cancel(session, transfer_id, choice=choice, actor=actor, now=now)
    if leg is not None:
        states.move(session, leg, Status.RETURNED_TO_SENDER, actor=actor, now=now, reason=choice or "")
        _let_wait(session, transfer, _supplied(session, leg), "called_off", actor=actor, now=now)
    return transfer


def _document(session: Session, transfer_id: str) -> Transfer:
    transfer = session.get(Transfer, transfer_id)
    if transfer is None:
        raise UnknownDocument("transfer", transfer_id)
    return transfer


def _sent(leg: FulfillmentOrder, line: TransferLine) -> ReservedUnits | None:
    """Return what the leg holds for a line of its document: nothing where it was cancelled meanwhile."""
    same = (held for held in leg.lines if held.units and held.demand_line_id == line.reference)
    return next(iter(reserved_units(same)), None)


def _leg(session: Session, transfer: Transfer) -> FulfillmentOrder | None:
    """Lock and return the leg of a document, when it has one: planners move stock without."""
    known = session.get(FulfillmentOrder, transfer.reference) if transfer.reference else None
    return lock_order(session, known.id) if known is not None else None


def _supplied(session: Session, leg: FulfillmentOrder | None) -> FulfillmentOrder | None:
    if leg is None or leg.supplies is None:
        return None
    supplied = session.get_one(FulfillmentOrder, leg.supplies)
    return supplied if supplied.status in OPEN else None


def _awaiting(fo: FulfillmentOrder, demand_line_id: str) -> list[FulfillmentLine]:
    held = [line for line in fo.lines if line.units and line.reservation_id is None]
    return [line for line in held if line.demand_line_id == demand_line_id]


def _wanted(transfer: Transfer, supplied: FulfillmentOrder | None, received: Mapping[int, int]) -> dict[int, int]:
    """Return how many of the units received by line are still awaited."""
    if supplied is None:
        return {}
    left = {line.reference: sum(held.units for held in _awaiting(supplied, line.reference)) for line in transfer.lines}
    wanted = {}
    for line in transfer.lines:
        wanted[line.line] = min(received.get(line.line, 0), left[line.reference])
        left[line.reference] -= wanted[line.line]
    return wanted


def _attach(supplied: FulfillmentOrder, part: Arrived, reservation_id: str) -> None:
    """Let the awaiting lines give up the units that came, and one line hold them with their reservation."""
    left, emptied = part.units, None
    for line in _awaiting(supplied, part.reference):
        taken = min(left, line.units)
        line.units -= taken
        left -= taken
        emptied = line if line.units == 0 else emptied
    assert left == 0, f"{left} units of {part.sku} were reserved for {supplied.number} and not awaited"
    if emptied is None:
        emptied = FulfillmentLine(id=new_id(), demand_line_id=part.reference, sku=part.sku, picked=0)
        supplied.lines.append(emptied)
    emptied.units, emptied.reservation_id = part.units, reservation_id


def _close_short(session: Session, transfer: Transfer, *, actor: str, now: datetime) -> Counter[str]:
    missing = Counter[str]()
    for line in transfer.lines:
        missing[line.sku] += on_the_way(line)
    if +missing:
        arrivals.close_short(session, transfer.id, actor=actor, now=now)
    return +missing


def _let_wait(
    session: Session, transfer: Transfer, supplied: FulfillmentOrder | None, reason: str, *, actor: str, now: datetime
) -> None:
    if supplied is None:
        return
    references = {line.reference for line in transfer.lines}
    parts = [part for reference in sorted(references) for part in _uncovered(session, supplied, reference)]
    cause = _cause(supplied, "short_receipt", reason, Status.SUPERSEDED, actor=actor, now=now)
    withdraw_missing(session, parts, cause)


def _cause(fo: FulfillmentOrder, kind: str, reason: str, ends: Status, *, actor: str, now: datetime) -> Cause:
    return Cause(kind=kind, reference=fo.reference, reason=reason, actor=actor, now=now, fate=Fate.WAIT, ends=ends)


def _uncovered(session: Session, supplied: FulfillmentOrder, demand_line_id: str) -> Iterator[Part]:
    """Yield the awaited units that no leg brings any more."""
    coming = sum(
        line.units
        for leg in transport.legs(session, supplied.id)
        for line in leg.lines
        if line.demand_line_id == demand_line_id
    )
    in_transit = (
        select(func.coalesce(func.sum(TransferLine.dispatched - TransferLine.received - TransferLine.written_off), 0))
        .join(Transfer, Transfer.id == TransferLine.transfer_id)
        .join(FulfillmentOrder, FulfillmentOrder.id == Transfer.reference)
        .where(FulfillmentOrder.supplies == supplied.id, TransferLine.reference == demand_line_id)
    )
    coming += int(session.scalar(in_transit) or 0)
    awaiting = _awaiting(supplied, demand_line_id)
    return spread(supplied, awaiting, demand_line_id, max(0, sum(line.units for line in awaiting) - coming))


def _arrive(session: Session, leg: FulfillmentOrder, *, actor: str, now: datetime) -> None:
    states.move(session, leg, Status.DELIVERED, actor=actor, now=now)
    shipment = shipping.shipment_of(session, leg.id)
    assert shipment is not None, f"transfer leg {leg.number} arrived without a shipment"
    shipment.delivered_at = now
