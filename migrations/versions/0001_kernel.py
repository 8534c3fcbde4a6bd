"""The kernel's tables: outbox, idempotency keys and the vault.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.db import Document, UtcDateTime, database_now

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "idempotency_key",
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", Document, nullable=True),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("aggregate", sa.String(length=64), nullable=False),
        sa.Column("aggregate_id", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("payload", Document, nullable=False),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint(
            "aggregate", "aggregate_id", "sequence", name=op.f("uq_outbox_aggregate_aggregate_id_sequence")
        ),
    )
    op.create_index("ix_outbox_recorded_at", "outbox", ["recorded_at"], unique=False)
    op.create_table(
        "outbox_position",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_outbox_position")),
        sa.UniqueConstraint("event_id", name=op.f("uq_outbox_position_event_id")),
    )
    op.create_table(
        "subject",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), server_default=database_now(), nullable=False),
        sa.Column("erased_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subject")),
    )
    op.create_table(
        "subject_digest",
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sole", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "kind", "digest", name=op.f("pk_subject_digest")),
    )
    op.create_index("ix_subject_digest_kind", "subject_digest", ["kind", "digest"], unique=False)
    op.create_index(
        "uq_subject_digest_sole",
        "subject_digest",
        ["kind", "digest"],
        unique=True,
        sqlite_where=sa.text("sole"),
        postgresql_where=sa.text("sole"),
    )
    op.create_table(
        "subject_record",
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "name", name=op.f("pk_subject_record")),
    )


def downgrade() -> None:
    op.drop_table("subject_record")
    op.drop_index(
        "uq_subject_digest_sole",
        table_name="subject_digest",
        sqlite_where=sa.text("sole"),
        postgresql_where=sa.text("sole"),
    )
    op.drop_index("ix_subject_digest_kind", table_name="subject_digest")
    op.drop_table("subject_digest")
    op.drop_table("subject")
    op.drop_table("outbox_position")
    op.drop_index("ix_outbox_recorded_at", table_name="outbox")
    op.drop_table("outbox")
    op.drop_table("idempotency_key")
