"""Articles that may go instead of others: named by the retailer, the best first.

Read where units are missing and somebody decides how an order goes on; never taken by themselves. Invariant: an article
is no substitute for itself, and each of its substitutes has a rank.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from kernel.errors import Fault
from stock.catalog import InvalidRows
from stock.models import Article, ArticleSubstitute
from stock.upsert import Outcome, upsert

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True, kw_only=True)
class SubstituteRow:
    """What may go instead of an article; the lowest rank first."""

    sku: str
    substitute: str
    rank: int = 1
    active: bool = True


def put(session: Session, rows: Sequence[SubstituteRow]) -> list[Outcome]:
    """Name substitutes, rank them, or take them out of use. Raises InvalidRows with every fault, by row."""
    asked = {sku for row in rows for sku in (row.sku, row.substitute)}
    known = set(session.scalars(select(Article.sku).where(Article.sku.in_(asked))))
    faults = [
        Fault(f"/{place}/{name}", "unknown_sku", "There is no such article.")
        for place, row in enumerate(rows)
        for name in ("sku", "substitute")
        if getattr(row, name) not in known
    ]
    faults += [
        Fault(f"/{place}/substitute", "same_article", "An article is no substitute for itself.")
        for place, row in enumerate(rows)
        if row.sku == row.substitute
    ]
    if faults:
        raise InvalidRows("Some substitutes cannot be.", faults=tuple(faults))
    return upsert(session, ArticleSubstitute, [asdict(row) for row in rows], key=("sku", "substitute"))


def of(session: Session, skus: Collection[str]) -> dict[str, list[str]]:
    """Return what may go instead of each article, the best first; articles that nothing may replace are absent."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    named = select(ArticleSubstitute).where(ArticleSubstitute.sku.in_(sorted(skus)), ArticleSubstitute.active)
    for row in session.scalars(named.order_by(ArticleSubstitute.rank, ArticleSubstitute.substitute)):
        found[row.sku].append(row.substitute)
    return dict(found)
