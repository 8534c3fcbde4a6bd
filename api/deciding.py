"""Deciding again what waits: at once after stock came in or units were lost, and by a job for all else.

Called by REST, pages and jobs. Invariant: what is assumed in a decision happens in the transaction that commits it; a
decision that fails leaves the units waiting, and nothing else undone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from api.house import House
from api.transaction import Doors
from fulfillment.sourcing import commit as sourcing
from fulfillment.sourcing import waiting
from fulfillment.sourcing.decide import decide_again
from fulfillment.sourcing.proposal import Assumption, Failure, Proposal
from fulfillment.work import unstarted as work_unstarted
from fulfillment.work.models import FulfillmentLine, FulfillmentOrder
from fulfillment.work.setbacks import SetbackCause
from kernel.errors import DomainError

log = structlog.get_logger(__name__)
SHORT, REJECTION = SetbackCause.SHORT_PICK.value, SetbackCause.REJECTION.value
Marked = list[tuple[str, str]]
"""Demands that are to be decided again, each with the cause."""


def again(
    doors: Doors, demand_id: str, *, cause: str, now: datetime, actor: str, insist: bool = False
) -> list[FulfillmentOrder]:
    """Decide one demand again and commit it, also one left to a person if somebody does `insist`.

    Raises StalePlan when others were faster every time.
    """

    def commit(session: Session, proposal: Proposal) -> list[FulfillmentOrder]:
        if not proposal.changes:
            waiting.unmark(session, demand_id)
        return sourcing.commit(session, proposal, now=now, actor=actor)

    decide = lambda session: decide_again(session, demand_id, now=now, cause=cause, insist=insist)  # noqa: E731
    return doors.decide_then_commit(decide, commit)


def many(doors: Doors, demand_ids: Iterable[str], *, cause: str, now: datetime, actor: str) -> int:
    """Decide demands one after the other and return how many; one that fails is logged and goes on waiting."""
    done = 0
    for demand_id in demand_ids:
        try:
            again(doors, demand_id, cause=cause, now=now, actor=actor)
        except DomainError as error:
            log.warning("still_waiting", demand=demand_id, code=error.code)
        else:
            done += 1
    return done


def after_stock(house: House, skus: Collection[str], *, actor: str) -> int:
    """Decide what waits for these articles, which came in or were lost to somebody; a job goes on with the rest."""
    limit = house.config.sourcing.waiting_batch
    due = house.doors.read(lambda session: waiting.for_skus(session, skus, limit=limit)) if skus else []
    return many(house.doors, due, cause="stock", now=house.clock.now(), actor=actor)


def due(house: House, *, actor: str) -> int:
    """Decide a batch of what is marked to be decided again, and of what waits and may be served by now."""
    limit, now = house.config.sourcing.waiting_batch, house.clock.now()
    marked = house.doors.read(lambda session: waiting.marked(session, limit=limit))
    done = _marked(house.doors, marked, now=now, actor=actor)
    ids = house.doors.read(lambda session: waiting.due(session, now=now, limit=limit))
    return done + many(house.doors, ids, cause="waiting", now=now, actor=actor)


def unstarted(house: House, write: Callable[[Callable[[Session], Marked]], Marked], *, actor: str) -> int:
    """Decide anew what closed nodes, or those that let a departure pass, have not begun; return how many demands."""
    limit, now = house.config.sourcing.waiting_batch, house.clock.now()
    marked = write(lambda session: work_unstarted.mark(session, now=now, limit=limit, actor=actor))
    return _marked(house.doors, marked, now=now, actor=actor)


def _marked(doors: Doors, marked: Marked, *, now: datetime, actor: str) -> int:
    return sum(many(doors, [demand_id], cause=cause, now=now, actor=actor) for demand_id, cause in marked)


def if_short(session: Session, fo_id: str, *, line_id: str, found: int, reason: str = "", now: datetime) -> Proposal:
    """Decide as if of a line only `found` units were there; empty when that cannot be, which the verb will say."""
    fo = session.get(FulfillmentOrder, fo_id)
    line = session.get(FulfillmentLine, line_id)
    if fo is None or line is None or line.fulfillment_order_id != fo_id or not line.picked <= found < line.units:
        return Proposal(cause=SHORT)
    failed = _failure(fo, line, SetbackCause.SHORT_PICK, reason, now)
    assumed = Assumption(lost=[(line_id, line.units - found)], failed=[failed])
    return decide_again(session, fo.demand_id, now=now, cause=SHORT, assume=assumed)


def if_rejected(
    session: Session, fo_id: str, *, lines: Collection[str] | None, reason: str = "", now: datetime
) -> Proposal:
    """Decide as if a node had refused these lines, or all; empty when that cannot be, which the verb will say."""
    fo = session.get(FulfillmentOrder, fo_id)
    if fo is None:
        return Proposal(cause=REJECTION)
    refused = [line for line in fo.lines if line.units and (lines is None or line.id in lines)]
    assumed = Assumption(
        lost=[(line.id, line.units) for line in refused],
        failed=[_failure(fo, line, SetbackCause.REJECTION, reason, now) for line in refused],
    )
    return decide_again(session, fo.demand_id, now=now, cause=REJECTION, assume=assumed)


def _failure(fo: FulfillmentOrder, line: FulfillmentLine, cause: SetbackCause, reason: str, now: datetime) -> Failure:
    return Failure(
        sku=line.sku, node=fo.node, cause=cause.value, reason=reason, failed_at=now, attempt=fo.id
    )  # fmt: skip
