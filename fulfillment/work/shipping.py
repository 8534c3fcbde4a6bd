"""Shipping: a packed order leaves with a carrier, and arrives.

Called by store pages and by REST. Invariant: an order ships once; in that transaction its units leave the ledger, its
reservations are consumed and its demand lines count them as fulfilled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.work import demands, states
from fulfillment.work.errors import TrackingNumberTaken, WrongMethod
from fulfillment.work.locks import lock_order
from fulfillment.work.models import FulfillmentLine, FulfillmentOrder, Method, Shipment, Status
from kernel.ids import new_id, short_code
from stock import reservations
from stock.postings import Header
from stock.reservations import ReservedUnits

TRACKING_LENGTH = 12
INSTEAD = {
    Method.COLLECT: "set it ready, and hand it over to the customer",
    Method.TRANSFER: "dispatch it as a transfer",
    Method.CARRY_OUT: "hand it over at the till",
}


def ship(
    session: Session,
    fo_id: str,
    *,
    tracking_number: str | None = None,
    carrier_service: str | None = None,
    actor: str,
    now: datetime,
) -> Shipment:
    """Give a packed order to the carrier; without a number of the carrier's it gets one of ours.

    Raises AlreadyShipped the second time, NotPossibleNow before it is packed, WrongMethod when it is not to be shipped.
    """
    fo = lock_order(session, fo_id)
    if fo.method != Method.SHIP:
        raise WrongMethod(fo.number, fo.method, INSTEAD[Method(fo.method)])
    states.require(fo, {Status.PACKED})
    shipment = open_shipment(session, fo, tracking_number, carrier_service, now=now)
    fulfil(session, fo, kind="ship", actor=actor, now=now)
    details = {"tracking_number": shipment.tracking_number, "carrier_service": shipment.carrier_service}
    states.move(session, fo, Status.SHIPPED, actor=actor, now=now, details=details)
    session.flush()
    return shipment


def deliver(session: Session, fo_id: str, *, actor: str, now: datetime) -> FulfillmentOrder:
    """Say that a shipped order has arrived."""
    return _end_journey(session, fo_id, Status.DELIVERED, actor=actor, now=now)


def return_to_sender(session: Session, fo_id: str, *, reason: str, actor: str, now: datetime) -> FulfillmentOrder:
    """Say that the carrier brings a shipped order back; its units come in again as a return."""
    return _end_journey(session, fo_id, Status.RETURNED_TO_SENDER, reason=reason, actor=actor, now=now)


def shipment_of(session: Session, fo_id: str) -> Shipment | None:
    """Return the shipment of a fulfillment order, if it has left."""
    return session.scalar(select(Shipment).where(Shipment.fulfillment_order_id == fo_id))


def open_shipment(
    session: Session, fo: FulfillmentOrder, tracking_number: str | None, carrier_service: str | None, *, now: datetime
) -> Shipment:
    """Write the shipment of an order that is packed. Raises TrackingNumberTaken."""
    number = tracking_number or short_code(TRACKING_LENGTH)
    if session.scalar(select(Shipment.id).where(Shipment.tracking_number == number)):
        raise TrackingNumberTaken(number)
    shipment = Shipment(
        id=new_id(), fulfillment_order_id=fo.id, carrier_service=carrier_service or fo.carrier_service or fo.method,
        tracking_number=number, weight_g=fo.weight_g or 0, packages=fo.packages or 1, shipped_at=now,
    )  # fmt: skip
    session.add(shipment)
    return shipment


def fulfil(session: Session, fo: FulfillmentOrder, *, kind: str, actor: str, now: datetime) -> None:
    """Let the units of an order leave: consumed in the ledger, fulfilled in the demand."""
    header = Header(kind=kind, actor=actor, occurred_at=now, reference=fo.reference)
    held = [line for line in fo.lines if line.units]
    reservations.consume(session, header, reserved_units(held))
    demands.fulfil(session, units_by_demand_line(held))


def reserved_units(lines: Iterable[FulfillmentLine]) -> list[ReservedUnits]:
    """Return what the ledger holds for these lines."""
    return [ReservedUnits(line.sku, line.reservation_id, line.units) for line in lines if line.reservation_id]


def units_by_demand_line(lines: Iterable[FulfillmentLine]) -> Counter[str]:
    """Count the units of these lines by the demand line they serve."""
    units = Counter[str]()
    for line in lines:
        units[line.demand_line_id] += line.units
    return units


def _end_journey(
    session: Session, fo_id: str, target: Status, *, reason: str = "", actor: str, now: datetime
) -> FulfillmentOrder:
    fo = lock_order(session, fo_id)
    if fo.status == target:
        return fo
    if fo.method != Method.SHIP:
        raise WrongMethod(fo.number, fo.method, INSTEAD[Method(fo.method)])
    states.move(session, fo, target, actor=actor, now=now, reason=reason)
    shipment = shipment_of(session, fo_id)
    assert shipment is not None, f"fulfillment order {fo.number} was shipped without a shipment"
    shipment.delivered_at = now if target == Status.DELIVERED else None
    session.flush()
    return fo
