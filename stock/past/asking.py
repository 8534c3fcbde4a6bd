"""Questions about many balances at once: the rows asked about go to the database as one parameter.

Called by what reads the ledger's history. Invariant: the text of a question does not depend on how many rows it is
asked about, so that the database knows it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, text
from sqlalchemy.orm import Session

from kernel.db import UtcDateTime
from kernel.rowsets import MOST_ROWS, RowSet, with_steps

KEY = RowSet("key", (("sku", "text"), ("node", "text")))
SPAN = RowSet("span", (("sku", "text"), ("node", "text"), ("start", "int"), ("stop", "int")))
"""Versions of a balance: those after `start`, up to `stop`."""


def ask(
    session: Session,
    query: str,
    about: RowSet,
    rows: Sequence[tuple[Any, ...]],
    parameters: Mapping[str, Any] = MappingProxyType({}),
    *,
    steps: Sequence[str] = (),
    columns: Sequence[ColumnElement[Any]] = (),
) -> Sequence[Row[Any]]:
    """Return the answers to `query`, which reads `rows` under the name of the row set.

    Args:
        session: a session.
        query: a SELECT; join order is as written, since it begins with the rows and CROSS JOINs the rest.
        about: the row set.
        rows: its rows; no rows, no answers.
        parameters: the other parameters of the query.
        steps: further common table expressions, which may read the row set.
        columns: what is selected, in order, where types must be decoded.
    """
    if not rows:
        return ()
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    # A cast's colons would be taken for a parameter's.
    given = about.postgresql.replace("::", r"\:\:") if on_postgresql else about.sqlite
    asked = text(with_steps([given, *steps], query)).bindparams(*_typed(parameters))
    filled = about.given(rows) | (MOST_ROWS if on_postgresql else {})
    return session.execute(asked.columns(*columns) if columns else asked, filled).all()


def _typed(parameters: Mapping[str, Any]) -> list[Any]:
    return [
        bindparam(name, value, UtcDateTime() if isinstance(value, datetime) else None)
        for name, value in parameters.items()
    ]
