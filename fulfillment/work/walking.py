"""The walk past the shelves: the lines of fulfillment orders in the order in which a person reaches them.

Read by picking and by the pages. Invariant: shelves sort as they are walked; what has no shelf comes last.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.work.models import FulfillmentLine, FulfillmentOrder
from stock.models import Article, Placement


@dataclass(frozen=True, kw_only=True)
class Stop:
    """One line to pick: where it lies, what it is, how many are wanted and whose they are."""

    line_id: str
    fulfillment_order_id: str
    number: str
    reference: str
    status: str
    shelf: str | None
    sku: str
    gtin: str | None
    name: str
    size: str
    colour: str
    family: str
    units: int
    picked: int

    @property
    def to_pick(self) -> int:
        """Units still on the shelf."""
        return self.units - self.picked

    @property
    def words(self) -> str:
        """The article as a person would say it, with where it lies."""
        what = " ".join(filter(None, (self.name, self.colour, self.size)))
        return f"{what} ({self.sku})" + (f" on shelf {self.shelf}" if self.shelf else "")

    def answers(self, code: str) -> bool:
        """Tell whether a scanned code is this article's SKU or GTIN."""
        return is_article(code, sku=self.sku, gtin=self.gtin)


def is_article(code: str, *, sku: str, gtin: str | None) -> bool:
    """Tell whether `code` is this SKU or GTIN; a GTIN may come with or without leading zeros (GTIN-8 to GTIN-14)."""
    scanned = code.strip()
    return scanned.casefold() == sku.casefold() or (gtin is not None and scanned.lstrip("0") == gtin.lstrip("0"))


def stops(session: Session, fo_ids: Collection[str]) -> list[Stop]:
    """Return the lines of these fulfillment orders in walking order."""
    here = (Placement.sku == FulfillmentLine.sku) & (Placement.node == FulfillmentOrder.node)
    rows = session.execute(
        select(FulfillmentLine, FulfillmentOrder, Article, Placement.shelf)
        .join(FulfillmentOrder, FulfillmentOrder.id == FulfillmentLine.fulfillment_order_id)
        .join(Article, Article.sku == FulfillmentLine.sku)
        .outerjoin(Placement, here)
        .where(FulfillmentOrder.id.in_(fo_ids), FulfillmentLine.units > 0)
    )
    walked = [_stop(line, fo, article, shelf) for line, fo, article, shelf in rows]
    return sorted(walked, key=lambda stop: (stop.shelf is None, stop.shelf or "", stop.sku, stop.number, stop.line_id))


def _stop(line: FulfillmentLine, fo: FulfillmentOrder, article: Article, shelf: str | None) -> Stop:
    return Stop(
        line_id=line.id, fulfillment_order_id=fo.id, number=fo.number, reference=fo.reference, status=fo.status,
        shelf=shelf, sku=line.sku, gtin=article.gtin, name=article.name, size=article.size, colour=article.colour,
        family=article.family, units=line.units, picked=line.picked,
    )  # fmt: skip
