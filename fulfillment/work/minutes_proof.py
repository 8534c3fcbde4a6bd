"""I5 of minutes: what is claimed of a node's day is the work that was given to it, and what is held of it.

Walked with the rest of I5, and read by repair. Work that was taken back before it was done gave its minutes back: the
history of its fulfillment order tells, since the last step of one that is closed says where it came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, Integer, Select, cast, func, literal, select, union_all
from sqlalchemy.orm import Session

from fulfillment.network.models import HeldMinutes, NodeDay
from fulfillment.work.models import CLOSED, LEFT, FulfillmentHistory, FulfillmentOrder
from fulfillment.work.withdrawal import WORK_TO_DO
from kernel.proofs import Finding, Part, Stretch

TABLE: Final = "node_day"


def by_node(session: Session, stretch: Stretch) -> Iterator[Finding]:
    """Yield the days, in a stretch of nodes, on which other minutes are claimed than belong to anything."""
    for node, on, claimed, needed in session.execute(unlike(stretch)):
        message = f"{claimed} minutes are claimed, {needed} are those of its work and of what is held"
        yield Finding("I5", TABLE, key_of(node, on), message, node)


def key_of(node: str, on: date) -> str:
    """Return the key by which findings name a day."""
    return f"{node} on {on}"


def unlike(stretch: Stretch) -> Select[str, date, int, int]:
    """Select node, date, claimed minutes and those that should be, where the two differ, in a stretch of nodes."""
    order, nothing = FulfillmentOrder, literal(0)
    claimed = select(NodeDay.node, NodeDay.on_date, NodeDay.claimed_minutes.label("claimed"), nothing.label("needed"))
    worked = select(order.node, order.work_on, nothing, order.work_minutes).where(~_given_back())
    held = select(HeldMinutes.node, HeldMinutes.on_date, nothing, HeldMinutes.minutes)
    every = union_all(
        claimed.where(stretch.over(NodeDay.node)),
        worked.where(stretch.over(order.node)),
        held.where(stretch.over(HeldMinutes.node)),
    ).subquery()
    sums = (cast(func.sum(every.c.claimed), Integer), cast(func.sum(every.c.needed), Integer))
    day = (every.c.node, every.c.on_date)
    return select(*day, *sums).group_by(*day).having(sums[0] != sums[1]).order_by(*day)


def _given_back() -> ColumnElement[bool]:
    """Return the condition that a fulfillment order was closed with its work still to be done."""
    ended = select(FulfillmentHistory.id).where(
        FulfillmentHistory.fulfillment_order_id == FulfillmentOrder.id,
        FulfillmentHistory.to_status == FulfillmentOrder.status,
        FulfillmentHistory.from_status.in_(WORK_TO_DO),
    )
    return FulfillmentOrder.status.in_(CLOSED - LEFT) & ended.exists()


PARTS = (Part("node days", (NodeDay.node, FulfillmentOrder.node), by_node),)
