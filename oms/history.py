"""An order's own row: how it is locked, moved from state to state, and what its timeline remembers.

Called by every verb that changes an order. Invariants: a transition writes status, history row and event together; the
row of an order is locked after its demands, so that no two verbs wait for each other; `updated_at` is the database's
clock, so that nobody who asks for what changed misses an order because business time stood still.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from kernel import events
from kernel.db import database_now, table
from kernel.ids import new_id
from kernel.states import advance
from oms.errors import UnknownOrder
from oms.events import OrderMoved
from oms.models import ORDER_TRANSITIONS, Order, OrderHistory, OrderStatus

_HISTORY = insert(table(OrderHistory))
_ORDER = table(Order)
_TOUCH = (
    update(_ORDER)
    .where(_ORDER.c.id == bindparam("order_id"))
    .values(updated_at=database_now())
    .returning(_ORDER.c.updated_at)
)


def get(session: Session, order_id: str) -> Order:
    """Return the order with its lines. Raises UnknownOrder."""
    order = session.get(Order, order_id, options=[selectinload(Order.lines)])
    if order is None:
        raise UnknownOrder(order_id)
    return order


def lock(session: Session, order_id: str) -> Order:
    """Lock the order and return it with its lines as they are now. Raises UnknownOrder."""
    order = session.scalar(
        select(Order)
        .where(Order.id == order_id)
        .options(selectinload(Order.lines))
        .execution_options(populate_existing=True)
        .with_for_update()
    )
    if order is None:
        raise UnknownOrder(order_id)
    return order


def touch(order: Order) -> None:
    """Raise the version and the instant by which others see that the order changed."""
    order.version += 1
    order.updated_at = database_now()


def touch_unlocked(session: Session, order_id: str) -> None:
    """Let followers of an order see that its physical side changed; its own row stays at its version."""
    touched_at = session.scalar(_TOUCH, {"order_id": order_id})
    known = session.identity_map.get(identity_key(Order, order_id))
    if known is not None:
        set_committed_value(known, "updated_at", touched_at)


@dataclass(frozen=True)
class Entry:
    """A line of an order's timeline; `details` hold ids and values, never a person."""

    order_id: str
    what: str
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    moved: tuple[str | None, str | None] = (None, None)


def write(
    session: Session,
    order_id: str,
    what: str,
    *,
    actor: str,
    now: datetime,
    reason: str = "",
    details: dict[str, Any] | None = None,
    moved: tuple[str | None, str | None] = (None, None),
) -> None:
    """Add a line to the order's timeline, given by its parts."""
    write_many(session, [Entry(order_id, what, reason, details or {}, moved)], actor=actor, now=now)


def write_many(session: Session, entries: Sequence[Entry], *, actor: str, now: datetime) -> None:
    """Add lines to the timelines of orders."""
    rows = [
        {
            "id": new_id(), "order_id": entry.order_id, "what": entry.what, "from_status": entry.moved[0],
            "to_status": entry.moved[1], "actor": actor, "reason": entry.reason, "details": entry.details,
            "occurred_at": now,
        }
        for entry in entries
    ]  # fmt: skip
    if rows:
        session.execute(_HISTORY, rows)


def move(session: Session, order: Order, target: OrderStatus, *, actor: str, now: datetime, reason: str = "") -> None:
    """Take a locked order to `target`. Raises IllegalTransition."""
    before = OrderStatus(order.status)
    order.status = advance(ORDER_TRANSITIONS, before, target, what=f"Order {order.number}")
    touch(order)
    write(session, order.id, "moved", actor=actor, now=now, reason=reason, moved=(before, target))
    session.flush()
    names = {"number": order.number, "channel": order.channel, "external_id": order.external_id}
    events.record(
        session, OrderMoved(aggregate_id=order.id, from_status=before, to_status=target, reason=reason, **names)
    )
