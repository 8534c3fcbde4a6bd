"""Corrections of stock by people, each for a reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from stock import reasons
from stock.displacement import settle
from stock.lines import SIGNED, check_units
from stock.postings import Header

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def adjust(
    session: Session,
    *,
    node: str,
    sku: str,
    units: int,
    reason: str,
    reference: str = "",
    actor: str,
    now: datetime,
) -> str:
    """Correct the stock of one article at a node and return the posting's id; reservations are displaced if need be.

    `units` is signed as seen from the account that the reason names first, on hand for most: -2 for "damage" takes two
    units off the shelf and puts them among the damaged, -2 for "release" takes two out of quarantine and back. Raises
    InvalidUnits, UnknownReason, UnknownStock, and InsufficientStock when the account has fewer units.
    """
    header = Header(kind="adjustment", reason=reason, reference=reference, actor=actor, occurred_at=now)
    return adjust_many(session, header, node=node, lines=[(sku, units)])


def adjust_many(session: Session, header: Header, *, node: str, lines: Sequence[tuple[str, int]]) -> str:
    """Correct several articles of a node for one reason, in one posting. Raises as `adjust`."""
    check_units((units for _, units in lines), within=SIGNED)
    check_units((abs(units) for _, units in lines))
    effect = reasons.moving(session, [header.reason], reasons.ADJUSTMENT)[header.reason]
    moves = [effect.movement(sku, node, -units) for sku, units in lines]
    posting_id = settle(session, header, [(sku, node) for sku, _ in lines], lambda _: moves)
    assert posting_id is not None, "an adjustment moves units"
    return posting_id
