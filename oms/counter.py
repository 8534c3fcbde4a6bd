"""The counter: goods change hands once they are proven and paid.

Called by store pages and by REST. Invariant: what is due for the units taken is recorded in the transaction that hands
them over, or nothing is handed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from fulfillment.work import collecting
from fulfillment.work.errors import UnknownFulfillmentOrder
from fulfillment.work.models import FulfillmentOrder
from kernel.money import Money
from oms import history, payments, view
from oms.checks import Faults
from oms.errors import InvalidRequest, PaymentDue
from oms.models import Order
from oms.payments import Received


def amount_due(session: Session, fo_id: str, *, accepted: Mapping[str, int] | None = None) -> Money:
    """Return what is to be paid before these units (by fulfillment line id, all if absent) may leave.

    It is the price of what the customer will then have had, less what was paid. Raises UnknownFulfillmentOrder.
    """
    fo = _get(session, fo_id)
    return _due(session, history.get(session, fo.reference), fo, accepted)


def hand_over(
    session: Session,
    fo_id: str,
    *,
    code: str | None = None,
    identified_by: str | None = None,
    accepted: Mapping[str, int] | None = None,
    paid_by: str | None = None,
    reason: str = "refused",
    actor: str,
    now: datetime,
) -> FulfillmentOrder:
    """Hand a ready order over, collecting what is due for it; `paid_by` is how it was paid (payments.KINDS).

    `reason` is why something stays, when not everything is accepted. Raises PaymentDue when something is due
    and nobody paid, InvalidRequest for an unknown way of paying, and what `collecting.hand_over` raises.
    """
    fo = _get(session, fo_id)
    order = history.get(session, fo.reference)
    due = _due(session, order, fo, accepted)
    if due.minor and paid_by is None:
        raise PaymentDue(order.number, due)
    if paid_by is not None and paid_by not in payments.KINDS:
        faults = Faults()
        faults.add("/paid_by", "unknown_kind", f"use one of {', '.join(payments.KINDS)}")
        raise InvalidRequest(faults.found)
    handed_over = collecting.hand_over(
        session, fo_id, code=code, identified_by=identified_by, accepted=accepted, reason=reason, actor=actor, now=now
    )
    if due.minor and paid_by is not None:
        order = history.lock(session, order.id)
        history.touch(order)
        payments.write(session, Received(order, paid_by, due.minor), actor=actor, now=now)
        session.flush()
    return handed_over


def _due(session: Session, order: Order, fo: FulfillmentOrder, accepted: Mapping[str, int] | None) -> Money:
    units = {line_id: counters.fulfilled for line_id, counters in view.counters(session, order).items()}
    for line in fo.lines:
        taken = line.units if accepted is None else min(line.units, max(0, accepted.get(line.id, 0)))
        units[line.demand_line_id] += taken
    return payments.due(session, order, units=units)


def _get(session: Session, fo_id: str) -> FulfillmentOrder:
    fo = session.get(FulfillmentOrder, fo_id)
    if fo is None:
        raise UnknownFulfillmentOrder([fo_id])
    return fo
