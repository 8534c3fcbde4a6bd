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
# Spaces that mean nothing, and the word before a name of one letter.
_LOOSE = re.compile(r" ?([,()=<>]) ?| ([+-]) |(?<= )AS (?=[a-z]\b)")
# How a column is read out of a row, by its kind.
_POSTGRESQL = {
    "text": "r->>{place}",
    "int": "(r->>{place})::int",
    "instant": "((r->>{place})||'+00')::timestamptz",
    "json": "r->{place}",
}
_SQLITE = {"text": "value->>{place}", "int": "value->>{place}", "instant": "value->>{place}", "json": "value->{place}"}
MOST_ROWS = {"most_rows": 1_000_000}


@dataclass(frozen=True)
class RowSet:
    """Rows that a statement is given as a parameter, with the kind of each column: text, int, instant or json."""

    name: str
    columns: tuple[tuple[str, str], ...]

    @property
    def postgresql(self) -> str:
        """Read the rows. The limit keeps nothing away: it lets the planner expect few rows, and look them up by key."""
        return self._read(_POSTGRESQL, f"jsonb_array_elements(:{self.name}::jsonb) AS e(r) LIMIT :most_rows")

    @property
    def sqlite(self) -> str:
        """Read the rows."""
        return self._read(_SQLITE, f"json_each(:{self.name})")

    def given(self, rows: Sequence[tuple[Any, ...]]) -> dict[str, str]:
        """Return the parameter that holds the rows."""
        return {self.name: json.dumps(rows, default=_written)}

    def _read(self, reading: dict[str, str], rows: str) -> str:
        names = ",".join(column for column, _ in self.columns)
        values = ",".join(reading[kind].format(place=place) for place, (_, kind) in enumerate(self.columns))
        return f"{self.name}({names}) AS MATERIALIZED (SELECT {values} FROM {rows})"  # noqa: S608 (names of the code)


def _written(value: Any) -> Any:
    """Write what JSON has no form for: instants and dates as ISO 8601, dataclasses by field."""
    return value.isoformat() if isinstance(value, date) else vars(value)


def instant_text(instant: datetime | None) -> str | None:
    """Write an instant as a row holds it, which is how SQLite stores it: in UTC, without a zone."""
    return None if instant is None else instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def with_steps(steps: Sequence[str], write: str) -> str:
    """Put `write` after the named steps that it reads."""
    return "WITH " + ",\n".join(steps) + "\n" + write


def as_pyformat(statement: str) -> str:
    """Write parameters as psycopg takes them, in few characters: what has more than 4,096 it reads each time anew."""
    return _NAMED.sub(r"%(\1)s", _LOOSE.sub(lambda found: found[1] or found[2] or "", " ".join(statement.split())))
