"""Suppliers that ship for us: what leaves a supplier's node was never ours before, so it comes in as it leaves.

Called by the verbs that pick and consume reservations. Invariant: units that a supplier's node is asked for and does
not have on hand are received from the supplier in the same posting; at any other node they are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select

from stock import ledger
from stock.errors import InsufficientStock
from stock.models import Account, Node, NodeKind
from stock.postings import Header, Key, Movement, ReservationChange, Side

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

SUPPLIER = Side(Account.SUPPLIER)
PHYSICAL = frozenset({"on hand", "on hand to pick"})


def post(
    session: Session, header: Header, movements: Sequence[Movement], *, changes: Sequence[ReservationChange]
) -> str:
    """Write one posting as the ledger does, with receipts for what suppliers' nodes lack. Raises as `ledger.post`.

    Nobody is asked what kind a node is as long as units are there; a refusal leaves the balances locked, so that what
    it says is still so when the receipts are added.
    """
    try:
        return ledger.post(session, header, movements, changes=changes)
    except InsufficientStock as refused:
        lacking = _lacking(refused)
        if not _are_suppliers(session, {node for _, node in lacking}):
            raise
        came = [Movement(sku, units, SUPPLIER, Side(Account.ON_HAND, node)) for (sku, node), units in lacking.items()]
        return ledger.post(session, header, [*came, *movements], changes=changes)


def _lacking(refused: InsufficientStock) -> dict[Key, int]:
    """Return the units that are not on hand; a balance may be told to lack them in more than one way."""
    lacking: dict[Key, int] = {}
    for short in refused.shortages:
        if short.account in PHYSICAL:
            key = short.sku, short.node
            lacking[key] = max(lacking.get(key, 0), short.wanted - short.available)
    return lacking


def _are_suppliers(session: Session, nodes: set[str]) -> bool:
    kinds = session.scalars(select(Node.kind).where(Node.id.in_(nodes)))
    return set(kinds) == {NodeKind.SUPPLIER}
