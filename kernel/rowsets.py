"""Many rows as the parameter of one statement, in whichever way the database reads them best.

Used where the house writes its own SQL: the outbox and the ledger. Invariant: the texts are put together from column
names in the code alone; whatever comes from outside is a parameter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

_NAMED = re.compile(r"(?<!:):([a-z_]+)")


@dataclass(frozen=True)
class RowSet:
    """Rows that a statement is given as a parameter, with the PostgreSQL type of each column."""

    name: str
    columns: tuple[tuple[str, str], ...]

    @property
    def unnested(self) -> str:
        """Read the rows from one array a column."""
        arrays = ", ".join(f":{self.name}_{column}::{kind}[]" for column, kind in self.columns)
        return f"{self.name} AS MATERIALIZED (SELECT * FROM unnest({arrays}) AS given({self._names}))"  # noqa: S608

    @property
    def from_json(self) -> str:
        """Read the rows from one JSON document."""
        fields = ", ".join(f"value ->> {place} AS {column}" for place, (column, _) in enumerate(self.columns))
        return f"{self.name} AS MATERIALIZED (SELECT {fields} FROM json_each(:{self.name}))"  # noqa: S608

    def as_arrays(self, rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
        """Return the parameters for `unnested`."""
        columns: Iterable[Sequence[Any]] = zip(*rows, strict=True) if rows else ([] for _ in self.columns)
        return {f"{self.name}_{name}": list(values) for (name, _), values in zip(self.columns, columns, strict=True)}

    def as_json(self, rows: Sequence[tuple[Any, ...]]) -> dict[str, str]:
        """Return the parameter for `from_json`."""
        return {self.name: json.dumps(rows)}

    @property
    def _names(self) -> str:
        return ", ".join(column for column, _ in self.columns)


def with_steps(steps: Sequence[str], write: str) -> str:
    """Put `write` after the named steps that it reads."""
    return "WITH " + ",\n".join(steps) + "\n" + write


def as_pyformat(statement: str) -> str:
    """Write parameters as psycopg takes them, on one line: it remembers only statements of up to 4096 characters."""
    return " ".join(_NAMED.sub(r"%(\1)s", statement).split())
