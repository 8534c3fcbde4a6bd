"""The proof of the ledger: what each room checks of its part, put together, and what the last proof found.

Called by the job, the command line and the planner's pages. Invariant: proving only reads, so that it may run at any
time; how many findings the last proof had is kept as the result of its job.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import fulfillment.work.verify
import oms.verify
import stock.receipts
import stock.transfers
import stock.verify
from api.models import JobSlot
from oms.models import Order
from stock.models import StockBalance, StockEntry
from stock.verify import Finding

JOB: Final = "prove_ledger"


@dataclass(frozen=True)
class Proof:
    """When the ledger was last proven, and how many findings there were."""

    at: datetime
    findings: int


@dataclass(frozen=True)
class Size:
    """How many rows a proof goes over."""

    entries: int
    balances: int
    orders: int


def findings(session: Session) -> Iterator[Finding]:
    """Yield whatever does not add up, in any room."""
    return chain(
        stock.verify.findings(session),
        stock.transfers.findings(session),
        stock.receipts.findings(session),
        fulfillment.work.verify.findings(session),
        oms.verify.findings(session),
    )


def latest(session: Session) -> Proof | None:
    """Return what the last proof found; None before the first."""
    done = select(JobSlot.finished_at, JobSlot.result).where(JobSlot.job == JOB, JobSlot.finished_at.is_not(None))
    row = session.execute(done.order_by(JobSlot.finished_at.desc()).limit(1)).first()
    return Proof(row.finished_at, int(row.result)) if row else None


def size(session: Session) -> Size:
    """Return how many rows a proof goes over."""
    counts = [session.scalar(select(func.count()).select_from(each)) or 0 for each in (StockEntry, StockBalance, Order)]
    return Size(*counts)
