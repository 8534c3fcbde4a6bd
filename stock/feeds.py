"""Stock as other systems of a node tell it: how much there is, or by how much it changed.

Invariant: an absolute feed never undoes what happened after it was taken, and a feed that is older than one already
posted changes nothing that the newer one corrected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import case, func, or_, select

from stock.availability import LOOKUP
from stock.displacement import Levels, Truth, settle, settle_many
from stock.lines import NONE_TO_MAX, SIGNED, check_known, check_once, check_units
from stock.models import Account, Posting, StockEntry
from stock.postings import Header, Movement, Side

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

ADJUSTMENT = Side(Account.ADJUSTMENT)
FEED, ABSOLUTE, RELATIVE = "feed", "absolute", "relative"


class Since(NamedTuple):
    """What happened to on hand after a feed was taken: the net units, and whether a newer feed was posted."""

    units: int
    overtaken: bool


NOTHING_SINCE = Since(0, overtaken=False)


def absolute(
    session: Session,
    *,
    node: str,
    rows: Sequence[tuple[str, int]],
    as_of: datetime,
    reference: str,
    actor: str,
    now: datetime,
) -> str | None:
    """Bring on hand of a node to what a feed counted at `as_of`, units in totes included; what came later is kept.

    An instant to come is taken as now, since clocks differ. Returns the posting's id, or None when nothing differs.
    Raises InvalidUnits, UnknownStock.
    """
    told = {node: rows}
    return absolute_many(session, told, as_of=as_of, reference=reference, actor=actor, now=now)[node]


def absolute_many(
    session: Session,
    told: Mapping[str, Sequence[tuple[str, int]]],
    *,
    as_of: datetime,
    reference: str,
    actor: str,
    now: datetime,
) -> dict[str, str | None]:
    """Bring several nodes to what a feed counted, in one statement; return what `absolute` would for each."""
    taken_at = min(as_of, now)
    check_units((units for rows in told.values() for _, units in rows), within=NONE_TO_MAX)
    for rows in told.values():
        check_once([sku for sku, _ in rows])
    check_known(session, [(sku, node) for node, rows in told.items() for sku, _ in rows])
    header = Header(kind=FEED, reason=ABSOLUTE, reference=reference, actor=actor, occurred_at=taken_at)
    truths = [_truth(session, header, node, dict(rows)) for node, rows in told.items()]
    return dict(zip(told, settle_many(session, truths), strict=True))


def _truth(session: Session, header: Header, node: str, told: Mapping[str, int]) -> Truth:
    def plan(seen: Levels) -> list[Movement]:
        since = _since(session, node, list(told), header.occurred_at)
        differences = {
            sku: max(0, units + since.get(sku, NOTHING_SINCE).units) - seen[sku, node].on_hand
            for sku, units in told.items()
            if not since.get(sku, NOTHING_SINCE).overtaken
        }
        return _movements(node, differences.items())

    return Truth(header, [(sku, node) for sku in told], plan)


def relative(
    session: Session, *, node: str, rows: Sequence[tuple[str, int]], reference: str, actor: str, now: datetime
) -> str | None:
    """Change on hand of a node by what a feed says; at most all that is there can go.

    Returns the posting's id, or None when nothing changes. Raises InvalidUnits, UnknownStock.
    """
    check_units((units for _, units in rows), within=SIGNED)
    check_once([sku for sku, _ in rows])
    check_known(session, [(sku, node) for sku, _ in rows])

    def plan(seen: Levels) -> list[Movement]:
        return _movements(node, [(sku, max(units, -seen[sku, node].on_hand)) for sku, units in rows])

    header = Header(kind=FEED, reason=RELATIVE, reference=reference, actor=actor, occurred_at=now)
    return settle(session, header, [(sku, node) for sku, _ in rows], plan)


def _movements(node: str, differences: Iterable[tuple[str, int]]) -> list[Movement]:
    shelf = Side(Account.ON_HAND, node)
    return [
        Movement(sku, units, ADJUSTMENT, shelf) if units > 0 else Movement(sku, -units, shelf, ADJUSTMENT)
        for sku, units in sorted(differences)
        if units
    ]


def _since(session: Session, node: str, skus: Sequence[str], as_of: datetime) -> dict[str, Since]:
    """Sum the physical entries that happened after an instant, per SKU, at one node."""
    to_shelf = (StockEntry.to_node == node) & (StockEntry.to_account == Account.ON_HAND)
    from_shelf = (StockEntry.from_node == node) & (StockEntry.from_account == Account.ON_HAND)
    net = func.sum(case((to_shelf, StockEntry.units), else_=0) - case((from_shelf, StockEntry.units), else_=0))
    overtaken = func.max(case(((Posting.kind == FEED) & (Posting.reason == ABSOLUTE), 1), else_=0))
    later = (
        select(StockEntry.sku, net, overtaken)
        .join(Posting, Posting.id == StockEntry.posting_id)
        .where(Posting.occurred_at > as_of, or_(to_shelf, from_shelf))
        .group_by(StockEntry.sku)
    )
    found: dict[str, Since] = {}
    for start in range(0, len(skus), LOOKUP):
        rows = session.execute(later.where(StockEntry.sku.in_(skus[start : start + LOOKUP])))
        found |= {sku: Since(int(units), overtaken=bool(newer)) for sku, units, newer in rows}
    return found
