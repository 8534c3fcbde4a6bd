"""Taking units off fulfillment orders before they leave: by rejection, short pick, cancel, no-show or displacement.

Called by those verbs, with the demands locked. Units that lose their node either wait again or are cancelled (`Fate`).
Invariant: the posting that frees units also opens the open demand that stands for them; picked units go over to a
put-back task in one posting; an order that waits for a transfer loses exactly what its source loses.
"""

from __future__ import annotations

import enum
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from fulfillment.network import minutes
from fulfillment.work import completion, demands, states, transport
from fulfillment.work.events import DemandWaiting, LineUnits, UnitsCancelled
from fulfillment.work.models import OPEN, Demand, DemandLine, FulfillmentLine, FulfillmentOrder, Method, PutBack, Status
from kernel import events
from kernel.events import Event
from kernel.ids import new_id
from stock import reservations
from stock.postings import DemandChange, Header
from stock.reservations import ReservedUnits

# Minutes of work that was done are spent; those of work that was not are given back.
WORK_TO_DO = frozenset({Status.ALLOCATED, Status.AWAITING_TRANSFER, Status.ACCEPTED, Status.PICKING})


class Fate(enum.Enum):
    """What becomes of units that are taken off."""

    WAIT = "wait"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Part:
    """Units of a fulfillment line that are to be taken off it, `picked` of them from a tote."""

    fo: FulfillmentOrder
    line: FulfillmentLine
    units: int
    picked: int

    @classmethod
    def of(cls, fo: FulfillmentOrder, line: FulfillmentLine, units: int) -> Part:
        """Take units still on the shelf first."""
        return cls(fo, line, units, picked=max(0, units - (line.units - line.picked)))

    @property
    def unpicked(self) -> int:
        """Units still on the shelf."""
        return self.units - self.picked


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why units are taken off and by whom, what becomes of them, and how an order ends that loses all it had."""

    kind: str
    reference: str
    reason: str
    actor: str
    now: datetime
    fate: Fate
    ends: Status

    @property
    def header(self) -> Header:
        """The posting that tells it."""
        return Header(
            kind=self.kind, actor=self.actor, occurred_at=self.now, reason=self.reason, reference=self.reference
        )


def withdraw(
    session: Session, parts: Sequence[Part], cause: Cause, *, waiting: Mapping[str, int] | None = None
) -> None:
    """Take `parts` off their open orders in the ledger and in all counters; a cancel ends `waiting` units by line."""
    whole = [*parts, *_other_ends(session, parts)]
    _withdraw(session, whole, cause, waiting or {}, asked=parts)


def withdraw_missing(session: Session, parts: Sequence[Part], cause: Cause) -> None:
    """Take off units that a transfer did not bring: its source has given them already."""
    _withdraw(session, parts, cause, {}, asked=parts)


def follow(session: Session, parts: Sequence[Part], cause: Cause) -> None:
    """Lower every counter after the ledger itself took the reservations of `parts` and opened the demand."""
    whole = [*parts, *_other_ends(session, parts)]
    _lower_demands(session, whole, cause, {})
    _lower_orders(session, whole, cause, asked=parts)


def _withdraw(
    session: Session, parts: Sequence[Part], cause: Cause, waiting: Mapping[str, int], *, asked: Sequence[Part]
) -> None:
    _post(session, parts, cause, waiting)
    _lower_demands(session, parts, cause, waiting)
    _lower_orders(session, parts, cause, asked=asked)


def _other_ends(session: Session, parts: Sequence[Part]) -> Iterator[Part]:
    """Yield what the other end of a transfer leg loses with `parts`."""
    awaited: Counter[tuple[str, str]] = Counter()
    for part in parts:
        if part.fo.method == Method.TRANSFER:
            yield from _awaited(session, part)
        elif part.line.reservation_id is None:
            awaited[part.fo.id, part.line.demand_line_id] += part.units
    for (fo_id, demand_line_id), units in awaited.items():
        yield from _undispatched(session, fo_id, demand_line_id, units)


def _awaited(session: Session, leg_part: Part) -> Iterable[Part]:
    supplied = session.get(FulfillmentOrder, leg_part.fo.supplies) if leg_part.fo.supplies else None
    if supplied is None or supplied.status not in OPEN:
        return ()
    lines = [line for line in supplied.lines if line.reservation_id is None]
    return spread(supplied, lines, leg_part.line.demand_line_id, leg_part.units)


def _undispatched(session: Session, fo_id: str, demand_line_id: str, units: int) -> Iterator[Part]:
    # What has been dispatched already is on its way, and arrives as plain stock.
    left = units
    for leg in transport.legs(session, fo_id):
        for part in spread(leg, leg.lines, demand_line_id, left):
            left -= part.units
            yield part


def spread(fo: FulfillmentOrder, lines: Iterable[FulfillmentLine], demand_line_id: str, units: int) -> Iterator[Part]:
    """Yield parts of those `lines` that serve a demand line, `units` in all or as many as there are."""
    for line in lines:
        taken = min(units, line.units) if line.demand_line_id == demand_line_id else 0
        if taken:
            units -= taken
            yield Part.of(fo, line, taken)


def _post(session: Session, parts: Sequence[Part], cause: Cause, waiting: Mapping[str, int]) -> None:
    release = [_reserved(part, part.unpicked) for part in parts if part.line.reservation_id and part.unpicked]
    if demand := _demand_changes(session, parts, cause, waiting):
        reservations.rebind(session, cause.header, release=release, demand=demand)
    elif release:
        reservations.rebind(session, cause.header, release=release)
    if in_totes := [part for part in parts if part.line.reservation_id and part.picked]:
        _put_back(session, in_totes, cause)


def _reserved(part: Part, units: int) -> ReservedUnits:
    assert part.line.reservation_id is not None, f"line {part.line.id} has no reservation"
    return ReservedUnits(part.line.sku, part.line.reservation_id, units)


def _demand_changes(
    session: Session, parts: Sequence[Part], cause: Cause, waiting: Mapping[str, int]
) -> list[DemandChange]:
    if cause.fate is Fate.CANCEL:
        return [
            DemandChange(_line(session, line_id).sku, line_id, -units) for line_id, units in waiting.items() if units
        ]
    return [
        DemandChange(_line(session, line_id).sku, line_id, units) for line_id, units in _served_units(parts).items()
    ]


def _put_back(session: Session, parts: Sequence[Part], cause: Cause) -> None:
    task_ids = [new_id() for _ in parts]
    reserved = [_reserved(part, part.picked) for part in parts]
    taken_over = reservations.to_put_back(session, cause.header, reserved, references=task_ids)
    for task_id, part, reservation_id in zip(task_ids, parts, taken_over, strict=True):
        task = PutBack(id=task_id, node=part.fo.node, fulfillment_order_id=part.fo.id, sku=part.line.sku)
        task.units, task.reservation_id = part.picked, reservation_id
        session.add(task)


def _lower_demands(session: Session, parts: Sequence[Part], cause: Cause, waiting: Mapping[str, int]) -> None:
    served = _served_units(parts)
    if cause.fate is Fate.WAIT:
        demands.wait_again(session, served)
    else:
        demands.cancel_allocated(session, served)
        demands.cancel_waiting(session, waiting)
    by_demand: dict[str, list[LineUnits]] = defaultdict(list)
    for line_id, units in sorted((served + Counter(waiting)).items()):
        line = _line(session, line_id)
        by_demand[line.demand_id].append(LineUnits(line_id, line.sku, units))
    for demand_id, lines in sorted(by_demand.items()):
        _tell(session, demand_id, tuple(lines), cause)


def _tell(session: Session, demand_id: str, lines: tuple[LineUnits, ...], cause: Cause) -> None:
    demand = session.get(Demand, demand_id)
    assert demand is not None, f"no demand {demand_id}"
    demand.version += 1
    if cause.fate is Fate.WAIT:
        news: Event = DemandWaiting(
            aggregate_id=demand_id, reference=demand.reference, lines=lines, reason=cause.reason
        )
    else:
        news = UnitsCancelled(
            aggregate_id=demand_id, reference=demand.reference, lines=lines, reason=cause.reason, actor=cause.actor,
            occurred_at=cause.now,
        )  # fmt: skip
        if all(line.waiting == 0 for line in demand.lines):
            demand.waiting_reason = demand.person_since = None
    events.record(session, news)


def _lower_orders(session: Session, parts: Sequence[Part], cause: Cause, *, asked: Sequence[Part]) -> None:
    by_order: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        by_order[part.fo.id].append(part)
    given_back = [(fo.node, fo.work_on, fo.work_minutes) for fo in _emptied(by_order) if fo.status in WORK_TO_DO]
    for fo_id, taken in sorted(by_order.items()):
        ends = cause.ends if any(part.fo.id == fo_id for part in asked) else _end_of_other(cause)
        _lower_order(session, taken[0].fo, taken, cause, ends=ends)
    # Last and at once: the days of nodes are locked last, each for as short as can be.
    minutes.release(session, given_back)


def _emptied(by_order: Mapping[str, Sequence[Part]]) -> Iterator[FulfillmentOrder]:
    """Yield the orders that lose all they hold."""
    for taken in by_order.values():
        if _loses_all(taken[0].fo, taken):
            yield taken[0].fo


def _loses_all(fo: FulfillmentOrder, taken: Sequence[Part]) -> bool:
    return sum(part.units for part in taken) == sum(line.units for line in fo.lines)


def _end_of_other(cause: Cause) -> Status:
    return Status.CANCELLED if cause.fate is Fate.CANCEL else Status.SUPERSEDED


def _lower_order(session: Session, fo: FulfillmentOrder, taken: Sequence[Part], cause: Cause, *, ends: Status) -> None:
    told = {"lines": [{"line": part.line.id, "sku": part.line.sku, "units": part.units} for part in taken]}
    if _loses_all(fo, taken):
        # A closed order's lines go on saying what it held.
        _close(session, fo, cause, ends=ends, details=told)
        return
    opened = any(part.picked for part in taken)
    for part in taken:
        part.line.units -= part.units
        part.line.picked -= part.picked
    states.note(session, fo, "units_taken_off", actor=cause.actor, now=cause.now, reason=cause.reason, details=told)
    completion.settle(session, fo, actor=cause.actor, now=cause.now, opened=opened)


def _close(
    session: Session, fo: FulfillmentOrder, cause: Cause, *, ends: Status, details: Mapping[str, object]
) -> None:
    states.move(session, fo, ends, actor=cause.actor, now=cause.now, reason=cause.reason, details=details)
    if fo.method == Method.TRANSFER:
        transport.cancel(session, fo, actor=cause.actor, now=cause.now)
    completion.close_list(session, fo.pick_list_id)


def _served_units(parts: Iterable[Part]) -> Counter[str]:
    """Count units by demand line; a transfer leg serves an order that is counted itself."""
    served: Counter[str] = Counter()
    for part in parts:
        if part.fo.method != Method.TRANSFER:
            served[part.line.demand_line_id] += part.units
    return served


def _line(session: Session, line_id: str) -> DemandLine:
    line = session.get(DemandLine, line_id)
    assert line is not None, f"no demand line {line_id}"
    return line
