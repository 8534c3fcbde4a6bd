"""A proposal that is held rather than made true: its units at its nodes, for a reference and for some minutes.

Called by the rooms above for carts and for quoted promises. Invariant: nothing is committed but units; whoever turns
the hold into an order decides again, with what is held as theirs, and exchanges it in one posting.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from fulfillment.sourcing.commit import StalePlan
from fulfillment.sourcing.proposal import Proposal
from stock import availability, holds
from stock.errors import ClaimsChanged, InsufficientStock
from stock.holds import HoldUnits, Term
from stock.postings import Header


def hold(
    session: Session, proposal: Proposal, reference: str, *, term: Term, now: datetime, actor: str
) -> datetime | None:
    """Hold what a proposal serves for a reference, instead of what was held for it; return until when, if anything is.

    What the rules keep back from its channel is left. Raises StalePlan when units that it counted on are gone.
    """
    parts = [
        (part, package.node, change.wanted.channel)
        for change in proposal.changes
        for package in change.packages
        for part in package.lines
    ]
    floors = availability.floors(session, ((part.sku, node, channel) for part, node, channel in parts))
    wanted = [HoldUnits(part.sku, node, part.units) for part, node, _ in parts]
    header = Header(kind="hold", reference=reference, actor=actor, occurred_at=now)
    try:
        ends = holds.hold(session, header, reference, wanted, term=term, instead_of=proposal.held, floors=floors)
    except (InsufficientStock, ClaimsChanged) as refusal:
        raise StalePlan([fault.message for fault in refusal.faults]) from refusal
    return ends if wanted else None
