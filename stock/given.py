"""Rows that a query is given as one parameter, so that one question serves many balances.

Used by what reads the ledger's history. Invariant: the text of a query does not depend on how many rows it is given.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Given:
    """A table of rows that a query is given: its name, and its columns with their types."""

    name: str
    columns: tuple[tuple[str, str], ...]

    def table(self, session: Session) -> str:
        """Return the common table expression that reads the rows from the parameter of that name."""
        fields = ", ".join(
            f"CAST(value ->> {place} AS {kind}) AS {column}" for place, (column, kind) in enumerate(self.columns)
        )
        return f"{self.name} AS MATERIALIZED (SELECT {fields} FROM {self._each(session)})"  # noqa: S608

    def rows(self, rows: Sequence[Sequence[Any]]) -> dict[str, str]:
        """Return the parameter."""
        return {self.name: json.dumps([list(row) for row in rows])}

    def _each(self, session: Session) -> str:
        if session.get_bind().dialect.name == "postgresql":
            return f"jsonb_array_elements(CAST(:{self.name} AS jsonb)) AS given(value)"
        return f"json_each(:{self.name})"


KEY = Given("key", (("sku", "TEXT"), ("node", "TEXT")))
SPAN = Given("span", (("sku", "TEXT"), ("node", "TEXT"), ("start", "INTEGER"), ("stop", "INTEGER")))
"""Versions of a balance: those after `start`, up to `stop`."""
