"""What the order service does when news comes from below, in the transaction of the news.

Wired by the doors into the table of handlers. Invariant: nothing is decided here; counters and states follow the news.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from fulfillment.work import events as work_events
from fulfillment.work.events import FulfillmentOrderMoved, UnitsCancelled
from fulfillment.work.models import Method, Status
from kernel import events
from kernel.events import Handlers
from kernel.ids import new_id
from oms import closing, history
from oms.events import LineUnits, OrderLinesCancelled
from oms.models import Cancellation, Order

GONE = frozenset({Status.SHIPPED, Status.HANDED_OVER})


def fulfillment_order_moved(session: Session, event: FulfillmentOrderMoved) -> None:
    """Complete the order when its last unit has left, and let those who follow it see that it changed."""
    if event.to_status not in GONE or event.method == Method.TRANSFER:
        history.touch_unlocked(session, event.reference)
    elif (order := _order(session, event.reference)) is not None:
        history.touch(order)
        closing.settle(session, order, actor=event.actor, now=event.occurred_at)
        session.flush()


def units_cancelled(session: Session, event: UnitsCancelled) -> None:
    """Count cancelled units on the order's lines, remember who gave them up and why, and close what is empty."""
    order = _order(session, event.reference)
    if order is None:
        return
    _count(session, order, event)
    history.touch(order)
    details = {"lines": [{"sku": line.sku, "units": line.units} for line in event.lines]}
    actor, now = event.actor, event.occurred_at
    history.write(session, order.id, "lines_cancelled", reason=event.reason, details=details, actor=actor, now=now)
    session.flush()
    _tell(session, order, event)
    closing.settle(session, order, actor=actor, now=now)


HANDLERS: Handlers = {
    FulfillmentOrderMoved: (fulfillment_order_moved,),
    UnitsCancelled: (units_cancelled,),
}


def _order(session: Session, reference: str) -> Order | None:
    """Lock the order behind a reference; None for what was not wanted by an order, such as stock on its way."""
    return history.lock(session, reference) if session.get(Order, reference) is not None else None


def _count(session: Session, order: Order, event: UnitsCancelled) -> None:
    lines = {line.id: line for line in order.lines}
    for cancelled in event.lines:
        lines[cancelled.demand_line_id].cancelled += cancelled.units
        session.add(
            Cancellation(
                id=new_id(), order_line_id=cancelled.demand_line_id, units=cancelled.units, reason=event.reason,
                actor=event.actor, occurred_at=event.occurred_at,
            )
        )  # fmt: skip


def _tell(session: Session, order: Order, event: UnitsCancelled) -> None:
    events.record(
        session,
        OrderLinesCancelled(
            aggregate_id=order.id, number=order.number, channel=order.channel, external_id=order.external_id,
            reason=event.reason, lines=_lines(event.lines),
        ),
    )  # fmt: skip


def _lines(lines: Sequence[work_events.LineUnits]) -> tuple[LineUnits, ...]:
    return tuple(LineUnits(line_id=line.demand_line_id, sku=line.sku, units=line.units) for line in lines)
