"""The ledger: nodes, articles, postings, entries, balances, claims and documents.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.db import UtcDateTime, database_now

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "article",
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("gtin", sa.String(), nullable=True),
        sa.Column("family", sa.String(length=64), nullable=False),
        sa.Column("size", sa.String(length=64), nullable=False),
        sa.Column("colour", sa.String(length=64), nullable=False),
        sa.Column("weight_g", sa.Integer(), nullable=False),
        sa.Column("length_mm", sa.Integer(), nullable=False),
        sa.Column("width_mm", sa.Integer(), nullable=False),
        sa.Column("height_mm", sa.Integer(), nullable=False),
        sa.Column("unit_cost_minor", sa.Integer(), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sku", name=op.f("pk_article")),
        sa.UniqueConstraint("gtin", name=op.f("uq_article_gtin")),
    )
    op.create_table(
        "node",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_node")),
    )
    op.create_table(
        "open_demand",
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("since", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.CheckConstraint("units > 0", name=op.f("ck_open_demand_units_positive")),
        sa.PrimaryKeyConstraint("sku", "reference", name=op.f("pk_open_demand")),
    )
    op.create_index("ix_open_demand_reference", "open_demand", ["reference"], unique=False)
    op.create_table(
        "placement",
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("shelf", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sku", "node", name=op.f("pk_placement")),
    )
    op.create_table(
        "posting",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posting")),
    )
    op.create_index("ix_posting_occurred_at", "posting", ["occurred_at"], unique=False)
    op.create_table(
        "reason",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("use", sa.String(length=64), nullable=False),
        sa.Column("from_account", sa.String(), nullable=True),
        sa.Column("to_account", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", "use", name=op.f("pk_reason")),
    )
    op.create_table(
        "reservation",
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("picked", sa.Integer(), nullable=False),
        sa.Column("consumed", sa.Integer(), nullable=False),
        sa.Column("released", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("picked + consumed + released <= units", name=op.f("ck_reservation_ends_once")),
        sa.CheckConstraint(
            "units > 0 AND picked >= 0 AND consumed >= 0 AND released >= 0", name=op.f("ck_reservation_counters")
        ),
        sa.PrimaryKeyConstraint("sku", "id", name=op.f("pk_reservation")),
        sa.UniqueConstraint(
            "sku", "reference", "purpose", "attempt", name=op.f("uq_reservation_sku_reference_purpose_attempt")
        ),
    )
    op.create_index(
        "ix_reservation_expires_at",
        "reservation",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("expires_at IS NOT NULL"),
        sqlite_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_index(
        "ix_reservation_open",
        "reservation",
        ["sku", "node"],
        unique=False,
        postgresql_where=sa.text("consumed + released < units"),
        sqlite_where=sa.text("consumed + released < units"),
    )
    op.create_index("ix_reservation_reference", "reservation", ["reference"], unique=False)
    op.create_table(
        "count",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_count_node_node")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count")),
    )
    op.create_index("ix_count_node", "count", ["node", "status"], unique=False)
    op.create_table(
        "stock_balance",
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("on_hand", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("picked", sa.Integer(), nullable=False),
        sa.Column("damaged", sa.Integer(), nullable=False),
        sa.Column("quarantine", sa.Integer(), nullable=False),
        sa.Column("in_transit", sa.Integer(), nullable=False),
        sa.Column("safety_stock", sa.Integer(), nullable=False),
        sa.Column("backorder_limit", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "damaged >= 0 AND quarantine >= 0 AND in_transit >= 0", name=op.f("ck_stock_balance_other_accounts")
        ),
        sa.CheckConstraint("on_hand >= 0", name=op.f("ck_stock_balance_on_hand")),
        sa.CheckConstraint(
            "picked >= 0 AND picked <= on_hand AND picked <= reserved", name=op.f("ck_stock_balance_picked")
        ),
        sa.CheckConstraint("reserved <= on_hand + backorder_limit", name=op.f("ck_stock_balance_not_oversold")),
        sa.CheckConstraint("reserved >= 0", name=op.f("ck_stock_balance_reserved")),
        sa.CheckConstraint("safety_stock >= 0 AND backorder_limit >= 0", name=op.f("ck_stock_balance_limits")),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_stock_balance_node_node")),
        sa.ForeignKeyConstraint(["sku"], ["article.sku"], name=op.f("fk_stock_balance_sku_article")),
        sa.PrimaryKeyConstraint("sku", "node", name=op.f("pk_stock_balance")),
    )
    op.create_index("ix_stock_balance_node", "stock_balance", ["node"], unique=False)
    op.create_table(
        "stock_entry",
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("posting_id", sa.String(length=40), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("from_node", sa.String(), nullable=True),
        sa.Column("from_account", sa.String(length=64), nullable=False),
        sa.Column("from_version", sa.Integer(), nullable=True),
        sa.Column("to_node", sa.String(), nullable=True),
        sa.Column("to_account", sa.String(length=64), nullable=False),
        sa.Column("to_version", sa.Integer(), nullable=True),
        sa.Column("reservation_id", sa.String(), nullable=True),
        sa.CheckConstraint("(from_node IS NULL) = (from_version IS NULL)", name=op.f("ck_stock_entry_from_versioned")),
        sa.CheckConstraint("(to_node IS NULL) = (to_version IS NULL)", name=op.f("ck_stock_entry_to_versioned")),
        sa.CheckConstraint("from_account <> to_account OR from_node <> to_node", name=op.f("ck_stock_entry_two_sides")),
        sa.CheckConstraint("from_node IS NOT NULL OR to_node IS NOT NULL", name=op.f("ck_stock_entry_touches_a_node")),
        sa.CheckConstraint("units > 0", name=op.f("ck_stock_entry_units_positive")),
        sa.ForeignKeyConstraint(["posting_id"], ["posting.id"], name=op.f("fk_stock_entry_posting_id_posting")),
        sa.PrimaryKeyConstraint("sku", "posting_id", "line", name=op.f("pk_stock_entry")),
        sa.UniqueConstraint("sku", "from_node", "from_version", name=op.f("uq_stock_entry_sku_from_node_from_version")),
        sa.UniqueConstraint("sku", "to_node", "to_version", name=op.f("uq_stock_entry_sku_to_node_to_version")),
    )
    op.create_index("ix_stock_entry_posting", "stock_entry", ["posting_id"], unique=False)
    op.create_table(
        "transfer",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("destination", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("expected_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.CheckConstraint("source <> destination", name=op.f("ck_transfer_two_nodes")),
        sa.ForeignKeyConstraint(["destination"], ["node.id"], name=op.f("fk_transfer_destination_node")),
        sa.ForeignKeyConstraint(["source"], ["node.id"], name=op.f("fk_transfer_source_node")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sa.UniqueConstraint("number", name=op.f("uq_transfer_number")),
    )
    op.create_index("ix_transfer_destination", "transfer", ["destination", "status"], unique=False)
    op.create_index("ix_transfer_reference", "transfer", ["reference"], unique=False)
    op.create_index("ix_transfer_source", "transfer", ["source", "status"], unique=False)
    op.create_table(
        "count_line",
        sa.Column("count_id", sa.String(length=40), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=True),
        sa.Column("counted", sa.Integer(), nullable=True),
        sa.Column("counted_by", sa.String(), nullable=True),
        sa.Column("counted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("counted IS NULL OR counted >= 0", name=op.f("ck_count_line_counted")),
        sa.ForeignKeyConstraint(["count_id"], ["count.id"], name=op.f("fk_count_line_count_id_count")),
        sa.ForeignKeyConstraint(["sku"], ["article.sku"], name=op.f("fk_count_line_sku_article")),
        sa.PrimaryKeyConstraint("count_id", "sku", name=op.f("pk_count_line")),
    )
    op.create_table(
        "transfer_line",
        sa.Column("transfer_id", sa.String(length=40), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("dispatched", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("written_off", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "dispatched <= units AND received + written_off <= dispatched", name=op.f("ck_transfer_line_never_more")
        ),
        sa.CheckConstraint(
            "units > 0 AND dispatched >= 0 AND received >= 0 AND written_off >= 0",
            name=op.f("ck_transfer_line_counters"),
        ),
        sa.ForeignKeyConstraint(["sku"], ["article.sku"], name=op.f("fk_transfer_line_sku_article")),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfer.id"], name=op.f("fk_transfer_line_transfer_id_transfer")),
        sa.PrimaryKeyConstraint("transfer_id", "line", name=op.f("pk_transfer_line")),
    )
    op.create_index("ix_transfer_line_reference", "transfer_line", ["reference"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_transfer_line_reference", table_name="transfer_line")
    op.drop_table("transfer_line")
    op.drop_table("count_line")
    op.drop_index("ix_transfer_source", table_name="transfer")
    op.drop_index("ix_transfer_reference", table_name="transfer")
    op.drop_index("ix_transfer_destination", table_name="transfer")
    op.drop_table("transfer")
    op.drop_index("ix_stock_entry_posting", table_name="stock_entry")
    op.drop_table("stock_entry")
    op.drop_index("ix_stock_balance_node", table_name="stock_balance")
    op.drop_table("stock_balance")
    op.drop_index("ix_count_node", table_name="count")
    op.drop_table("count")
    op.drop_index("ix_reservation_reference", table_name="reservation")
    op.drop_index(
        "ix_reservation_open",
        table_name="reservation",
        postgresql_where=sa.text("consumed + released < units"),
        sqlite_where=sa.text("consumed + released < units"),
    )
    op.drop_index(
        "ix_reservation_expires_at",
        table_name="reservation",
        postgresql_where=sa.text("expires_at IS NOT NULL"),
        sqlite_where=sa.text("expires_at IS NOT NULL"),
    )
    op.drop_table("reservation")
    op.drop_table("reason")
    op.drop_index("ix_posting_occurred_at", table_name="posting")
    op.drop_table("posting")
    op.drop_table("placement")
    op.drop_index("ix_open_demand_reference", table_name="open_demand")
    op.drop_table("open_demand")
    op.drop_table("node")
    op.drop_table("article")
