"""The units that nodes may give to some demands, and what weighs them: the stock of one problem.

Read by `gather`. Invariants: units of freed fulfillment orders, and those held for the demands, count as free, so that
what stands can stay; where demands of several channels share a problem, the channel from which a node keeps back most
decides for all of them, so that no plan lets one channel have what is kept from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from fulfillment.network.snapshot import Snapshot
from fulfillment.sourcing.proposal import Wanted
from fulfillment.sourcing.scene import Integers
from fulfillment.sourcing.taken import Taken
from kernel.db import table
from stock import availability, safety
from stock.holds import Held
from stock.models import Article


@dataclass(frozen=True, eq=False)
class Stocked:
    """Places of SKUs, the units that may be taken of each at each node (S,N), weights and sides by SKU."""

    skus: Mapping[str, int]
    units: Integers
    weights_g: Mapping[str, int]
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
    units = np.zeros((len(index), len(net.nodes)), dtype=np.int64)
    for (sku, node), level in availability.levels(session, index).items():
        place, article = net.index.get(node), articles[sku]
        if place is None or not _on_sale(article, now):
            continue
        kept = level.safety_stock
        if rules.rules:
            asked = channels[sku]
            kept = max(rules.floor(sku, article.family, node, channel, own=kept) for channel in asked)
        gone = taken.units[sku, node] if taken else 0
        units[index[sku], place] = max(0, level.unclaimed - kept - gone)
    _add_freed(units, net, index, wanted)
    _add_held(units, net, index, held)
    sides = {sku: (row.length_mm, row.width_mm, row.height_mm) for sku, row in articles.items()}
    return Stocked(index, units, {sku: row.weight_g for sku, row in articles.items()}, sides)


_ARTICLE = table(Article)
_COLUMNS = ("sku", "weight_g", "length_mm", "width_mm", "height_mm", "family", "available_from")
_ARTICLES = select(*(_ARTICLE.c[name] for name in _COLUMNS)).where(
    _ARTICLE.c.sku.in_(bindparam("skus", expanding=True))
)


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
