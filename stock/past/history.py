"""The past: every balance as it was known at a position of the ledger, also about a business time before that.

Called by the doors, and by whoever archives. Invariant: what was known at position p about time t never changes,
whatever is posted later; and the cost of an answer depends on how many balances it is about, not on how much was
posted before or after. It starts from a stored state (`states.py` keeps them) and folds the few versions between that
one and the next; what happened in time but was posted later is added from the late postings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, Row, Select, case, func, literal, select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import NamedFromClause

from kernel.db import insert_into, table
from kernel.pages import Page
from kernel.rowsets import RowSet
from stock.errors import HistoryArchived, UnknownPosition
from stock.past.asking import ask
from stock.past.chronicle import BalanceSnapshot, LedgerMark, MarkName, PlacedBalance, reached
from stock.past.positions import newest
from stock.past.states import LATE_BY
from stock.postings import COUNTERS, Key

_REACHED = ("position", "version", "latest_occurred_at")
_STATE = (*_REACHED, "least_id", "greatest_id")
LONG_AGO, LONG_AFTER = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_PLACED, _SNAPSHOT = table(PlacedBalance), table(BalanceSnapshot)
_COUNTED = ", ".join(
    f"sum(CASE WHEN d.account = '{counter}' THEN d.units ELSE 0 END) AS {counter}" for counter in COUNTERS
)
SPAN = RowSet(
    "span",
    (
        ("sku", "text"), ("node", "text"), ("start", "int"), ("stop", "int"),
        ("least_id", "text"), ("greatest_id", "text"),
    ),
)  # fmt: skip
# Each entry of a span, seen from the balance: what it did to the account at that node. The ids say in which partitions.
SIDES = """sides AS (
  SELECT s.sku, s.node, e.posting_id, e.to_version AS version, e.to_account AS account, e.units
  FROM span AS s CROSS JOIN stock_entry AS e
  WHERE e.sku = s.sku AND e.to_node = s.node AND e.to_version > s.start AND e.to_version <= s.stop
    AND e.posting_id >= s.least_id AND e.posting_id <= s.greatest_id
  UNION ALL
  SELECT s.sku, s.node, e.posting_id, e.from_version, e.from_account, -e.units
  FROM span AS s CROSS JOIN stock_entry AS e
  WHERE e.sku = s.sku AND e.from_node = s.node AND e.from_version > s.start AND e.from_version <= s.stop
    AND e.posting_id >= s.least_id AND e.posting_id <= s.greatest_id
)"""
KNOWN = f"""SELECT d.sku, d.node, max(d.version) AS version, {_COUNTED}
FROM sides AS d CROSS JOIN posting_position AS p
WHERE p.posting_id = d.posting_id AND p.position <= :position GROUP BY d.sku, d.node"""  # noqa: S608
HAPPENED = f"""SELECT d.sku, d.node, max(d.version) AS version, {_COUNTED},
  max(p.position) AS position, max(h.occurred_at) AS latest_occurred_at, min(h.id) AS least_id, max(h.id) AS greatest_id
FROM sides AS d CROSS JOIN posting_position AS p CROSS JOIN posting AS h
WHERE p.posting_id = d.posting_id AND p.position <= :position AND h.id = d.posting_id AND h.occurred_at <= :at
GROUP BY d.sku, d.node"""  # noqa: S608
# Postings that came after the span, and tell of what had happened by then.
_ADDED = ", ".join(f"sum(l.{counter}) AS {counter}" for counter in COUNTERS)
WITHIN = "within AS ({})".format(
    " UNION ALL ".join(f"SELECT {place} AS lateness, :since_{place} AS since" for place in range(len(LATE_BY) + 1))
)
LATE = f"""SELECT s.sku, s.node, {_ADDED} FROM span AS s CROSS JOIN within AS w CROSS JOIN late_posting AS l
WHERE l.sku = s.sku AND l.node = s.node AND l.lateness = w.lateness AND l.occurred_at > w.since
  AND l.occurred_at <= :at AND l.version > s.stop AND l.position <= :position GROUP BY s.sku, s.node"""  # noqa: S608


@dataclass(frozen=True, kw_only=True, slots=True)
class PastBalance:
    """A balance as it was known; about a business time it has no version, and limits have no history."""

    sku: str
    node: str
    version: int | None
    on_hand: int
    reserved: int
    picked: int
    damaged: int
    quarantine: int
    in_transit: int
    safety_stock: None = None
    backorder_limit: None = None


@dataclass(frozen=True, slots=True)
class Start:
    """A stored state of a balance, and up to which version and between which ids what follows it lies."""

    key: Key
    position: int
    version: int
    latest_occurred_at: datetime
    counters: Sequence[int]
    stop: int
    least_id: str
    greatest_id: str


def position_to_read(session: Session, position: int | None) -> int:
    """Return the position for which an answer is to be true: this one, or the newest. Raises UnknownPosition."""
    last = newest(session)
    if position is not None and position > last:
        raise UnknownPosition(position, last)
    return last if position is None else position


def as_of(session: Session, skus: Sequence[str], *, position: int, at: datetime | None = None) -> list[PastBalance]:
    """Return all balances of these articles as they were known at `position`; with `at`, about that business time.

    A balance of which nothing was known is left out. Raises HistoryArchived.
    """
    query = _balances(position).where(_PLACED.c.sku.in_(skus))
    return _past(session, _starts(session, query, position, at), position, at)


def page(
    session: Session, *, sku: str | None, node: str | None, after: Sequence[Any] | None, limit: int,
    position: int, at: datetime | None,
) -> Page:  # fmt: skip
    """Return past balances by SKU and node, a page at a time. Raises HistoryArchived."""
    query = _after(_balances(position), after).limit(limit + 1)
    for column, value in ((_PLACED.c.sku, sku), (_PLACED.c.node, node)):
        query = query if value is None else query.where(column == value)
    found = _starts(session, query, position, at)
    last = list(found[limit - 1].key) if len(found) > limit else None
    return Page(_past(session, found[:limit], position, at), last)


def keep_states(session: Session, position: int, *, after: Key | None, limit: int) -> Key | None:
    """Store the states of up to `limit` balances as they are known at `position`, for entries up to it to be archived.

    Returns the last key, to go on after it; None when all are stored: the mark `archived` may then be raised to
    `position`, and what is at or before it may go.
    """
    starts = _starts(session, _after(_balances(position), after).limit(limit), position, None)
    folded = _fold(session, HAPPENED, starts, position=position, at=LONG_AFTER)
    rows = [_state_row(start, folded.get(start.key)) for start in starts]
    if rows:
        session.execute(insert_into(session, _SNAPSHOT).on_conflict_do_nothing(), rows)
    return starts[-1].key if len(starts) == limit else None


def opening(sku: str, node: str) -> Select[BalanceSnapshot]:
    """Select what a balance was when the archived entries left; no row where none did."""
    archived = select(LedgerMark.position).where(LedgerMark.name == MarkName.ARCHIVED).scalar_subquery()
    kept = select(BalanceSnapshot).where(BalanceSnapshot.sku == sku, BalanceSnapshot.node == node)
    return kept.where(BalanceSnapshot.position <= archived).order_by(BalanceSnapshot.position.desc()).limit(1)


def _balances(position: int) -> Select[Any]:
    """Select the keys of the balances of which something was known at a position, in order."""
    keys = (_PLACED.c.sku, _PLACED.c.node)
    return select(*keys).where(_PLACED.c.first_position <= position).order_by(*keys)


def _after(query: Select[Any], key: Sequence[Any] | None) -> Select[Any]:
    if key is None:
        return query
    return query.where(tuple_(_PLACED.c.sku, _PLACED.c.node) > tuple_(*(literal(part) for part in key)))


def _starts(session: Session, query: Select[Any], position: int, at: datetime | None) -> list[Start]:
    """Return the last stored state before what is asked of each balance, be it the one at the newest position."""
    current = _PLACED.c.position <= position
    if at is not None:
        current &= _PLACED.c.latest_occurred_at <= at
    wanted = query.add_columns(
        current.label("current"), *(_PLACED.c[name] for name in (*_STATE, *COUNTERS)),
        case((~current, _last_stored(position, at)), else_=None).label("stored"),
    ).cte("wanted")  # fmt: skip
    span = select(wanted, _next_stored(wanted).label("next")).cte("span")
    before, after = _SNAPSHOT.alias("before"), _SNAPSHOT.alias("after")
    columns = [each.c[name].label(f"{each.name}_{name}") for each in (before, after) for name in (*_STATE, *COUNTERS)]
    found = select(span, *columns).outerjoin_from(span, before, _is_at(before, span, "stored"))
    found = found.outerjoin(after, _is_at(after, span, "next")).order_by(span.c.sku, span.c.node)
    rows = session.execute(found).all()
    archived = reached(session, MarkName.ARCHIVED)
    if any(row.next is not None and row.next <= archived for row in rows):
        raise HistoryArchived(archived)
    return [_start(row) for row in rows]


def _is_at(snapshot: NamedFromClause, span: CTE, position: str) -> ColumnElement[bool]:
    return (snapshot.c.sku == span.c.sku) & (snapshot.c.node == span.c.node) & (snapshot.c.position == span.c[position])


def _last_stored(position: int, at: datetime | None) -> ColumnElement[int]:
    """Select the position of a balance's last snapshot that was known at `position`, and had all happened by `at`."""
    known = _SNAPSHOT.alias("known")
    same = (known.c.sku == _PLACED.c.sku) & (known.c.node == _PLACED.c.node)
    most: ColumnElement[int] = literal(position)
    if at is not None:
        happened = _SNAPSHOT.alias("happened")
        by_then = (
            select(happened.c.position)
            .where(
                happened.c.sku == _PLACED.c.sku, happened.c.node == _PLACED.c.node, happened.c.latest_occurred_at <= at
            )
            .order_by(happened.c.latest_occurred_at.desc(), happened.c.position.desc())
            .limit(1)
        )
        then = by_then.correlate(_PLACED).scalar_subquery()
        # One bound: of two, SQLite would search by one and look at every snapshot for the other.
        most = case((then < most, then), (then >= most, most))
    last = select(known.c.position).where(same, known.c.position <= most).order_by(known.c.position.desc()).limit(1)
    return last.correlate(_PLACED).scalar_subquery()


def _next_stored(wanted: CTE) -> ColumnElement[int]:
    """Select the position of the snapshot after the one to start from."""
    following = _SNAPSHOT.alias("following")
    query = select(following.c.position).where(
        following.c.sku == wanted.c.sku,
        following.c.node == wanted.c.node,
        following.c.position > func.coalesce(wanted.c.stored, 0),
        ~wanted.c.current,
    )
    return query.order_by(following.c.position).limit(1).correlate(wanted).scalar_subquery()


def _start(row: Row[Any]) -> Start:
    """Start from the state before; what is to be folded ends with the one after, be they snapshots or the present."""
    before = "" if row.current else "before_"
    after = "" if row.next is None else "after_"
    position, version, latest, *counters = (getattr(row, f"{before}{name}") for name in (*_REACHED, *COUNTERS))
    if position is None:
        position, version, latest, counters = 0, 0, LONG_AGO, [0] * len(COUNTERS)
    stop, least_id, greatest_id = (getattr(row, f"{after}{name}") for name in ("version", "least_id", "greatest_id"))
    return Start((row.sku, row.node), position, version, latest, counters, stop, least_id, greatest_id)


def _past(session: Session, starts: Sequence[Start], position: int, at: datetime | None) -> list[PastBalance]:
    """Fold what follows each start, and add what was posted late; in the order of the starts."""
    if at is None:
        parts = [_fold(session, KNOWN, starts, position=position)]
    else:
        # What was posted long after, about that time: looked for as far back as a posting of its lateness can lie.
        since = {f"since_{place}": at - late_by for place, late_by in enumerate(LATE_BY)}
        since[f"since_{len(LATE_BY)}"] = LONG_AGO
        parts = [
            _fold(session, HAPPENED, starts, position=position, at=at),
            _rows(ask(session, LATE, SPAN, _spans(starts), {"position": position, "at": at, **since}, steps=[WITHIN])),
        ]
    return [_balance(start, [part[start.key] for part in parts if start.key in part], at) for start in starts]


def _fold(session: Session, query: str, starts: Sequence[Start], **parameters: Any) -> dict[Key, Row[Any]]:
    """Sum up what the entries after each start did, as far as the query counts them."""
    columns = [_SNAPSHOT.c[name] for name in ("sku", "node", "version", *COUNTERS)]
    if query is HAPPENED:
        columns += [_SNAPSHOT.c[name] for name in ("position", "latest_occurred_at", "least_id", "greatest_id")]
    return _rows(ask(session, query, SPAN, _spans(starts), parameters, steps=[SIDES], columns=columns))


def _spans(starts: Sequence[Start]) -> list[tuple[Any, ...]]:
    return [
        (*start.key, start.version, start.stop, start.least_id, start.greatest_id)
        for start in starts
        if start.version < start.stop
    ]


def _rows(rows: Sequence[Row[Any]]) -> dict[Key, Row[Any]]:
    return {(row.sku, row.node): row for row in rows}


def _balance(start: Start, parts: Sequence[Row[Any]], at: datetime | None) -> PastBalance:
    version = max([start.version, *(part.version for part in parts)]) if at is None else None
    sku, node = start.key
    return PastBalance(sku=sku, node=node, version=version, **_counters(start, parts))


def _counters(start: Start, parts: Sequence[Row[Any]]) -> dict[str, Any]:
    return {
        counter: int(before + sum(getattr(part, counter) for part in parts))
        for counter, before in zip(COUNTERS, start.counters, strict=True)
    }


def _state_row(start: Start, more: Row[Any] | None) -> dict[str, Any]:
    sku, node = start.key
    reached_by = more or start
    return {
        "sku": sku, "node": node, "position": reached_by.position, "version": reached_by.version,
        "latest_occurred_at": max(reached_by.latest_occurred_at, start.latest_occurred_at),
        "least_id": reached_by.least_id, "greatest_id": reached_by.greatest_id,
        **_counters(start, [more] if more else []),
    }  # fmt: skip
