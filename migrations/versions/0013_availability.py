"""What may be promised: safety stock by rule, supply still to come, channels of demands, and parts of bundles.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.db import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def added() -> list[tuple[str, sa.Column]]:
    return [
        ("node", sa.Column("group", sa.String(length=64), nullable=False, server_default="")),
        ("article", sa.Column("available_from", UtcDateTime(), nullable=True)),
        ("article", sa.Column("backorder", sa.Boolean(), nullable=False, server_default=sa.false())),
        ("demand", sa.Column("channel", sa.String(), nullable=True)),
        ("demand_line", sa.Column("together", sa.String(), nullable=True)),
        ("channel", sa.Column("low_stock", sa.Integer(), nullable=False, server_default="3")),
        ("order_line", sa.Column("bundle_sku", sa.String(), nullable=True)),
        ("order_line", sa.Column("bundle_line", sa.Integer(), nullable=True)),
        ("order_line", sa.Column("bundle_quantity", sa.Integer(), nullable=True)),
    ]


def upgrade() -> None:
    for table, column in added():
        op.add_column(table, column)
    op.execute('UPDATE demand SET channel = (SELECT o.channel FROM "order" o WHERE o.id = demand.reference)')
    op.create_table(
        "safety_rule",
        sa.Column("id", sa.String(length=64), nullable=False),
        *(
            sa.Column(name, sa.String(length=64), nullable=False)
            for name in ("sku", "family", "node", "group", "kind", "channel")
        ),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("units >= 0", name=op.f("ck_safety_rule_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_safety_rule")),
        sa.UniqueConstraint("sku", "family", "node", "group", "kind", "channel", name="uq_safety_rule_scope"),
    )
    op.create_table(
        "expected_supply",
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("node", sa.String(), nullable=True),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("expected_at", UtcDateTime(), nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.CheckConstraint("units > 0", name=op.f("ck_expected_supply_units_positive")),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_expected_supply_node_node")),
        sa.ForeignKeyConstraint(["sku"], ["article.sku"], name=op.f("fk_expected_supply_sku_article")),
        sa.PrimaryKeyConstraint("sku", "reference", name=op.f("pk_expected_supply")),
    )
    op.create_index("ix_transfer_line_sku", "transfer_line", ["sku"], unique=False)
    op.create_index("ix_expected_supply_reference", "expected_supply", ["reference"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_transfer_line_sku", table_name="transfer_line")
    op.drop_index("ix_expected_supply_reference", table_name="expected_supply")
    op.drop_table("expected_supply")
    op.drop_table("safety_rule")
    for table, column in reversed(added()):
        op.drop_column(table, column.name)
