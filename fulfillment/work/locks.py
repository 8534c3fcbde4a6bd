"""Every row lock of this room, in the house's one order: demands by id, then their fulfillment orders by id.

Balances and node minutes are locked after these, by the ledger and by the network. On SQLite one writer at a time
makes the locks needless.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from fulfillment.work import demands
from fulfillment.work.errors import UnknownFulfillmentOrder, UnknownLines
from fulfillment.work.models import DemandLine, FulfillmentOrder


def lock_order(session: Session, fo_id: str) -> FulfillmentOrder:
    """Lock a fulfillment order and all others of its demand; return it fresh. Raises UnknownFulfillmentOrder."""
    return lock_orders(session, [fo_id])[0]


def lock_orders(session: Session, fo_ids: Collection[str]) -> list[FulfillmentOrder]:
    """Lock these fulfillment orders and all others of their demands; return them fresh, in the order asked for."""
    found = select(FulfillmentOrder.demand_id).where(FulfillmentOrder.id.in_(fo_ids))
    by_id = {fo.id: fo for fo in lock_demands(session, set(session.scalars(found)))}
    if missing := set(fo_ids) - by_id.keys():
        raise UnknownFulfillmentOrder(missing)
    return [by_id[fo_id] for fo_id in fo_ids]


def lock_demands(session: Session, demand_ids: Collection[str]) -> list[FulfillmentOrder]:
    """Lock demands with their lines; return all their fulfillment orders, locked and fresh, by id."""
    demands.lock(session, demand_ids)
    orders = (
        select(FulfillmentOrder)
        .where(FulfillmentOrder.demand_id.in_(demand_ids))
        .order_by(FulfillmentOrder.id)
        .options(selectinload(FulfillmentOrder.lines))
        .with_for_update()
    )
    return list(session.scalars(orders, execution_options={"populate_existing": True}))


def lock_demands_of_lines(session: Session, line_ids: Collection[str]) -> list[FulfillmentOrder]:
    """Lock the demands that have these lines; return all their fulfillment orders. Raises UnknownLines."""
    rows = session.execute(select(DemandLine.id, DemandLine.demand_id).where(DemandLine.id.in_(line_ids))).all()
    if missing := set(line_ids) - {row.id for row in rows}:
        raise UnknownLines("the demand", missing)
    return lock_demands(session, {row.demand_id for row in rows})
