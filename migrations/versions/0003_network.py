"""The network: node profiles, calendars, carriers, tariffs, postal codes and policies.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.db import Document, UtcDateTime, database_now

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "carrier_service",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("carrier", sa.String(length=64), nullable=False),
        sa.Column("carrier_name", sa.String(length=200), nullable=False),
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_service")),
    )
    op.create_table(
        "policy",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("settings", Document, nullable=False),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_policy")),
    )
    op.create_table(
        "postal_code",
        sa.Column("country", sa.String(length=64), nullable=False),
        sa.Column("postal_code", sa.String(length=64), nullable=False),
        sa.Column("city", sa.String(length=200), nullable=False),
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("country", "postal_code", name=op.f("pk_postal_code")),
    )
    op.create_table(
        "revision",
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_revision")),
    )
    op.create_table(
        "closure",
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_closure_node_node")),
        sa.PrimaryKeyConstraint("node", "on_date", name=op.f("pk_closure")),
    )
    op.create_table(
        "node_day",
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("capacity_minutes", sa.Integer(), nullable=True),
        sa.Column("claimed_minutes", sa.Integer(), nullable=False),
        sa.CheckConstraint("claimed_minutes >= 0", name=op.f("ck_node_day_claimed")),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_node_day_node_node")),
        sa.PrimaryKeyConstraint("node", "on_date", name=op.f("pk_node_day")),
    )
    op.create_table(
        "node_profile",
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("line1", sa.String(length=200), nullable=False),
        sa.Column("city", sa.String(length=200), nullable=False),
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("postal_code", sa.String(length=64), nullable=False),
        sa.Column("country", sa.String(length=64), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("ships", sa.Boolean(), nullable=False),
        sa.Column("collects", sa.Boolean(), nullable=False),
        sa.Column("takes_returns", sa.Boolean(), nullable=False),
        sa.Column("capacity_minutes", sa.Integer(), nullable=False),
        sa.Column("package_cost_minor", sa.Integer(), nullable=False),
        sa.Column("line_cost_minor", sa.Integer(), nullable=False),
        sa.Column("unit_cost_minor", sa.Integer(), nullable=False),
        sa.Column("package_minutes", sa.Integer(), nullable=False),
        sa.Column("line_minutes", sa.Integer(), nullable=False),
        sa.Column("pick_success", sa.Float(), nullable=False),
        sa.Column("opening_hours", Document, nullable=False),
        sa.Column("cut_off", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("capacity_minutes >= 0", name=op.f("ck_node_profile_capacity")),
        sa.CheckConstraint("pick_success > 0 AND pick_success <= 1", name=op.f("ck_node_profile_pick_success")),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_node_profile_node_node")),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_node_profile")),
    )
    op.create_table(
        "tariff",
        sa.Column("carrier_service", sa.String(length=64), nullable=False),
        sa.Column("max_distance_km", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("max_weight_g", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("transit_days", sa.Integer(), nullable=False),
        sa.CheckConstraint("price_minor >= 0 AND transit_days >= 0", name=op.f("ck_tariff_counters")),
        sa.ForeignKeyConstraint(
            ["carrier_service"], ["carrier_service.id"], name=op.f("fk_tariff_carrier_service_carrier_service")
        ),
        sa.PrimaryKeyConstraint("carrier_service", "max_distance_km", "max_weight_g", name=op.f("pk_tariff")),
    )


def downgrade() -> None:
    op.drop_table("tariff")
    op.drop_table("node_profile")
    op.drop_table("node_day")
    op.drop_table("closure")
    op.drop_table("revision")
    op.drop_table("postal_code")
    op.drop_table("policy")
    op.drop_table("carrier_service")
