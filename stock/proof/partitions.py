"""The months of the ledger on PostgreSQL: postings and entries stand in a partition for each month of their id.

Ids are ordered by the time they were made, so that a month is a range of ids, keys stay what they are, and whoever
looks for an id opens one partition. The job makes months ahead; the default partition takes what no month does, so that
a posting is never refused for want of one. Invariant: each partition holds a version of a balance at most once; between
partitions it is the balance's own row lock that hands out each version, and the proof (I3) that watches it.
SQLite keeps plain tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import text

from kernel.ids import least_id, made_at

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

TABLES = ("posting", "stock_entry")
MONTHS_AHEAD = 3
# Making a partition waits for whoever reads the table, and all others wait behind it.
PATIENCE = "SET LOCAL lock_timeout = '2s'"
THERE = "SELECT to_regclass(:name) IS NOT NULL"
OVERTAKEN = "SELECT EXISTS (SELECT 1 FROM {table}_default WHERE {key} >= :first AND {key} < :beyond)"
KEYS = {"posting": "id", "stock_entry": "posting_id"}
ONE_OF_EACH_VERSION = """CREATE UNIQUE INDEX uq_{name}_{side} ON {name} (sku, {side}_node, {side}_version)"""
NOT_EMPTIED = """CREATE TRIGGER {name}_no_truncate BEFORE TRUNCATE ON {name}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"""


def make_ahead(session: Session, *, now: datetime) -> int:
    """Make the partitions of this month and the next ones that are missing; return how many were made."""
    if session.get_bind().dialect.name != "postgresql":
        return 0
    session.execute(text(PATIENCE))
    months = list(following_months(now, MONTHS_AHEAD + 1))
    return sum(_make(session, table, month) for month in months for table in TABLES)


def following_months(instant: datetime, count: int) -> Iterator[datetime]:
    """Yield the first instants of the month of `instant` and of those after it."""
    month = instant.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(count):
        yield month
        month = month_after(month)


def month_after(month: datetime) -> datetime:
    """Return the first instant of the month after the one that begins at `month`."""
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def partition_of(table: str, month: datetime) -> str:
    """Return the name of a month's partition."""
    return f"{table}_{month:%Y_%m}"


def guards(table: str, name: str) -> Iterator[str]:
    """Yield the statements that give a partition what it does not have from its table."""
    yield NOT_EMPTIED.format(name=name)
    if table == "stock_entry":
        for side in ("from", "to"):
            yield ONE_OF_EACH_VERSION.format(name=name, side=side)


def _make(session: Session, table: str, month: datetime) -> bool:
    """Make one partition, unless it is there or its rows already stand in the default one, where they may stay."""
    name, first, beyond = partition_of(table, month), least_id(month), least_id(month_after(month))
    if session.scalar(text(THERE), {"name": name}):
        return False
    overtaken = text(OVERTAKEN.format(table=table, key=KEYS[table]))
    if session.scalar(overtaken, {"first": first, "beyond": beyond}):
        return False
    session.execute(text(f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ('{first}') TO ('{beyond}')"))
    for statement in guards(table, name):
        session.execute(text(statement))
    return True


def drop_before(session: Session, before_id: str) -> None:
    """Drop the partitions whose months lie before an id; what is not archived of them stays, in the default partition.

    Called when the mark `archived` has been raised. Entries leave before the postings that they name.
    """
    for table in TABLES:
        session.execute(text(f"CREATE TEMPORARY TABLE kept_{table} (LIKE {table}) ON COMMIT DROP"))
    for table in reversed(TABLES):
        for name in _older(session, table, before_id):
            session.execute(text(f"ALTER TABLE {table} DETACH PARTITION {name}"))
            session.execute(text(KEPT.format(table=table, name=name, key=KEYS[table])))
            session.execute(text(f"DROP TABLE {name}"))
        _make_default(session, table)
    for table in TABLES:
        session.execute(text(f"INSERT INTO {table} TABLE kept_{table}"))


# The months before an id, and the default partition when it holds something that is archived.
OLDER = """SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = CAST(:table AS regclass) AND c.relname < :month AND c.relname ~ :pattern ORDER BY c.relname"""
ARCHIVED = """SELECT EXISTS (SELECT 1 FROM {table}_default AS d JOIN posting_position AS p ON p.posting_id = d.{key}
JOIN ledger_mark AS m ON m.name = 'archived' AND p.position <= m.position)"""
KEPT = """INSERT INTO kept_{table} SELECT d.* FROM {name} AS d
LEFT JOIN posting_position AS p ON p.posting_id = d.{key}
WHERE p.position IS NULL OR p.position > (SELECT position FROM ledger_mark WHERE name = 'archived')"""


def _older(session: Session, table: str, before_id: str) -> list[str]:
    within = {"table": table, "month": partition_of(table, made_at(before_id)), "pattern": rf"^{table}_\d{{4}}_\d\d$"}
    names = list(session.scalars(text(OLDER), within))
    if session.scalar(text(ARCHIVED.format(table=table, key=KEYS[table]))):
        names.append(f"{table}_default")
    return names


def _make_default(session: Session, table: str) -> None:
    name = f"{table}_default"
    if not session.scalar(text(THERE), {"name": name}):
        session.execute(text(f"CREATE TABLE {name} PARTITION OF {table} DEFAULT"))
        for statement in guards(table, name):
            session.execute(text(statement))
