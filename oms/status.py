"""What a shopper is told about an order: a pure function of its lines and fulfillment orders.

The words are those of schema.org's OrderStatus, which mail clients and search engines understand. OrderPaymentDue is
never said: money holds nothing up before the counter, where it is collected with the hand-over.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from fulfillment.work.models import Method, Status
from oms.models import OrderStatus


class PublicStatus(enum.StrEnum):
    """The status of an order as schema.org names it."""

    PROCESSING = "OrderProcessing"
    PROBLEM = "OrderProblem"
    PICKUP_AVAILABLE = "OrderPickupAvailable"
    IN_TRANSIT = "OrderInTransit"
    DELIVERED = "OrderDelivered"
    RETURNED = "OrderReturned"
    CANCELLED = "OrderCancelled"


ARRIVED = frozenset({Status.DELIVERED, Status.HANDED_OVER})


@dataclass(frozen=True, kw_only=True)
class LineCounters:
    """Units of a line: ordered = cancelled + waiting + allocated + fulfilled, and returned at most fulfilled."""

    ordered: int
    cancelled: int = 0
    waiting: int = 0
    allocated: int = 0
    fulfilled: int = 0
    returned: int = 0


@dataclass(frozen=True)
class Part:
    """A fulfillment order, as far as the shopper is concerned."""

    method: str
    status: str


def public_status(order_status: str, lines: Sequence[LineCounters], parts: Sequence[Part]) -> PublicStatus:
    """Return what the shopper is told; what asks the shopper to act comes first."""
    wanted = sum(line.ordered - line.cancelled for line in lines)
    statuses = {part.status for part in parts if part.method != Method.TRANSFER}
    if wanted == 0:
        return PublicStatus.CANCELLED
    if sum(line.returned for line in lines) == wanted:
        return PublicStatus.RETURNED
    if order_status == OrderStatus.HELD or Status.RETURNED_TO_SENDER in statuses:
        return PublicStatus.PROBLEM
    if Status.READY in statuses:
        return PublicStatus.PICKUP_AVAILABLE
    if sum(line.fulfilled for line in lines) < wanted:
        return PublicStatus.PROCESSING
    return PublicStatus.IN_TRANSIT if Status.SHIPPED in statuses else PublicStatus.DELIVERED
