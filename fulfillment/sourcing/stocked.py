"""The units that nodes may give to some demands, and what weighs them: the stock of one problem.

Read by `gather`. Invariants: units of freed fulfillment orders, and those held for the demands, count as free, so that
what stands can stay; where demands of several channels share a problem, the channel from which a node keeps back most
decides for all of them, so that no plan lets one channel have what is kept from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from fulfillment.network import pick_success, unit_prices
from fulfillment.network.article_models import PickEvidence
from fulfillment.network.snapshot import Snapshot
from fulfillment.sourcing.proposal import Wanted
from fulfillment.sourcing.scene import Integers
from fulfillment.sourcing.taken import Taken
from kernel.db import table
from stock import availability, safety
from stock.availability import Level
from stock.holds import Held
from stock.models import Article, StockBalance

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stocked:
    """Places of SKUs, the units that may be taken of each at each node (S,N), weights, families and sides by SKU.

    `found` and `missed` (S,N) are the lines that each node found and missed of each, at their present weight;
    `shadow_minor` and `saved_minor` (S,N) what a unit is worth there, and the markdown that taking it avoids.
    """

    skus: Mapping[str, int]
    units: Integers
    found: Floats
    missed: Floats
    shadow_minor: Integers
    saved_minor: Integers
    weights_g: Mapping[str, int]
    families: Mapping[str, str]
    sides_mm: Mapping[str, tuple[int, int, int]]


def read_stock(
    session: Session,
    net: Snapshot,
    wanted: Sequence[Wanted],
    versions: Mapping[str, int],
    *,
    now: datetime,
    held: Sequence[Held] = (),
    taken: Taken | None = None,
) -> Stocked:
    """Read the stock that demands may be served from; nothing of an article that is not on sale yet.

    What is `held` for them is theirs beside it; what others have `taken` is gone.
    """
    channels: defaultdict[str, set[str | None]] = defaultdict(set)
    for demand in wanted:
        for line in demand.lines:
            channels[line.sku].add(demand.channel)
    index = {sku: number for number, sku in enumerate(sorted(channels))}
    articles = {row.sku: row for row in session.execute(_ARTICLES, {"skus": list(index)})}
    rules = safety.load(session, versions)
    shape = (len(index), len(net.nodes))
    units = np.zeros(shape, dtype=np.int64)
    found, missed, age_days = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for row in _levels(session, index):
        sku, node, level = row[0], row[1], Level(*row[2:-3])
        place, article = net.index.get(node), articles[sku]
        if place is None or not _on_sale(article, now):
            continue
        kept = level.safety_stock
        if rules.rules:
            asked = channels[sku]
            kept = max(rules.floor(sku, article.family, node, channel, own=kept) for channel in asked)
        gone = taken.units[sku, node] if taken else 0
        units[index[sku], place] = max(0, level.unclaimed - kept - gone)
        if row.found is not None:
            found[index[sku], place], missed[index[sku], place] = row.found, row.missed
            age_days[index[sku], place] = now.toordinal() - row.as_of_day
    _add_freed(units, net, index, wanted)
    _add_held(units, net, index, held)
    left = pick_success.faded(age_days, pick_success.half_life_days(session))
    weights_g = {sku: row.weight_g for sku, row in articles.items()}
    sides_mm = {sku: (row.length_mm, row.width_mm, row.height_mm) for sku, row in articles.items()}
    families = {sku: articles[sku].family for sku in index}
    worth = unit_prices.prices_at(session, net, families, versions, now=now)
    return Stocked(index, units, found * left, missed * left, *worth, weights_g, families, sides_mm)


def _levels(session: Session, skus: Iterable[str]) -> Iterator[Any]:
    """Yield the level of each balance, and what was found and missed there."""
    for some in availability.chunks(skus):
        yield from session.execute(_LEVELS, {"skus": some}).all()


_ARTICLE, _BALANCE, _EVIDENCE = table(Article), table(StockBalance), table(PickEvidence)
_COLUMNS = ("sku", "weight_g", "length_mm", "width_mm", "height_mm", "family", "available_from")
_ARTICLES = select(*(_ARTICLE.c[name] for name in _COLUMNS)).where(
    _ARTICLE.c.sku.in_(bindparam("skus", expanding=True))
)
# Named on both sides, so that PostgreSQL never reads more evidence than that of these articles.
_SAME = (
    (_EVIDENCE.c.sku == _BALANCE.c.sku)
    & (_EVIDENCE.c.node == _BALANCE.c.node)
    & _EVIDENCE.c.sku.in_(bindparam("skus", expanding=True))
)
_LEVELS = (
    availability.LEVELS.add_columns(_EVIDENCE.c.found, _EVIDENCE.c.missed, _EVIDENCE.c.as_of_day)
    .select_from(_BALANCE.outerjoin(_EVIDENCE, _SAME))
)  # fmt: skip


def _on_sale(article: Row[Any], now: datetime) -> bool:
    return article.available_from is None or article.available_from <= now


def _add_freed(units: Integers, net: Snapshot, index: Mapping[str, int], wanted: Sequence[Wanted]) -> None:
    for freed in (freed for demand in wanted for freed in demand.freed):
        for line in freed.lines:
            if line.reservation_id is not None and line.sku in index:
                units[index[line.sku], net.index[freed.node]] += line.units


def _add_held(units: Integers, net: Snapshot, index: Mapping[str, int], held: Sequence[Held]) -> None:
    """Add what is held: it is exchanged for claims even where others have grown into what is kept back."""
    for each in held:
        place = net.index.get(each.node)
        if place is not None and each.sku in index:
            units[index[each.sku], place] += each.units
