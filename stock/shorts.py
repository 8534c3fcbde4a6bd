"""What a short pick or a rejection says about stock: units that were looked for and are not there, or not as new."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stock import reasons
from stock.counting import tasks
from stock.counting.documents import Cause
from stock.displacement import Levels, settle
from stock.lines import check_units
from stock.postings import Header, Movement

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def short(
    session: Session, header: Header, *, sku: str, node: str, units: int, reason: str, use: str = reasons.SHORT
) -> str | None:
    """Move units off the shelf into the account that the reason names; they must not be reserved any more.

    At most what the shelf holds by the ledger goes, since somebody may have corrected it meanwhile; other reservations
    are displaced if need be, and the article is proposed to be counted. Returns the posting's id, or None when nothing
    moves. Raises InvalidUnits, UnknownReason.
    """
    check_units([units])
    effect = reasons.effect(session, reason, use)
    if effect is None:
        return None

    def plan(seen: Levels) -> list[Movement]:
        there = min(units, seen[sku, node].on_shelf)
        return [effect.movement(sku, node, there)] if there else []

    posting_id = settle(session, replace(header, reason=reason), [(sku, node)], plan)
    cause = Cause.REJECTION if use == reasons.REJECT else Cause.SHORT_PICK
    tasks.propose(session, node, [sku], cause=cause, reference=header.reference, now=header.occurred_at)
    return posting_id
