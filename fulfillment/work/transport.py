"""Transfer legs: the fulfillment orders by which other nodes supply one that awaits a transfer, and their documents.

Read by every verb that changes an order with legs. Invariant: the transfer document of a leg has the leg as reference.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.work.models import OPEN, FulfillmentOrder, Status
from stock import transfers
from stock.documents import Transfer, TransferStatus

ADVANCEMENT = (
    Status.ALLOCATED, Status.AWAITING_TRANSFER, Status.ACCEPTED, Status.PICKING, Status.PICKED, Status.PACKED,
    Status.READY,
)  # fmt: skip
UNDISPATCHED = frozenset({TransferStatus.PROPOSED, TransferStatus.APPROVED, TransferStatus.PICKING})


def advancement(fo: FulfillmentOrder) -> int:
    """Return how far an open order has come: the least advanced loses its units first."""
    return ADVANCEMENT.index(Status(fo.status))


def legs(session: Session, supplied_id: str) -> list[FulfillmentOrder]:
    """Return the legs not yet dispatched to an order, the least advanced first."""
    supplying = (FulfillmentOrder.supplies == supplied_id) & FulfillmentOrder.status.in_(OPEN)
    return sorted(
        session.scalars(select(FulfillmentOrder).where(supplying)), key=lambda leg: (advancement(leg), leg.id)
    )


def document(session: Session, leg: FulfillmentOrder) -> Transfer | None:
    """Return the transfer document of a leg, when it has one."""
    return session.scalar(select(Transfer).where(Transfer.reference == leg.id))


def cancel(session: Session, leg: FulfillmentOrder, *, actor: str, now: datetime) -> None:
    """Cancel the document of a leg that closed before it was dispatched."""
    transfer = document(session, leg)
    if transfer is not None and transfer.status in UNDISPATCHED:
        transfers.cancel(session, transfer.id, actor=actor, now=now)
