"""Who hears what: the handlers inside the house, by event, and the errors that say a decision was overtaken.

Read by the composition root. Handlers run in the transaction of the event that they hear, and never solve.
"""

from __future__ import annotations

from typing import Any

from fulfillment.sourcing.commit import StalePlan
from fulfillment.work import counted, zero_checks
from fulfillment.work.displacement import before_displacement, on_reservations_displaced
from fulfillment.work.events import FulfillmentOrderMoved
from kernel import events
from kernel.errors import Conflict
from kernel.events import Handlers
from oms import subscribers
from oms.errors import CartChanged
from stock.displacement import BEFORE_DISPLACEMENT
from stock.errors import BalancesMoved, ClaimsChanged
from stock.events import CountPosted, ReservationsDisplaced

HANDLERS: Handlers = {
    **subscribers.HANDLERS,
    ReservationsDisplaced: (on_reservations_displaced,),
    CountPosted: (counted.on_count_posted,),
    FulfillmentOrderMoved: (
        *subscribers.HANDLERS[FulfillmentOrderMoved],
        zero_checks.on_fulfillment_order_moved,
    ),
}
STALE: tuple[type[Conflict], ...] = (StalePlan, BalancesMoved, ClaimsChanged, CartChanged)
SESSION_INFO: dict[str, Any] = {events.HANDLERS: HANDLERS, BEFORE_DISPLACEMENT: before_displacement}
