"""Pages by keyset: a list goes on exactly after the last row shown, however many rows came in between.

Called by every room that lists rows. Invariant: the key is unique and the rows are ordered by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, literal, tuple_
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Page:
    """Rows, and the key of the last one when others follow."""

    rows: list[Any]
    last: list[Any] | None


def page(session: Session, query: Select[Any], key: Sequence[Any], *, after: Sequence[Any] | None, limit: int) -> Page:
    """Return up to `limit` rows of `query` whose key comes after `after`; the query selects one entity or column."""
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(*_bound(key, after)))
    rows = list(session.scalars(query.order_by(*key).limit(limit + 1)))
    if len(rows) <= limit:
        return Page(rows, None)
    shown = rows[:limit]
    return Page(shown, [getattr(shown[-1], column.key) for column in key])


def _bound(key: Sequence[ColumnElement[Any]], after: Sequence[Any]) -> list[ColumnElement[Any]]:
    # Typed as their columns are, so that an instant is compared as an instant.
    return [literal(value, column.type) for column, value in zip(key, after, strict=True)]
