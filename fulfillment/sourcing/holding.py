"""A proposal that is held rather than made true: its units at its nodes, for a reference and for some minutes.

Called by the rooms above for carts and for quoted promises. Invariant: nothing is committed but units, and minutes of
work for a promise; whoever turns the hold into an order decides again, with what is held as theirs, and exchanges it in
one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from fulfillment.network import held_minutes
from fulfillment.sourcing.commit import StalePlan
from fulfillment.sourcing.proposal import Holding, Proposal
from stock import availability, holds
from stock.errors import ClaimsChanged, InsufficientStock
from stock.holds import Held, HoldUnits, Term
from stock.postings import Header


@dataclass(frozen=True)
class Part:
    """Units of a SKU at a node that a channel would like to be held."""

    units: HoldUnits
    channel: str | None


def of(session: Session, reference: str) -> Holding:
    """Return what a reference still claims, with what has run out and is not swept yet."""
    return Holding(reference, tuple(holds.claimed_by(session, reference)), held_minutes.of(session, reference))


def hold(
    session: Session, proposal: Proposal, reference: str, *, term: Term, now: datetime, actor: str
) -> datetime | None:
    """Hold what a proposal serves for a reference, instead of what was held for it; return until when, if anything is.

    What the rules keep back from its channel is left. Raises StalePlan when units that it counted on are gone.
    """
    parts = [
        Part(HoldUnits(part.sku, package.node, part.units), change.wanted.channel)
        for change in proposal.changes
        for package in change.packages
        for part in package.lines
    ]
    try:
        ends = hold_parts(session, parts, reference, instead_of=proposal.held.units, term=term, now=now, actor=actor)
    except (InsufficientStock, ClaimsChanged) as refusal:
        raise StalePlan([fault.message for fault in refusal.faults]) from refusal
    return ends if parts else None


def hold_parts(
    session: Session,
    parts: Sequence[Part],
    reference: str,
    *,
    instead_of: Sequence[Held],
    term: Term,
    now: datetime,
    actor: str,
) -> datetime:
    """Hold units where they were chosen to come from, instead of what was held for the reference; return until when.

    What the rules keep back from their channel is left. Raises InsufficientStock with every shortage, and ClaimsChanged
    when what was held has ended meanwhile.
    """
    floors = availability.floors(session, ((part.units.sku, part.units.node, part.channel) for part in parts))
    header = Header(kind="hold", reference=reference, actor=actor, occurred_at=now)
    wanted = [part.units for part in parts]
    return holds.hold(session, header, reference, wanted, term=term, instead_of=instead_of, floors=floors)
