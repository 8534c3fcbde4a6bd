"""A ledger with a long history, written in bulk: postings, entries, events, positions and past states that all agree.

Called by `bench.growth`. What is written is what the ledger, the feed and the placing of positions would have written
for receipts of one unit each. Invariant: the proof of the ledger finds nothing in it.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from kernel import events
from kernel.db import Database, table
from kernel.events import OutboxPosition
from kernel.ids import least_id
from stock import ledger
from stock.models import Article, Node, StockBalance
from stock.past import positions
from stock.past.chronicle import BalanceSnapshot, PlacedBalance
from stock.past.recorded import Recorded
from stock.past.states import Placing, load
from stock.postings import Key
from stock.proof import partitions

LINES = 4
"""Entries of one posting."""
LASTING = timedelta(days=240)
CHUNK = 10_000
PLACED_AT_ONCE = 500
PLENTY = 1_000_000
SNAPSHOT = table(BalanceSnapshot).columns.keys()
COLUMNS = {
    "posting": "id, kind, reason, actor, reference, occurred_at, recorded_at",
    "stock_entry": "sku, posting_id, line, units, from_node, from_account, from_version, to_node, to_account, "
    "to_version, reservation_id",
    "outbox": "id, type, aggregate, aggregate_id, sequence, payload, recorded_at",
    "outbox_position": "position, event_id",
    "posting_position": "position, posting_id, entries, digest",
    "balance_snapshot": ", ".join(SNAPSHOT),
}
STOCKED = (
    "UPDATE stock_balance SET on_hand = on_hand + :more, version = version + :more WHERE sku = :sku AND node = :node"
)
MARKED = "UPDATE ledger_mark SET position = :feed WHERE name = 'events'"
UNBOUNDED = text(f"UPDATE stock_balance SET backorder_limit = {PLENTY} WHERE sku BETWEEN :first AND :last")
LAID_OUT = 500
"""Articles whose balances are made in one transaction."""

Rows = dict[str, list[tuple[Any, ...]]]


def lay_out(database: Database, *, skus: int, nodes: int) -> None:
    """Make articles, nodes and an empty balance of each at each."""
    with database.turn(), database.write() as session:
        places = [f"N{number:04}" for number in range(nodes)]
        articles = [f"A{number:07}" for number in range(skus)]
        kinds = {"kind": "store", "status": "open", "time_zone": "Europe/Madrid"}
        session.execute(insert(table(Node)), [{"id": node, "name": node, **kinds} for node in places])
        named = [{"sku": sku, "name": sku, "currency": "EUR"} for sku in articles]
        session.execute(insert(table(Article)), named)
        session.commit()
    for first in range(0, skus, LAID_OUT):
        with database.turn(), database.write() as session:
            some = articles[first : first + LAID_OUT]
            ledger.create_balances(session, ((sku, node) for sku in some for node in places))
            # However the draws fall, no posting is refused.
            session.execute(UNBOUNDED, {"first": some[0], "last": some[-1]})
            session.commit()


def grow(database: Database, entries: int, *, skus: int) -> None:
    """Write so many entries more, on all balances of the first `skus` articles alike."""
    begun_at = _place_what_is_there(database)
    with database.read() as session:
        first_skus = select(Article.sku).order_by(Article.sku).limit(skus)
        position = positions.newest(session)
        feed = session.scalar(select(func.coalesce(func.max(OutboxPosition.position), 0))) or 0
        found = select(StockBalance.sku, StockBalance.node).where(StockBalance.sku.in_(first_skus))
        keys = [(sku, node) for sku, node in session.execute(found.order_by(StockBalance.node, StockBalance.sku))]
        placing = Placing(load(session, keys))
    count = entries // LINES
    more: Counter[Key] = Counter()
    for first in range(0, count, CHUNK):
        rows: Rows = defaultdict(list)
        for number in range(first, min(first + CHUNK, count)):
            touched = [keys[(number * LINES + line) % len(keys)] for line in range(LINES)]
            more.update(touched)
            instant = begun_at + LASTING * (number / count)
            _posting(rows, placing, touched, instant, number, places=(position + number + 1, feed + number + 1))
        rows["balance_snapshot"] = [tuple(row[name] for name in SNAPSHOT) for row in placing.snapshots]
        placing.snapshots.clear()
        with database.turn(), database.write() as session:
            _copy(session, rows)
            session.commit()
    _finish(database, placing, more, feed + count)


def _place_what_is_there(database: Database) -> datetime:
    """Give what was posted before its positions, make the months to come, and return when they begin."""
    with database.turn(), database.write() as session:
        while events.place(session, limit=PLACED_AT_ONCE) or positions.place(session, limit=PLACED_AT_ONCE):
            pass
        latest = session.scalar(select(func.max(PlacedBalance.latest_occurred_at)))
        begun_at = (latest or datetime(2026, 1, 1, tzinfo=UTC)) + timedelta(seconds=1)
        for month in partitions.following_months(begun_at, LASTING.days // 28 + 1):
            partitions.make_ahead(session, now=month)
        session.commit()
    return begun_at


def _posting(
    rows: Rows, placing: Placing, touched: Sequence[Key], instant: datetime, number: int, *, places: tuple[int, int]
) -> None:
    """Add the rows of a receipt of one unit for each balance; `places` are its position and that of its event."""
    id_ = f"{least_id(instant)[:14]}7000-8000-{number:012x}"
    header = (id_, "receipt", "good", "bench", "", instant, instant)
    entries = []
    for line, (sku, node) in enumerate(touched, start=1):
        version = placing.states[sku, node].version + 1
        moved = (1, None, "supplier", None, node, "on_hand", version, None)
        entries.append((id_, line, sku, *moved))
        rows["stock_entry"].append((sku, id_, line, *moved))
    posting = Recorded(id_, header, entries)
    for key, effect in posting.effects().items():
        placing.apply(key, effect, posting, places[0])
    told = {
        "kind": "receipt", "reason": "good", "reference": "", "skus": sorted({sku for sku, _ in touched}),
        "nodes": sorted({node for _, node in touched}),
    }  # fmt: skip
    rows["posting"].append(header)
    rows["outbox"].append((id_, "stock.posted", "stock", id_, 1, json.dumps(told), instant))
    rows["outbox_position"].append((places[1], id_))
    rows["posting_position"].append((places[0], id_, len(entries), posting.digest))


def _copy(session: Session, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    connection: Any = session.connection().connection.driver_connection
    for name, columns in COLUMNS.items():
        if session.get_bind().dialect.name == "postgresql":
            with connection.cursor().copy(f"COPY {name} ({columns}) FROM STDIN") as copy:
                for row in rows[name]:
                    copy.write_row(row)
        else:
            marks = ", ".join("?" * (columns.count(",") + 1))
            connection.executemany(f"INSERT INTO {name} ({columns}) VALUES ({marks})", map(_plain, rows[name]))


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Write instants as SQLite keeps them."""
    return tuple(
        f"{value.replace(tzinfo=None):%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value for value in row
    )


def _finish(database: Database, placing: Placing, more: Counter[Key], feed: int) -> None:
    """Bring the balances, their placed states and the mark of placing to where history ends."""
    moved = sorted(more)
    for first in range(0, len(moved), CHUNK):
        part = moved[first : first + CHUNK]
        with database.turn(), database.write() as session:
            session.execute(text(STOCKED), [{"sku": sku, "node": node, "more": more[sku, node]} for sku, node in part])
            Placing(placing.states, touched=set(part)).write(session)
            session.execute(text(MARKED), {"feed": feed})
            session.commit()
    with database.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if database.is_sqlite else "VACUUM ANALYZE"))
