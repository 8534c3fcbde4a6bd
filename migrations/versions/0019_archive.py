"""Old months may leave the ledger: what they came to stays, and only what is archived may be deleted.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.db import UtcDateTime, database_now

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

APPEND_ONLY = {"posting": "id", "stock_entry": "posting_id"}
REFUSAL = "BEGIN SELECT RAISE(ABORT, '{table} is append-only: post a correction instead'); END"
IS_NOT_ARCHIVED = """WHEN NOT EXISTS (SELECT 1 FROM posting_position AS p JOIN ledger_mark AS m
ON m.name = 'archived' AND p.position <= m.position WHERE p.posting_id = OLD.{key})"""


def upgrade() -> None:
    op.create_table(
        "ledger_archive",
        sa.Column("through_position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_position", sa.Integer(), nullable=False),
        sa.Column("before_id", sa.String(length=40), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("file", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("archived_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.PrimaryKeyConstraint("through_position", name=op.f("pk_ledger_archive")),
    )
    op.create_table(
        "reservation_opening",
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("still", sa.Integer(), nullable=False),
        sa.Column("picked", sa.Integer(), nullable=False),
        sa.Column("consumed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sku", "id", name=op.f("pk_reservation_opening")),
    )
    op.create_table(
        "transit_opening",
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sku", "reference", name=op.f("pk_transit_opening")),
    )
    if op.get_bind().dialect.name == "sqlite":
        for table, key in APPEND_ONLY.items():
            _guard_deletes(table, IS_NOT_ARCHIVED.format(key=key))


def downgrade() -> None:
    op.drop_table("transit_opening")
    op.drop_table("reservation_opening")
    op.drop_table("ledger_archive")
    if op.get_bind().dialect.name == "sqlite":
        for table in APPEND_ONLY:
            _guard_deletes(table, "")


def _guard_deletes(table: str, when: str) -> None:
    op.execute(f"DROP TRIGGER {table}_no_delete")
    op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {when} {REFUSAL.format(table=table)}")
