"""The rows of the stock room's catalog as they are given, and what makes one impossible, by place, field and reason.

Pure; called by the catalog before it writes. Invariant: all faults of all rows are found, each with the pointer
/row/field.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from kernel.errors import Fault
from kernel.money import CURRENCIES
from stock.gtin import is_gtin
from stock.models import NodeKind, NodeStatus

CODE_LENGTH, NAME_LENGTH = 64, 200
MAX_NUMBER = 10**9


@dataclass(frozen=True, kw_only=True)
class NodeRow:
    """A place that holds stock; see Node."""

    id: str
    name: str
    kind: str
    time_zone: str
    status: str = NodeStatus.OPEN.value
    group: str = ""


@dataclass(frozen=True, kw_only=True)
class ArticleRow:
    """What has a SKU; see Article. Weight in g, sizes in mm, money in minor units of `currency`."""

    sku: str
    name: str
    currency: str
    gtin: str | None = None
    family: str = ""
    size: str = ""
    colour: str = ""
    weight_g: int = 0
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0
    unit_cost_minor: int = 0
    price_minor: int = 0
    available_from: datetime | None = None
    backorder: bool = False


@dataclass(frozen=True, kw_only=True)
class PlacementRow:
    """The shelf of an article at a node."""

    sku: str
    node: str
    shelf: str


@dataclass(frozen=True, kw_only=True)
class LimitRow:
    """Units of an article that a node keeps for the shop floor, and units it may promise beyond what it has."""

    sku: str
    node: str
    safety_stock: int = 0
    backorder_limit: int = 0


NODE_FIELDS = {"id": CODE_LENGTH, "name": NAME_LENGTH}
NODE_TRAITS = {"group": CODE_LENGTH}
ARTICLE_FIELDS = {"sku": CODE_LENGTH, "name": NAME_LENGTH}
ARTICLE_TRAITS = {"family": CODE_LENGTH, "size": CODE_LENGTH, "colour": CODE_LENGTH}
ARTICLE_NUMBERS = (
    "weight_g", "length_mm", "width_mm", "height_mm", "unit_cost_minor", "price_minor",
)  # fmt: skip
PLACEMENT_FIELDS = {"sku": CODE_LENGTH, "node": CODE_LENGTH, "shelf": CODE_LENGTH}
LIMIT_NUMBERS = ("safety_stock", "backorder_limit")


def faults_of_nodes(rows: Sequence[NodeRow]) -> Iterator[Fault]:
    """Yield what is wrong with rows of nodes."""
    yield from repeated(rows, ("id",))
    for place, row in enumerate(rows):
        yield from _texts(place, row, NODE_FIELDS)
        yield from _texts(place, row, NODE_TRAITS, may_be_empty=True)
        yield from _one_of(place, "kind", row.kind, list(NodeKind))
        yield from _one_of(place, "status", row.status, list(NodeStatus))
        if row.time_zone not in _time_zones():
            yield Fault(
                f"/{place}/time_zone", "invalid", f"{row.time_zone!r} is no IANA time zone, as Europe/Madrid is"
            )


def faults_of_articles(rows: Sequence[ArticleRow], owners: Mapping[str, str]) -> Iterator[Fault]:
    """Yield what is wrong with rows of articles; `owners` tells which SKU has a GTIN already."""
    yield from repeated(rows, ("sku",))
    taken = dict(owners)
    for place, row in enumerate(rows):
        yield from _texts(place, row, ARTICLE_FIELDS)
        yield from _texts(place, row, ARTICLE_TRAITS, may_be_empty=True)
        yield from _numbers(place, row, ARTICLE_NUMBERS)
        if row.currency not in CURRENCIES:
            yield Fault(f"/{place}/currency", "invalid", f"{row.currency!r} is no currency; use an ISO 4217 code")
        if row.gtin is None:
            continue
        if not is_gtin(row.gtin):
            yield Fault(f"/{place}/gtin", "invalid_gtin", f"{row.gtin!r} is no GTIN: length or check digit is wrong")
        elif taken.setdefault(row.gtin, row.sku) != row.sku:
            yield Fault(f"/{place}/gtin", "gtin_taken", f"{row.gtin} is the GTIN of {taken[row.gtin]}")


def faults_of_placements(rows: Sequence[PlacementRow]) -> Iterator[Fault]:
    """Yield what is wrong with rows of placements, but for what they name."""
    yield from repeated(rows, ("sku", "node"))
    for place, row in enumerate(rows):
        yield from _texts(place, row, PLACEMENT_FIELDS)


def faults_of_limits(rows: Sequence[LimitRow]) -> Iterator[Fault]:
    """Yield what is wrong with rows of limits, but for what they name."""
    yield from repeated(rows, ("sku", "node"))
    for place, row in enumerate(rows):
        yield from _numbers(place, row, LIMIT_NUMBERS)


def repeated(rows: Sequence[object], key: Sequence[str]) -> Iterator[Fault]:
    """Yield a fault for each row whose key a row before it has."""
    first: dict[Hashable, int] = {}
    for place, row in enumerate(rows):
        value = tuple(getattr(row, name) for name in key)
        if first.setdefault(value, place) != place:
            yield Fault(
                f"/{place}/{key[0]}", "repeated", f"{' at '.join(map(str, value))} is row {first[value]} already"
            )


def _texts(place: int, row: object, fields: Mapping[str, int], *, may_be_empty: bool = False) -> Iterator[Fault]:
    for name, longest in fields.items():
        text: Any = getattr(row, name)
        if not isinstance(text, str) or len(text) > longest or not (text.strip() or may_be_empty):
            least = 0 if may_be_empty else 1
            yield Fault(f"/{place}/{name}", "invalid", f"must have {least} to {longest} characters")
        elif any(not character.isprintable() for character in text):
            yield Fault(f"/{place}/{name}", "invalid", "must not have control characters")


def _numbers(place: int, row: object, names: Sequence[str]) -> Iterator[Fault]:
    for name in names:
        number: Any = getattr(row, name)
        if type(number) is not int or not 0 <= number <= MAX_NUMBER:
            yield Fault(f"/{place}/{name}", "invalid", f"must be a whole number from 0 to {MAX_NUMBER}")


def _one_of(place: int, name: str, value: str, known: Sequence[str]) -> Iterator[Fault]:
    if value not in known:
        yield Fault(f"/{place}/{name}", "invalid", f"{value!r} is none of: {', '.join(known)}")


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())
