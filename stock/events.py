"""The news of the stock room: ids and units, never a person. The rooms above subscribe, the outbox tells everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kernel.events import Event, Moved


@dataclass(frozen=True, kw_only=True)
class StockPosted(Event):
    """A posting was written; its aggregate is the posting itself."""

    aggregate: ClassVar[str] = "stock"
    verb: ClassVar[str] = "posted"
    kind: str
    reason: str
    reference: str
    skus: tuple[str, ...]
    nodes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Displaced:
    """Units that a reservation lost; those of an order or a transfer are open demand of `reference` now."""

    reservation_id: str
    sku: str
    node: str
    reference: str
    purpose: str
    units: int
    picked: int


@dataclass(frozen=True, kw_only=True)
class ReservationsDisplaced(Event):
    """The truth showed fewer units than were reserved; the aggregate is the posting that showed it."""

    aggregate: ClassVar[str] = "reservations"
    verb: ClassVar[str] = "displaced"
    kind: str
    displaced: tuple[Displaced, ...]


@dataclass(frozen=True, kw_only=True)
class TransferMoved(Moved):
    """A transfer went from one state to another."""

    aggregate: ClassVar[str] = "transfer"
    reference: str
    source: str
    destination: str
    actor: str
    occurred_at: str


@dataclass(frozen=True, kw_only=True)
class CountMoved(Moved):
    """A count went from one state to another."""

    aggregate: ClassVar[str] = "count"
    node: str
    actor: str
    occurred_at: str


@dataclass(frozen=True, kw_only=True)
class SecondCountWanted(Event):
    """A round of a count found differences so large that somebody has to count these articles again."""

    aggregate: ClassVar[str] = "count"
    verb: ClassVar[str] = "second_count_wanted"
    node: str
    skus: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CountPosted(Event):
    """The differences that a count found were posted."""

    aggregate: ClassVar[str] = "count"
    verb: ClassVar[str] = "differences_posted"
    node: str
    posting_id: str | None
    differences: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class PurchaseOrderMoved(Moved):
    """A purchase order went from one state to another."""

    aggregate: ClassVar[str] = "purchase_order"
    number: str
    supplier: str
    node: str
    actor: str
    occurred_at: str
