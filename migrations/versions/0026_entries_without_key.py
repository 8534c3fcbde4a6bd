"""Entries are held to their postings by the statement that writes both and by the proof, not by a key on PostgreSQL.

Revision ID: 0026
Revises: 0025
"""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

KEY = "fk_stock_entry_posting_id_posting"
REFERENCE = f"ALTER TABLE stock_entry ADD CONSTRAINT {KEY} FOREIGN KEY (posting_id) REFERENCES posting (id)"


# PostgreSQL looked each entry's posting up again, one by one, though the same statement has just written it: a tenth of
# what the server spends on a posting in the lane. Nobody reads the outbox by the time of its rows.
def upgrade() -> None:
    op.drop_index("ix_outbox_recorded_at", table_name="outbox")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE stock_entry DROP CONSTRAINT {KEY}")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(REFERENCE)
    op.create_index("ix_outbox_recorded_at", "outbox", ["recorded_at"], unique=False)
