"""Finding orders across all channels, by what people have at hand, a page at a time.

Read by the doors. Invariant: a page goes on exactly where the last one ended, however many orders came in between.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session, selectinload

from kernel.errors import Rejected
from kernel.vault import Vault
from oms import customers
from oms.models import Order

MOST = 200


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
