"""Demands, decisions, fulfillment orders and the work done to them.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.db import Document, UtcDateTime, database_now

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "demand",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=64), nullable=False),
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("collect_node", sa.String(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("postal_code", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("geocode", sa.String(length=64), nullable=False),
        sa.Column("value_minor", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("wanted_from", UtcDateTime(), nullable=True),
        sa.Column("wanted_by", UtcDateTime(), nullable=True),
        sa.Column("promised_by", UtcDateTime(), nullable=True),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("placed_at", UtcDateTime(), nullable=False),
        sa.Column("waiting_reason", sa.String(), nullable=True),
        sa.Column("paused_at", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demand")),
    )
    op.create_index("ix_demand_reference", "demand", ["reference"], unique=False)
    op.create_table(
        "decision",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("demand_id", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("objective_minor", sa.Integer(), nullable=False),
        sa.Column("bound_minor", sa.Integer(), nullable=False),
        sa.Column("by_term", Document, nullable=False),
        sa.Column("assignments", Document, nullable=False),
        sa.Column("unfilled", Document, nullable=False),
        sa.Column("candidates", Document, nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("solve_ms", sa.Float(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.ForeignKeyConstraint(["demand_id"], ["demand.id"], name=op.f("fk_decision_demand_id_demand")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index("ix_decision_demand", "decision", ["demand_id", "id"], unique=False)
    op.create_table(
        "demand_line",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("demand_id", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("allocated", sa.Integer(), nullable=False),
        sa.Column("fulfilled", sa.Integer(), nullable=False),
        sa.Column("divisible", sa.Boolean(), nullable=False),
        sa.Column("unit_value_minor", sa.Integer(), nullable=False),
        sa.Column("excluded_nodes", Document, nullable=False),
        sa.CheckConstraint("allocated + fulfilled <= units", name=op.f("ck_demand_line_never_more")),
        sa.CheckConstraint("units >= 0 AND allocated >= 0 AND fulfilled >= 0", name=op.f("ck_demand_line_counters")),
        sa.ForeignKeyConstraint(["demand_id"], ["demand.id"], name=op.f("fk_demand_line_demand_id_demand")),
        sa.ForeignKeyConstraint(["sku"], ["article.sku"], name=op.f("fk_demand_line_sku_article")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demand_line")),
        sa.UniqueConstraint("demand_id", "position", name=op.f("uq_demand_line_demand_id_position")),
    )
    op.create_table(
        "fulfillment_order",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("demand_id", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=True),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("carrier_service", sa.String(), nullable=True),
        sa.Column("destination_node", sa.String(), nullable=True),
        sa.Column("supplies", sa.String(), nullable=True),
        sa.Column("work_on", sa.Date(), nullable=False),
        sa.Column("work_minutes", sa.Integer(), nullable=False),
        sa.Column("ship_by", UtcDateTime(), nullable=False),
        sa.Column("promised_by", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("pick_list_id", sa.String(), nullable=True),
        sa.Column("pickup_code", sa.String(), nullable=True),
        sa.Column("wrong_codes", sa.Integer(), nullable=False),
        sa.Column("shelf", sa.String(), nullable=True),
        sa.Column("weight_g", sa.Integer(), nullable=True),
        sa.Column("packages", sa.Integer(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.ForeignKeyConstraint(["demand_id"], ["demand.id"], name=op.f("fk_fulfillment_order_demand_id_demand")),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_fulfillment_order_node_node")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fulfillment_order")),
        sa.UniqueConstraint("number", name=op.f("uq_fulfillment_order_number")),
    )
    op.create_index("ix_fulfillment_order_demand", "fulfillment_order", ["demand_id"], unique=False)
    op.create_index("ix_fulfillment_order_node", "fulfillment_order", ["node", "status", "ended_at"], unique=False)
    op.create_index("ix_fulfillment_order_pick_list", "fulfillment_order", ["pick_list_id"], unique=False)
    op.create_index("ix_fulfillment_order_reference", "fulfillment_order", ["reference"], unique=False)
    op.create_table(
        "pick_list",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=True),
        sa.Column("claimed_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_pick_list_node_node")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pick_list")),
        sa.UniqueConstraint("number", name=op.f("uq_pick_list_number")),
    )
    op.create_index("ix_pick_list_node", "pick_list", ["node", "status"], unique=False)
    op.create_table(
        "fulfillment_history",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("fulfillment_order_id", sa.String(length=40), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("from_status", sa.String(), nullable=True),
        sa.Column("to_status", sa.String(), nullable=True),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("details", Document, nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["fulfillment_order_id"],
            ["fulfillment_order.id"],
            name=op.f("fk_fulfillment_history_fulfillment_order_id_fulfillment_order"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fulfillment_history")),
    )
    op.create_index("ix_fulfillment_history_order", "fulfillment_history", ["fulfillment_order_id", "id"], unique=False)
    op.create_table(
        "fulfillment_line",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("fulfillment_order_id", sa.String(length=40), nullable=False),
        sa.Column("demand_line_id", sa.String(length=40), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("picked", sa.Integer(), nullable=False),
        sa.Column("reservation_id", sa.String(), nullable=True),
        sa.CheckConstraint("units >= 0 AND picked >= 0 AND picked <= units", name=op.f("ck_fulfillment_line_counters")),
        sa.ForeignKeyConstraint(
            ["demand_line_id"], ["demand_line.id"], name=op.f("fk_fulfillment_line_demand_line_id_demand_line")
        ),
        sa.ForeignKeyConstraint(
            ["fulfillment_order_id"],
            ["fulfillment_order.id"],
            name=op.f("fk_fulfillment_line_fulfillment_order_id_fulfillment_order"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fulfillment_line")),
    )
    op.create_index("ix_fulfillment_line_demand_line", "fulfillment_line", ["demand_line_id"], unique=False)
    op.create_index(
        op.f("ix_fulfillment_line_fulfillment_order_id"), "fulfillment_line", ["fulfillment_order_id"], unique=False
    )
    op.create_table(
        "put_back",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("fulfillment_order_id", sa.String(length=40), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("reservation_id", sa.String(length=40), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.CheckConstraint("done >= 0 AND done <= units", name=op.f("ck_put_back_counters")),
        sa.ForeignKeyConstraint(
            ["fulfillment_order_id"],
            ["fulfillment_order.id"],
            name=op.f("fk_put_back_fulfillment_order_id_fulfillment_order"),
        ),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_put_back_node_node")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_put_back")),
    )
    op.create_index("ix_put_back_node", "put_back", ["node"], unique=False)
    op.create_table(
        "shipment",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("fulfillment_order_id", sa.String(length=40), nullable=False),
        sa.Column("carrier_service", sa.String(length=64), nullable=False),
        sa.Column("tracking_number", sa.String(length=64), nullable=False),
        sa.Column("weight_g", sa.Integer(), nullable=False),
        sa.Column("packages", sa.Integer(), nullable=False),
        sa.Column("shipped_at", UtcDateTime(), nullable=False),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["fulfillment_order_id"],
            ["fulfillment_order.id"],
            name=op.f("fk_shipment_fulfillment_order_id_fulfillment_order"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment")),
        sa.UniqueConstraint("fulfillment_order_id", name=op.f("uq_shipment_fulfillment_order_id")),
        sa.UniqueConstraint("tracking_number", name=op.f("uq_shipment_tracking_number")),
    )
    op.create_table(
        "scan",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("fulfillment_line_id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["fulfillment_line_id"], ["fulfillment_line.id"], name=op.f("fk_scan_fulfillment_line_id_fulfillment_line")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan")),
    )


def downgrade() -> None:
    op.drop_table("scan")
    op.drop_table("shipment")
    op.drop_index("ix_put_back_node", table_name="put_back")
    op.drop_table("put_back")
    op.drop_index(op.f("ix_fulfillment_line_fulfillment_order_id"), table_name="fulfillment_line")
    op.drop_index("ix_fulfillment_line_demand_line", table_name="fulfillment_line")
    op.drop_table("fulfillment_line")
    op.drop_index("ix_fulfillment_history_order", table_name="fulfillment_history")
    op.drop_table("fulfillment_history")
    op.drop_index("ix_pick_list_node", table_name="pick_list")
    op.drop_table("pick_list")
    op.drop_index("ix_fulfillment_order_reference", table_name="fulfillment_order")
    op.drop_index("ix_fulfillment_order_pick_list", table_name="fulfillment_order")
    op.drop_index("ix_fulfillment_order_node", table_name="fulfillment_order")
    op.drop_index("ix_fulfillment_order_demand", table_name="fulfillment_order")
    op.drop_table("fulfillment_order")
    op.drop_table("demand_line")
    op.drop_index("ix_decision_demand", table_name="decision")
    op.drop_table("decision")
    op.drop_index("ix_demand_reference", table_name="demand")
    op.drop_table("demand")
