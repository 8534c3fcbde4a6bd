"""Units sold over a counter: what the till says is true, whatever the ledger believed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from stock.counting import tasks
from stock.counting.documents import Cause
from stock.displacement import Levels, settle
from stock.lines import check_units
from stock.models import Account
from stock.postings import Header, Movement, Side

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

CUSTOMER, ADJUSTMENT = Side(Account.CUSTOMER), Side(Account.ADJUSTMENT)


def sell(
    session: Session,
    *,
    node: str,
    lines: Sequence[tuple[str, int]],
    reference: str,
    actor: str,
    occurred_at: datetime,
) -> str:
    """Take units (SKU, units) from the shelf to customers and return the posting's id.

    Units in totes cannot have been sold: what the shelf lacks by the ledger was there all the same, so the difference
    is posted first, and counting proposed. Reservations are displaced if need be. Raises InvalidUnits, UnknownStock.
    """
    check_units(units for _, units in lines)
    sold: Counter[str] = Counter()
    for sku, units in lines:
        sold[sku] += units
    shelf = Side(Account.ON_HAND, node)
    lacking: dict[str, int] = {}

    def plan(seen: Levels) -> list[Movement]:
        lacking.update({sku: units - seen[sku, node].on_shelf for sku, units in sold.items()})
        found = [Movement(sku, units, ADJUSTMENT, shelf) for sku, units in sorted(lacking.items()) if units > 0]
        return found + [Movement(sku, units, shelf, CUSTOMER) for sku, units in lines]

    header = Header(kind="sale", reference=reference, actor=actor, occurred_at=occurred_at)
    posting_id = settle(session, header, [(sku, node) for sku in sold], plan)
    assert posting_id is not None, "a sale moves units"
    now = occurred_at
    if beyond := [sku for sku, units in lacking.items() if units > 0]:
        tasks.propose(session, node, beyond, cause=Cause.SOLD_BEYOND_STOCK, reference=reference, now=now)
    if last := [sku for sku, units in lacking.items() if units == 0]:
        tasks.propose_where_empty(session, node, last, reference=reference, now=now)
    return posting_id
