"""Purchase orders: what suppliers are to deliver where, until it came, was called off, or is waited for no more.

Called by the doors and by imports; `stock/receipts.py` counts what comes in, availability reads what is expected.
Invariant: a line is expected as long as ordered exceeds received and cancelled; what is received is what physically
came, so that it may exceed what was ordered.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, select
from sqlalchemy.orm import Mapped, mapped_column, relationship, selectinload

from kernel import states
from kernel.db import Base, Code, Id, database_now
from kernel.errors import Conflict, Fault, Rejected
from kernel.events import record
from kernel.ids import new_id, short_code
from kernel.pages import Page, page
from kernel.states import Transitions
from stock.errors import UnknownDocument
from stock.events import PurchaseOrderMoved
from stock.lines import check_known, check_once, check_units
from stock.models import Node, NodeKind
from stock.recipes import check_no_bundles
from stock.rows import repeated

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class PurchaseOrderStatus(enum.StrEnum):
    """The way of a purchase order from being placed to the last unit received or given up."""

    OPEN = "open"
    PARTLY_RECEIVED = "partly_received"
    RECEIVED = "received"
    CLOSED_SHORT = "closed_short"
    CANCELLED = "cancelled"


S = PurchaseOrderStatus
PURCHASE_ORDER_TRANSITIONS: Transitions = {
    S.OPEN: {S.PARTLY_RECEIVED, S.RECEIVED, S.CLOSED_SHORT, S.CANCELLED},
    S.PARTLY_RECEIVED: {S.PARTLY_RECEIVED, S.RECEIVED, S.CLOSED_SHORT},
    S.RECEIVED: set(),
    S.CLOSED_SHORT: set(),
    S.CANCELLED: set(),
}
EXPECTING = frozenset({S.OPEN, S.PARTLY_RECEIVED})


class PurchaseOrder(Base):
    """Goods that a supplier was asked for; `supplier` is the retailer's own code for it, which may name a node."""

    __tablename__ = "purchase_order"
    __table_args__ = (
        CheckConstraint("tolerance_percent >= 0", name="tolerance"),
        Index("ix_purchase_order_node", "node", "status"),
        Index("ix_purchase_order_status", "status", "expected_at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    number: Mapped[Code] = mapped_column(unique=True)
    supplier: Mapped[Code]
    node: Mapped[Code] = mapped_column(ForeignKey("node.id"))
    status: Mapped[Code]
    expected_at: Mapped[datetime | None]
    tolerance_percent: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())
    lines: Mapped[list[PurchaseOrderLine]] = relationship(order_by="PurchaseOrderLine.sku")


class PurchaseOrderLine(Base):
    """Units of one article: ordered, received (of them set aside as damaged or to be looked at), and given up.

    What came without being ordered has a line of its own, with nothing ordered.
    """

    __tablename__ = "purchase_order_line"
    __table_args__ = (
        CheckConstraint("ordered >= 0 AND received >= 0 AND cancelled >= 0 AND set_aside >= 0", name="counters"),
        CheckConstraint("cancelled <= ordered AND set_aside <= received", name="parts"),
    )

    purchase_order_id: Mapped[Id] = mapped_column(ForeignKey("purchase_order.id"), primary_key=True)
    sku: Mapped[Code] = mapped_column(ForeignKey("article.sku"), primary_key=True, index=True)
    ordered: Mapped[int]
    received: Mapped[int] = mapped_column(default=0)
    set_aside: Mapped[int] = mapped_column(default=0)
    cancelled: Mapped[int] = mapped_column(default=0)

    @property
    def outstanding(self) -> int:
        """Units that are still expected."""
        return max(0, self.ordered - self.received - self.cancelled)

    @property
    def difference(self) -> int:
        """Units by which what came exceeds what was ordered and not given up; negative for those that lack."""
        return self.received - (self.ordered - self.cancelled)


@dataclass(frozen=True, kw_only=True)
class OrderedRow:
    """A purchase order as it is given: units ordered by SKU; without a number it gets one of ours."""

    supplier: str
    node: str
    lines: tuple[tuple[str, int], ...]
    number: str | None = None
    expected_at: datetime | None = None
    tolerance_percent: int = 0


class InvalidPurchaseOrder(Rejected):
    """A purchase order that cannot be; every fault is named."""

    code = "purchase_order_invalid"


class NumberTaken(Conflict):
    """Another purchase order has this number."""

    code = "purchase_order_exists"


def open_order(session: Session, row: OrderedRow, *, actor: str, now: datetime) -> PurchaseOrder:
    """Open a purchase order. Raises NumberTaken, and InvalidPurchaseOrder with every fault."""
    if row.number is not None and by_number(session, row.number) is not None:
        raise NumberTaken(f"There is a purchase order {row.number} already; give another number, or none.")
    _refuse(list(_faults(session, row, None)))
    return _open(session, row, actor=actor, now=now)


def put(session: Session, rows: Sequence[OrderedRow], *, actor: str, now: datetime) -> list[str]:
    """Open purchase orders, or bring those with the same number to what the rows say; tell for each what was done.

    Raises InvalidPurchaseOrder with every fault, by row.
    """
    faults = [
        Fault(f"/{place}/number", "missing", "without a number it cannot be found the next time")
        for place, row in enumerate(rows)
        if not row.number
    ]
    for place, row in enumerate(rows):
        of_row = _faults(session, row, by_number(session, row.number))
        faults += [Fault(f"/{place}{fault.pointer}", fault.code, fault.message) for fault in of_row]
    _refuse([*repeated(rows, ("number",)), *faults])
    return [_put(session, row, actor=actor, now=now) for row in rows]


def cancel(session: Session, order_id: str, *, actor: str, now: datetime) -> PurchaseOrder:
    """Call a purchase order off of which nothing has come. Raises UnknownDocument, IllegalTransition."""
    return _give_up(session, order_id, S.CANCELLED, actor=actor, now=now)


def close_short(session: Session, order_id: str, *, actor: str, now: datetime) -> PurchaseOrder:
    """Expect no more of a purchase order than came. Raises UnknownDocument, IllegalTransition."""
    return _give_up(session, order_id, S.CLOSED_SHORT, actor=actor, now=now)


def advance(
    session: Session, order: PurchaseOrder, target: PurchaseOrderStatus, *, actor: str, now: datetime
) -> PurchaseOrder:
    """Take an order that is locked to another state. Raises IllegalTransition."""
    before = order.status
    order.status = states.advance(PURCHASE_ORDER_TRANSITIONS, before, target, what=f"Purchase order {order.number}")
    order.version += 1
    session.flush()
    _tell(session, order, before, actor=actor, now=now)
    return order


def lock(session: Session, order_id: str) -> PurchaseOrder:
    """Return an order that nobody else can change before this transaction ends. Raises UnknownDocument."""
    found = session.get(PurchaseOrder, order_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise UnknownDocument("purchase order", order_id)
    session.expire(found, ["lines"])
    return found


def order(session: Session, order_id: str) -> PurchaseOrder:
    """Return one purchase order. Raises UnknownDocument."""
    found = session.get(PurchaseOrder, order_id)
    if found is None:
        raise UnknownDocument("purchase order", order_id)
    return found


def by_number(session: Session, number: str | None) -> PurchaseOrder | None:
    """Return the purchase order with this number, if there is one."""
    return session.scalar(select(PurchaseOrder).where(PurchaseOrder.number == number)) if number else None


def orders(
    session: Session, *, node: str | None, supplier: str | None, status: str | None,
    after: Sequence[Any] | None, limit: int,
) -> Page:  # fmt: skip
    """Return purchase orders by id, the oldest first."""
    asked = ((PurchaseOrder.node, node), (PurchaseOrder.supplier, supplier), (PurchaseOrder.status, status))
    query = select(PurchaseOrder).options(selectinload(PurchaseOrder.lines))
    query = query.where(*(column == value for column, value in asked if value is not None))
    return page(session, query, [PurchaseOrder.id], after=after, limit=limit)


def expected(session: Session, node: str) -> list[PurchaseOrder]:
    """Return what suppliers still owe a node, the earliest first."""
    owed = (PurchaseOrder.node == node) & PurchaseOrder.status.in_(EXPECTING)
    query = select(PurchaseOrder).options(selectinload(PurchaseOrder.lines)).where(owed)
    undated = PurchaseOrder.expected_at.is_(None)
    return list(session.scalars(query.order_by(undated, PurchaseOrder.expected_at, PurchaseOrder.id)))


def _open(session: Session, row: OrderedRow, *, actor: str, now: datetime) -> PurchaseOrder:
    made = PurchaseOrder(
        id=new_id(), number=row.number or f"PO{short_code()}", supplier=row.supplier, node=row.node, status=S.OPEN,
        expected_at=row.expected_at, tolerance_percent=row.tolerance_percent, version=1,
        lines=[PurchaseOrderLine(sku=sku, ordered=units, received=0, set_aside=0, cancelled=0)
               for sku, units in row.lines],
    )  # fmt: skip
    session.add(made)
    session.flush()
    _tell(session, made, "", actor=actor, now=now)
    return made


def _put(session: Session, row: OrderedRow, *, actor: str, now: datetime) -> str:
    stored = by_number(session, row.number)
    if stored is None:
        _open(session, row, actor=actor, now=now)
        return "created"
    stored = lock(session, stored.id)
    if not _differs(stored, row):
        return "unchanged"
    known = {line.sku: line for line in stored.lines}
    wanted = dict(row.lines)
    for sku, line in known.items():
        line.ordered = wanted.get(sku, line.received + line.cancelled if line.ordered else 0)
    stored.lines += [PurchaseOrderLine(sku=sku, ordered=units) for sku, units in row.lines if sku not in known]
    stored.expected_at, stored.tolerance_percent = row.expected_at, row.tolerance_percent
    stored.version += 1
    session.flush()
    if stored.status == S.PARTLY_RECEIVED and not any(line.outstanding for line in stored.lines):
        advance(session, stored, S.RECEIVED, actor=actor, now=now)
    return "updated"


def _give_up(
    session: Session, order_id: str, target: PurchaseOrderStatus, *, actor: str, now: datetime
) -> PurchaseOrder:
    found = lock(session, order_id)
    advance(session, found, target, actor=actor, now=now)
    for line in found.lines:
        line.cancelled += line.outstanding
    session.flush()
    return found


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        message = f"The purchase order has {len(faults)} faults; nothing was written. {faults[0].message}."
        raise InvalidPurchaseOrder(message, faults=tuple(faults))


def _differs(stored: PurchaseOrder, row: OrderedRow) -> bool:
    ordered = {line.sku: line.ordered for line in stored.lines if line.ordered}
    said = (stored.expected_at, stored.tolerance_percent, ordered)
    return said != (row.expected_at, row.tolerance_percent, dict(row.lines))


def _faults(session: Session, row: OrderedRow, stored: PurchaseOrder | None) -> Iterator[Fault]:
    named = session.get(Node, row.supplier)
    if named is not None and named.kind != NodeKind.SUPPLIER:
        yield Fault("/supplier", "not_a_supplier", f"{row.supplier} is a node of ours, a {named.kind}")
    try:
        _check_lines(session, row)
    except Rejected as refused:
        yield from refused.faults
    if stored is not None:
        yield from _faults_of_change(stored, row)


def _check_lines(session: Session, row: OrderedRow) -> None:
    skus = [sku for sku, _ in row.lines]
    if not skus:
        raise InvalidPurchaseOrder("", faults=(Fault("/lines", "no_lines", "it has at least one line"),))
    check_units(units for _, units in row.lines)
    check_once(skus)
    check_known(session, [(sku, row.node) for sku in skus])
    check_no_bundles(session, skus)


def _faults_of_change(stored: PurchaseOrder, row: OrderedRow) -> Iterator[Fault]:
    if (stored.supplier, stored.node) != (row.supplier, row.node):
        where = f"{stored.number} is an order to {stored.supplier} for {stored.node}: order anew to change that"
        yield Fault("/number", "other_order", where)
    if stored.status not in EXPECTING and _differs(stored, row):
        yield Fault("/number", "closed", f"{stored.number} is {stored.status}: nothing of it can be changed")
    wanted = dict(row.lines)
    for line in stored.lines:
        if 0 < wanted.get(line.sku, 0) < line.cancelled:
            least = f"{line.cancelled} units of {line.sku} were given up"
            yield Fault("/lines", "below_cancelled", f"{least}: it cannot be less")


def _tell(session: Session, told: PurchaseOrder, before: str, *, actor: str, now: datetime) -> None:
    record(
        session,
        PurchaseOrderMoved(
            aggregate_id=told.id, number=told.number, supplier=told.supplier, node=told.node, from_status=before,
            to_status=told.status, actor=actor, occurred_at=now.isoformat(),
        ),
    )  # fmt: skip
