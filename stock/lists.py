"""Lists of what the stock room holds, a page at a time: nodes, articles, balances, entries, transfers and counts.

Called by the doors; reads and writes nothing. Invariant: a page goes on exactly where the last one ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, selectinload

from kernel.errors import NotFound
from kernel.pages import Page, page
from stock import arrivals
from stock.arrivals import Differences
from stock.counting.documents import Count, CountTask
from stock.documents import Transfer
from stock.errors import UnknownDocument
from stock.models import Article, Node, Posting, StockBalance, StockEntry

After = Sequence[Any] | None


def nodes(session: Session, *, kind: str | None, after: After, limit: int) -> Page:
    """Return nodes by id."""
    return page(session, select(Node).where(*_same(Node.kind, kind)), [Node.id], after=after, limit=limit)


def articles(session: Session, *, after: After, limit: int) -> Page:
    """Return articles by SKU."""
    return page(session, select(Article), [Article.sku], after=after, limit=limit)


def article(session: Session, sku: str) -> Article:
    """Return one article. Raises NotFound."""
    found = session.get(Article, sku)
    if found is None:
        raise NotFound(f"There is no article {sku!r}.")
    return found


def balances(session: Session, *, sku: str | None, node: str | None, after: After, limit: int) -> Page:
    """Return balances by SKU and node."""
    query = select(StockBalance).where(*_same(StockBalance.sku, sku), *_same(StockBalance.node, node))
    return page(session, query, [StockBalance.sku, StockBalance.node], after=after, limit=limit)


def entries(session: Session, *, sku: str, node: str | None, after: After, limit: int) -> Page:
    """Return the entries of an article in the order in which they were posted."""
    query = select(StockEntry).where(StockEntry.sku == sku)
    if node is not None:
        query = query.where(or_(StockEntry.from_node == node, StockEntry.to_node == node))
    return page(session, query, [StockEntry.posting_id, StockEntry.line], after=after, limit=limit)


def postings(session: Session, ids: Sequence[str]) -> dict[str, Posting]:
    """Return these postings by id."""
    found = session.scalars(select(Posting).where(Posting.id.in_(ids))) if ids else ()
    return {posting.id: posting for posting in found}


def transfers(
    session: Session, *, node: str | None, status: str | None, differences: Differences | None = None, now: datetime,
    after: After, limit: int,
) -> Page:  # fmt: skip
    """Return transfers from or to a node by id, the oldest first.

    `differences` keeps to those whose differences are open at `now`, or that ended with units lost, or with a surplus.
    """
    query = select(Transfer).options(selectinload(Transfer.lines)).where(*_same(Transfer.status, status))
    if node is not None:
        query = query.where(or_(Transfer.source == node, Transfer.destination == node))
    if differences is not None:
        query = query.where(arrivals.differing(differences, now))
    return page(session, query, [Transfer.id], after=after, limit=limit)


def transfer(session: Session, transfer_id: str) -> Transfer:
    """Return one transfer with its lines. Raises UnknownDocument."""
    found = session.get(Transfer, transfer_id)
    if found is None:
        raise UnknownDocument("transfer", transfer_id)
    return found


def counts(session: Session, *, node: str | None, status: str | None, after: After, limit: int) -> Page:
    """Return counts by id, the oldest first, without their lines."""
    query = select(Count).where(*_same(Count.node, node), *_same(Count.status, status))
    return page(session, query, [Count.id], after=after, limit=limit)


def count_tasks(
    session: Session, *, node: str | None, status: str | None, cause: str | None, after: After, limit: int
) -> Page:
    """Return proposals to count by id, the oldest first."""
    asked = (*_same(CountTask.node, node), *_same(CountTask.status, status), *_same(CountTask.cause, cause))
    return page(session, select(CountTask).where(*asked), [CountTask.id], after=after, limit=limit)


def count_task(session: Session, task_id: str) -> CountTask:
    """Return one proposal to count. Raises UnknownDocument."""
    found = session.get(CountTask, task_id)
    if found is None:
        raise UnknownDocument("count task", task_id)
    return found


def count(session: Session, count_id: str) -> Count:
    """Return one count with its lines. Raises UnknownDocument."""
    found = session.get(Count, count_id)
    if found is None:
        raise UnknownDocument("count", count_id)
    return found


def _same(column: Any, value: str | None) -> list[ColumnElement[bool]]:
    return [] if value is None else [column == value]
