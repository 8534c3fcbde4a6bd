"""What may be promised: units on hand that nobody has claimed or keeps back, by node, channel and over the network.

Read by sourcing, by the doors and by the stock room itself. Invariant: it is computed from the balances each time and
stored nowhere, so that it cannot disagree with them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, func, select

from kernel.db import table
from stock import safety
from stock.models import OpenDemand, StockBalance
from stock.safety import Rule, Safety

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# Looked up so many at a time, below the number of parameters that SQLite takes in a statement.
LOOKUP = 500


class Level(NamedTuple):
    """The counters of one balance; `version` tells whether it has moved since."""

    on_hand: int = 0
    reserved: int = 0
    picked: int = 0
    safety_stock: int = 0
    backorder_limit: int = 0
    in_transit: int = 0
    version: int = 0

    @property
    def unclaimed(self) -> int:
        """Units that may still be claimed, those kept back included."""
        return self.on_hand + self.backorder_limit - self.reserved

    @property
    def atp(self) -> int:
        """Available to promise: negative when claims have grown into the safety stock."""
        return self.unclaimed - self.safety_stock

    @property
    def on_shelf(self) -> int:
        """Units where a count would look for them: on hand less those in totes."""
        return self.on_hand - self.picked


def levels(
    session: Session, skus: Iterable[str], *, nodes: Sequence[str] | None = None
) -> dict[tuple[str, str], Level]:
    """Return the level of each balance of `skus`, by SKU and node; pairs that never had stock are absent."""
    query, at = (LEVELS, {}) if nodes is None else (_LEVELS_AT, {"nodes": list(nodes)})
    return {
        (row[0], row[1]): Level._make(row[2:])
        for some in chunks(skus)
        for row in session.execute(query, {"skus": some, **at})
    }


_BALANCE = table(StockBalance)
# Built once, since every decision reads levels; rooms above join what they know of the same pairs.
LEVELS = select(
    _BALANCE.c.sku, _BALANCE.c.node,
    _BALANCE.c.on_hand, _BALANCE.c.reserved, _BALANCE.c.picked, _BALANCE.c.safety_stock,
    _BALANCE.c.backorder_limit, _BALANCE.c.in_transit, _BALANCE.c.version,
).where(_BALANCE.c.sku.in_(bindparam("skus", expanding=True)))  # fmt: skip
_LEVELS_AT = LEVELS.where(_BALANCE.c.node.in_(bindparam("nodes", expanding=True)))


def promisable(
    session: Session, articles: Mapping[str, str], *, channel: str | None = None, rules: Safety | None = None
) -> dict[tuple[str, str], Level]:
    """Return the levels at open nodes as a channel sees them: `safety_stock` is what the rules keep back from it.

    `articles` are families by SKU. Without a channel only rules for all channels count.
    """
    rules = rules or safety.load(session)
    return {
        (sku, node): _kept(level, rules.at_nodes(sku, articles[sku], channel).get(node))
        for (sku, node), level in levels(session, articles).items()
        if rules.places[node].is_open
    }


def _kept(level: Level, rule: Rule | None) -> Level:
    return level if rule is None else level._replace(safety_stock=rule.keeps(level.safety_stock))


def network(session: Session, skus: Iterable[str], *, channel: str | None = None) -> dict[str, int]:
    """Return what the whole network can still promise of each SKU: open nodes' ATP less open demand, never below 0.

    A node whose claims have grown into its safety stock takes nothing away from the others.
    """
    wanted = sorted(set(skus))
    known = safety.families(session, wanted)
    total = totals(promisable(session, known, channel=channel))
    waiting = open_demand(session, wanted)
    return {sku: max(0, total[sku] - waiting.get(sku, 0)) for sku in wanted}


def totals(seen: Mapping[tuple[str, str], Level]) -> Counter[str]:
    """Return the ATP of each SKU over all nodes; one below 0 takes nothing away from the others."""
    found: Counter[str] = Counter()
    for (sku, _), level in seen.items():
        found[sku] += max(0, level.atp)
    return found


def floors(
    session: Session, claims: Iterable[tuple[str, str, str | None]], known_versions: Mapping[str, int] | None = None
) -> dict[tuple[str, str], int]:
    """Return the units that a posting must leave of each balance where a rule decides, by SKU and node.

    `claims` are SKU, node and channel of what it claims; of two channels at one balance the stricter rule binds.
    Where no rule decides, the balance's own safety stock does, which the ledger knows.
    """
    rules = safety.load(session, known_versions)
    if not rules.rules:
        return {}
    asked = set(claims)
    articles = safety.families(session, {sku for sku, _, _ in asked})
    deciding = [
        (sku, node, rule)
        for sku, node, channel in asked
        if (rule := rules.at_nodes(sku, articles.get(sku, ""), channel).get(node)) is not None
    ]
    own = levels(session, {sku for sku, _, _ in deciding}, nodes=sorted({node for _, node, _ in deciding}))
    found: dict[tuple[str, str], int] = {}
    for sku, node, rule in deciding:
        kept = rule.keeps(own.get((sku, node), Level()).safety_stock)
        found[sku, node] = max(kept, found.get((sku, node), 0))
    return found


def open_demand(session: Session, skus: Iterable[str]) -> dict[str, int]:
    """Return the units of each SKU that are promised to somebody and have no node yet."""
    found: dict[str, int] = {}
    for some in chunks(skus):
        query = select(OpenDemand.sku, func.sum(OpenDemand.units)).where(OpenDemand.sku.in_(some))
        found |= {sku: int(units) for sku, units in session.execute(query.group_by(OpenDemand.sku))}
    return found


def chunks(skus: Iterable[str]) -> Iterable[list[str]]:
    """Yield SKUs, each once, so many at a time that a statement takes them."""
    wanted = sorted(set(skus))
    return (wanted[start : start + LOOKUP] for start in range(0, len(wanted), LOOKUP))
