"""The ledger is proven again and again: how far a pass is, and what it found.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.db import UtcDateTime, database_now

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "proof_pass",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("part", sa.String(length=64), nullable=False),
        sa.Column("after", sa.String(), nullable=True),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proof_pass")),
    )
    op.create_table(
        "ledger_finding",
        sa.Column("invariant", sa.String(length=64), nullable=False),
        sa.Column("table_name", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("part", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("gone_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("invariant", "table_name", "key", name=op.f("pk_ledger_finding")),
    )
    op.create_index("ix_ledger_finding_place", "ledger_finding", ["part", "place"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_ledger_finding_place", table_name="ledger_finding")
    op.drop_table("ledger_finding")
    op.drop_table("proof_pass")
