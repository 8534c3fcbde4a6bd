"""What is learned of an article at a node: how often it was found, and what a unit is worth there.

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.db import UtcDateTime, database_now

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pick_evidence",
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("found", sa.Float(53), nullable=False),
        sa.Column("missed", sa.Float(53), nullable=False),
        sa.Column("as_of_day", sa.Integer(), nullable=False),
        sa.CheckConstraint("found >= 0 AND missed >= 0", name=op.f("ck_pick_evidence_weights")),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_pick_evidence_node_node")),
        sa.ForeignKeyConstraint(["sku"], ["article.sku"], name=op.f("fk_pick_evidence_sku_article")),
        sa.PrimaryKeyConstraint("sku", "node", name=op.f("pk_pick_evidence")),
    )
    op.create_index("ix_pick_evidence_node", "pick_evidence", ["node"])
    op.create_table(
        "node_evidence",
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("found", sa.Float(53), nullable=False),
        sa.Column("missed", sa.Float(53), nullable=False),
        sa.CheckConstraint("found >= 0 AND missed >= 0", name=op.f("ck_node_evidence_weights")),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_node_evidence_node_node")),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_node_evidence")),
    )
    op.create_table(
        "shadow_price",
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_shadow_price_price")),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_shadow_price_node_node")),
        sa.ForeignKeyConstraint(["sku"], ["article.sku"], name=op.f("fk_shadow_price_sku_article")),
        sa.PrimaryKeyConstraint("sku", "node", "valid_from", name=op.f("pk_shadow_price")),
    )
    op.create_table(
        "markdown",
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("family", sa.String(length=64), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("saved_minor", sa.Integer(), nullable=False),
        sa.CheckConstraint("saved_minor >= 0", name=op.f("ck_markdown_saved")),
        sa.CheckConstraint("(sku = '') <> (family = '')", name=op.f("ck_markdown_about")),
        sa.ForeignKeyConstraint(["node"], ["node.id"], name=op.f("fk_markdown_node_node")),
        sa.PrimaryKeyConstraint("sku", "family", "node", "from_on", name=op.f("pk_markdown")),
    )
    op.create_index("ix_markdown_family", "markdown", ["family"])


def downgrade() -> None:
    for table in ("markdown", "shadow_price", "node_evidence", "pick_evidence"):
        op.drop_table(table)
