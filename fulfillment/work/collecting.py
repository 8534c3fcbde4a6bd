"""Click and collect at the store: set ready on a shelf, hand over against a code or a document, or wait in vain.

Called by store pages, by REST and by the no-show job. Invariants: only the right code or a document of identity hands
over; a wrong code is counted and stays counted; what nobody takes gets a put-back task in the same transaction.
"""

from __future__ import annotations

import enum
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.work import packing, states
from fulfillment.work.errors import (
    CodeLocked,
    IdentificationNeeded,
    InvalidUnits,
    UnknownLines,
    WrongCode,
    WrongMethod,
)
from fulfillment.work.locks import lock_order, lock_orders
from fulfillment.work.models import FulfillmentOrder, Method, Status
from fulfillment.work.shipping import fulfil
from fulfillment.work.withdrawal import Cause, Fate, Part, withdraw

KEEP_DAYS = 7
MAX_WRONG_CODES = 5


class Identification(enum.StrEnum):
    """Documents that show who somebody is; only the kind is kept, never a number or a name."""

    ID_CARD = "id_card"
    PASSPORT = "passport"
    DRIVING_LICENCE = "driving_licence"
    RESIDENCE_PERMIT = "residence_permit"


def ready(
    session: Session, fo_id: str, *, shelf: str, keep_days: int = KEEP_DAYS, actor: str, now: datetime
) -> FulfillmentOrder:
    """Put a picked or packed order on a shelf by the counter, where it is kept for `keep_days`."""
    fo = lock_order(session, fo_id)
    if fo.method != Method.COLLECT:
        raise WrongMethod(fo.number, fo.method, "only what customers collect is set ready")
    states.require(fo, {Status.PICKED, Status.PACKED})
    if fo.status == Status.PICKED:
        packing.close_package(session, fo, weight_g=None, packages=1, actor=actor, now=now)
    fo.shelf, fo.expires_at = shelf, now + timedelta(days=keep_days)
    states.move(session, fo, Status.READY, actor=actor, now=now, details={"shelf": shelf})
    session.flush()
    return fo


def ready_for_code(session: Session, node: str, code: str) -> list[FulfillmentOrder]:
    """Return the orders that lie ready at `node` under this pickup code."""
    lies_here = (FulfillmentOrder.node == node) & (FulfillmentOrder.status == Status.READY)
    same = select(FulfillmentOrder).where(lies_here, FulfillmentOrder.pickup_code == code.strip())
    return list(session.scalars(same.order_by(FulfillmentOrder.id)))


def hand_over(
    session: Session,
    fo_id: str,
    *,
    code: str | None = None,
    identified_by: str | None = None,
    accepted: Mapping[str, int] | None = None,
    reason: str = "refused",
    actor: str,
    now: datetime,
) -> FulfillmentOrder:
    """Hand a ready order over to the person who shows its code or a document (`Identification`).

    `accepted` says how many units of each line are taken, all when it is not given; the rest is refused for `reason`,
    cancelled and put back. An order that is carried out needs no proof. Raises WrongCode, CodeLocked after five of
    them, IdentificationNeeded.
    """
    fo = lock_order(session, fo_id)
    if fo.method == Method.CARRY_OUT:
        states.require(fo, {Status.ALLOCATED})
        proof = "present"
    else:
        states.require(fo, {Status.READY})
        proof = _prove(session, fo, code, identified_by, actor=actor, now=now)
    if refused := _refused(fo, accepted):
        withdraw(session, refused, _cause(fo, "refuse", Status.REFUSED, reason, actor=actor, now=now))
    if fo.status != Status.REFUSED:
        fulfil(session, fo, kind="hand_over", actor=actor, now=now)
        states.move(session, fo, Status.HANDED_OVER, actor=actor, now=now, details={"proof": proof})
    session.flush()
    return fo


def refuse(session: Session, fo_id: str, *, reason: str, actor: str, now: datetime) -> FulfillmentOrder:
    """Say that the customer does not want a ready order: its units are cancelled and put back."""
    fo = lock_order(session, fo_id)
    states.require(fo, {Status.READY})
    withdraw(session, _refused(fo, {}), _cause(fo, "refuse", Status.REFUSED, reason, actor=actor, now=now))
    return fo


def expire(session: Session, *, now: datetime, limit: int) -> int:
    """End up to `limit` orders that were kept long enough: cancel their units, have them put back. Returns how many."""
    overdue = (
        select(FulfillmentOrder.id)
        .where(FulfillmentOrder.status == Status.READY, FulfillmentOrder.expires_at <= now)
        .order_by(FulfillmentOrder.expires_at)
        .limit(limit)
    )
    # A customer may have come between the reading and the lock.
    orders = [fo for fo in lock_orders(session, session.scalars(overdue).all()) if fo.status == Status.READY]
    for fo in orders:
        withdraw(session, _refused(fo, {}), _cause(fo, "expire", Status.EXPIRED, "no_show", actor="system", now=now))
    return len(orders)


def _prove(
    session: Session, fo: FulfillmentOrder, code: str | None, identified_by: str | None, *, actor: str, now: datetime
) -> str:
    if identified_by is not None:
        if identified_by not in set(Identification):
            raise IdentificationNeeded(set(Identification))
        return identified_by
    if code is None or fo.pickup_code is None:
        raise IdentificationNeeded(set(Identification))
    if fo.wrong_codes >= MAX_WRONG_CODES:
        raise CodeLocked(fo.number)
    if hmac.compare_digest(code.strip().encode(), fo.pickup_code.encode()):
        return "code"
    fo.wrong_codes += 1
    states.note(session, fo, "wrong_code", actor=actor, now=now, details={"wrong_codes": fo.wrong_codes})
    session.flush()
    raise WrongCode(fo.number, MAX_WRONG_CODES - fo.wrong_codes)


def _refused(fo: FulfillmentOrder, accepted: Mapping[str, int] | None) -> list[Part]:
    if accepted is None:
        return []
    held = {line.id: line for line in fo.lines if line.units}
    if missing := accepted.keys() - held.keys():
        raise UnknownLines(f"Fulfillment order {fo.number}", missing)
    wrong = [
        f"Of line {line_id} 0 to {held[line_id].units} units can be accepted, not {units}."
        for line_id, units in accepted.items()
        if not 0 <= units <= held[line_id].units
    ]
    if wrong:
        raise InvalidUnits(wrong)
    left = {line: line.units - accepted.get(line.id, 0) for line in held.values()}
    return [Part.of(fo, line, units) for line, units in left.items() if units]


def _cause(fo: FulfillmentOrder, kind: str, ends: Status, reason: str, *, actor: str, now: datetime) -> Cause:
    return Cause(kind=kind, reference=fo.reference, reason=reason, actor=actor, now=now, fate=Fate.CANCEL, ends=ends)
