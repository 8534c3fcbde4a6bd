"""Picking: lists of several fulfillment orders in walking order, claimed by one person, counted by scans.

Called by store pages and by REST. Invariants: a scan id counts once; a wrong article or one too many is never counted;
what is picked here is picked in the ledger in the same transaction, and what was found or missed is
remembered of the article and the node.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.network import pick_success
from fulfillment.network.pick_success import Looked
from fulfillment.work import completion, setbacks, states, walking
from fulfillment.work.errors import (
    ClaimedByOther,
    InvalidUnits,
    NothingToPick,
    ScanIdReused,
    TooMany,
    UnknownLines,
    UnknownPickList,
    WrongArticle,
)
from fulfillment.work.locks import lock_order, lock_orders
from fulfillment.work.models import Demand, FulfillmentLine, FulfillmentOrder, Method, PickList, Scan, Status
from fulfillment.work.setbacks import SetbackCause
from fulfillment.work.walking import Stop
from fulfillment.work.withdrawal import Cause, Fate, Part, withdraw
from kernel.ids import new_id, short_code
from stock import reservations, shorts
from stock.postings import Header
from stock.reservations import ReservedUnits

TO_PICK = frozenset({Status.ALLOCATED, Status.ACCEPTED})
ON_THE_WALK = frozenset({Status.PICKING, Status.PICKED, Status.PACKED})


@dataclass(frozen=True)
class Scanned:
    """What a scan did: the line it belongs to as it is now, whether it counted, and what comes next on the walk."""

    counted: bool
    stop: Stop
    status: str
    next: Stop | None


def propose(session: Session, node: str, *, max_orders: int, actor: str, now: datetime) -> PickList:
    """Put the most urgent fulfillment orders of `node` on a new list, claimed by `actor`. Raises NothingToPick."""
    waiting = (FulfillmentOrder.node == node) & FulfillmentOrder.status.in_(TO_PICK)
    urgent = (
        select(FulfillmentOrder.id)
        .join(Demand, Demand.id == FulfillmentOrder.demand_id)
        .where(waiting, FulfillmentOrder.method != Method.CARRY_OUT, Demand.paused_at.is_(None))
        .order_by(FulfillmentOrder.ship_by, FulfillmentOrder.promised_by, FulfillmentOrder.id)
        .limit(max_orders)
    )
    # Somebody else may take some of them between the reading and the lock: whoever gets none looks again.
    while fo_ids := session.scalars(urgent).all():
        if free := [fo for fo in lock_orders(session, fo_ids) if fo.status in TO_PICK]:
            return _open_list(session, free, actor=actor, now=now)
    raise NothingToPick(node)


def start(session: Session, fo_ids: Sequence[str], *, actor: str, now: datetime) -> PickList:
    """Put these fulfillment orders of one node on a new list, claimed by `actor`."""
    orders = lock_orders(session, fo_ids)
    for fo in orders:
        states.require(fo, TO_PICK)
    if len({fo.node for fo in orders}) != 1:
        raise InvalidUnits(["A pick list is walked in one node: name fulfillment orders of one node only."])
    return _open_list(session, orders, actor=actor, now=now)


def claim(session: Session, pick_list_id: str, *, actor: str, now: datetime) -> PickList:
    """Let `actor` pick the list. Raises ClaimedByOther when somebody else does."""
    pick_list = _lock_list(session, pick_list_id)
    if pick_list.claimed_by not in {None, actor}:
        raise ClaimedByOther(pick_list.number, pick_list.claimed_by or "")
    return _give(pick_list, actor, now)


def take_over(session: Session, pick_list_id: str, *, actor: str, now: datetime) -> PickList:
    """Let `actor` go on with a list that somebody else began."""
    return _give(_lock_list(session, pick_list_id), actor, now)


def lines(session: Session, pick_list_id: str) -> list[Stop]:
    """Return the lines of a list in walking order, picked ones too."""
    on_list = select(FulfillmentOrder.id).where(
        FulfillmentOrder.pick_list_id == pick_list_id, FulfillmentOrder.status.in_(ON_THE_WALK)
    )
    return walking.stops(session, session.scalars(on_list).all())


def scan(
    session: Session,
    where: str,
    *,
    scan_id: str,
    code: str,
    units: int = 1,
    line_id: str | None = None,
    actor: str,
    now: datetime,
) -> Scanned:
    """Count a scan on a pick list or a fulfillment order (`where`), for the line named or the first one that fits.

    The same `scan_id` counts once. Raises WrongArticle and TooMany, which say what was expected.
    """
    orders = _on_walk(session, where, actor)
    walk = walking.stops(session, [fo.id for fo in orders])
    earlier = session.get(Scan, scan_id)
    if earlier is not None:
        return _answer(session, orders, _counted_before(earlier, walk, code), counted=False)
    stop = _fitting(walk, code, line_id=line_id, units=units)
    fo = next(fo for fo in orders if fo.id == stop.fulfillment_order_id)
    states.require(fo, {Status.PICKING})
    _pick(session, fo, stop.line_id, units, actor=actor, now=now)
    session.add(Scan(id=scan_id, fulfillment_line_id=stop.line_id, code=code.strip(), units=units, actor=actor))
    completion.settle(session, fo, actor=actor, now=now)
    return _answer(session, orders, stop.line_id, counted=True)


def short(
    session: Session, fo_id: str, *, line_id: str, found: int, reason: str, actor: str, now: datetime
) -> FulfillmentOrder:
    """Say that of a line only `found` units are there, those picked included: the rest waits for another node.

    `reason` is a reason code for short picks; it says what becomes of the missing units in the ledger.
    """
    fo = lock_order(session, fo_id)
    states.require(fo, {Status.PICKING})
    line = _line(fo, line_id)
    if not line.picked <= found < line.units:
        raise InvalidUnits(
            [f"Of {line.units} units {line.picked} are picked: found is {line.picked} to {line.units - 1}."]
        )
    if found > line.picked:
        _pick(session, fo, line_id, found - line.picked, actor=actor, now=now)
    missing = line.units - found
    missed = Looked(line.sku, fo.node, missed=missing / line.units)
    cause = Cause(
        kind="short_pick",
        reference=fo.reference,
        reason=reason,
        actor=actor,
        now=now,
        fate=Fate.WAIT,
        ends=Status.REJECTED,
    )
    parts = [Part.of(fo, line, missing)]
    withdraw(session, parts, cause)
    # Before the tasks of counting, as a count does that posts what it found.
    pick_success.record(session, [missed], now=now)
    shorts.short(session, cause.header, sku=line.sku, node=fo.node, units=missing, reason=reason)
    setbacks.note(session, parts, cause=SetbackCause.SHORT_PICK, reason=reason, actor=actor, now=now)
    return fo


def _open_list(session: Session, orders: Collection[FulfillmentOrder], *, actor: str, now: datetime) -> PickList:
    node = next(iter(orders)).node
    pick_list = PickList(
        id=new_id(),
        number=f"P{short_code()}",
        node=node,
        status=completion.LIST_PICKING,
        claimed_by=actor,
        claimed_at=now,
    )
    session.add(pick_list)
    for fo in orders:
        if fo.status == Status.ALLOCATED:
            states.move(session, fo, Status.ACCEPTED, actor=actor, now=now)
        fo.pick_list_id = pick_list.id
        states.move(session, fo, Status.PICKING, actor=actor, now=now)
    session.flush()
    return pick_list


def _give(pick_list: PickList, actor: str, now: datetime) -> PickList:
    pick_list.claimed_by, pick_list.claimed_at = actor, now
    pick_list.version += 1
    return pick_list


def _lock_list(session: Session, pick_list_id: str) -> PickList:
    pick_list = session.get(PickList, pick_list_id, with_for_update=True, populate_existing=True)
    if pick_list is None:
        raise UnknownPickList(pick_list_id)
    return pick_list


def _on_walk(session: Session, where: str, actor: str) -> list[FulfillmentOrder]:
    """Lock what `where` names, and see that `actor` is the one who picks it."""
    if session.get(PickList, where) is None:
        orders = [lock_order(session, where)]
        states.require(orders[0], ON_THE_WALK)
    else:
        on_list = select(FulfillmentOrder.id).where(FulfillmentOrder.pick_list_id == where)
        orders = lock_orders(session, session.scalars(on_list).all())
    for pick_list_id in {fo.pick_list_id for fo in orders} - {None}:
        pick_list = session.get_one(PickList, pick_list_id)
        if pick_list.claimed_by not in {None, actor}:
            raise ClaimedByOther(pick_list.number, pick_list.claimed_by or "")
    return orders


def _fitting(walk: Sequence[Stop], code: str, *, line_id: str | None, units: int) -> Stop:
    if units < 1:
        raise InvalidUnits([f"A scan counts 1 unit or more, not {units}."])
    asked = [stop for stop in walk if line_id in {None, stop.line_id}]
    if not asked:
        raise UnknownLines("this walk", [line_id or ""])
    same = [stop for stop in asked if stop.answers(code)]
    if not same:
        expected = next((stop for stop in asked if stop.to_pick and stop.status in ON_THE_WALK), None)
        raise WrongArticle(code.strip(), expected.words if expected else "nothing more: all is picked")
    # Only when no order of the walk wants the article any more is the scan for one that was taken off it.
    wanting = [stop for stop in same if stop.status in ON_THE_WALK] or same[:1]
    fitting = next((stop for stop in wanting if stop.to_pick >= units or stop.status not in ON_THE_WALK), None)
    if fitting is None:
        wanted, have = sum(stop.units for stop in wanting), sum(stop.picked for stop in wanting)
        raise TooMany(wanting[0].words, wanted=wanted, have=have, scanned=units)
    return fitting


def _counted_before(earlier: Scan, walk: Sequence[Stop], code: str) -> str:
    if earlier.code != code.strip() or all(stop.line_id != earlier.fulfillment_line_id for stop in walk):
        raise ScanIdReused(earlier.id)
    return earlier.fulfillment_line_id


def _pick(session: Session, fo: FulfillmentOrder, line_id: str, units: int, *, actor: str, now: datetime) -> None:
    line = _line(fo, line_id)
    assert line.reservation_id is not None, f"line {line.id} is picked before its units came"
    header = Header(kind="pick", actor=actor, occurred_at=now, reference=fo.reference)
    reservations.pick(session, header, [ReservedUnits(line.sku, line.reservation_id, units)])
    line.picked += units
    fo.version += 1
    pick_success.record(session, [Looked(line.sku, fo.node, found=units / line.units)], now=now)


def _answer(session: Session, orders: Sequence[FulfillmentOrder], line_id: str, *, counted: bool) -> Scanned:
    session.flush()
    walk = walking.stops(session, [fo.id for fo in orders])
    stop = next(stop for stop in walk if stop.line_id == line_id)
    following = next((other for other in walk if other.to_pick and other.status == Status.PICKING), None)
    return Scanned(counted, stop, stop.status, following)


def _line(fo: FulfillmentOrder, line_id: str) -> FulfillmentLine:
    line = next((line for line in fo.lines if line.id == line_id), None)
    if line is None:
        raise UnknownLines(f"Fulfillment order {fo.number}", [line_id])
    return line
