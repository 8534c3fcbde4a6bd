"""The order in which postings count, the states that past balances are read from, and the seals.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.db import UtcDateTime, database_now

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

MARKS = ("archived", "events", "sealed")
COUNTERS = ("on_hand", "reserved", "picked", "damaged", "quarantine", "in_transit")
APPEND_ONLY = ("posting_position", "seal")
# One row for each balance that moves, updated each time that postings are placed: room in its page keeps that cheap.
HOT = "fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05"


def upgrade() -> None:
    op.create_table(
        "posting_position",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("posting_id", sa.String(length=40), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_posting_position")),
        sa.UniqueConstraint("posting_id", name=op.f("uq_posting_position_posting_id")),
    )
    op.create_table(
        "placed_balance",
        *_key(),
        sa.Column("first_position", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("latest_occurred_at", UtcDateTime(), nullable=False),
        sa.Column("least_id", sa.String(length=40), nullable=False),
        sa.Column("greatest_id", sa.String(length=40), nullable=False),
        *_counters(),
        sa.PrimaryKeyConstraint("sku", "node", name=op.f("pk_placed_balance")),
    )
    op.create_table(
        "balance_snapshot",
        *_key(),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("latest_occurred_at", UtcDateTime(), nullable=False),
        sa.Column("least_id", sa.String(length=40), nullable=False),
        sa.Column("greatest_id", sa.String(length=40), nullable=False),
        *_counters(),
        sa.PrimaryKeyConstraint("sku", "node", "position", name=op.f("pk_balance_snapshot")),
    )
    op.create_index("ix_balance_snapshot_latest", "balance_snapshot", ["sku", "node", "latest_occurred_at", "position"])
    op.create_table(
        "late_posting",
        *_key(),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("lateness", sa.Integer(), nullable=False),
        *_counters(),
        sa.PrimaryKeyConstraint("sku", "node", "position", name=op.f("pk_late_posting")),
    )
    op.create_index("ix_late_posting_occurred_at", "late_posting", ["sku", "node", "lateness", "occurred_at"])
    op.create_table(
        "seal",
        sa.Column("block", sa.String(length=64), nullable=False),
        sa.Column("through_position", sa.Integer(), nullable=False),
        sa.Column("first_position", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.PrimaryKeyConstraint("block", name=op.f("pk_seal")),
        sa.UniqueConstraint("through_position", name=op.f("uq_seal_through_position")),
        sa.UniqueConstraint("first_position", name=op.f("uq_seal_first_position")),
    )
    mark = op.create_table(
        "ledger_mark",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_ledger_mark")),
    )
    op.bulk_insert(mark, [{"name": name, "position": 0} for name in MARKS])
    _guard()


def downgrade() -> None:
    op.drop_table("ledger_mark")
    op.drop_table("seal")
    op.drop_index("ix_late_posting_occurred_at", table_name="late_posting")
    op.drop_table("late_posting")
    op.drop_index("ix_balance_snapshot_latest", table_name="balance_snapshot")
    op.drop_table("balance_snapshot")
    op.drop_table("placed_balance")
    op.drop_table("posting_position")


def _key() -> tuple[sa.Column[str], sa.Column[str]]:
    return (
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
    )


def _counters() -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in COUNTERS]


def _guard() -> None:
    """Let nobody change or delete what seals stand on."""
    if op.get_bind().dialect.name == "postgresql":
        for table in APPEND_ONLY:
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_rewriting()"
            )
            op.execute(
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"
            )
        op.execute(f"ALTER TABLE placed_balance SET ({HOT})")
        return
    for table in APPEND_ONLY:
        for deed in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{deed} BEFORE {deed.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: post a correction instead'); END"
            )
