"""Goods received from suppliers: against a purchase order, or blind, each unit in the state in which it came.

Called by the doors. Invariants: what physically came is posted, whatever was ordered; units beyond what is expected are
taken in only when somebody says as what, so that a slip of the finger is not, and goods on the floor never have to stay
outside the ledger; a purchase order counts exactly what was posted for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from kernel.errors import Fault, Rejected
from stock import purchasing, reasons
from stock.ledger import post
from stock.lines import check_known, check_units
from stock.models import Account
from stock.postings import Header
from stock.purchasing import EXPECTING, PurchaseOrder, PurchaseOrderLine, PurchaseOrderStatus
from stock.reasons import Effect
from stock.recipes import check_no_bundles

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

GOOD = "good"


class Delivered(NamedTuple):
    """Units of an article that came to a node; `reason` says in what state, and so where they go."""

    node: str
    sku: str
    units: int
    reason: str = GOOD


class BeyondOrder(Rejected):
    """More came than the purchase order expects, or something it does not name; nothing was written."""

    code = "beyond_order"

    def __init__(self, order: PurchaseOrder, faults: tuple[Fault, ...], known: Iterable[str]) -> None:
        what_to_do = f"Count again; if it is so, say in `beyond` as what to take it in: {', '.join(sorted(known))}."
        super().__init__(f"More came than {order.number} expects. {what_to_do}", faults=faults)


def receive(session: Session, header: Header, lines: Sequence[Delivered | tuple[str, str, int]]) -> str:
    """Take units (node, SKU, units, reason) in from outside, and return the posting's id.

    Raises InvalidUnits, NoStockOfBundles, UnknownReason, UnknownStock.
    """
    came = [Delivered(*line) for line in lines]
    check_units(line.units for line in came)
    check_no_bundles(session, [line.sku for line in came])
    return _post(session, header, came, reasons.moving(session, {line.reason for line in came}, reasons.RECEIPT))


def receive_ordered(
    session: Session,
    order_id: str,
    lines: Sequence[tuple[str, int, str]],
    *,
    beyond: str | None = None,
    complete: bool = False,
    actor: str,
    now: datetime,
) -> PurchaseOrder:
    """Receive units (SKU, units, reason) of a purchase order at its node; what is not there yet stays expected.

    Args:
        session: a write session.
        order_id: of the purchase order; a closed one takes late goods as what is beyond it.
        lines: what came; an article may have a line for each state in which units of it came.
        beyond: the reason under which sellable units beyond the tolerance, or not ordered, are taken in.
        complete: nothing more is expected.
        actor: who received.
        now: business time.

    Raises BeyondOrder without a reason that is needed, InvalidUnits, UnknownReason, UnknownStock, UnknownDocument,
    IllegalTransition.
    """
    check_units(units for _, units, _ in lines)
    check_no_bundles(session, [sku for sku, _, _ in lines])
    order = purchasing.lock(session, order_id)
    check_known(session, [(sku, order.node) for sku, _, _ in lines])
    came = _as_what(session, order, [Delivered(order.node, *line) for line in lines], beyond)
    if came:
        effects = reasons.moving(session, {line.reason for line in came}, reasons.RECEIPT)
        header = Header(kind="receipt", reference=order.id, actor=actor, occurred_at=now)
        _post(session, header, came, effects)
        _count(order, came, effects)
        session.flush()
        _advance(session, order, actor=actor, now=now)
    if complete and order.status in EXPECTING:
        purchasing.close_short(session, order.id, actor=actor, now=now)
    return order


def _post(session: Session, header: Header, came: Sequence[Delivered], effects: dict[str, Effect]) -> str:
    given = {line.reason for line in came}
    named = replace(header, reason=given.pop()) if len(given) == 1 else header
    return post(session, named, [effects[line.reason].movement(line.sku, line.node, line.units) for line in came])


def _as_what(session: Session, order: PurchaseOrder, came: Sequence[Delivered], beyond: str | None) -> list[Delivered]:
    """Return what came with the reason under which each part of it is taken in."""
    total = Counter[str]()
    for line in came:
        total[line.sku] += line.units
    ordered = {line.sku: line for line in order.lines}
    left = {sku: units - _room(order, ordered.get(sku)) for sku, units in total.items()}
    left = {sku: units for sku, units in left.items() if units > 0}
    if left and beyond is None:
        known = (reason.code for reason in reasons.known(session, reasons.RECEIPT))
        raise BeyondOrder(order, tuple(_fault(sku, units, ordered.get(sku)) for sku, units in left.items()), known)
    parts = []
    for line in came:
        # What came damaged is damaged, expected or not; only units for sale need another reason.
        over = min(line.units, left.get(line.sku, 0)) if line.reason == GOOD else 0
        left[line.sku] = left.get(line.sku, 0) - over
        parts += [line._replace(units=line.units - over), line._replace(units=over, reason=beyond or GOOD)]
    return [part for part in parts if part.units]


def _room(order: PurchaseOrder, line: PurchaseOrderLine | None) -> int:
    """Return how many units may come in for a line, the tolerance included."""
    if line is None:
        return 0
    most = line.ordered * (100 + order.tolerance_percent) // 100
    return max(0, most - line.cancelled - line.received)


def _fault(sku: str, units: int, line: PurchaseOrderLine | None) -> Fault:
    if line is None or not line.ordered:
        return Fault("/lines", "not_ordered", f"{sku} is not on the order; {units} units came.")
    return Fault("/lines", "too_many", f"{units} units of {sku} are more than the {line.outstanding} expected.")


def _count(order: PurchaseOrder, came: Sequence[Delivered], effects: dict[str, Effect]) -> None:
    lines = {line.sku: line for line in order.lines}
    for part in came:
        if part.sku not in lines:
            lines[part.sku] = PurchaseOrderLine(sku=part.sku, ordered=0, received=0, set_aside=0, cancelled=0)
            order.lines.append(lines[part.sku])
        lines[part.sku].received += part.units
        if effects[part.reason].target != Account.ON_HAND:
            lines[part.sku].set_aside += part.units
    order.version += 1


def _advance(session: Session, order: PurchaseOrder, *, actor: str, now: datetime) -> None:
    if order.status not in EXPECTING:
        return
    all_here = not any(line.outstanding for line in order.lines)
    reached = PurchaseOrderStatus.RECEIVED if all_here else PurchaseOrderStatus.PARTLY_RECEIVED
    purchasing.advance(session, order, reached, actor=actor, now=now)
