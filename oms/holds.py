"""Holds: reasons for which an order waits for a person, each placed and lifted by somebody.

Called by the doors, and by `orders` for an address that cannot be found. Invariant: an order is held exactly while one
of its holds is not lifted, and so long nobody starts to work on it and nothing of it leaves; its claims stay.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.work import demands
from fulfillment.work.models import Demand
from kernel.ids import new_id
from oms import closing, history
from oms.checks import Faults
from oms.errors import AddressNeeded, InvalidRequest, NotOnHold
from oms.models import Hold, Order, OrderStatus

ADDRESS = "address"


def place(session: Session, order_id: str, *, reason: str, actor: str, now: datetime) -> Hold:
    """Hold an order for a reason; a hold for the same reason that is not lifted is returned as it is.

    Raises UnknownOrder, InvalidRequest and IllegalTransition when the order is closed.
    """
    faults = Faults()
    if not faults.code("/reason", reason):
        raise InvalidRequest(faults.found)
    demand_ids = _demand_ids(session, order_id)
    demands.lock(session, demand_ids)
    order = history.lock(session, order_id)
    standing = next((hold for hold in open_holds(session, order_id) if hold.reason == reason), None)
    if standing is not None:
        return standing
    if order.status != OrderStatus.HELD:
        history.move(session, order, OrderStatus.HELD, actor=actor, now=now, reason=reason)
        demands.pause(session, demand_ids, now=now)
    return _write(session, order, reason=reason, actor=actor, now=now)


def place_on_new(session: Session, order: Order, *, reason: str, actor: str, now: datetime) -> None:
    """Hold an order that is being written and has its demands."""
    _write(session, order, reason=reason, actor=actor, now=now)
    demands.pause(session, _demand_ids(session, order.id), now=now)


def _write(session: Session, order: Order, *, reason: str, actor: str, now: datetime) -> Hold:
    """Write a hold of an order that is held."""
    hold = Hold(id=new_id(), order_id=order.id, reason=reason, placed_by=actor, placed_at=now)
    session.add(hold)
    history.write(session, order.id, "hold_placed", actor=actor, now=now, reason=reason)
    session.flush()
    return hold


def lift(session: Session, order_id: str, *, reason: str, actor: str, now: datetime) -> Order:
    """Lift the hold for a reason; with the last one the order goes on.

    Raises UnknownOrder, NotOnHold, and AddressNeeded for a hold that only another address lifts.
    """
    demands.lock(session, _demand_ids(session, order_id))
    order = history.lock(session, order_id)
    if reason == ADDRESS:
        raise AddressNeeded(order.number)
    lift_locked(session, order, reason=reason, actor=actor, now=now)
    return order


def lift_locked(session: Session, order: Order, *, reason: str, actor: str, now: datetime) -> None:
    """Lift the hold of an order for a reason, its demands and its row locked. Raises NotOnHold."""
    standing = open_holds(session, order.id)
    lifted = [hold for hold in standing if hold.reason == reason]
    if not lifted:
        raise NotOnHold(order.number, reason)
    for hold in lifted:
        hold.lifted_by, hold.lifted_at = actor, now
    history.write(session, order.id, "hold_lifted", actor=actor, now=now, reason=reason)
    if len(lifted) == len(standing):
        history.move(session, order, OrderStatus.APPROVED, actor=actor, now=now, reason=reason)
        demands.resume(session, _demand_ids(session, order.id))
        closing.settle(session, order, actor=actor, now=now)
    session.flush()


def open_holds(session: Session, order_id: str) -> list[Hold]:
    """Return the holds of an order that are not lifted, oldest first."""
    standing = select(Hold).where(Hold.order_id == order_id, Hold.lifted_at.is_(None))
    return list(session.scalars(standing.order_by(Hold.id)))


def _demand_ids(session: Session, order_id: str) -> list[str]:
    return list(session.scalars(select(Demand.id).where(Demand.reference == order_id)))
