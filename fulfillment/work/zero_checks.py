"""A pick that should have emptied a shelf is the best moment to look: somebody stands before it.

`api/` wires the handler for `FulfillmentOrderMoved`; it runs in the transaction of the last scan.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.work.events import FulfillmentOrderMoved
from fulfillment.work.models import FulfillmentLine, Status
from stock.counting import tasks


def on_fulfillment_order_moved(session: Session, event: FulfillmentOrderMoved) -> None:
    """Propose to count the articles of a picked order of which nothing should be left."""
    if (event.from_status, event.to_status) != (Status.PICKING, Status.PICKED):
        return
    taken = select(FulfillmentLine.sku).where(
        FulfillmentLine.fulfillment_order_id == event.aggregate_id, FulfillmentLine.picked > 0
    )
    skus = session.scalars(taken).all()
    reference, now = event.aggregate_id, event.occurred_at
    tasks.propose_where_empty(session, event.node, skus, reference=reference, now=now)
