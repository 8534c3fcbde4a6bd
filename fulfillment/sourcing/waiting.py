"""Which demands to decide again: those of which units wait that something may serve now, and those that are marked.

Read by the doors after stock has come in, and by a job for what time and capacity change. A mark is left by whoever
changes what a decision rests on, in the transaction of that change, so that a process that dies right after it leaves
nothing undone. Invariant: bounded, by rank and then by age; a demand that was tried in vain several times is tried less
often, so that it does not starve others.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session

from fulfillment.sourcing.demanded import read_again
from fulfillment.work import demands
from fulfillment.work.models import Decision, Demand, DemandLine
from kernel.db import database_now
from stock.models import Article, Node, NodeStatus, OpenDemand, SafetyRule, StockBalance

EAGER_ATTEMPTS: Final = 3
"""So many times in a row a demand is tried whenever stock is there; after that only every RETRY_AFTER."""
RETRY_AFTER: Final = timedelta(minutes=5)

_ITS_OWN_WAY: Final = (Demand.paused_at.is_(None), Demand.person_since.is_(None))
"""Neither on hold nor left to a person."""


def due(session: Session, *, now: datetime, limit: int) -> list[str]:
    """Return the ids of up to `limit` waiting demands that may be served now, by rank and then by age.

    What waits for an address does so until somebody changes it; what waits for stock, until an open node has some
    and the article is on sale.
    """
    tried_by = session.scalar(select(database_now()))
    assert tried_by is not None, "the database has a clock"
    last_tried = select(func.max(Decision.recorded_at)).where(Decision.demand_id == Demand.id).scalar_subquery()
    query = _waiting().where(
        or_(Demand.waiting_reason.is_(None), Demand.waiting_reason != "no_address"),
        or_(Demand.waiting_reason != "no_stock", Demand.waiting_reason.is_(None), _in_stock(now)),
        or_(Demand.attempts < EAGER_ATTEMPTS, last_tried.is_(None), last_tried <= tried_by - RETRY_AFTER),
    )
    return _ids(session, query, limit)


def for_skus(session: Session, skus: Collection[str], *, limit: int) -> list[str]:
    """Return the ids of up to `limit` demands that wait for these SKUs, the highest rank first, then the oldest."""
    return _ids(session, _waiting().where(OpenDemand.sku.in_(sorted(skus))), limit)


def marked(session: Session, *, limit: int) -> list[tuple[str, str]]:
    """Return up to `limit` demands that are to be decided again whatever waits of them, each with the cause."""
    query = select(Demand.id, Demand.decide_cause).where(Demand.decide_cause.is_not(None), *_ITS_OWN_WAY)
    return [(id_, cause) for id_, cause in session.execute(query.order_by(Demand.id).limit(limit)) if cause is not None]


def unmark(session: Session, demand_id: str) -> None:
    """Take the mark off a demand of which nothing is left to decide: somebody works on all of it, or it has left."""
    for demand in demands.lock(session, [demand_id]).values():
        if demand.decide_cause is not None and read_again(session, demand_id) is None:
            demand.decide_cause = None


def _waiting() -> Select[str, int, datetime]:
    # Open demand holds only what waits, so that the whole history of demand lines is never looked through.
    return (
        select(Demand.id, Demand.rank, Demand.placed_at)
        .join(DemandLine, DemandLine.demand_id == Demand.id)
        .join(OpenDemand, (OpenDemand.reference == DemandLine.id) & (OpenDemand.sku == DemandLine.sku))
        .where(*_ITS_OWN_WAY)
    )


def _in_stock(now: datetime) -> Any:
    unclaimed = StockBalance.on_hand + StockBalance.backorder_limit - StockBalance.reserved
    # Only a rule for the very article, node and channel may keep less than the balance's own safety stock.
    ruled = exists().where(
        SafetyRule.active,
        SafetyRule.sku == StockBalance.sku,
        SafetyRule.node == StockBalance.node,
        SafetyRule.channel == Demand.channel,
    )
    return exists().where(
        StockBalance.sku == DemandLine.sku,
        Article.sku == StockBalance.sku,
        or_(Article.available_from.is_(None), Article.available_from <= now),
        or_(unclaimed > StockBalance.safety_stock, ruled & (unclaimed > 0)),
        Node.id == StockBalance.node,
        Node.status == NodeStatus.OPEN,
    )


def _ids(session: Session, query: Select[str, int, datetime], limit: int) -> list[str]:
    ordered = query.distinct().order_by(Demand.rank.desc(), Demand.placed_at, Demand.id).limit(limit)
    return [row[0] for row in session.execute(ordered)]
