"""What articles are made of, what suppliers are to deliver, and how the differences of a transfer end.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.db import UtcDateTime, database_now

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


# See 0009: an adjustment's units are signed as seen from the first account; all others go from the first to the second.
REASONS = {
    "adjustment": {
        "release": ("quarantine", "on_hand"),
        "quarantine_damaged": ("quarantine", "damaged"),
        "quarantine_dispose": ("quarantine", "shrink"),
        "repair": ("damaged", "on_hand"),
        "to_supplier": ("on_hand", "supplier"),
        "damaged_to_supplier": ("damaged", "supplier"),
        "quarantine_to_supplier": ("quarantine", "supplier"),
    },
    "receipt": {
        "good": ("supplier", "on_hand"),
        "damaged": ("supplier", "damaged"),
        "quarantine": ("supplier", "quarantine"),
        "over_delivery": ("supplier", "quarantine"),
        "wrong_item": ("supplier", "quarantine"),
    },
    "arrival": {
        "damaged": ("in_transit", "damaged"),
        "quarantine": ("in_transit", "quarantine"),
    },
    "surplus": {
        "surplus": ("adjustment", "on_hand"),
        "surplus_to_check": ("adjustment", "quarantine"),
    },
    "transfer_close": {
        "lost": ("in_transit", "shrink"),
        "destroyed": ("in_transit", "shrink"),
        "sent_back": ("in_transit", "on_hand"),
    },
    "late_arrival": {
        "found": ("shrink", "on_hand"),
        "found_damaged": ("shrink", "damaged"),
        "found_to_check": ("shrink", "quarantine"),
    },
}
COUNTERS = {"found": "found >= 0 AND found <= received", "surplus": "surplus >= 0"}

reason = sa.table(
    "reason",
    sa.column("code", sa.String),
    sa.column("use", sa.String),
    sa.column("from_account", sa.String),
    sa.column("to_account", sa.String),
    sa.column("active", sa.Boolean),
)


def upgrade() -> None:
    _recipes()
    _purchase_orders()
    op.add_column("transfer", sa.Column("dispatched_at", UtcDateTime(), nullable=True))
    for column, rule in COUNTERS.items():
        # In plain SQL, since on SQLite a column can bring a rule along and a table cannot be given one.
        op.execute(
            f"ALTER TABLE transfer_line ADD COLUMN {column} INTEGER DEFAULT 0 NOT NULL "
            f"CONSTRAINT ck_transfer_line_{column} CHECK ({rule})"
        )
    op.bulk_insert(
        reason,
        [
            {"code": code, "use": use, "from_account": source, "to_account": target, "active": True}
            for use, codes in REASONS.items()
            for code, (source, target) in codes.items()
        ],
    )


def downgrade() -> None:
    for use, codes in REASONS.items():
        op.execute(reason.delete().where(reason.c.use == use, reason.c.code.in_(list(codes))))
    for column in COUNTERS:
        op.drop_column("transfer_line", column)
    op.drop_column("transfer", "dispatched_at")
    for table in ("purchase_order_line", "purchase_order", "recipe_line", "recipe"):
        op.drop_table(table)


def _recipes() -> None:
    op.create_table(
        "recipe",
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["sku"], ["article.sku"], name=op.f("fk_recipe_sku_article")),
        sa.PrimaryKeyConstraint("sku", name=op.f("pk_recipe")),
    )
    op.create_table(
        "recipe_line",
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("component", sa.String(length=64), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.CheckConstraint("units > 0 AND component <> sku", name=op.f("ck_recipe_line_units_of_others")),
        sa.ForeignKeyConstraint(["sku"], ["recipe.sku"], name=op.f("fk_recipe_line_sku_recipe")),
        sa.ForeignKeyConstraint(["component"], ["article.sku"], name=op.f("fk_recipe_line_component_article")),
        sa.PrimaryKeyConstraint("sku", "component", name=op.f("pk_recipe_line")),
    )
    op.create_index(op.f("ix_recipe_line_component"), "recipe_line", ["component"])


def _purchase_orders() -> None:
    op.create_table(
        "purchase_order",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("supplier", sa.String(length=64), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("expected_at", UtcDateTime(), nullable=True),
        sa.Column("tolerance_percent", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.CheckConstraint("tolerance_percent >= 0", name=op.f("ck_purchase_order_tolerance")),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_purchase_order_node_node")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_order")),
        sa.UniqueConstraint("number", name=op.f("uq_purchase_order_number")),
    )
    op.create_index("ix_purchase_order_node", "purchase_order", ["node", "status"])
    op.create_index("ix_purchase_order_status", "purchase_order", ["status", "expected_at"])
    op.create_table(
        "purchase_order_line",
        sa.Column("purchase_order_id", sa.String(length=40), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("ordered", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("set_aside", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "ordered >= 0 AND received >= 0 AND cancelled >= 0 AND set_aside >= 0",
            name=op.f("ck_purchase_order_line_counters"),
        ),
        sa.CheckConstraint(
            "cancelled <= ordered AND set_aside <= received", name=op.f("ck_purchase_order_line_parts")
        ),
        sa.ForeignKeyConstraint(
            ["purchase_order_id"], ["purchase_order.id"],
            name=op.f("fk_purchase_order_line_purchase_order_id_purchase_order"),
        ),
        sa.ForeignKeyConstraint(["sku"], ["article.sku"], name=op.f("fk_purchase_order_line_sku_article")),
        sa.PrimaryKeyConstraint("purchase_order_id", "sku", name=op.f("pk_purchase_order_line")),
    )  # fmt: skip
    op.create_index(op.f("ix_purchase_order_line_sku"), "purchase_order_line", ["sku"])
