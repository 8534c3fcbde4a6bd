"""The news of physical work: a fulfillment order moved, units wait again, units were cancelled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from kernel.events import Event, Moved


@dataclass(frozen=True)
class LineUnits:
    """Units of one demand line."""

    demand_line_id: str
    sku: str
    units: int


@dataclass(frozen=True, kw_only=True)
class FulfillmentOrderMoved(Moved):
    """A fulfillment order went from one status to another; the outside knows it by the status it reached."""

    aggregate: ClassVar[str] = "fulfillment_order"
    number: str
    demand_id: str
    reference: str
    node: str
    method: str
    reason: str
    actor: str
    occurred_at: datetime


@dataclass(frozen=True, kw_only=True)
class DemandWaiting(Event):
    """Units of a demand lost their node and wait for another decision; the aggregate is the demand."""

    aggregate: ClassVar[str] = "demand"
    verb: ClassVar[str] = "waiting"
    reference: str
    lines: tuple[LineUnits, ...]
    reason: str


@dataclass(frozen=True, kw_only=True)
class UnitsCancelled(Event):
    """Units of a demand will not be delivered; the aggregate is the demand."""

    aggregate: ClassVar[str] = "demand"
    verb: ClassVar[str] = "cancelled"
    reference: str
    lines: tuple[LineUnits, ...]
    reason: str
    actor: str
    occurred_at: datetime
