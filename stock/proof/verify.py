"""The ledger proves itself: its invariants asked again, over all rows, in SQL.

Walked by the doors (`ledger verify`, the job that keeps proving) and run whole by tests after whatever they did. The
constraints and the one statement that writes are the first guard; this finds what a broken disk, a forgotten constraint
or a hand in the database has done. Invariant: each check is one query over all rows of a stretch of SKUs (of postings,
for I8), reads one snapshot, and an empty answer is the proof.

I1 no counter is negative, nothing is picked that is not there, nothing is promised beyond the limit
I2 a balance is the fold of its entries
I3 the versions of a balance's entries run from 1 to its own without gap or repeat, and each entry has its posting
I4 a reservation ends once, and reservations, entries and balances agree about what is claimed
I6 units are conserved: what nodes hold is what came in from outside less what went out
I8 each posting is told to the outside, once
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import text

from kernel.proofs import Finding, Part, Stretch, everything
from stock.models import Posting, StockBalance, StockEntry
from stock.proof.checks import CHECKS, TOLD, Check

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

LIMIT = 100


def by_sku(session: Session, stretch: Stretch, *, limit: int = LIMIT) -> Iterator[Finding]:
    """Yield what breaks I1, I2, I3, I4 or I6 in a stretch of SKUs, in key order, up to `limit` of each check."""
    return _found(session, CHECKS, stretch, limit)


def by_posting(session: Session, stretch: Stretch, *, limit: int = LIMIT) -> Iterator[Finding]:
    """Yield what breaks I8 in a stretch of postings, in key order, up to `limit` of each check."""
    return _found(session, TOLD, stretch, limit)


def findings(session: Session) -> Iterator[Finding]:
    """Yield each row of the ledger that breaks an invariant."""
    return everything(session, PARTS)


def _found(session: Session, checks: Sequence[Check], stretch: Stretch, limit: int) -> Iterator[Finding]:
    within = {column: stretch.written(column) for column in ("sku", "id", "aggregate_id")}
    for check in checks:
        query = text(f"{check.query.format(**within)} LIMIT :limit")
        for place, key, *values in session.execute(query, {"limit": limit, **stretch.parameters}):
            yield Finding(check.invariant, check.table, str(key), check.message.format(*values), str(place))


PARTS = (
    Part("entries", (StockEntry.sku, StockBalance.sku), by_sku),
    Part("postings", (Posting.id,), by_posting),
)
