"""Balances as they are known at the newest position, and what placing another posting does to them.

Called by the placing of postings. Invariant: a state is the fold of all entries that are placed; a snapshot of it is
kept whenever its version passes a multiple of `EVERY`, and what came late is kept apart, so that any past state is
at most `EVERY` versions and one posting away from a stored one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from kernel.db import table
from stock.asking import KEY, ask
from stock.chronicle import BalanceSnapshot, LatePosting, PlacedBalance
from stock.postings import COUNTERS, Key
from stock.recorded import Effect

EVERY = 16
# Lateness by class: whoever asks about a business time looks back in each class only as far as its bound.
LATE_BY = (timedelta(hours=1), timedelta(days=1), timedelta(days=30))
_PLACED = table(PlacedBalance)
_COLUMNS = [_PLACED.c[name] for name in _PLACED.columns.keys()]  # noqa: SIM118 (a collection of columns, not a dict)
_SELECTED = ", ".join(f"b.{column.name}" for column in _COLUMNS)
_LOAD = f"""
SELECT {_SELECTED} FROM key AS k CROSS JOIN placed_balance AS b WHERE b.sku = k.sku AND b.node = k.node"""  # noqa: S608


@dataclass(slots=True)
class State:
    """A balance at the newest position; one without a first position has nothing placed."""

    first_position: int | None = None
    position: int = 0
    version: int = 0
    latest_occurred_at: datetime | None = None
    counters: list[int] = field(default_factory=lambda: [0] * len(COUNTERS))


def load(session: Session, keys: Iterable[Key]) -> dict[Key, State]:
    """Return the states of balances; one that has none yet starts from nothing."""
    wanted = sorted(set(keys))
    states = {key: State() for key in wanted}
    for row in ask(session, _LOAD, KEY, wanted, columns=_COLUMNS):
        reached = (row.first_position, row.position, row.version, row.latest_occurred_at)
        states[row.sku, row.node] = State(*reached, counters=list(row[6:]))
    return states


@dataclass
class Placing:
    """The rows that placing some postings leads to."""

    states: dict[Key, State]
    touched: set[Key] = field(default_factory=set)
    snapshots: list[dict[str, Any]] = field(default_factory=list)
    late: list[dict[str, Any]] = field(default_factory=list)

    def apply(self, key: Key, effect: Effect, *, position: int, occurred_at: datetime) -> None:
        """Take a balance on to the posting at `position`, which happened at `occurred_at`."""
        state = self.states[key]
        latest = state.latest_occurred_at
        if latest is not None and occurred_at < latest and any(effect.counters):
            self.late.append(
                _row(key, position, effect.last, effect.counters)
                | {"occurred_at": occurred_at, "lateness": lateness(latest - occurred_at)}
            )
        passes = effect.last // EVERY > state.version // EVERY
        state.first_position = state.first_position or position
        state.position, state.version = position, effect.last
        state.latest_occurred_at = max(latest or occurred_at, occurred_at)
        state.counters = [before + change for before, change in zip(state.counters, effect.counters, strict=True)]
        if passes:
            self.snapshots.append(
                _row(key, position, state.version, state.counters) | {"latest_occurred_at": state.latest_occurred_at}
            )
        self.touched.add(key)

    def write(self, session: Session) -> None:
        """Write the states reached, the snapshots due, and what came late."""
        for model, rows in ((BalanceSnapshot, self.snapshots), (LatePosting, self.late)):
            if rows:
                session.execute(insert(table(model)), rows)
        if self.touched:
            dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
            given = dialect.insert(_PLACED)
            changed = {column.name: given.excluded[column.name] for column in _COLUMNS[3:]}
            statement = given.on_conflict_do_update(index_elements=["sku", "node"], set_=changed)
            session.execute(statement, [self._state_row(key) for key in sorted(self.touched)])

    def _state_row(self, key: Key) -> dict[str, Any]:
        state = self.states[key]
        placed = {"first_position": state.first_position, "latest_occurred_at": state.latest_occurred_at}
        return _row(key, state.position, state.version, state.counters) | placed


def lateness(late_by: timedelta) -> int:
    """Return the class of a lateness: the first bound that holds it, or the class beyond all bounds."""
    return next((place for place, bound in enumerate(LATE_BY) if late_by <= bound), len(LATE_BY))


def _row(key: Key, position: int, version: int, counters: Sequence[int]) -> dict[str, Any]:
    sku, node = key
    counted = dict(zip(COUNTERS, counters, strict=True))
    return {"sku": sku, "node": node, "position": position, "version": version, **counted}
