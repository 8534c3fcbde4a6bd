"""Nightly runs and their movements.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.db import Document, UtcDateTime, database_now

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("parent_id", sa.String(), nullable=True),
        sa.Column("inputs_hash", sa.String(), nullable=True),
        sa.Column("ledger_position", sa.Integer(), nullable=True),
        sa.Column("parameters", Document, nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("solver", sa.String(), nullable=True),
        sa.Column("demands", sa.Integer(), nullable=False),
        sa.Column("cost_before_minor", sa.Integer(), nullable=True),
        sa.Column("cost_after_minor", sa.Integer(), nullable=True),
        sa.Column("bound_minor", sa.Integer(), nullable=True),
        sa.Column("before_by_term", Document, nullable=False),
        sa.Column("after_by_term", Document, nullable=False),
        sa.Column("progress", Document, nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("planned_at", UtcDateTime(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        sa.UniqueConstraint("number", name=op.f("uq_run_number")),
    )
    op.create_index("ix_run_recorded_at", "run", ["recorded_at"], unique=False)
    op.create_table(
        "movement",
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("demand_id", sa.String(length=40), nullable=False),
        sa.Column("demand_version", sa.Integer(), nullable=False),
        sa.Column("before", Document, nullable=False),
        sa.Column("after", Document, nullable=False),
        sa.Column("cost_before_minor", sa.Integer(), nullable=False),
        sa.Column("cost_after_minor", sa.Integer(), nullable=False),
        sa.Column("saving_minor", sa.Integer(), nullable=False),
        sa.Column("fate", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["demand_id"], ["demand.id"], name=op.f("fk_movement_demand_id_demand")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_movement_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "demand_id", name=op.f("pk_movement")),
    )


def downgrade() -> None:
    op.drop_table("movement")
    op.drop_index("ix_run_recorded_at", table_name="run")
    op.drop_table("run")
