"""A node takes work on, or refuses it.

Called by store pages and by REST. Invariant: what a node rejects waits again, has in the ledger the effect that the
reason names (where it names one, the node missed the articles), and is remembered as a setback, by which sourcing knows
whether to ask that node again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.network import pick_success
from fulfillment.network.pick_success import Looked
from fulfillment.work import setbacks, states
from fulfillment.work.errors import UnknownLines
from fulfillment.work.locks import lock_order, lock_orders
from fulfillment.work.models import FulfillmentLine, FulfillmentOrder, Status
from fulfillment.work.setbacks import SetbackCause
from fulfillment.work.withdrawal import WORK_TO_DO, Cause, Fate, Part, withdraw
from stock import reasons, shorts


def accept(session: Session, fo_id: str, *, actor: str, now: datetime) -> FulfillmentOrder:
    """Take a fulfillment order on: from now on sourcing leaves it where it is."""
    fo = lock_order(session, fo_id)
    states.require(fo, {Status.ALLOCATED})
    states.move(session, fo, Status.ACCEPTED, actor=actor, now=now)
    session.flush()
    return fo


def reject(
    session: Session,
    fo_id: str,
    *,
    reason: str,
    lines: Collection[str] | None = None,
    collateral: bool = False,
    actor: str,
    now: datetime,
) -> list[FulfillmentOrder]:
    """Refuse a fulfillment order, or some of its lines, before it is picked; its units wait for another node.

    `collateral` rejects the same articles in every other order that this node has not picked yet. Units that were in a
    tote get a put-back task. Returns all orders touched, the one asked for first.
    """
    fo = lock_order(session, fo_id)
    states.require(fo, WORK_TO_DO)
    about_stock = reasons.effect(session, reason, reasons.REJECT) is not None
    rejected = _lines(fo, lines)
    parts = [Part.of(fo, line, line.units) for line in rejected]
    if collateral:
        parts += _same_articles(session, fo, {line.sku for line in rejected})
    missing = Counter[str]()
    for part in parts:
        missing[part.line.sku] += part.unpicked if part.line.reservation_id else 0
    # A reason that moves no stock, such as too few hands, says nothing about finding the article.
    missed = [_missed(part) for part in parts if about_stock and part.line.reservation_id]
    cause = Cause(
        kind="reject", reference=fo.reference, reason=reason, actor=actor, now=now, fate=Fate.WAIT, ends=Status.REJECTED
    )
    withdraw(session, parts, cause)
    # Before the tasks of counting, as a count does that posts what it found.
    pick_success.record(session, missed, now=now)
    for sku, units in sorted(missing.items()):
        if units:
            shorts.short(session, cause.header, sku=sku, node=fo.node, units=units, reason=reason, use=reasons.REJECT)
    setbacks.note(session, parts, cause=SetbackCause.REJECTION, reason=reason, actor=actor, now=now)
    return list({part.fo.id: part.fo for part in parts}.values())


def _lines(fo: FulfillmentOrder, ids: Collection[str] | None) -> list[FulfillmentLine]:
    held = [line for line in fo.lines if line.units]
    if ids is None:
        return held
    if missing := set(ids) - {line.id for line in held}:
        raise UnknownLines(f"Fulfillment order {fo.number}", missing)
    return [line for line in held if line.id in ids]


def _missed(part: Part) -> Looked:
    return Looked(part.line.sku, part.fo.node, missed=part.unpicked / part.line.units)


def _same_articles(session: Session, fo: FulfillmentOrder, skus: Iterable[str]) -> list[Part]:
    same = (
        select(FulfillmentOrder.id)
        .join(FulfillmentLine, FulfillmentLine.fulfillment_order_id == FulfillmentOrder.id)
        .where(FulfillmentOrder.node == fo.node, FulfillmentOrder.id != fo.id)
        .where(FulfillmentOrder.status.in_(WORK_TO_DO), FulfillmentLine.sku.in_(sorted(skus)))
        .distinct()
    )
    return [
        Part.of(other, line, line.units - line.picked)
        for other in lock_orders(session, session.scalars(same).all())
        if other.status in WORK_TO_DO
        for line in other.lines
        if line.sku in skus and line.reservation_id and line.units > line.picked
    ]
