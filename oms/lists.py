"""Lists of returns, a page at a time. Called by the doors; reads and writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from kernel.pages import Page, page
from oms.errors import UnknownReturn
from oms.models import Return


def returns(
    session: Session,
    *,
    order_id: str | None,
    node: str | None,
    status: str | None,
    after: Sequence[Any] | None,
    limit: int,
) -> Page:
    """Return returns with their lines by id, the oldest first."""
    query = select(Return).options(selectinload(Return.lines))
    for column, value in ((Return.order_id, order_id), (Return.node, node), (Return.status, status)):
        if value is not None:
            query = query.where(column == value)
    return page(session, query, [Return.id], after=after, limit=limit)


def one_return(session: Session, return_id: str) -> Return:
    """Return one return with its lines. Raises UnknownReturn."""
    found = session.get(Return, return_id)
    if found is None:
        raise UnknownReturn(return_id)
    return found
