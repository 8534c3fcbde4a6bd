"""The order service's part of the proof that nothing is lost: every unit sold stands somewhere, or was cancelled.

Walked by the doors with the parts of the rooms below. Invariant I5: an order line's units are those cancelled
and those its demand wants; returned units have left before. A closed cart holds nothing and names nobody.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fulfillment.work.models import Demand, DemandLine
from kernel.proofs import Finding, Part, Stretch, everything
from oms.customers import OPEN
from oms.models import Cancellation, Cart, CartStatus, Order, OrderLine, OrderStatus
from stock.models import Purpose, Reservation

INVARIANT = "I5"


def by_line(session: Session, stretch: Stretch) -> Iterator[Finding]:
    """Yield what breaks I5 in a stretch of order lines."""
    yield from _lines(session, stretch)
    yield from _cancellations(session, stretch)


def findings(session: Session) -> Iterator[Finding]:
    """Yield every order line and order that does not add up."""
    return everything(session, PARTS)


def _lines(session: Session, stretch: Stretch) -> Iterator[Finding]:
    wanted, gone = func.coalesce(DemandLine.units, 0), func.coalesce(DemandLine.fulfilled, 0)
    wrong = (
        select(OrderLine, wanted, gone)
        .outerjoin(DemandLine, DemandLine.id == OrderLine.id)
        .where(
            stretch.over(OrderLine.id),
            (OrderLine.ordered != OrderLine.cancelled + wanted) | (OrderLine.returned > gone),
        )
    )
    for line, units, fulfilled in session.execute(wrong):
        yield _finding(
            "order_line", line.id,
            f"{line.ordered} ordered, {line.cancelled} cancelled, {line.returned} returned; "
            f"its demand wants {units} and has fulfilled {fulfilled}", line.id,
        )  # fmt: skip


def _cancellations(session: Session, stretch: Stretch) -> Iterator[Finding]:
    noted = (
        select(Cancellation.order_line_id, func.sum(Cancellation.units).label("units"))
        .where(stretch.over(Cancellation.order_line_id))
        .group_by(Cancellation.order_line_id)
        .subquery()
    )
    wrong = (
        select(OrderLine.id, OrderLine.cancelled, func.coalesce(noted.c.units, 0))
        .outerjoin(noted, noted.c.order_line_id == OrderLine.id)
        .where(stretch.over(OrderLine.id), OrderLine.cancelled != func.coalesce(noted.c.units, 0))
    )
    for line_id, cancelled, units in session.execute(wrong):
        message = f"{cancelled} cancelled, yet its cancellations add up to {units}"
        yield _finding("order_line", line_id, message, line_id)


def by_order(session: Session, stretch: Stretch) -> Iterator[Finding]:
    """Yield the orders in a stretch that are closed too early or left open."""
    left = func.sum(DemandLine.units - DemandLine.fulfilled)
    standing = (
        select(Order.id, Order.status, left)
        .join(Demand, Demand.reference == Order.id)
        .join(DemandLine, DemandLine.demand_id == Demand.id)
        .where(stretch.over(Order.id))
        .group_by(Order.id, Order.status)
    )
    closed_too_early = standing.having(left > 0).where(Order.status.not_in(OPEN))
    left_open = standing.having(left == 0).where(Order.status == OrderStatus.APPROVED)
    for order_id, status, units in session.execute(closed_too_early.union_all(left_open)):
        yield _finding("order", order_id, f"{status}, yet {units} units are still to leave", order_id)


def by_cart(session: Session, stretch: Stretch) -> Iterator[Finding]:
    """Yield the carts in a stretch that nobody shops with, and that still hold units or name somebody."""
    closed = stretch.over(Cart.id) & (Cart.status != CartStatus.OPEN)
    claimed = Reservation.consumed + Reservation.released < Reservation.units
    holding = (
        select(Cart.id, Cart.status, Reservation.id)
        .join(Reservation, Reservation.reference == Cart.id)
        .where(closed, Reservation.purpose == Purpose.HOLD, claimed)
    )
    for cart_id, status, reservation_id in session.execute(holding):
        yield _finding("cart", cart_id, f"{status}, yet reservation {reservation_id} is held for it", cart_id)
    for cart_id, status in session.execute(select(Cart.id, Cart.status).where(closed, Cart.subject_id.is_not(None))):
        yield _finding("cart", cart_id, f"{status}, yet who shopped with it is still known", cart_id)


def _finding(table: str, key: str, message: str, place: str) -> Finding:
    return Finding(INVARIANT, table, key, message, place)


PARTS = (
    Part("order lines", (OrderLine.id,), by_line),
    Part("orders", (Order.id,), by_order),
    Part("carts", (Cart.id,), by_cart),
)
