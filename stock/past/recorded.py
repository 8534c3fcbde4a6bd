"""Postings as they stand in the database, read back whole: their canonical text, and what they do to each balance.

Read by the placing of postings and by the seals. Invariant: the digest of a posting depends on every column of its row
and of its entries' rows, and on nothing else, so that any change of any of them shows, on either database.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from kernel.db import table
from stock.models import Posting, StockEntry
from stock.postings import COUNTER_OF, COUNTERS, Key

_POSTING = table(Posting)
_ENTRY = table(StockEntry)
_POSTINGS = select(
    *(_POSTING.c[name] for name in ("id", "kind", "reason", "actor", "reference", "occurred_at", "recorded_at"))
)
_ENTRIES = select(
    _ENTRY.c.posting_id,
    *(
        _ENTRY.c[name]
        for name in (
            "line", "sku", "units", "from_node", "from_account", "from_version", "to_node", "to_account", "to_version",
            "reservation_id",
        )
    ),
)  # fmt: skip
_COUNTER_OF = {account.value: counter for account, counter in COUNTER_OF.items()}


@dataclass(slots=True)
class Effect:
    """What a posting does to one balance: the versions that it takes the balance through, and the net change."""

    first: int
    last: int
    counters: list[int]

    def count(self, account: str, units: int) -> None:
        """Add units to the counter of an account, if it has one."""
        counter = _COUNTER_OF.get(account)
        if counter is not None:
            self.counters[counter] += units


@dataclass(frozen=True, slots=True)
class Recorded:
    """A posting and its entries, as the columns of their rows; entries without a posting have no header."""

    id: str
    header: Sequence[Any] | None
    entries: Sequence[Sequence[Any]]

    @property
    def occurred_at(self) -> datetime:
        """The business time."""
        assert self.header is not None, f"posting {self.id} is there"
        occurred_at: datetime = self.header[5]
        return occurred_at

    @property
    def digest(self) -> bytes:
        """SHA-256 of the canonical text: the header's columns, then those of each entry by line, as JSON."""
        rows = [[_plain(value) for value in row[1:]] for row in self.entries]
        text = [[_plain(value) for value in self.header or (self.id,)], sorted(rows, key=lambda row: (row[0], row[1]))]
        return hashlib.sha256(json.dumps(text, ensure_ascii=False, separators=(",", ":")).encode()).digest()

    def effects(self) -> dict[Key, Effect]:
        """Return what the posting does to each balance that it touches."""
        found: dict[Key, Effect] = {}
        for _, _, sku, units, from_node, from_account, from_version, to_node, to_account, to_version, _ in self.entries:
            for node, account, version, change in (
                (from_node, from_account, from_version, -units),
                (to_node, to_account, to_version, units),
            ):
                if node is not None:
                    effect = found.setdefault((sku, node), Effect(version, version, [0] * len(COUNTERS)))
                    effect.first, effect.last = min(effect.first, version), max(effect.last, version)
                    effect.count(account, change)
        return found


def read(session: Session, ids: Sequence[str]) -> dict[str, Recorded]:
    """Return these postings by id; one that is not there is left out, unless entries of it are."""
    return read_where(session, lambda id_: id_.in_(ids)) if ids else {}


def read_where(session: Session, wanted: Callable[[ColumnElement[str]], ColumnElement[bool]]) -> dict[str, Recorded]:
    """Return the postings whose id meets a condition; entries without a posting are told under the id they name."""
    headers = {row.id: row for row in session.execute(_POSTINGS.where(wanted(_POSTING.c.id)))}
    entries: dict[str, list[Any]] = defaultdict(list)
    for row in session.execute(_ENTRIES.where(wanted(_ENTRY.c.posting_id))):
        entries[row.posting_id].append(row)
    return {id_: Recorded(id_, headers.get(id_), entries.get(id_, ())) for id_ in {**headers, **entries}}


def _plain(value: Any) -> Any:
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else value
