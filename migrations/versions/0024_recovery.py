"""Why a demand is to be decided again.

Revision ID: 0024
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0019"
branch_labels = None
depends_on = None

TO_DECIDE = sa.text("decide_cause IS NOT NULL")


def upgrade() -> None:
    op.add_column("demand", sa.Column("decide_cause", sa.String(), nullable=True))
    op.create_index("ix_demand_to_decide", "demand", ["id"], postgresql_where=TO_DECIDE, sqlite_where=TO_DECIDE)


def downgrade() -> None:
    op.drop_index("ix_demand_to_decide", table_name="demand")
    op.drop_column("demand", "decide_cause")
