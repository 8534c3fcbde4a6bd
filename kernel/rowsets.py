"""Many rows as one parameter of a statement: a JSON document that the database reads as a table.

Used where the house writes its own SQL: the outbox and the ledger. One document costs the client and the server a
fraction of what one array a column does. Invariant: the texts are put together from column names in the code alone;
whatever comes from outside is a parameter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

_NAMED = re.compile(r"(?<!:):([a-z_]+)")
# How a column is read out of a row, by its kind.
_POSTGRESQL = {
    "text": "value ->> {place}",
    "int": "(value ->> {place})::int",
    "instant": "((value ->> {place}) || '+00')::timestamptz",
    "json": "value -> {place}",
}
_SQLITE = {"text": "value ->> {place}", "int": "value ->> {place}", "instant": "value ->> {place}",
           "json": "value -> {place}"}  # fmt: skip
MOST_ROWS = {"most_rows": 1_000_000}


@dataclass(frozen=True)
class RowSet:
    """Rows that a statement is given as a parameter, with the kind of each column: text, int, instant or json."""

    name: str
    columns: tuple[tuple[str, str], ...]

    @property
    def postgresql(self) -> str:
        """Read the rows. The limit keeps nothing away: it lets the planner expect few rows, and look them up by key."""
        rows = f"jsonb_array_elements(:{self.name}::jsonb) LIMIT :most_rows"
        return f"{self.name} AS MATERIALIZED (SELECT {self._fields(_POSTGRESQL)} FROM {rows})"  # noqa: S608

    @property
    def sqlite(self) -> str:
        """Read the rows."""
        return f"{self.name} AS MATERIALIZED (SELECT {self._fields(_SQLITE)} FROM json_each(:{self.name}))"  # noqa: S608

    def given(self, rows: Sequence[tuple[Any, ...]]) -> dict[str, str]:
        """Return the parameter that holds the rows."""
        return {self.name: json.dumps(rows, default=_written)}

    def _fields(self, reading: dict[str, str]) -> str:
        return ", ".join(
            f"{reading[kind].format(place=place)} AS {column}" for place, (column, kind) in enumerate(self.columns)
        )


def _written(value: Any) -> Any:
    """Write what JSON has no form for: instants and dates as ISO 8601, dataclasses by field."""
    return value.isoformat() if isinstance(value, date) else vars(value)


def instant_text(instant: datetime | None) -> str | None:
    """Write an instant as a row holds it, which is how SQLite stores it: in UTC, without a zone."""
    return None if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


def with_steps(steps: Sequence[str], write: str) -> str:
    """Put `write` after the named steps that it reads."""
    return "WITH " + ",\n".join(steps) + "\n" + write


def as_pyformat(statement: str) -> str:
    """Write parameters as psycopg takes them, and in as few characters as that goes, since it reads them each time."""
    return " ".join(_NAMED.sub(r"%(\1)s", statement).split())
