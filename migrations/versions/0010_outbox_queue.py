"""Events that have no position yet stand in a queue, so that placing them does not read history.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.db import UtcDateTime, database_now

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

FILL = """INSERT INTO outbox_queue (queued_at, event_id)
SELECT o.recorded_at, o.id FROM outbox AS o LEFT JOIN outbox_position AS p ON p.event_id = o.id
WHERE p.event_id IS NULL"""
# The queue empties itself all the time: its dead rows must not pile up at the end that is read.
CLEANED = "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000"


def upgrade() -> None:
    op.create_table(
        "outbox_queue",
        sa.Column("queued_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.Column("event_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("queued_at", "event_id", name=op.f("pk_outbox_queue")),
    )
    op.execute(FILL)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE outbox_queue SET ({CLEANED})")


def downgrade() -> None:
    op.drop_table("outbox_queue")
