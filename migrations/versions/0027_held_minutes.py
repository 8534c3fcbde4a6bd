"""Minutes of work are held beside the units of a promise, as rows that say for whom.

Revision ID: 0027
Revises: 0026
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "held_minutes",
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_held_minutes_minutes_positive")),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_held_minutes_node_node")),
        sa.PrimaryKeyConstraint("reference", "node", "on_date", name=op.f("pk_held_minutes")),
    )


def downgrade() -> None:
    # What is held is no longer known afterwards: its days are free again.
    op.execute(
        "UPDATE node_day SET claimed_minutes = claimed_minutes - (SELECT sum(minutes) FROM held_minutes"
        " WHERE held_minutes.node = node_day.node AND held_minutes.on_date = node_day.on_date)"
        " WHERE EXISTS (SELECT 1 FROM held_minutes"
        " WHERE held_minutes.node = node_day.node AND held_minutes.on_date = node_day.on_date)"
    )
    op.drop_table("held_minutes")
