"""The past proves itself: what is stored of it is folded again from the postings and entries it was made from.

Walked by the doors with the rest of the proof. Answers about the past start from stored states and add what was posted
late, so that one wrong row would make many answers wrong. Invariants that are asked: a snapshot, and the state at the
newest position, are the fold of the entries placed until then, with the latest business time of their postings; the ids
that a state names enclose the postings since the snapshot before, or answers would look into too few months; a posting
is noted as late exactly when a later business time was placed before it. Where history is archived, the fold begins at
the state kept there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Row, Select, case, func, select, union_all
from sqlalchemy.orm import Session

from kernel.db import Base, table
from kernel.proofs import Finding, Part, Stretch, everything
from stock.models import Posting, StockEntry
from stock.past.chronicle import BalanceSnapshot, LatePosting, MarkName, PlacedBalance, PostingPosition, reached
from stock.past.states import lateness
from stock.postings import COUNTERS, Key

INVARIANT = "past"
LIMIT = 100
AT_A_TIME = 1000
_ENTRY, _POSITION, _POSTING = table(StockEntry), table(PostingPosition), table(Posting)


@dataclass(frozen=True)
class Stored:
    """What is stored of one balance, by position; the last snapshot that archiving left is where the fold begins."""

    opening: Row[Any] | None
    snapshots: dict[int, Row[Any]] = field(default_factory=dict)
    late: dict[int, Row[Any]] = field(default_factory=dict)
    placed: Row[Any] | None = None


@dataclass
class Fold:
    """A balance, folded posting by posting."""

    position: int = 0
    version: int = 0
    latest_occurred_at: datetime | None = None
    counters: tuple[int, ...] = (0,) * len(COUNTERS)
    ids: list[str] = field(default_factory=list)
    first_position: int | None = None

    @property
    def told(self) -> tuple[Any, ...]:
        """What a stored state of this moment says."""
        return self.position, self.version, self.latest_occurred_at, *self.counters

    def take(self, effect: Row[Any]) -> tuple[Any, ...] | None:
        """Go on by what a posting did; return what is noted of it when it came late, else None."""
        changes, before = tuple(int(getattr(effect, name)) for name in COUNTERS), self.latest_occurred_at
        late = before is not None and effect.occurred_at < before and any(changes)
        self.position, self.version = effect.position, effect.version
        self.latest_occurred_at = max(before or effect.occurred_at, effect.occurred_at)
        self.counters = tuple(map(sum, zip(self.counters, changes, strict=True)))
        self.first_position = self.first_position or effect.position
        self.ids = [min([effect.id, *self.ids]), max([effect.id, *self.ids])]
        if not late:
            return None
        assert before is not None, "late is after something"
        return effect.version, effect.occurred_at, lateness(before - effect.occurred_at), *changes


def by_sku(session: Session, stretch: Stretch, *, limit: int = LIMIT) -> Iterator[Finding]:
    """Yield what is stored of the past in a stretch of SKUs and is not what happened, in key order, up to `limit`."""
    return islice(_found(session, stretch), limit)


def findings(session: Session) -> Iterator[Finding]:
    """Yield each stored row of the past that its postings do not lead to."""
    return everything(session, PARTS)


def _found(session: Session, stretch: Stretch) -> Iterator[Finding]:
    stored = _stored(session, stretch)
    effects = session.execute(_effects(stretch), execution_options={"yield_per": AT_A_TIME})
    # Merged by key: a balance may have stored states and no entries, or entries and nothing stored.
    for key, rows in groupby(effects, key=lambda row: (row.sku, row.node)):
        yield from _compared(key, rows, stored.pop(key, Stored(None)))
    for key, left in sorted(stored.items()):
        yield from _compared(key, (), left)


def _effects(stretch: Stretch) -> Select[Any]:
    """Select what each placed posting did to each balance, by balance and position."""
    sides = union_all(_side("from", -1, stretch), _side("to", 1, stretch)).subquery("side")
    counted = [
        func.sum(case((sides.c.account == counter, sides.c.units), else_=0)).label(counter) for counter in COUNTERS
    ]
    of = (sides.c.sku, sides.c.node, _POSITION.c.position, _POSTING.c.id, _POSTING.c.occurred_at)
    query = select(*of, func.max(sides.c.version).label("version"), *counted)
    query = query.join(_POSITION, _POSITION.c.posting_id == sides.c.posting_id)
    query = query.join(_POSTING, _POSTING.c.id == sides.c.posting_id)
    return query.group_by(*of).order_by(sides.c.sku, sides.c.node, _POSITION.c.position)


def _side(end: str, sign: int, stretch: Stretch) -> Select[Any]:
    """Select the entries seen from the node at one end of them."""
    node, account, version = (_ENTRY.c[f"{end}_{name}"] for name in ("node", "account", "version"))
    query = select(
        _ENTRY.c.sku, node.label("node"), _ENTRY.c.posting_id, account.label("account"), version.label("version"),
        (sign * _ENTRY.c.units).label("units"),
    )  # fmt: skip
    return query.where(node.is_not(None), stretch.over(_ENTRY.c.sku))


def _stored(session: Session, stretch: Stretch) -> dict[Key, Stored]:
    """Return what is stored of each balance, without what lies before the state that archiving kept."""
    archived = reached(session, MarkName.ARCHIVED)
    snapshots, late, placed = (
        _by_key(session, model, stretch) for model in (BalanceSnapshot, LatePosting, PlacedBalance)
    )
    stored = {}
    for key in {*snapshots, *late, *placed}:
        opening = max((position for position in snapshots[key] if position <= archived), default=0)
        stored[key] = Stored(
            snapshots[key].get(opening), _after(snapshots[key], opening), _after(late[key], opening),
            next(iter(placed[key].values()), None),
        )  # fmt: skip
    return stored


def _by_key(session: Session, model: type[Base], stretch: Stretch) -> Mapping[Key, dict[int, Row[Any]]]:
    rows: dict[Key, dict[int, Row[Any]]] = defaultdict(dict)
    columns = table(model).c
    for row in session.execute(select(*columns).where(stretch.over(columns.sku))):
        rows[row.sku, row.node][row.position] = row
    return rows


def _after(rows: Mapping[int, Row[Any]], position: int) -> dict[int, Row[Any]]:
    return {place: row for place, row in rows.items() if place > position}


def _compared(key: Key, effects: Iterable[Row[Any]], stored: Stored) -> Iterator[Finding]:
    """Fold a balance, hold what is stored against it on the way, and name what is left over."""
    fold = _opened(stored.opening)
    for effect in effects:
        if effect.version <= fold.version and stored.opening is not None:
            continue
        noted, late = fold.take(effect), stored.late.pop(effect.position, None)
        if noted != (_noted(late) if late else None):
            yield _finding("late_posting", key, effect.position, "is not noted as late as it came, or should not be")
        snapshot = stored.snapshots.pop(effect.position, None)
        if snapshot is not None:
            yield from _unlike("balance_snapshot", key, snapshot, fold)
            fold.ids = []
    if stored.placed is not None:
        yield from _unlike("placed_balance", key, stored.placed, fold)
        if stored.opening is None and stored.placed.first_position != fold.first_position:
            yield _finding("placed_balance", key, fold.position, f"was first posted to at {fold.first_position}")
    elif fold.position:
        yield _finding("placed_balance", key, fold.position, "is not there")
    for name, rows in (("balance_snapshot", stored.snapshots), ("late_posting", stored.late)):
        for position in sorted(rows):
            yield _finding(name, key, position, "tells of a position at which nothing was posted to it")


def _opened(opening: Row[Any] | None) -> Fold:
    if opening is None:
        return Fold()
    counters = tuple(getattr(opening, name) for name in COUNTERS)
    return Fold(opening.position, opening.version, opening.latest_occurred_at, counters)


def _unlike(name: str, key: Key, row: Row[Any], fold: Fold) -> Iterator[Finding]:
    """Yield it when a stored state is not the fold, or does not enclose the ids of its postings."""
    told = _told(row)
    if told != fold.told:
        differ = ", ".join(f"{what} {stored} against {folded}" for what, stored, folded in _differences(told, fold))
        yield _finding(name, key, row.position, f"is not the fold of what was placed until then: {differ}")
    elif fold.ids and not (row.least_id <= fold.ids[0] and fold.ids[1] <= row.greatest_id):
        yield _finding(name, key, row.position, "does not enclose the ids of its postings")


def _told(row: Row[Any]) -> tuple[Any, ...]:
    return row.position, row.version, row.latest_occurred_at, *(getattr(row, name) for name in COUNTERS)


def _noted(row: Row[Any]) -> tuple[Any, ...]:
    return row.version, row.occurred_at, row.lateness, *(getattr(row, name) for name in COUNTERS)


def _differences(told: Sequence[Any], fold: Fold) -> Iterator[tuple[str, Any, Any]]:
    names = ("position", "version", "latest business time", *COUNTERS)
    for name, stored, folded in zip(names, told, fold.told, strict=True):
        if stored != folded:
            yield name.replace("_", " "), stored, folded


def _finding(name: str, key: Key, position: int, fault: str) -> Finding:
    sku, node = key
    return Finding(INVARIANT, name, f"{sku} at {node}, position {position}", fault, sku)


# A row of it is an entry read whole and folded here, not summed by the database.
PARTS = (Part("past", (StockEntry.sku, PlacedBalance.sku), by_sku, weight=2),)
