"""The reasons for which stock is corrected, picked short, rejected and graded, and what each does.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# An adjustment's units are signed as seen from the first account; all others go from the first to the second.
REASONS = {
    "adjustment": {
        "recount": ("on_hand", "adjustment"),
        "correction": ("on_hand", "adjustment"),
        "found": ("on_hand", "adjustment"),
        "damage": ("on_hand", "damaged"),
        "quarantine": ("on_hand", "quarantine"),
        "theft": ("on_hand", "shrink"),
        "write_off": ("on_hand", "shrink"),
        "dispose": ("damaged", "shrink"),
    },
    "short": {
        "not_found": ("on_hand", "shrink"),
        "damaged": ("on_hand", "damaged"),
        "display_worn": ("on_hand", "damaged"),
        "sold_meanwhile": ("on_hand", "shrink"),
        "wrong_label": ("on_hand", "quarantine"),
        "no_variance": (None, None),
    },
    "reject": {
        "not_found": ("on_hand", "shrink"),
        "damaged": ("on_hand", "damaged"),
        "no_staff": (None, None),
        "closing": (None, None),
    },
    "return_grade": {
        "resell": ("customer", "on_hand"),
        "damaged": ("customer", "damaged"),
        "quarantine": ("customer", "quarantine"),
    },
}

reason = sa.table(
    "reason",
    sa.column("code", sa.String),
    sa.column("use", sa.String),
    sa.column("from_account", sa.String),
    sa.column("to_account", sa.String),
    sa.column("active", sa.Boolean),
)


def upgrade() -> None:
    op.bulk_insert(
        reason,
        [
            {"code": code, "use": use, "from_account": source, "to_account": target, "active": True}
            for use, codes in REASONS.items()
            for code, (source, target) in codes.items()
        ],
    )


def downgrade() -> None:
    for use, codes in REASONS.items():
        op.execute(reason.delete().where(reason.c.use == use, reason.c.code.in_(list(codes))))
