"""The news of the order service: ids, states and units, never a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kernel.events import Event, Moved


@dataclass(frozen=True, kw_only=True)
class OrderEvent(Event):
    """News of one order; the aggregate is the order."""

    aggregate: ClassVar[str] = "order"
    number: str
    channel: str
    external_id: str


@dataclass(frozen=True, kw_only=True)
class LineUnits:
    """Units of an order line."""

    line_id: str
    sku: str
    units: int


@dataclass(frozen=True, kw_only=True)
class OrderPlaced(OrderEvent):
    """An order was taken and decided."""

    verb: ClassVar[str] = "placed"
    status: str
    lines: tuple[LineUnits, ...]


@dataclass(frozen=True, kw_only=True)
class OrderMoved(OrderEvent, Moved):
    """An order went from one state to another; the outside knows it by the state reached, as in "order.completed"."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class OrderLinesCancelled(OrderEvent):
    """Units of an order will not be delivered."""

    verb: ClassVar[str] = "lines_cancelled"
    reason: str
    lines: tuple[LineUnits, ...]


@dataclass(frozen=True, kw_only=True)
class OrderAddressCorrected(OrderEvent):
    """An order goes to another address; which one stands in the vault."""

    verb: ClassVar[str] = "address_corrected"


@dataclass(frozen=True, kw_only=True)
class PaymentRecorded(OrderEvent):
    """Money was received for an order."""

    verb: ClassVar[str] = "paid"
    kind: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class ReturnMoved(Moved):
    """A return went from one state to another; the first one comes from none."""

    aggregate: ClassVar[str] = "return"
    number: str
    order_id: str
    node: str | None
    lines: tuple[LineUnits, ...]


@dataclass(frozen=True, kw_only=True)
class CartMoved(Moved):
    """A cart went from one state to another; the first one comes from none."""

    aggregate: ClassVar[str] = "cart"
    channel: str
    order_id: str | None
    actor: str


@dataclass(frozen=True, kw_only=True)
class CustomerErased(Event):
    """The personal data of a customer was destroyed."""

    aggregate: ClassVar[str] = "customer"
    verb: ClassVar[str] = "erased"
