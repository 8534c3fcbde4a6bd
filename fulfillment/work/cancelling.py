"""Cancelling units of demand lines in any state before they leave.

Called by the order service. Invariant: exactly the units asked for are given up: waiting ones first, then those of the
order that has come least far; what has left is refused, since it can only come back as a return.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from fulfillment.work.errors import InvalidUnits, LinesAlreadyShipped
from fulfillment.work.locks import lock_demands_of_lines
from fulfillment.work.models import OPEN, Demand, DemandLine, FulfillmentOrder, Method, Status
from fulfillment.work.transport import advancement
from fulfillment.work.withdrawal import Cause, Fate, Part, spread, withdraw

WAITING = "waiting"


@dataclass(frozen=True)
class CancelledUnits:
    """Units of a demand line that were given up, and where they stood: "waiting" or the number of an order."""

    demand_line_id: str
    units: int
    taken_from: str


@dataclass(frozen=True)
class Cancelled:
    """What a cancel gave up."""

    units: tuple[CancelledUnits, ...]


def cancel_units(session: Session, *, lines: Mapping[str, int], reason: str, actor: str, now: datetime) -> Cancelled:
    """Give up units of demand lines (by line id), all or none.

    Raises LinesAlreadyShipped, which names every line that asks for too many, InvalidUnits, UnknownLines.
    """
    waiting, parts, demand_lines = _found(session, lines)
    told = _told(waiting, parts)
    reference = session.get_one(Demand, next(iter(demand_lines.values())).demand_id).reference
    cause = Cause(
        kind="cancel", reference=reference, reason=reason, actor=actor, now=now, fate=Fate.CANCEL, ends=Status.CANCELLED
    )
    withdraw(session, parts, cause, waiting=waiting)
    return told


def foresee(session: Session, *, lines: Mapping[str, int]) -> Cancelled:
    """Tell what `cancel_units` would give up now, and change nothing. Raises what it would raise."""
    waiting, parts, _ = _found(session, lines)
    return _told(waiting, parts)


def _found(
    session: Session, lines: Mapping[str, int]
) -> tuple[Mapping[str, int], list[Part], Mapping[str, DemandLine]]:
    """Return the waiting units and the parts of orders to give up, with the demand lines they belong to."""
    if not lines:
        raise InvalidUnits(["Name the lines and units to cancel."])
    if wrong := [
        f"Line {line_id}: cancel 1 unit or more, not {units}." for line_id, units in lines.items() if units < 1
    ]:
        raise InvalidUnits(wrong)
    orders = lock_demands_of_lines(session, lines.keys())
    demand_lines = {line_id: session.get_one(DemandLine, line_id) for line_id in lines}
    left = {line_id: line.units - line.fulfilled for line_id, line in demand_lines.items()}
    if too_many := {line_id: left[line_id] for line_id, units in lines.items() if units > left[line_id]}:
        raise LinesAlreadyShipped(too_many)
    waiting = {line_id: min(units, demand_lines[line_id].waiting) for line_id, units in lines.items()}
    parts = [
        part for line_id, units in lines.items() for part in _least_advanced(orders, line_id, units - waiting[line_id])
    ]
    return waiting, parts, demand_lines


def _least_advanced(orders: Sequence[FulfillmentOrder], demand_line_id: str, units: int) -> list[Part]:
    # A transfer leg follows the order it supplies.
    serving = [fo for fo in orders if fo.status in OPEN and fo.method != Method.TRANSFER]
    parts: list[Part] = []
    for fo in sorted(serving, key=lambda fo: (advancement(fo), fo.recorded_at, fo.id)):
        found = list(spread(fo, fo.lines, demand_line_id, units))
        parts += found
        units -= sum(part.units for part in found)
    assert units == 0, f"demand line {demand_line_id} counts {units} allocated units that no order holds"
    return parts


def _told(waiting: Mapping[str, int], parts: Sequence[Part]) -> Cancelled:
    given_up = [CancelledUnits(line_id, units, WAITING) for line_id, units in waiting.items() if units]
    given_up += [CancelledUnits(part.line.demand_line_id, part.units, part.fo.number) for part in parts]
    return Cancelled(tuple(given_up))
