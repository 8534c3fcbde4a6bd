"""Policies are edited, put in force and compared; decisions say which soft fences they gave up.

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.db import Document, UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ACTIVE = sa.text("status = 'active'")


def upgrade() -> None:
    op.add_column("policy", sa.Column("note", sa.String(length=200), server_default="", nullable=False))
    op.add_column("policy", sa.Column("author", sa.String(length=64), server_default="", nullable=False))
    op.add_column("policy", sa.Column("revision", sa.Integer(), server_default="1", nullable=False))
    op.add_column("policy", sa.Column("activated_at", UtcDateTime(), nullable=True))
    op.add_column("policy", sa.Column("shadow_after", sa.String(), nullable=True))
    op.execute("UPDATE policy SET status = 'archived' WHERE status = 'retired'")
    op.create_index("ix_policy_active", "policy", ["id"], unique=True, postgresql_where=ACTIVE, sqlite_where=ACTIVE)
    op.add_column("channel", sa.Column("service_policies", Document, server_default="{}", nullable=False))
    op.add_column("demand", sa.Column("relaxed", Document, server_default="[]", nullable=False))
    op.add_column("decision", sa.Column("relaxed", Document, server_default="[]", nullable=False))
    op.create_table(
        "shadow_decision",
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("decision_id", sa.String(length=40), nullable=False),
        sa.Column("live", Document, nullable=False),
        sa.Column("shadow", Document, nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_shadow_decision_decision_id_decision")),
        sa.PrimaryKeyConstraint("policy", "version", "decision_id", name=op.f("pk_shadow_decision")),
    )


def downgrade() -> None:
    op.drop_table("shadow_decision")
    op.drop_column("decision", "relaxed")
    op.drop_column("demand", "relaxed")
    op.drop_column("channel", "service_policies")
    op.drop_index("ix_policy_active", table_name="policy")
    op.execute("UPDATE policy SET status = 'retired' WHERE status = 'archived'")
    for name in ("shadow_after", "activated_at", "revision", "author", "note"):
        op.drop_column("policy", name)
