"""Units that come back from customers, graded when they arrive."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from stock import reasons
from stock.ledger import post
from stock.lines import check_units
from stock.postings import Header

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def receive(
    session: Session,
    *,
    node: str,
    lines: Sequence[tuple[str, int, str]],
    reference: str,
    actor: str,
    now: datetime,
) -> str:
    """Receive units (SKU, units, grade) at a node, each into the account of its grade; return the posting's id.

    Raises InvalidUnits, UnknownReason for a grade that is not in use, UnknownStock.
    """
    check_units(units for _, units, _ in lines)
    effects = reasons.moving(session, {grade for _, _, grade in lines}, reasons.RETURN_GRADE)
    moves = [effects[grade].movement(sku, node, units) for sku, units, grade in lines]
    return post(session, Header(kind="return", reference=reference, actor=actor, occurred_at=now), moves)
