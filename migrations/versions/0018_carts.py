"""Carts.

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.db import UtcDateTime, database_now

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

SHOPPED_WITH = sa.text("status = 'open'")


def upgrade() -> None:
    op.create_table(
        "cart",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("started_in", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("subject_id", sa.String(), nullable=True),
        sa.Column("method", sa.String(length=64), nullable=False),
        sa.Column("collect_node", sa.String(), nullable=True),
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("requested_from", UtcDateTime(), nullable=True),
        sa.Column("requested_by", UtcDateTime(), nullable=True),
        sa.Column("shipping_price_minor", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("touched_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.CheckConstraint("(status = 'ordered') = (order_id IS NOT NULL)", name=op.f("ck_cart_ordered")),
        sa.ForeignKeyConstraint(["channel"], ["channel.id"], name=op.f("fk_cart_channel_channel")),
        sa.ForeignKeyConstraint(["started_in"], ["channel.id"], name=op.f("fk_cart_started_in_channel")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_cart_customer_id_customer")),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name=op.f("fk_cart_order_id_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart")),
        sa.UniqueConstraint("code", name=op.f("uq_cart_code")),
        sa.UniqueConstraint("order_id", name=op.f("uq_cart_order_id")),
    )
    op.create_index("ix_cart_customer", "cart", ["customer_id"])
    op.create_index("ix_cart_open", "cart", ["touched_at"], postgresql_where=SHOPPED_WITH, sqlite_where=SHOPPED_WITH)
    op.create_table(
        "cart_line",
        sa.Column("cart_id", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(), nullable=True),
        sa.Column("collect_node", sa.String(), nullable=True),
        sa.Column("priced_in", sa.String(length=64), nullable=False),
        sa.CheckConstraint("units > 0", name=op.f("ck_cart_line_units_positive")),
        sa.ForeignKeyConstraint(["cart_id"], ["cart.id"], name=op.f("fk_cart_line_cart_id_cart")),
        sa.ForeignKeyConstraint(["sku"], ["article.sku"], name=op.f("fk_cart_line_sku_article")),
        sa.PrimaryKeyConstraint("cart_id", "position", name=op.f("pk_cart_line")),
    )


def downgrade() -> None:
    op.drop_table("cart_line")
    op.drop_table("cart")
