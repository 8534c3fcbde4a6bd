"""Money received for orders: what is due, and what was paid, when and how.

Called by `orders` for what was paid with the order, and by the counter. Invariant: a payment is never larger than what
is due for the units that were not cancelled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from kernel import events
from kernel.db import table
from kernel.ids import new_id
from kernel.money import Money
from oms import history
from oms.checks import Faults
from oms.errors import InvalidRequest, Overpaid
from oms.events import PaymentRecorded
from oms.history import Entry
from oms.models import Order, OrderLine, Payment

KINDS = ("online", "card", "cash", "voucher", "bank_transfer")


@dataclass(frozen=True)
class Received:
    """Money received for an order that is new or locked; its amount was checked."""

    order: Order
    kind: str
    amount_minor: int

    @property
    def money(self) -> dict[str, Any]:
        """How much it is, and in which form it came."""
        return {"kind": self.kind, "amount_minor": self.amount_minor, "currency": self.order.currency}

    @property
    def entry(self) -> Entry:
        """Its line of the order's timeline."""
        return Entry(self.order.id, "paid", details=self.money)

    @property
    def event(self) -> PaymentRecorded:
        """Its news."""
        order = self.order
        return PaymentRecorded(
            aggregate_id=order.id, number=order.number, channel=order.channel, external_id=order.external_id,
            **self.money,
        )  # fmt: skip


_INSERT = insert(table(Payment))


def paid_minor(session: Session, order_id: str) -> int:
    """Return what has been paid for an order, in minor units of its currency."""
    paid = select(func.coalesce(func.sum(Payment.amount_minor), 0)).where(Payment.order_id == order_id)
    return int(session.scalar(paid) or 0)


def due(session: Session, order: Order, *, units: Mapping[str, int] | None = None) -> Money:
    """Return what is still to be paid: for all that was not cancelled, or for `units` of its lines (by line id)."""
    wanted = {line.id: line.ordered - line.cancelled for line in order.lines} if units is None else units
    owed = sum(value_minor(line, wanted.get(line.id, 0)) for line in order.lines)
    shipping = order.shipping_price_minor if any(wanted.values()) else 0
    return Money(max(0, owed + shipping - paid_minor(session, order.id)), order.currency)


def value_minor(line: OrderLine, units: int) -> int:
    """Return the price of some units of a line, its discount shared out evenly and rounded down."""
    return (line.unit_price_minor * line.ordered - line.discount_minor) * units // line.ordered


def record(session: Session, order_id: str, *, kind: str, amount: Money, actor: str, now: datetime) -> None:
    """Record money received for an order.

    Raises InvalidRequest for an unknown kind, an amount of nothing or another currency, and Overpaid.
    """
    order = history.lock(session, order_id)
    faults = Faults()
    if kind not in KINDS:
        faults.add("/kind", "unknown_kind", f"use one of {', '.join(KINDS)}")
    if amount.currency != order.currency:
        faults.add("/amount/currency", "other_currency", f"the order is in {order.currency}")
    if amount.minor <= 0:
        faults.add("/amount/amount", "out_of_range", "write more than 0")
    if faults.found:
        raise InvalidRequest(faults.found)
    if amount.minor > (open_amount := due(session, order)).minor:
        raise Overpaid(order.number, open_amount)
    history.touch(order)
    write(session, Received(order, kind, amount.minor), actor=actor, now=now)


def write(session: Session, received: Received, *, actor: str, now: datetime) -> None:
    """Write a payment with its history and its event."""
    insert_rows(session, [received], actor=actor, now=now)
    history.write_many(session, [received.entry], actor=actor, now=now)
    events.record(session, received.event)


def insert_rows(session: Session, received: Sequence[Received], *, actor: str, now: datetime) -> None:
    """Write the rows of payments alone, for who tells of them together with other things."""
    rows = [
        {"id": new_id(), "order_id": each.order.id, **each.money, "actor": actor, "occurred_at": now}
        for each in received
    ]  # fmt: skip
    if rows:
        session.execute(_INSERT, rows)
