"""What may be told of an article: whether it is in stock, low, to come or out, and from when on it can be had.

Pure; called by the doors with levels as a channel sees them. Invariants: what is told never exceeds what can be
promised; what others wait for counts first, against what is there and then against what comes earliest.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from stock.availability import Level
from stock.supply import OnDate, Supply, by_date, first_with


class Status(enum.StrEnum):
    """What a shopper is told of an article, in the network or at a node."""

    IN_STOCK = "in_stock"
    LOW = "low"
    BACK_ORDER = "back_order"
    PRE_ORDER = "pre_order"
    OUT = "out"


BUYABLE_NOW = (Status.IN_STOCK, Status.LOW)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """From when on an article may be promised, and whether it is sold before it is there."""

    available_from: datetime | None = None
    backorder: bool = False

    def on_sale(self, now: datetime) -> bool:
        """Tell whether units of it may be promised at all."""
        return self.available_from is None or self.available_from <= now


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """Units that can be promised now; of them, those there; what a shopper is told, and from when on, if later.

    `dates` are the units that can be promised by date, `to_come` tells whether they may be sold before they are there.
    """

    network: int
    there: int
    status: Status
    expected_at: datetime | None = None
    dates: Sequence[OnDate] = ()
    to_come: bool = False


def of_article(
    levels: Iterable[Level], waiting: int, coming: Sequence[Supply], terms: Terms, *, low: int, now: datetime
) -> Outlook:
    """Return what may be told of an article with these levels, units waited for without a node, and units to come.

    `low` are the units up to which stock is called low.
    """
    seen = list(levels)
    there = sum(max(0, shelf(level)) for level in seen) - waiting
    spare = there - sum(max(0, level.reserved - level.on_hand) for level in seen)
    dates = by_date(spare, coming, now=now)
    if not terms.on_sale(now):
        return _before_sale(spare, dates, coming, terms)
    network = max(0, sum(max(0, level.atp) for level in seen) - waiting)
    later = first_with(1, dates)
    # What a balance promises beyond what it has is promised without a date, when nothing is known to come.
    to_come = network > max(0, there) or (terms.backorder and later is not None)
    status = word(there, low) if there > 0 else Status.BACK_ORDER if to_come else Status.OUT
    expected_at = later if status == Status.BACK_ORDER else None
    return Outlook(
        network=network, there=max(0, there), status=status, expected_at=expected_at, dates=dates, to_come=to_come
    )


def of_bundle(parts: Sequence[tuple[Outlook, int]], terms: Terms, *, low: int, now: datetime) -> Outlook:
    """Return what may be told of a bundle from each component's outlook and units: the least component decides."""
    network = min(part.network // units for part, units in parts)
    there = min(part.there // units for part, units in parts)
    on_sale = terms.on_sale(now) and all(part.status != Status.PRE_ORDER for part, _ in parts)
    if on_sale and there > 0:
        return Outlook(network=network, there=there, status=word(there, low))
    lacking = [(part, units) for part, units in parts if part.there < units or part.status == Status.PRE_ORDER]
    dates = [
        max(filter(None, (part.expected_at, first_with(units, part.dates))), default=None) for part, units in lacking
    ]
    obtainable = all(part.to_come for part, _ in lacking)
    if not obtainable:
        return Outlook(network=network if on_sale else 0, there=0, status=Status.OUT)
    begins = None if terms.on_sale(now) else terms.available_from
    return Outlook(
        network=network if on_sale else 0, there=0, to_come=True,
        status=Status.BACK_ORDER if on_sale else Status.PRE_ORDER,
        expected_at=max(filter(None, (begins, *dates)), default=None),
    )  # fmt: skip


def bundles_of(components: Sequence[tuple[Level, int]]) -> Level:
    """Return the level of a bundle at a node: as many as its least component allows, by units of each in one bundle."""
    there = min(max(0, shelf(level)) // units for level, units in components)
    promised = min(max(0, level.atp) // units for level, units in components)
    newest = max(level.version for level, _ in components)
    return Level(on_hand=there, backorder_limit=promised - there, version=newest)


def at_node(level: Level, whole: Outlook, *, low: int) -> Status:
    """Return what is told of an article at a node; nothing is there for a shopper where others wait for all of it."""
    if whole.status not in BUYABLE_NOW:
        return Status.OUT
    return word(shelf(level), low) if shelf(level) > 0 or level.atp <= 0 else Status.BACK_ORDER


def word(units: int, low: int) -> Status:
    """Return the word for units that can be had at once."""
    if units <= 0:
        return Status.OUT
    return Status.LOW if units <= low else Status.IN_STOCK


def shelf(level: Level) -> int:
    """Return the units of a balance that can be promised and are there."""
    return level.atp - level.backorder_limit


def _before_sale(spare: int, dates: Sequence[OnDate], coming: Sequence[Supply], terms: Terms) -> Outlook:
    """Return what is told before the sale begins: until then nothing, and after it no more than comes."""
    begins = terms.available_from
    covered = begins if spare > 0 else first_with(1, dates)
    if covered is None and not coming:
        covered = begins
    if covered is None or begins is None:
        return Outlook(network=0, there=0, status=Status.OUT, dates=dates)
    first = max(begins, covered)
    return Outlook(network=0, there=0, status=Status.PRE_ORDER, expected_at=first, dates=dates, to_come=True)
