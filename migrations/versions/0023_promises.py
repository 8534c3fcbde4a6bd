"""Ways to serve a basket are kept as they were quoted, so that one of them can be held.

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.db import Document, UtcDateTime, database_now

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quote",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("cart_id", sa.String(), nullable=True),
        sa.Column("cart_version", sa.Integer(), nullable=True),
        sa.Column("ways", Document, nullable=False),
        sa.Column("quoted_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.ForeignKeyConstraint(["channel"], ["channel.id"], name=op.f("fk_quote_channel_channel")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote")),
    )
    op.create_index("ix_quote_recorded_at", "quote", ["recorded_at"])


def downgrade() -> None:
    op.drop_table("quote")
