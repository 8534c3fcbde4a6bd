"""Opening a count: of named articles, of what lies on named shelves, or of an area up to the whole node.

Called by store pages, planners and the doors. Invariant: a count names every article that somebody has to look for, so
that nothing is taken as missing that nobody looked for; what is found beyond is added while counting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from kernel.ids import new_id
from stock.availability import LOOKUP
from stock.counting import tasks
from stock.counting.documents import Count, CountLine, CountScope, CountStatus
from stock.counting.errors import MOST_LINES, CountTooLarge, NothingToCount
from stock.counting.steps import correction, tell
from stock.lines import check_known
from stock.models import Placement, StockBalance

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def open_count(
    session: Session, *, node: str, skus: Sequence[str], reason: str = "recount", actor: str, now: datetime
) -> Count:
    """Open a count of some articles at a node. Raises UnknownStock, UnknownReason, CountTooLarge."""
    wanted = sorted(set(skus))
    check_known(session, [(sku, node) for sku in wanted])
    placed: dict[str, str] = {}
    for start in range(0, len(wanted), LOOKUP):
        some = Placement.sku.in_(wanted[start : start + LOOKUP])
        rows = session.execute(select(Placement.sku, Placement.shelf).where(Placement.node == node, some))
        placed |= dict(rows.all())
    count = Count(id=new_id(), node=node, reason=reason, scope=CountScope.ARTICLES)
    return _open(session, count, {sku: placed.get(sku) for sku in wanted}, actor=actor, now=now)


def open_shelves(
    session: Session, *, node: str, shelves: Sequence[str], reason: str = "recount", actor: str, now: datetime
) -> Count:
    """Open a count of all that lies on some shelves of a node. Raises NothingToCount, UnknownReason, CountTooLarge."""
    there = select(Placement.sku, Placement.shelf).where(Placement.node == node, Placement.shelf.in_(set(shelves)))
    wanted = dict(session.execute(there).all())
    if not wanted:
        raise NothingToCount(f"No article of {node} lies on {', '.join(sorted(set(shelves)))}.")
    count = Count(id=new_id(), node=node, reason=reason, scope=CountScope.SHELVES)
    return _open(session, count, wanted, actor=actor, now=now)


def open_area(
    session: Session,
    *,
    node: str,
    shelf_from: str | None = None,
    shelf_to: str | None = None,
    reason: str = "recount",
    actor: str,
    now: datetime,
) -> Count:
    """Open a count of all that lies in a range of shelves, bounds included, or in the whole node without bounds.

    A whole node includes what is on hand there without a shelf. Raises NothingToCount, UnknownReason, CountTooLarge.
    """
    there = select(Placement.sku, Placement.shelf).where(Placement.node == node)
    if shelf_from is not None:
        there = there.where(Placement.shelf >= shelf_from)
    if shelf_to is not None:
        there = there.where(Placement.shelf <= shelf_to)
    wanted: dict[str, str | None] = dict(session.execute(there).all())
    if shelf_from is None and shelf_to is None:
        on_hand = select(StockBalance.sku).where(StockBalance.node == node, StockBalance.on_hand > 0)
        wanted = dict.fromkeys(session.scalars(on_hand)) | wanted
    if not wanted:
        raise NothingToCount(f"No article of {node} lies there.")
    count = Count(
        id=new_id(), node=node, reason=reason, scope=CountScope.AREA, shelf_from=shelf_from, shelf_to=shelf_to
    )
    return _open(session, count, wanted, actor=actor, now=now)


def _open(session: Session, count: Count, wanted: Mapping[str, str | None], *, actor: str, now: datetime) -> Count:
    correction(session, count.reason)
    if len(wanted) > MOST_LINES:
        raise CountTooLarge(len(wanted))
    count.status, count.round, count.version = CountStatus.OPEN, 1, 1
    count.lines = [CountLine(sku=sku, shelf=shelf) for sku, shelf in sorted(wanted.items())]
    session.add(count)
    session.flush()
    tell(session, count, "", actor=actor, now=now)
    tasks.take(session, count.node, wanted, count_id=count.id)
    return count
