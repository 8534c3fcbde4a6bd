"""Postings and entries stand in a partition for each month of their id, so that old months can leave as a whole.

Only on PostgreSQL. The rows are moved, the indexes built afterwards; it takes some minutes for ten million entries, and
nobody posts meanwhile.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise

from alembic import op
from sqlalchemy import text

from kernel.ids import least_id, made_at

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KEYS = {"posting": "id", "stock_entry": "posting_id"}
PRIMARY = {"posting": "id", "stock_entry": "sku, posting_id, line"}
INDEXES = (
    "CREATE INDEX ix_posting_occurred_at ON posting (occurred_at)",
    "CREATE INDEX ix_stock_entry_posting ON stock_entry (posting_id)",
)
REFERENCE = (
    "ALTER TABLE stock_entry ADD CONSTRAINT fk_stock_entry_posting_id_posting "
    "FOREIGN KEY (posting_id) REFERENCES posting (id)"
)
UNIQUE = "CREATE UNIQUE INDEX uq_{name}_{side} ON {name} (sku, {side}_node, {side}_version)"
UNIQUE_WHOLE = (
    "ALTER TABLE stock_entry ADD CONSTRAINT uq_stock_entry_sku_{side}_node_{side}_version "
    "UNIQUE (sku, {side}_node, {side}_version)"
)
ROWS = "CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE ON {name} FOR EACH ROW"
EMPTYING = "CREATE TRIGGER {name}_no_truncate BEFORE TRUNCATE ON {name} FOR EACH STATEMENT"
OUR_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7")
MONTHS_AHEAD, MOST_MONTHS = 3, 120


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    months = _months()
    op.execute("ALTER TABLE stock_entry DROP CONSTRAINT fk_stock_entry_posting_id_posting")
    for table, key in KEYS.items():
        _set_aside(table, f"PARTITION BY RANGE ({key})")
        partitions = [f"{table}_default"]
        op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
        for month, beyond in pairwise(months):
            name = f"{table}_{month:%Y_%m}"
            bounds = f"FROM ('{least_id(month)}') TO ('{least_id(beyond)}')"
            op.execute(f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES {bounds}")
            partitions.append(name)
        _move(table)
        for name in partitions:
            op.execute(f"{EMPTYING.format(name=name)} EXECUTE FUNCTION refuse_rewriting()")
            if table == "stock_entry":
                op.execute(UNIQUE.format(name=name, side="from"))
                op.execute(UNIQUE.format(name=name, side="to"))
    _finish()


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE stock_entry DROP CONSTRAINT fk_stock_entry_posting_id_posting")
    for table in KEYS:
        _set_aside(table, "")
        _move(table)
    for side in ("from", "to"):
        op.execute(UNIQUE_WHOLE.format(side=side))
    _finish()


def _set_aside(table: str, partitioned: str) -> None:
    """Put an empty table with the same columns, defaults and checks in a table's place."""
    op.execute(f"ALTER TABLE {table} RENAME TO {table}_before")
    op.execute(f"CREATE TABLE {table} (LIKE {table}_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS) {partitioned}")


def _move(table: str) -> None:
    op.execute(f"INSERT INTO {table} TABLE {table}_before")
    op.execute(f"DROP TABLE {table}_before")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY ({PRIMARY[table]})")


def _finish() -> None:
    for statement in (*INDEXES, REFERENCE):
        op.execute(statement)
    for table in KEYS:
        for trigger in (ROWS, EMPTYING):
            op.execute(f"{trigger.format(name=table)} EXECUTE FUNCTION refuse_rewriting()")


def _months() -> list[datetime]:
    """Return the first instants of all months from the oldest posting's on, and of the one after the last."""
    bind = op.get_bind()
    now: datetime = bind.execute(text("SELECT now()")).scalar_one()
    least = bind.execute(text("SELECT min(id) FROM posting")).scalar()
    oldest = made_at(least) if least and OUR_ID.match(least) else now
    month = min(oldest, now).astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last = (now.year * 12 + now.month) + MONTHS_AHEAD + 1
    months = [month]
    while month.year * 12 + month.month < last:
        month = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
        months.append(month)
    # Ids from long ago were not made by this system: they stand in the default partition.
    return months[-MOST_MONTHS:]
