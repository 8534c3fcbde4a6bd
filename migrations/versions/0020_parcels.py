"""Carriers price by zone and volume, ask surcharges, and have cut-offs, weekdays and limits; nodes pack in boxes.

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

LIMITS = ("dimensional_divisor", "max_parcel_g", "max_length_mm", "max_girth_mm")
BAND = ["carrier_service", "max_distance_km", "max_weight_g"]


def upgrade() -> None:
    with op.batch_alter_table("carrier_service") as services:
        services.add_column(sa.Column("delivers_on", sa.String(length=64), server_default="", nullable=False))
        services.add_column(sa.Column("cut_off", sa.String(), nullable=True))
        for name in LIMITS:
            services.add_column(sa.Column(name, sa.Integer(), nullable=True))
    with op.batch_alter_table("tariff") as bands:
        bands.add_column(sa.Column("zone", sa.String(length=64), server_default="", nullable=False))
        bands.add_column(sa.Column("max_volume_cm3", sa.Integer(), server_default="0", nullable=False))
        bands.add_column(sa.Column("further_kg_minor", sa.Integer(), nullable=True))
        bands.drop_constraint(op.f("pk_tariff"), type_="primary")
        bands.create_primary_key(op.f("pk_tariff"), [*BAND, "zone", "max_volume_cm3"])
    _zones()
    _surcharges()
    _boxes()


def downgrade() -> None:
    op.drop_table("box")
    op.drop_table("carrier_surcharge")
    op.drop_table("carrier_zone")
    # What only zones and volumes priced has no place in the older tariff.
    op.execute("DELETE FROM tariff WHERE zone <> '' OR max_volume_cm3 <> 0")
    with op.batch_alter_table("tariff") as bands:
        bands.drop_constraint(op.f("pk_tariff"), type_="primary")
        bands.create_primary_key(op.f("pk_tariff"), BAND)
        for name in ("zone", "max_volume_cm3", "further_kg_minor"):
            bands.drop_column(name)
    with op.batch_alter_table("carrier_service") as services:
        for name in ("delivers_on", "cut_off", *LIMITS):
            services.drop_column(name)


def _zones() -> None:
    op.create_table(
        "carrier_zone",
        sa.Column("carrier_service", sa.String(length=64), nullable=False),
        sa.Column("destination_country", sa.String(length=64), nullable=False),
        sa.Column("destination_prefix", sa.String(length=64), nullable=False),
        sa.Column("origin_country", sa.String(length=64), nullable=False),
        sa.Column("origin_prefix", sa.String(length=64), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["carrier_service"], ["carrier_service.id"], name=op.f("fk_carrier_zone_carrier_service_carrier_service")
        ),
        sa.PrimaryKeyConstraint(
            "carrier_service", "destination_country", "destination_prefix", "origin_country", "origin_prefix",
            name=op.f("pk_carrier_zone"),
        ),
    )  # fmt: skip


def _surcharges() -> None:
    op.create_table(
        "carrier_surcharge",
        sa.Column("carrier_service", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("percent_bp", sa.Integer(), nullable=False),
        sa.Column("package_minor", sa.Integer(), nullable=False),
        sa.Column("kg_minor", sa.Integer(), nullable=False),
        sa.Column("country", sa.String(length=64), nullable=False),
        sa.Column("prefixes", sa.String(), nullable=False),
        sa.Column("over_length_mm", sa.Integer(), nullable=True),
        sa.Column("over_weight_g", sa.Integer(), nullable=True),
        sa.Column("delivered_on", sa.String(length=64), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "percent_bp >= 0 AND package_minor >= 0 AND kg_minor >= 0", name=op.f("ck_carrier_surcharge_amounts")
        ),
        sa.ForeignKeyConstraint(
            ["carrier_service"],
            ["carrier_service.id"],
            name=op.f("fk_carrier_surcharge_carrier_service_carrier_service"),
        ),
        sa.PrimaryKeyConstraint("carrier_service", "code", name=op.f("pk_carrier_surcharge")),
    )


def _boxes() -> None:
    op.create_table(
        "box",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("length_mm", sa.Integer(), nullable=False),
        sa.Column("width_mm", sa.Integer(), nullable=False),
        sa.Column("height_mm", sa.Integer(), nullable=False),
        sa.Column("tare_g", sa.Integer(), nullable=False),
        sa.Column("max_weight_g", sa.Integer(), nullable=False),
        sa.Column("cost_minor", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "length_mm > 0 AND width_mm > 0 AND height_mm > 0 AND max_weight_g > 0", name=op.f("ck_box_measures")
        ),
        sa.CheckConstraint("tare_g >= 0 AND cost_minor >= 0", name=op.f("ck_box_counters")),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_box_node_node")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_box")),
    )
