"""The tables of the order service.

An order stores what was ordered, cancelled and returned; what waits, is allocated or fulfilled lives in its demands and
is read from below. Names, addresses and phones live in the vault under the customer's subject id.
"""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from kernel.db import Base, Code, Document, Id, Name, database_now
from kernel.states import Transitions

# Amounts of an order, in any currency: thirty-two bits end at the price of a car in Colombian pesos.
Minor = Annotated[int, mapped_column(BigInteger)]


class OrderStatus(enum.StrEnum):
    """Where an order stands, seen from the business; the physical side has its own states."""

    CREATED = "created"
    HELD = "held"
    APPROVED = "approved"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


ORDER_TRANSITIONS: Transitions = {
    OrderStatus.CREATED: {OrderStatus.HELD, OrderStatus.APPROVED, OrderStatus.CANCELLED},
    OrderStatus.HELD: {OrderStatus.APPROVED, OrderStatus.CANCELLED},
    OrderStatus.APPROVED: {OrderStatus.HELD, OrderStatus.COMPLETED, OrderStatus.CANCELLED},
    OrderStatus.COMPLETED: set(),
    OrderStatus.CANCELLED: set(),
}


class ReturnStatus(enum.StrEnum):
    """The way of a return."""

    REQUESTED = "requested"
    AUTHORISED = "authorised"
    REJECTED = "rejected"
    RECEIVED = "received"
    INSPECTED = "inspected"
    CLOSED = "closed"
    CANCELLED = "cancelled"


RETURN_TRANSITIONS: Transitions = {
    ReturnStatus.REQUESTED: {ReturnStatus.AUTHORISED, ReturnStatus.REJECTED, ReturnStatus.CANCELLED},
    ReturnStatus.AUTHORISED: {ReturnStatus.RECEIVED, ReturnStatus.CANCELLED},
    ReturnStatus.RECEIVED: {ReturnStatus.INSPECTED},
    ReturnStatus.INSPECTED: {ReturnStatus.CLOSED},
    ReturnStatus.REJECTED: set(),
    ReturnStatus.CLOSED: set(),
    ReturnStatus.CANCELLED: set(),
}


class CartStatus(enum.StrEnum):
    """Whether somebody still shops with a cart."""

    OPEN = "open"
    ORDERED = "ordered"
    ABANDONED = "abandoned"


CART_TRANSITIONS: Transitions = {
    CartStatus.OPEN: {CartStatus.ORDERED, CartStatus.ABANDONED},
    CartStatus.ORDERED: set(),
    CartStatus.ABANDONED: set(),
}


class Channel(Base):
    """Where orders come from. `shortage` says what happens when stock is short: lines wait, or the order is refused.

    Its orders are sourced by `policy`, those of a service in `service_policies` by the policy named there.

    Shoppers are told that stock is low when `low_stock` units or fewer can be promised.
    """

    __tablename__ = "channel"

    id: Mapped[Code] = mapped_column(primary_key=True)
    name: Mapped[Name]
    kind: Mapped[Code]
    currency: Mapped[str]
    shortage: Mapped[Code]
    policy: Mapped[Code] = mapped_column(default="default")
    service_policies: Mapped[dict[str, Any]] = mapped_column(Document, default=dict, server_default="{}")
    active: Mapped[bool] = mapped_column(default=True)
    low_stock: Mapped[int] = mapped_column(default=3, server_default="3")
    version: Mapped[int] = mapped_column(default=1)

    def policy_for(self, service: str) -> str:
        """Return the policy by which orders of a service are sourced."""
        return str(self.service_policies.get(service, self.policy))


class Customer(Base):
    """A person who buys, by the id of their subject in the vault."""

    __tablename__ = "customer"

    id: Mapped[Id] = mapped_column(primary_key=True)
    language: Mapped[Code] = mapped_column(default="en")
    erase_requested_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())


class Order(Base):
    """One sale in one channel; a sale over the counter may have no customer."""

    __tablename__ = "order"
    __table_args__ = (
        UniqueConstraint("channel", "external_id"),
        Index("ix_order_customer", "customer_id"),
        Index("ix_order_placed_at", "placed_at"),
        Index("ix_order_updated_at", "updated_at", "id"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    number: Mapped[Code] = mapped_column(unique=True)
    channel: Mapped[Code] = mapped_column(ForeignKey("channel.id"))
    external_id: Mapped[Code]
    body_hash: Mapped[bytes]
    status: Mapped[Code]
    currency: Mapped[str]
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customer.id"))
    method: Mapped[Code]
    service: Mapped[Code]
    shipping_price_minor: Mapped[Minor]
    total_minor: Mapped[Minor]
    placed_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())
    lines: Mapped[list[OrderLine]] = relationship(order_by="OrderLine.position")


class OrderLine(Base):
    """Units of one SKU at one price; ordered = cancelled + waiting + allocated + fulfilled, the last three below.

    A component of a bundle names the bundle, the line of the order as it was sent, and how many bundles that was.
    """

    __tablename__ = "order_line"
    __table_args__ = (
        UniqueConstraint("order_id", "position"),
        CheckConstraint("ordered > 0 AND cancelled >= 0 AND returned >= 0", name="counters"),
        CheckConstraint("cancelled + returned <= ordered", name="never_more"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    order_id: Mapped[Id] = mapped_column(ForeignKey("order.id"))
    position: Mapped[int]
    sku: Mapped[Code] = mapped_column(ForeignKey("article.sku"))
    ordered: Mapped[int]
    cancelled: Mapped[int] = mapped_column(default=0)
    returned: Mapped[int] = mapped_column(default=0)
    unit_price_minor: Mapped[Minor]
    discount_minor: Mapped[Minor] = mapped_column(default=0)
    tax_minor: Mapped[Minor] = mapped_column(default=0)
    method: Mapped[Code]
    collect_node: Mapped[str | None]
    bundle_sku: Mapped[str | None]
    bundle_line: Mapped[int | None]
    bundle_quantity: Mapped[int | None]


class OrderHistory(Base):
    """What happened to an order, when and by whom, as the agent's timeline shows it."""

    __tablename__ = "order_history"
    __table_args__ = (Index("ix_order_history_order", "order_id", "id"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    order_id: Mapped[Id] = mapped_column(ForeignKey("order.id"))
    what: Mapped[Code]
    from_status: Mapped[str | None]
    to_status: Mapped[str | None]
    actor: Mapped[Code]
    reason: Mapped[Code] = mapped_column(default="")
    details: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())


class Hold(Base):
    """Why an order waits for a person, set by whom; lifted by whom."""

    __tablename__ = "hold"
    __table_args__ = (Index("ix_hold_order", "order_id"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    order_id: Mapped[Id] = mapped_column(ForeignKey("order.id"))
    reason: Mapped[Code]
    placed_by: Mapped[Code]
    placed_at: Mapped[datetime]
    lifted_by: Mapped[str | None]
    lifted_at: Mapped[datetime | None]


class Cancellation(Base):
    """Units of a line that will not be delivered, and who said so."""

    __tablename__ = "cancellation"

    id: Mapped[Id] = mapped_column(primary_key=True)
    order_line_id: Mapped[Id] = mapped_column(ForeignKey("order_line.id"), index=True)
    units: Mapped[int]
    reason: Mapped[Code]
    actor: Mapped[Code]
    occurred_at: Mapped[datetime]


class Payment(Base):
    """Money received for an order: at the order, or at the counter."""

    __tablename__ = "payment"

    id: Mapped[Id] = mapped_column(primary_key=True)
    order_id: Mapped[Id] = mapped_column(ForeignKey("order.id"), index=True)
    kind: Mapped[Code]
    amount_minor: Mapped[Minor]
    currency: Mapped[str]
    actor: Mapped[Code]
    occurred_at: Mapped[datetime]


class Return(Base):
    """Goods that come back from a customer, to any node that takes returns."""

    __tablename__ = "return"
    __table_args__ = (Index("ix_return_order", "order_id"), Index("ix_return_node", "node", "status"))

    id: Mapped[Id] = mapped_column(primary_key=True)
    number: Mapped[Code] = mapped_column(unique=True)
    order_id: Mapped[Id] = mapped_column(ForeignKey("order.id"))
    node: Mapped[str | None]
    status: Mapped[Code]
    version: Mapped[int] = mapped_column(default=1)
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())
    lines: Mapped[list[ReturnLine]] = relationship(order_by="ReturnLine.id")


class ReturnLine(Base):
    """Units of an order line that come back, why, and in which grade they were found."""

    __tablename__ = "return_line"
    __table_args__ = (CheckConstraint("units > 0", name="units_positive"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    return_id: Mapped[Id] = mapped_column(ForeignKey("return.id"), index=True)
    order_line_id: Mapped[Id] = mapped_column(ForeignKey("order_line.id"))
    sku: Mapped[Code]
    units: Mapped[int]
    reason: Mapped[Code]
    grade: Mapped[str | None]


class Cart(Base):
    """What somebody is about to buy, in whichever channel they go on; who they are stands in the vault, if anywhere.

    `code` is what people type or scan to go on elsewhere. `touched_at` is the database's clock when it was last used.
    """

    __tablename__ = "cart"
    __table_args__ = (
        CheckConstraint("(status = 'ordered') = (order_id IS NOT NULL)", name="ordered"),
        Index("ix_cart_customer", "customer_id"),
        Index(
            "ix_cart_open", "touched_at",
            postgresql_where=text("status = 'open'"), sqlite_where=text("status = 'open'"),
        ),
    )  # fmt: skip

    id: Mapped[Id] = mapped_column(primary_key=True)
    code: Mapped[Code] = mapped_column(unique=True)
    status: Mapped[Code]
    channel: Mapped[Code] = mapped_column(ForeignKey("channel.id"))
    started_in: Mapped[Code] = mapped_column(ForeignKey("channel.id"))
    currency: Mapped[str]
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customer.id"))
    subject_id: Mapped[str | None]
    method: Mapped[Code]
    collect_node: Mapped[str | None]
    service: Mapped[Code]
    requested_from: Mapped[datetime | None]
    requested_by: Mapped[datetime | None]
    shipping_price_minor: Mapped[Minor | None]
    order_id: Mapped[str | None] = mapped_column(ForeignKey("order.id"), unique=True)
    touched_at: Mapped[datetime] = mapped_column(server_default=database_now())
    version: Mapped[int] = mapped_column(default=1)
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())
    lines: Mapped[list[CartLine]] = relationship(order_by="CartLine.position", cascade="all, delete-orphan")


class CartLine(Base):
    """Units of one SKU in a cart, at the price that a channel gave for them."""

    __tablename__ = "cart_line"
    __table_args__ = (CheckConstraint("units > 0", name="units_positive"),)

    cart_id: Mapped[Id] = mapped_column(ForeignKey("cart.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sku: Mapped[Code] = mapped_column(ForeignKey("article.sku"))
    units: Mapped[int]
    unit_price_minor: Mapped[Minor]
    discount_minor: Mapped[Minor]
    tax_minor: Mapped[Minor]
    method: Mapped[str | None]
    collect_node: Mapped[str | None]
    priced_in: Mapped[Code]


class Quote(Base):
    """Ways to serve a basket as they were quoted: what each would hold, until when, and what it promised; no person.

    `quoted_at` is business time; `recorded_at`, by the database's clock, tells when it may be forgotten.
    """

    __tablename__ = "quote"
    __table_args__ = (Index("ix_quote_recorded_at", "recorded_at"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    channel: Mapped[Code] = mapped_column(ForeignKey("channel.id"))
    cart_id: Mapped[str | None]
    cart_version: Mapped[int | None]
    ways: Mapped[list[Any]]
    quoted_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())
