"""News of the work: a fulfillment order that moved, units that were cancelled, a demand that waits.

Recorded by `work` and `sourcing` in the transaction that made them true; read by handlers of the rooms above and by the
outbox. Invariant: ids and values only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class FulfillmentOrderMoved(Event):
    """A fulfillment order went from one state to another; the first one comes from none."""

    aggregate: ClassVar[str] = "fulfillment_order"
    verb: ClassVar[str] = "moved"
    reference: str
    node: str
    method: str
    from_status: str | None
    to_status: str
    reason: str = ""

    @property
    def type(self) -> str:
        """The name under which the outside knows this move, as in "fulfillment_order.shipped"."""
        return f"{self.aggregate}.{self.to_status}"


@dataclass(frozen=True, kw_only=True)
class UnitsCancelled(Event):
    """Units of a demand will not be delivered; each line is {"line", "sku", "units"}."""

    aggregate: ClassVar[str] = "demand"
    verb: ClassVar[str] = "units_cancelled"
    reference: str
    lines: tuple[dict[str, Any], ...]
    reason: str


@dataclass(frozen=True, kw_only=True)
class DemandWaiting(Event):
    """Units of a demand have no node; each line is {"line", "sku", "units"}, the reason is that of the first."""

    aggregate: ClassVar[str] = "demand"
    verb: ClassVar[str] = "waiting"
    reference: str
    lines: tuple[dict[str, Any], ...]
    reason: str
