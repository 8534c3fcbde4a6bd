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
from sqlalchemy.orm import Session

from kernel.db import insert_into, table
from stock.past.asking import KEY, ask
from stock.past.chronicle import BalanceSnapshot, LatePosting, PlacedBalance
from stock.past.recorded import Effect, Recorded
from stock.postings import COUNTERS, Key

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
    least_id: str = ""
    greatest_id: str = ""
    counters: list[int] = field(default_factory=lambda: [0] * len(COUNTERS))


def load(session: Session, keys: Iterable[Key]) -> dict[Key, State]:
    """Return the states of balances; one that has none yet starts from nothing."""
    wanted = sorted(set(keys))
    states = {key: State() for key in wanted}
    for row in ask(session, _LOAD, KEY, wanted, columns=_COLUMNS):
        reached = (row.first_position, row.position, row.version, row.latest_occurred_at, row.least_id, row.greatest_id)
        states[row.sku, row.node] = State(*reached, counters=list(row[-len(COUNTERS) :]))
    return states


@dataclass
class Placing:
    """The rows that placing some postings leads to."""

    states: dict[Key, State]
    touched: set[Key] = field(default_factory=set)
    snapshots: list[dict[str, Any]] = field(default_factory=list)
    late: list[dict[str, Any]] = field(default_factory=list)

    def apply(self, key: Key, effect: Effect, posting: Recorded, position: int) -> None:
        """Take a balance on to a posting that is placed at `position`."""
        state, occurred_at = self.states[key], posting.occurred_at
        latest = state.latest_occurred_at
        if latest is not None and occurred_at < latest and any(effect.counters):
            self.late.append(
                _row(key, position, effect.last, effect.counters)
                | {"occurred_at": occurred_at, "lateness": lateness(latest - occurred_at)}
            )
        passes = effect.last // EVERY > state.version // EVERY
        state.least_id = min(state.least_id or posting.id, posting.id)
        state.greatest_id = max(state.greatest_id, posting.id)
        state.first_position = state.first_position or position
        state.position, state.version = position, effect.last
        state.latest_occurred_at = max(latest or occurred_at, occurred_at)
        state.counters = [before + change for before, change in zip(state.counters, effect.counters, strict=True)]
        if passes:
            self.snapshots.append(_state_row(key, state))
            state.least_id = state.greatest_id = ""
        self.touched.add(key)

    def write(self, session: Session) -> None:
        """Write the states reached, the snapshots due, and what came late."""
        for model, rows in ((BalanceSnapshot, self.snapshots), (LatePosting, self.late)):
            if rows:
                session.execute(insert(table(model)), rows)
        if self.touched:
            given = insert_into(session, _PLACED)
            changed = {column.name: given.excluded[column.name] for column in _COLUMNS[3:]}
            statement = given.on_conflict_do_update(index_elements=["sku", "node"], set_=changed)
            placed = [
                _state_row(key, self.states[key]) | {"first_position": self.states[key].first_position}
                for key in sorted(self.touched)
            ]
            session.execute(statement, placed)


def lateness(late_by: timedelta) -> int:
    """Return the class of a lateness: the first bound that holds it, or the class beyond all bounds."""
    return next((place for place, bound in enumerate(LATE_BY) if late_by <= bound), len(LATE_BY))


def _state_row(key: Key, state: State) -> dict[str, Any]:
    reached = {name: getattr(state, name) for name in ("latest_occurred_at", "least_id", "greatest_id")}
    return _row(key, state.position, state.version, state.counters) | reached


def _row(key: Key, position: int, version: int, counters: Sequence[int]) -> dict[str, Any]:
    sku, node = key
    counted = dict(zip(COUNTERS, counters, strict=True))
    return {"sku": sku, "node": node, "position": position, "version": version, **counted}
