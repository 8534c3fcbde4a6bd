"""How long a hold may be extended.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.db import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

EXPIRES = "ix_reservation_expires_at"
OPEN = sa.text("expires_at IS NOT NULL AND consumed + released < units")
EVER = sa.text("expires_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("reservation", sa.Column("extendable_until", UtcDateTime(), nullable=True))
    # Holds that have ended are of no interest to the sweep, and would make it slower with every cart.
    op.drop_index(EXPIRES, table_name="reservation")
    op.create_index(EXPIRES, "reservation", ["expires_at"], postgresql_where=OPEN, sqlite_where=OPEN)


def downgrade() -> None:
    op.drop_index(EXPIRES, table_name="reservation")
    op.create_index(EXPIRES, "reservation", ["expires_at"], postgresql_where=EVER, sqlite_where=EVER)
    op.drop_column("reservation", "extendable_until")
