"""The lines of a movement as callers give them, checked all at once before anything is posted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select

from kernel.errors import Fault
from stock.availability import LOOKUP
from stock.errors import InvalidUnits, UnknownStock
from stock.models import Article, Node
from stock.postings import MAX_UNITS, Key

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

NONE_TO_MAX = range(MAX_UNITS + 1)
ONE_TO_MAX = range(1, MAX_UNITS + 1)
SIGNED = range(-MAX_UNITS, MAX_UNITS + 1)


def check_units(units: Iterable[int], *, within: range = ONE_TO_MAX) -> None:
    """Raise InvalidUnits naming every line whose units are out of range."""
    faults = tuple(
        Fault(f"/lines/{place}/units", "invalid_units", f"must be {within.start} to {within.stop - 1}, not {count}")
        for place, count in enumerate(units)
        if count not in within
    )
    if faults:
        raise InvalidUnits("Some lines have units that cannot be.", faults=faults)


def check_once(skus: Sequence[str]) -> None:
    """Raise InvalidUnits naming every line whose article has a line before it already."""
    seen: Counter[str] = Counter()
    faults = []
    for place, sku in enumerate(skus):
        if seen[sku]:
            faults.append(Fault(f"/lines/{place}/sku", "repeated", f"{sku} has a line already"))
        seen[sku] += 1
    if faults:
        raise InvalidUnits("Some articles have more than one line.", faults=tuple(faults))


def check_known(session: Session, keys: Iterable[Key]) -> None:
    """Raise UnknownStock naming every pair of which the article or the node does not exist."""
    wanted = list(dict.fromkeys(keys))
    skus = sorted({sku for sku, _ in wanted})
    nodes = set(session.scalars(select(Node.id).where(Node.id.in_({node for _, node in wanted}))))
    known: set[str] = set()
    for start in range(0, len(skus), LOOKUP):
        known |= set(session.scalars(select(Article.sku).where(Article.sku.in_(skus[start : start + LOOKUP]))))
    if unknown := [(sku, node) for sku, node in wanted if sku not in known or node not in nodes]:
        raise UnknownStock(unknown)
