"""Money received for orders: what is due, and what was paid, when and how.

Called by `orders` for what was paid with the order, and by the counter. Invariant: a payment is never larger than what
is due for the units that were not cancelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kernel import events
from kernel.ids import new_id
from kernel.money import Money
from oms import history
from oms.checks import Faults
from oms.errors import InvalidRequest, Overpaid
from oms.events import PaymentRecorded
from oms.models import Order, OrderLine, Payment

KINDS = ("online", "card", "cash", "voucher", "bank_transfer")


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


def record(session: Session, order_id: str, *, kind: str, amount: Money, actor: str, now: datetime) -> Payment:
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
    return write(session, order, kind=kind, amount_minor=amount.minor, actor=actor, now=now)


def write(session: Session, order: Order, *, kind: str, amount_minor: int, actor: str, now: datetime) -> Payment:
    """Write a payment of an order that is new or locked, its amount checked, with its history and its event."""
    payment = Payment(
        id=new_id(), order_id=order.id, kind=kind, amount_minor=amount_minor, currency=order.currency, actor=actor,
        occurred_at=now,
    )  # fmt: skip
    session.add(payment)
    paid = {"kind": kind, "amount_minor": amount_minor, "currency": order.currency}
    history.write(session, order.id, "paid", actor=actor, now=now, details=paid)
    names = {"number": order.number, "channel": order.channel, "external_id": order.external_id}
    events.record(
        session,
        PaymentRecorded(aggregate_id=order.id, kind=kind, amount_minor=amount_minor, currency=order.currency, **names),
    )
    return payment
