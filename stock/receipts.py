"""Goods received from suppliers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stock.ledger import post
from stock.lines import check_units
from stock.models import Account
from stock.postings import Header, Movement, Side

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

SUPPLIER = Side(Account.SUPPLIER)


def receive(session: Session, header: Header, lines: Sequence[tuple[str, str, int]]) -> str:
    """Put units (node, SKU, units) on hand. Raises InvalidUnits, UnknownStock."""
    check_units(units for _, _, units in lines)
    return post(
        session, header, [Movement(sku, units, SUPPLIER, Side(Account.ON_HAND, node)) for node, sku, units in lines]
    )
