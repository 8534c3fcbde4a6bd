"""Returns: goods that come back, to any node that takes them, graded and put where their grade belongs.

Called by counters and by REST. Invariants: returned units of a line never exceed what was fulfilled, since its demand
is locked while they are counted; units enter the ledger in the transaction that grades them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from fulfillment.network.models import NodeProfile
from fulfillment.work import demands
from kernel import events
from kernel.ids import new_id, short_code
from kernel.states import advance
from oms import history
from oms.checks import MOST_UNITS, Faults
from oms.commands import ReturnBrought, ReturnFound, ReturnWanted
from oms.errors import InvalidRequest, NotReturnable, TakesNoReturns, UnknownReturn
from oms.events import LineUnits, ReturnMoved
from oms.models import RETURN_TRANSITIONS, Order, Return, ReturnLine, ReturnStatus
from stock import returns as stock_returns
from stock import supply
from stock.models import Node, NodeStatus

NUMBER_LENGTH = 10
RETURN = "return"
USUALLY_BACK = timedelta(days=14)
"""How long customers take to send goods back; what is later than that is promised to nobody."""
GRADES = ("resell", "damaged", "quarantine")
# Returns whose units are promised to come back and not counted as returned yet.
COMING = (ReturnStatus.REQUESTED, ReturnStatus.AUTHORISED)


def request(session: Session, order_id: str, wanted: Sequence[ReturnWanted], *, actor: str, now: datetime) -> Return:
    """Ask to send units of an order back; a person authorises or rejects it.

    Raises UnknownOrder, InvalidRequest and NotReturnable with every fault.
    """
    order = history.get(session, order_id)
    _check_lines(order, wanted, {"reason": [item.reason for item in wanted]})
    units = _units(wanted)
    _check_returnable(session, order, units)
    made = Return(id=new_id(), number=short_code(NUMBER_LENGTH), order_id=order_id, status=ReturnStatus.REQUESTED)
    skus = {line.id: line.sku for line in order.lines}
    made.lines = [
        ReturnLine(
            id=new_id(), order_line_id=item.line_id, sku=skus[item.line_id], units=item.units, reason=item.reason
        )
        for item in wanted
    ]
    session.add(made)
    session.flush()
    _tell(session, made, None, actor=actor, now=now)
    return made


def authorise(session: Session, return_id: str, *, actor: str, now: datetime) -> Return:
    """Allow a requested return; its units are expected from now on. Raises UnknownReturn and IllegalTransition."""
    made = _step(session, return_id, ReturnStatus.AUTHORISED, actor=actor, now=now)
    units = Counter[str]()
    for line in made.lines:
        units[line.sku] += line.units
    supply.declare(session, units, reference=made.id, kind=RETURN, expected_at=now + USUALLY_BACK)
    return made


def reject(session: Session, return_id: str, *, reason: str, actor: str, now: datetime) -> Return:
    """Refuse a requested return. Raises UnknownReturn and IllegalTransition."""
    return _step(session, return_id, ReturnStatus.REJECTED, actor=actor, now=now, reason=reason)


def cancel(session: Session, return_id: str, *, reason: str = "", actor: str, now: datetime) -> Return:
    """Give up a return of which nothing has come. Raises UnknownReturn and IllegalTransition."""
    made = _step(session, return_id, ReturnStatus.CANCELLED, actor=actor, now=now, reason=reason)
    supply.withdraw(session, made.id)
    return made


def receive(
    session: Session, return_id: str, *, node: str, found: Sequence[ReturnFound], actor: str, now: datetime
) -> Return:
    """Take in an authorised return at a node, graded, and close it; what did not come is not returned.

    Raises UnknownReturn, IllegalTransition, TakesNoReturns, and InvalidRequest for wrong lines, units or grades.
    """
    made = _get(session, return_id)
    _check_node(session, node)
    _check_found(made, found)
    locked = demands.lock_lines(session, {line.order_line_id for line in made.lines})
    order = history.lock(session, made.order_id)
    made = _lock(session, return_id)
    made.node = node
    _move(session, made, ReturnStatus.RECEIVED, actor=actor, now=now)
    supply.withdraw(session, made.id)
    _count(order, {line_id: line.fulfilled for line_id, line in locked.items()}, _units(found))
    _write_grades(session, made, found)
    history.touch(order)
    skus = {line.id: line.sku for line in order.lines}
    graded = [(skus[item.line_id], item.units, item.grade) for item in found]
    stock_returns.receive(session, node=node, lines=graded, reference=made.id, actor=actor, now=now)
    _move(session, made, ReturnStatus.INSPECTED, actor=actor, now=now)
    _move(session, made, ReturnStatus.CLOSED, actor=actor, now=now)
    return made


def at_counter(
    session: Session, order_id: str, *, node: str, brought: Sequence[ReturnBrought], actor: str, now: datetime
) -> Return:
    """Take back what a customer brings to a counter, from the request to the graded goods, in one step.

    Raises what `request` and `receive` raise.
    """
    _check_node(session, node)
    wanted = [ReturnWanted(line_id=item.line_id, units=item.units, reason=item.reason) for item in brought]
    made = request(session, order_id, wanted, actor=actor, now=now)
    authorise(session, made.id, actor=actor, now=now)
    found = [ReturnFound(line_id=item.line_id, units=item.units, grade=item.grade) for item in brought]
    return receive(session, made.id, node=node, found=found, actor=actor, now=now)


def returnable(session: Session, order: Order) -> dict[str, int]:
    """Return how many units of each line the customer has and has not asked to send back, by line id; locks demands."""
    locked = demands.lock_lines(session, {line.id for line in order.lines})
    coming = _coming(session, order.id)
    returned = {line.id: line.returned for line in order.lines}
    return {line_id: line.fulfilled - returned[line_id] - coming[line_id] for line_id, line in locked.items()}


def _coming(session: Session, order_id: str) -> Counter[str]:
    rows = session.execute(
        select(ReturnLine.order_line_id, func.sum(ReturnLine.units))
        .join(Return, Return.id == ReturnLine.return_id)
        .where(Return.order_id == order_id, Return.status.in_(COMING))
        .group_by(ReturnLine.order_line_id)
    )
    return Counter({line_id: int(units) for line_id, units in rows})


def _check_lines(order: Order, items: Sequence[ReturnWanted | ReturnFound], codes: Mapping[str, Sequence[str]]) -> None:
    faults = Faults()
    known = {line.id for line in order.lines}
    if not items:
        faults.add("/lines", "required", "name at least one line")
    for number, item in enumerate(items):
        if item.line_id not in known:
            faults.add(f"/lines/{number}/line_id", "unknown_line", f"order {order.number} has no such line")
        if not 1 <= item.units <= MOST_UNITS:
            faults.add(f"/lines/{number}/units", "out_of_range", f"return 1 to {MOST_UNITS} units")
    for name, values in codes.items():
        for number, value in enumerate(values):
            faults.code(f"/lines/{number}/{name}", value)
    if faults.found:
        raise InvalidRequest(faults.found)


def _check_returnable(session: Session, order: Order, units: Mapping[str, int]) -> None:
    left = returnable(session, order)
    faults = Faults()
    for line in order.lines:
        if units.get(line.id, 0) > left[line.id]:
            faults.add(
                "/lines", "not_returnable",
                f"Of {line.sku} in order {order.number} {left[line.id]} units can be returned, not {units[line.id]}.",
            )  # fmt: skip
    if faults.found:
        raise NotReturnable(faults.found)


def _check_node(session: Session, node_id: str) -> None:
    node = session.get(Node, node_id) if node_id.isprintable() else None
    profile = session.get(NodeProfile, node_id) if node else None
    if node is None or profile is None:
        faults = Faults()
        faults.add("/node", "unknown_node", "there is no such node")
        raise InvalidRequest(faults.found)
    if node.status == NodeStatus.CLOSED or not profile.takes_returns:
        raise TakesNoReturns(node_id)


def _check_found(made: Return, found: Sequence[ReturnFound]) -> None:
    asked = _units(made.lines)
    units, faults = _units(found), Faults()
    if not found:
        faults.add("/lines", "required", "say what came back; cancel the return when nothing did")
    for number, item in enumerate(found):
        pointer = f"/lines/{number}"
        if item.line_id not in asked:
            faults.add(f"{pointer}/line_id", "unknown_line", f"return {made.number} has no such line")
        elif item.units < 1 or units[item.line_id] > asked[item.line_id]:
            most = asked[item.line_id]
            faults.add(f"{pointer}/units", "out_of_range", f"at most {most} units of this line are in the return")
        if item.grade not in GRADES:
            faults.add(f"{pointer}/grade", "unknown_grade", f"use one of {', '.join(GRADES)}")
    if faults.found:
        raise InvalidRequest(faults.found)


def _count(order: Order, fulfilled: Mapping[str, int], units: Mapping[str, int]) -> None:
    for line in order.lines:
        line.returned += units.get(line.id, 0)
        assert line.returned <= fulfilled.get(line.id, line.returned), f"line {line.id} returns more than was fulfilled"


def _write_grades(session: Session, made: Return, found: Sequence[ReturnFound]) -> None:
    """Replace what was asked for by what came, one line a grade."""
    reasons = {line.order_line_id: (line.sku, line.reason) for line in made.lines}
    for line in made.lines:
        session.delete(line)
    session.flush()
    by_grade = Counter[tuple[str, str]]()
    for item in found:
        by_grade[item.line_id, item.grade] += item.units
    for (line_id, grade), units in by_grade.items():
        sku, reason = reasons[line_id]
        row = {"return_id": made.id, "order_line_id": line_id, "sku": sku, "reason": reason}
        session.add(ReturnLine(id=new_id(), units=units, grade=grade, **row))
    session.flush()
    session.expire(made, ["lines"])


def _step(
    session: Session, return_id: str, target: ReturnStatus, *, actor: str, now: datetime, reason: str = ""
) -> Return:
    made = _lock(session, return_id)
    _move(session, made, target, actor=actor, now=now, reason=reason)
    return made


def _move(session: Session, made: Return, target: ReturnStatus, *, actor: str, now: datetime, reason: str = "") -> None:
    before = made.status
    made.status = advance(RETURN_TRANSITIONS, before, target, what=f"Return {made.number}")
    made.version += 1
    session.flush()
    _tell(session, made, before, actor=actor, now=now, reason=reason)


def _tell(session: Session, made: Return, before: str | None, *, actor: str, now: datetime, reason: str = "") -> None:
    """Write the step into the order's timeline and tell it."""
    lines = tuple(LineUnits(line_id=line.order_line_id, sku=line.sku, units=line.units) for line in made.lines)
    details: dict[str, Any] = {"return": made.number, "node": made.node}
    details["lines"] = [{"sku": line.sku, "units": line.units, "grade": line.grade} for line in made.lines]
    moved = (before, str(made.status))
    history.write(session, made.order_id, "return", actor=actor, now=now, reason=reason, details=details, moved=moved)
    events.record(
        session,
        ReturnMoved(
            aggregate_id=made.id, number=made.number, order_id=made.order_id, node=made.node,
            from_status=before, to_status=made.status, lines=lines,
        ),
    )  # fmt: skip


def _units(items: Iterable[ReturnWanted | ReturnFound | ReturnLine]) -> Counter[str]:
    units = Counter[str]()
    for item in items:
        units[item.order_line_id if isinstance(item, ReturnLine) else item.line_id] += item.units
    return units


def _get(session: Session, return_id: str) -> Return:
    made = session.get(Return, return_id, options=[selectinload(Return.lines)])
    if made is None:
        raise UnknownReturn(return_id)
    return made


def _lock(session: Session, return_id: str) -> Return:
    made = session.scalar(
        select(Return).where(Return.id == return_id).execution_options(populate_existing=True).with_for_update()
    )
    if made is None:
        raise UnknownReturn(return_id)
    return made
