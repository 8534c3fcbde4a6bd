"""What went wrong with demands, what a decision saw, and how one in trouble may go on.

Revision ID: 0024
Revises: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.db import Document, UtcDateTime, database_now

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TO_DECIDE = sa.text("decide_cause IS NOT NULL")
WITH_A_PERSON = sa.text("person_since IS NOT NULL")
UNSTARTED = sa.text("status IN ('allocated', 'awaiting_transfer')")
PARTIAL = (
    ("ix_demand_to_decide", "demand", "id", TO_DECIDE),
    ("ix_demand_person", "demand", "person_since", WITH_A_PERSON),
    ("ix_fulfillment_order_unstarted", "fulfillment_order", "ship_by", UNSTARTED),
)


def upgrade() -> None:
    op.add_column("demand", sa.Column("decide_cause", sa.String(), nullable=True))
    op.add_column("demand", sa.Column("person_since", UtcDateTime(), nullable=True))
    op.add_column("decision", sa.Column("problem", Document, nullable=True))
    for name, table, column, where in PARTIAL:
        op.create_index(name, table, [column], postgresql_where=where, sqlite_where=where)
    op.create_table(
        "setback",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("demand_id", sa.String(length=40), nullable=False),
        sa.Column("demand_line_id", sa.String(length=40), nullable=False),
        sa.Column("fulfillment_order_id", sa.String(length=40), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.ForeignKeyConstraint(["demand_id"], ["demand.id"], name=op.f("fk_setback_demand_id_demand")),
        sa.ForeignKeyConstraint(
            ["demand_line_id"], ["demand_line.id"], name=op.f("fk_setback_demand_line_id_demand_line")
        ),
        sa.ForeignKeyConstraint(
            ["fulfillment_order_id"],
            ["fulfillment_order.id"],
            name=op.f("fk_setback_fulfillment_order_id_fulfillment_order"),
        ),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_setback_node_node")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setback")),
    )
    op.create_table(
        "article_substitute",
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("substitute", sa.String(length=64), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("sku <> substitute", name=op.f("ck_article_substitute_another")),
        sa.ForeignKeyConstraint(["sku"], ["article.sku"], name=op.f("fk_article_substitute_sku_article")),
        sa.ForeignKeyConstraint(["substitute"], ["article.sku"], name=op.f("fk_article_substitute_substitute_article")),
        sa.PrimaryKeyConstraint("sku", "substitute", name=op.f("pk_article_substitute")),
    )
    op.create_index("ix_setback_demand", "setback", ["demand_id"])


def downgrade() -> None:
    op.drop_table("article_substitute")
    op.drop_table("setback")
    for name, table, _, _ in reversed(PARTIAL):
        op.drop_index(name, table_name=table)
    op.drop_column("decision", "problem")
    op.drop_column("demand", "person_since")
    op.drop_column("demand", "decide_cause")
