"""The one place where a fulfillment order changes its status: status, history row and event are written together.

Called by every verb of this room. Invariant: the last history row with a `to_status` says where the order stands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from fulfillment.work.errors import AlreadyShipped, NotPossibleNow, OnHold
from fulfillment.work.events import FulfillmentOrderMoved
from fulfillment.work.models import (
    CLOSED,
    LEFT,
    NOT_STARTED,
    TRANSITIONS,
    Demand,
    FulfillmentHistory,
    FulfillmentOrder,
    Status,
)
from kernel import events
from kernel.ids import new_id
from kernel.states import advance

# What a person started may be finished on hold; only nobody starts, and nothing reaches the customer.
STARTS_OR_LEAVES = frozenset({Status.ACCEPTED, Status.PICKING, Status.SHIPPED, Status.READY, Status.HANDED_OVER})


def move(
    session: Session,
    fo: FulfillmentOrder,
    target: Status,
    *,
    actor: str,
    now: datetime,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Bring `fo` to `target`; raise IllegalTransition when the table does not allow it, OnHold while it is paused."""
    came_from = fo.status
    reached = advance(TRANSITIONS, came_from, target, what=f"Fulfillment order {fo.number}")
    if target in STARTS_OR_LEAVES and _demand(session, fo).paused_at is not None:
        raise OnHold(fo.number)
    fo.status = reached
    fo.version += 1
    if target in CLOSED:
        fo.ended_at = now
    if came_from in NOT_STARTED:
        _tell_deciders(session, fo)
    _write(session, fo, target.value, came_from, target, actor=actor, now=now, reason=reason, details=details)
    events.record(
        session,
        FulfillmentOrderMoved(
            aggregate_id=fo.id, number=fo.number, demand_id=fo.demand_id, reference=fo.reference, node=fo.node,
            method=fo.method, from_status=came_from, to_status=target, reason=reason,
            actor=actor, occurred_at=now,
        ),
    )  # fmt: skip


def begin(session: Session, fo: FulfillmentOrder, *, actor: str, now: datetime, reason: str = "") -> None:
    """Write the first history row of a new fulfillment order and tell it."""
    if fo.status in CLOSED:
        fo.ended_at = now
    _write(session, fo, fo.status, None, fo.status, actor=actor, now=now, reason=reason, details=None)
    events.record(
        session,
        FulfillmentOrderMoved(
            aggregate_id=fo.id, number=fo.number, demand_id=fo.demand_id, reference=fo.reference, node=fo.node,
            method=fo.method, from_status="", to_status=fo.status, reason=reason,
            actor=actor, occurred_at=now,
        ),
    )  # fmt: skip


def note(
    session: Session,
    fo: FulfillmentOrder,
    what: str,
    *,
    actor: str,
    now: datetime,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write a fact about `fo` that does not change its status, such as a short pick."""
    fo.version += 1
    _write(session, fo, what, None, None, actor=actor, now=now, reason=reason, details=details)


def require(fo: FulfillmentOrder, allowed: Collection[str]) -> None:
    """Raise AlreadyShipped or NotPossibleNow, saying what to do instead, unless `fo` is in one of these statuses."""
    if fo.status in allowed:
        return
    raise (AlreadyShipped if fo.status in LEFT else NotPossibleNow)(fo.number, fo.status)


def _tell_deciders(session: Session, fo: FulfillmentOrder) -> None:
    # A decision made while this one could still be taken along no longer holds.
    _demand(session, fo).version += 1


def _demand(session: Session, fo: FulfillmentOrder) -> Demand:
    demand = session.get(Demand, fo.demand_id)
    assert demand is not None, f"fulfillment order {fo.number} has no demand"
    return demand


def _write(
    session: Session,
    fo: FulfillmentOrder,
    what: str,
    from_status: str | None,
    to_status: str | None,
    *,
    actor: str,
    now: datetime,
    reason: str,
    details: Mapping[str, Any] | None,
) -> None:
    session.add(
        FulfillmentHistory(
            id=new_id(), fulfillment_order_id=fo.id, what=what, from_status=from_status, to_status=to_status,
            actor=actor, reason=reason, details=dict(details or {}), occurred_at=now,
        )
    )  # fmt: skip
