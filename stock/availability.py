"""What may be promised: units on hand that nobody has claimed, by node and over the network.

Read by sourcing, by the doors and by the stock room itself. Invariant: it is computed from the balances each time and
stored nowhere, so that it cannot disagree with them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select

from kernel.db import table
from stock.models import Node, NodeStatus, OpenDemand, StockBalance

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# Looked up so many at a time, below the number of parameters that SQLite takes in a statement.
LOOKUP = 500


@dataclass(frozen=True, slots=True)
class Level:
    """The counters of one balance; `version` tells whether it has moved since."""

    on_hand: int = 0
    reserved: int = 0
    picked: int = 0
    safety_stock: int = 0
    backorder_limit: int = 0
    in_transit: int = 0
    version: int = 0

    @property
    def atp(self) -> int:
        """Available to promise: negative when claims have grown into the safety stock."""
        return self.on_hand + self.backorder_limit - self.reserved - self.safety_stock

    @property
    def on_shelf(self) -> int:
        """Units where a count would look for them: on hand less those in totes."""
        return self.on_hand - self.picked


def levels(
    session: Session, skus: Iterable[str], *, nodes: Sequence[str] | None = None
) -> dict[tuple[str, str], Level]:
    """Return the level of each balance of `skus`, by SKU and node; pairs that never had stock are absent."""
    query, at = (_LEVELS, {}) if nodes is None else (_LEVELS_AT, {"nodes": list(nodes)})
    return {
        (row[0], row[1]): Level(*row[2:])
        for some in _chunks(skus)
        for row in session.execute(query, {"skus": some, **at})
    }


# Built once, since every decision reads levels.
_BALANCE = table(StockBalance)
_LEVELS = select(
    _BALANCE.c.sku, _BALANCE.c.node,
    _BALANCE.c.on_hand, _BALANCE.c.reserved, _BALANCE.c.picked, _BALANCE.c.safety_stock,
    _BALANCE.c.backorder_limit, _BALANCE.c.in_transit, _BALANCE.c.version,
).where(_BALANCE.c.sku.in_(bindparam("skus", expanding=True)))  # fmt: skip
_LEVELS_AT = _LEVELS.where(_BALANCE.c.node.in_(bindparam("nodes", expanding=True)))


def network(session: Session, skus: Iterable[str]) -> dict[str, int]:
    """Return what the whole network can still promise of each SKU: open nodes' ATP less open demand, never below 0.

    A node whose claims have grown into its safety stock takes nothing away from the others.
    """
    wanted = sorted(set(skus))
    closed = set(session.scalars(select(Node.id).where(Node.status != NodeStatus.OPEN)))
    total: dict[str, int] = defaultdict(int)
    for (sku, node), level in levels(session, wanted).items():
        if node not in closed:
            total[sku] += max(0, level.atp)
    waiting = open_demand(session, wanted)
    return {sku: max(0, total[sku] - waiting.get(sku, 0)) for sku in wanted}


def open_demand(session: Session, skus: Iterable[str]) -> dict[str, int]:
    """Return the units of each SKU that are promised to somebody and have no node yet."""
    found: dict[str, int] = {}
    for some in _chunks(skus):
        query = select(OpenDemand.sku, func.sum(OpenDemand.units)).where(OpenDemand.sku.in_(some))
        found |= {sku: int(units) for sku, units in session.execute(query.group_by(OpenDemand.sku))}
    return found


def _chunks(skus: Iterable[str]) -> Iterable[list[str]]:
    wanted = sorted(set(skus))
    return (wanted[start : start + LOOKUP] for start in range(0, len(wanted), LOOKUP))
