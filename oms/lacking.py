"""What no way serves of a basket, why, and from when on it can be had as far as dated supply tells.

Called by `promises`. Invariant: nothing is read where nothing is lacking; what others wait for comes first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from fulfillment.sourcing.promises import Choice
from fulfillment.sourcing.proposal import Missing, Wanted
from oms.models import Channel
from stock import availability, outlook, reports, supply
from stock.outlook import Status


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """Units of a line (from 1, as sent) that no way serves, why, and from when on they can be had, if that is known."""

    line: int
    sku: str
    units: int
    reason: str
    expected_at: datetime | None


def lacking(
    session: Session, choice: Choice, wanted: Wanted, channel: Channel, *, now: datetime
) -> tuple[Lacking, ...]:  # fmt: skip
    """Return what no way serves, with from when on all that is wanted of its article can be had."""
    expected = _expected(session, choice.missing, wanted, channel, now=now)
    return tuple(
        Lacking(
            line=int(each.line_id.partition("/")[0]), sku=each.sku, units=each.units, reason=each.reason,
            expected_at=expected.get(each.sku),
        )
        for each in choice.missing
    )  # fmt: skip


def _expected(
    session: Session, missing: Sequence[Missing], wanted: Wanted, channel: Channel, *, now: datetime
) -> Mapping[str, datetime]:
    """Return from when on all that is wanted of a SKU can be promised, where dated supply covers it."""
    skus = {each.sku for each in missing if each.reason == "no_stock"}
    if not skus:
        return {}
    units: Counter[str] = Counter()
    for line in wanted.lines:
        units[line.sku] += line.units
    articles = reports.articles(session, skus)
    levels = availability.promisable(session, {sku: articles[sku].family for sku in skus}, channel=channel.id)
    waiting, coming = availability.open_demand(session, skus), supply.coming(session, skus)
    found: dict[str, datetime] = {}
    for sku in skus:
        article = articles[sku]
        terms = outlook.Terms(available_from=article.available_from, backorder=article.backorder)
        own = [level for (each, _), level in levels.items() if each == sku]
        told = outlook.of_article(own, waiting.get(sku, 0), coming.get(sku, ()), terms, low=0, now=now)
        first = supply.first_with(units[sku], told.dates)
        begins = told.expected_at if told.status == Status.PRE_ORDER else None
        if first or begins:
            found[sku] = max(filter(None, (first, begins)))
    return found
