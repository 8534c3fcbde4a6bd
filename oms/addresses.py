"""Correcting where an order goes, before its first parcel leaves.

Called by the doors. Invariant: the address stands in the vault, and its demand knows only where that roughly is; an
order held for its address goes on with the first one that can be found.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.network import geography
from fulfillment.network.geography import Destination
from fulfillment.work import demands
from fulfillment.work.models import LEFT, Demand, FulfillmentOrder, Method
from kernel import events
from kernel.vault import Vault
from oms import checks, customers, history, holds
from oms.commands import ShipTo
from oms.errors import AddressFixed, InvalidRequest
from oms.events import OrderAddressCorrected
from oms.models import Order, OrderStatus


def destination_of(session: Session, ship_to: ShipTo) -> Destination:
    """Return where an address lies, as far as is known."""
    location = geography.locate(
        session, country=ship_to.country, postal_code=ship_to.postal_code,
        latitude=ship_to.latitude, longitude=ship_to.longitude,
    )  # fmt: skip
    return Destination(location, ship_to.country, ship_to.postal_code)


def correct_address(
    session: Session, order_id: str, ship_to: ShipTo, *, vault: Vault, actor: str, now: datetime
) -> list[str]:
    """Send an order elsewhere; return the demands that the door must decide again.

    Raises UnknownOrder, InvalidRequest with every fault, and AddressFixed when the order is closed, is not shipped, or
    a parcel of it has left.
    """
    order = history.get(session, order_id)
    if faults := checks.address_faults(ship_to):
        raise InvalidRequest(faults)
    to = destination_of(session, ship_to)
    shipped = (Demand.reference == order_id) & (Demand.method == Method.SHIP)
    locked = demands.lock(session, list(session.scalars(select(Demand.id).where(shipped))))
    _require_open(session, order, locked.keys())
    demands.relocate(session, locked.values(), to)
    order = history.lock(session, order_id)
    assert order.customer_id is not None, f"order {order.number} is shipped to nobody"
    customers.keep_address(session, vault, order.customer_id, order.id, ship_to)
    history.touch(order)
    history.write(session, order_id, "address_corrected", actor=actor, now=now)
    _tell(session, order)
    held = any(hold.reason == holds.ADDRESS for hold in holds.open_holds(session, order_id))
    if held and to.location.geocode != "none":
        holds.lift_locked(session, order, reason=holds.ADDRESS, actor=actor, now=now)
    session.flush()
    return sorted(locked)


def _require_open(session: Session, order: Order, demand_ids: object) -> None:
    if not demand_ids:
        raise AddressFixed(order.number, "nothing of it is shipped")
    if order.status in {OrderStatus.COMPLETED, OrderStatus.CANCELLED}:
        raise AddressFixed(order.number, f"it is {order.status}")
    left = (FulfillmentOrder.reference == order.id) & FulfillmentOrder.status.in_(LEFT)
    if session.scalar(select(FulfillmentOrder.id).where(left, FulfillmentOrder.method == Method.SHIP).limit(1)):
        raise AddressFixed(order.number, "a parcel of it has left; what comes back is a return")


def _tell(session: Session, order: Order) -> None:
    names = {"number": order.number, "channel": order.channel, "external_id": order.external_id}
    events.record(session, OrderAddressCorrected(aggregate_id=order.id, **names))
