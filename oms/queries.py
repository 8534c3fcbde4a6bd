"""Finding orders across all channels, by what people have at hand, a page at a time.

Read by the doors. Invariant: a page goes on exactly where the last one ended, however many orders came in between.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, func, or_, select
from sqlalchemy.orm import Session, selectinload

from fulfillment.work.models import Demand, DemandLine, FulfillmentOrder
from fulfillment.work.unstarted import UNSTARTED
from kernel.errors import Rejected
from kernel.vault import Vault
from oms import customers
from oms.models import Order
from stock.models import OpenDemand

MOST = 200
NO_NODE = "no_node"


class InvalidCursor(Rejected):
    """A cursor that no page gave."""

    code = "invalid_cursor"

    def __init__(self) -> None:
        super().__init__("This is no cursor of a page of orders; begin without one.")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is known of the orders; what is absent does not matter. `text` is a number, an id, a mail, phone or name.

    With `updated_since` pages go from the longest unchanged to the newest change, else from the newest order backwards.
    """

    text: str | None = None
    number: str | None = None
    channel: str | None = None
    external_id: str | None = None
    status: str | None = None
    customer_id: str | None = None
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    updated_since: datetime | None = None
    waiting: bool = False
    needs_person: bool = False


@dataclass(frozen=True)
class Page:
    """Orders with their lines, and the cursor of what follows, if anything does."""

    orders: Sequence[Order]
    cursor: str | None


def find(session: Session, vault: Vault, wanted: Wanted, *, cursor: str | None = None, limit: int = 50) -> Page:
    """Return the orders that match everything in `wanted`. Raises InvalidCursor."""
    limit = max(1, min(limit, MOST))
    if not all(value.isprintable() for value in vars(wanted).values() if isinstance(value, str)):
        return Page([], None)
    query = _matching(session, vault, wanted).options(selectinload(Order.lines))
    query = _after(query, wanted, cursor).limit(limit + 1)
    orders = list(session.scalars(query))
    more = len(orders) > limit
    return Page(orders[:limit], _cursor(orders[limit - 1], wanted) if more else None)


def numbers(session: Session, order_ids: Collection[str]) -> dict[str, str]:
    """Return the numbers by which people know these orders, by id; unknown ids are absent."""
    rows = session.execute(select(Order.id, Order.number).where(Order.id.in_(order_ids))) if order_ids else ()
    return {row.id: row.number for row in rows}


def waiting_units(session: Session, order_ids: Collection[str]) -> dict[str, int]:
    """Return how many units of these orders have no node, by id; orders of which none waits are absent."""
    units = func.sum(DemandLine.units - DemandLine.allocated - DemandLine.fulfilled)
    query = _waiting().with_only_columns(Demand.reference, units).where(Demand.reference.in_(order_ids))
    return {row[0]: int(row[1]) for row in session.execute(query.group_by(Demand.reference))}


def _waiting() -> Select[Any]:
    """Select demand lines with units for which no node is chosen; the ledger keeps them as open demand."""
    return (
        select(DemandLine.id)
        .select_from(OpenDemand)
        .join(DemandLine, DemandLine.id == OpenDemand.reference)
        .join(Demand, Demand.id == DemandLine.demand_id)
    )


def _with_a_person() -> CompoundSelect[Any]:
    """Select the orders of demands that only a person brings on: left to one, or no node may serve them at all."""
    waits = Demand.id.in_(_waiting().with_only_columns(Demand.id))
    unbegun = select(FulfillmentOrder.demand_id).where(UNSTARTED)
    left = Demand.person_since.is_not(None) & (waits | Demand.id.in_(unbegun))
    nowhere = _waiting().where(Demand.waiting_reason == NO_NODE).with_only_columns(Demand.reference)
    return select(Demand.reference).where(left).union_all(nowhere)


def _matching(session: Session, vault: Vault, wanted: Wanted) -> Select[Order]:
    query = select(Order)
    for name in ("channel", "external_id", "status", "customer_id"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(getattr(Order, name) == value)
    if wanted.number is not None:
        query = query.where(Order.number == wanted.number.strip().upper())
    if wanted.email or wanted.phone or wanted.name:
        people = customers.find(session, vault, email=wanted.email, phone=wanted.phone, name=wanted.name)
        query = query.where(Order.customer_id.in_(people))
    if wanted.waiting:
        query = query.where(Order.id.in_(_waiting().with_only_columns(Demand.reference)))
    if wanted.needs_person:
        query = query.where(Order.id.in_(_with_a_person()))
    if wanted.text and wanted.text.strip():
        query = query.where(_said(session, vault, wanted.text.strip()))
    return query


def _said(session: Session, vault: Vault, text: str) -> ColumnElement[bool]:
    people = {
        person
        for kind in ({"email": text}, {"phone": text}, {"name": text})
        for person in customers.find(session, vault, **kind)
    }
    return or_(Order.number == text.upper(), Order.external_id == text, Order.id == text, Order.customer_id.in_(people))


def _after(query: Select[Order], wanted: Wanted, cursor: str | None) -> Select[Order]:
    if wanted.updated_since is None:
        query = query.order_by(Order.id.desc())
        return query.where(Order.id < _read_cursor(cursor, 1)[0]) if cursor else query
    query = query.where(Order.updated_at >= wanted.updated_since).order_by(Order.updated_at, Order.id)
    if cursor is None:
        return query
    updated_at, order_id = _read_cursor(cursor, 2)
    instant = _instant(updated_at)
    return query.where(or_(Order.updated_at > instant, and_(Order.updated_at == instant, Order.id > order_id)))


def _cursor(last: Order, wanted: Wanted) -> str:
    parts = [last.id] if wanted.updated_since is None else [last.updated_at.isoformat(), last.id]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


def _read_cursor(cursor: str, length: int) -> list[str]:
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor from error
    fine = isinstance(parts, list) and len(parts) == length and all(isinstance(part, str) for part in parts)
    if not fine:
        raise InvalidCursor
    return [str(part) for part in parts]


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidCursor from error
