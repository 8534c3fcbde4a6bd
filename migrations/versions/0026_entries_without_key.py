"""A posting maintains fewer keys and indexes: only those that a query or a guarantee needs.

On PostgreSQL claims wait while the new key of reservations is built; SQLite copies the table.

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
BY_SKU = ["sku", "reference", "purpose", "attempt"]
BY_REFERENCE = ["reference", "sku", "purpose", "attempt"]


# PostgreSQL looked each entry's posting up again, one by one, though the same statement has just written it: a tenth of
# what the server spends on a posting in the lane; the proof holds entries to their postings (I3). Attempts of a
# reference are unique by a key that begins with the reference, by which reservations are looked for, too. Nobody reads
# the outbox by the time of its rows.
def upgrade() -> None:
    op.drop_index("ix_outbox_recorded_at", table_name="outbox")
    _exchange(BY_SKU, BY_REFERENCE)
    op.drop_index("ix_reservation_reference", table_name="reservation")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE stock_entry DROP CONSTRAINT {KEY}")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(REFERENCE)
    op.create_index("ix_reservation_reference", "reservation", ["reference"], unique=False)
    _exchange(BY_REFERENCE, BY_SKU)
    op.create_index("ix_outbox_recorded_at", "outbox", ["recorded_at"], unique=False)


def _exchange(before: list[str], after: list[str]) -> None:
    with op.batch_alter_table("reservation") as reservations:
        reservations.create_unique_constraint(f"uq_reservation_{'_'.join(after)}", after)
        reservations.drop_constraint(f"uq_reservation_{'_'.join(before)}", type_="unique")
