"""Bulk writing of what the stock room knows by name: nodes, articles, shelves, and limits of balances.

Called by imports and by the doors. Invariant: a call with a faulty row writes nothing and names every fault, by the
row's place; an unchanged row is not written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from kernel.errors import Fault, Rejected
from stock import availability
from stock.availability import Level
from stock.ledger import create_balances
from stock.models import Article, Node, Placement, StockBalance
from stock.rows import (
    ArticleRow,
    LimitRow,
    NodeRow,
    PlacementRow,
    faults_of_articles,
    faults_of_limits,
    faults_of_nodes,
    faults_of_placements,
)
from stock.upsert import Outcome, chunks, upsert

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

BALANCE = ("sku", "node")


class InvalidRows(Rejected):
    """Rows that the catalog cannot take; every fault is named."""

    code = "rows_invalid"


def put_nodes(session: Session, rows: Sequence[NodeRow]) -> list[Outcome]:
    """Write nodes and tell for each whether it was created, updated or unchanged. Raises InvalidRows."""
    _refuse(faults_of_nodes(rows))
    return upsert(session, Node, _values(rows), key=("id",))


def put_articles(session: Session, rows: Sequence[ArticleRow]) -> list[Outcome]:
    """Write articles. Raises InvalidRows, also where a GTIN is another article's."""
    _refuse(faults_of_articles(rows, _gtin_owners(session, rows)))
    _free_gtins(session, rows)
    return upsert(session, Article, _values(rows), key=("sku",))


def put_placements(session: Session, rows: Sequence[PlacementRow]) -> list[Outcome]:
    """Write the shelves of articles. Raises InvalidRows."""
    _refuse(_together(faults_of_placements(rows), _unknown(session, rows)))
    return upsert(session, Placement, _values(rows), key=BALANCE)


def put_limits(session: Session, rows: Sequence[LimitRow]) -> list[Outcome]:
    """Write safety stocks and backorder limits. Raises InvalidRows, also where claims rest on the old limit."""
    _refuse(_together(faults_of_limits(rows), _unknown(session, rows)))
    create_balances(session, [(row.sku, row.node) for row in rows])
    levels = availability.levels(session, {row.sku for row in rows}, nodes=sorted({row.node for row in rows}))
    _refuse(_limits_in_use(rows, levels))
    kept = [_has_limits(levels[row.sku, row.node], row) for row in rows]
    changed = [row for row, same in zip(rows, kept, strict=True) if not same]
    for row in sorted(changed, key=lambda row: (row.sku, row.node)):
        _set_limits(session, row)
    return ["unchanged" if same else "updated" for same in kept]


def find_article(session: Session, code: str) -> Article | None:
    """Return the article with this SKU or GTIN, as scanned."""
    by_sku = session.get(Article, code)
    return by_sku or session.scalar(select(Article).where(Article.gtin == code))


def _has_limits(level: Level, row: LimitRow) -> bool:
    return (level.safety_stock, level.backorder_limit) == (row.safety_stock, row.backorder_limit)


def _limits_in_use(rows: Sequence[LimitRow], levels: Mapping[tuple[str, str], Level]) -> Iterator[Fault]:
    for place, row in enumerate(rows):
        level = levels[row.sku, row.node]
        if level.reserved > level.on_hand + row.backorder_limit:
            promised = f"{level.reserved} units are promised of {level.on_hand} on hand"
            yield Fault(f"/{place}/backorder_limit", "limit_in_use", f"{promised}: it cannot be so low")


def _set_limits(session: Session, row: LimitRow) -> None:
    session.execute(
        update(StockBalance)
        .where(StockBalance.sku == row.sku, StockBalance.node == row.node)
        .values(safety_stock=row.safety_stock, backorder_limit=row.backorder_limit)
    )


def _values(rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [dict(vars(row)) for row in rows]


def _refuse(faults: Iterable[Fault]) -> None:
    if found := tuple(faults):
        message = f"{len(found)} faults in the rows; nothing was written. {found[0].pointer}: {found[0].message}."
        raise InvalidRows(message, faults=found)


def _together(*faults: Iterable[Fault]) -> Iterator[Fault]:
    for some in faults:
        yield from some


def _gtin_owners(session: Session, rows: Sequence[ArticleRow]) -> dict[str, str]:
    """Return which article has each of the GTINs, but for articles that these rows give another."""
    renamed = {row.sku for row in rows}
    owners: dict[str, str] = {}
    for some in chunks([row.gtin for row in rows if row.gtin]):
        stored = session.execute(select(Article.gtin, Article.sku).where(Article.gtin.in_(some)))
        owners |= {gtin: sku for gtin, sku in stored if gtin and sku not in renamed}
    return owners


def _free_gtins(session: Session, rows: Sequence[ArticleRow]) -> None:
    """Take from articles the GTINs that these rows change, so that two articles can exchange theirs."""
    wanted = {row.sku: row.gtin for row in rows}
    for some in chunks(list(wanted)):
        stored = session.execute(
            select(Article.sku, Article.gtin).where(Article.sku.in_(some), Article.gtin.is_not(None))
        )
        changed = [sku for sku, gtin in stored if gtin != wanted[sku]]
        session.execute(update(Article).where(Article.sku.in_(changed)).values(gtin=None))


def _unknown(session: Session, rows: Sequence[PlacementRow | LimitRow]) -> Iterator[Fault]:
    nodes = set(session.scalars(select(Node.id)))
    skus: set[str] = set()
    for some in chunks([row.sku for row in rows]):
        skus |= set(session.scalars(select(Article.sku).where(Article.sku.in_(some))))
    for place, row in enumerate(rows):
        if row.sku not in skus:
            yield Fault(f"/{place}/sku", "unknown_article", f"there is no article {row.sku}")
        if row.node not in nodes:
            yield Fault(f"/{place}/node", "unknown_node", f"there is no node {row.node}")
