"""How the journey of a transfer ends: received in parts and states, closed short, and what turned up or came too much.

Called by fulfillment and by the doors. Invariants: what was dispatched is received, written off or back, or still on
its way, line by line; what arrives for a claim is reserved for it in the posting that receives it, so that nobody can
take it in between; what was never sent is taken in with a reason, and is not counted as received.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, func, select

from kernel import states
from kernel.errors import Fault
from kernel.ids import new_id
from stock import reasons
from stock.documents import TRANSFER_TRANSITIONS, Transfer, TransferLine, TransferStatus
from stock.ledger import Movement, NewReservation, Side, post
from stock.lines import check_known, check_units
from stock.models import Account, Purpose
from stock.transfers import InvalidTransfer, advance, end_journey, header_of, lock, on_the_way, words

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Differences: TypeAlias = Literal["open", "lost", "surplus"]
OVERDUE_AFTER = timedelta(days=3)
"""A transfer that names no date should have arrived this long after it left."""


class SetAside(NamedTuple):
    """Units of a line that arrived and cannot be sold; the reason says where they go."""

    line: int
    units: int
    reason: str


class Surplus(NamedTuple):
    """Units of an article that came along and were never sent; the reason says where they go."""

    sku: str
    units: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """Units of a line that arrived: reserved for its reference, or plain stock where there is no reservation."""

    line: int
    sku: str
    units: int
    reference: str
    reservation_id: str | None


def receive(
    session: Session,
    transfer_id: str,
    received: Mapping[int, int],
    *,
    set_aside: Sequence[SetAside] = (),
    surplus: Sequence[Surplus] = (),
    wanted: Mapping[int, int] | None = None,
    actor: str,
    now: datetime,
) -> list[Arrived]:
    """Put what arrived on hand at the destination, by line number, and reserve of it what is still wanted.

    Args:
        session: a write session.
        transfer_id: of the transfer.
        received: units for sale that arrived, by line number.
        set_aside: units that arrived damaged, or to be looked at.
        surplus: units that came along without having been sent.
        wanted: units still wanted for the line's reference, by line number; what is beyond becomes plain stock.
        actor: who received.
        now: business time.

    Raises InvalidTransfer when more arrived of a line than was sent, InvalidUnits, UnknownReason, UnknownStock,
    UnknownDocument, IllegalTransition.
    """
    transfer = lock(session, transfer_id)
    good = {line: units for line, units in received.items() if units}
    arrived = Counter(good)
    for aside in set_aside:
        arrived[aside.line] += aside.units
    check_units([*(part.units for part in set_aside), *(part.units for part in surplus)])
    _check_received(transfer, arrived)
    check_known(session, [(extra.sku, transfer.destination) for extra in surplus])
    target = _after_receipt(transfer, arrived)
    states.advance(TRANSFER_TRANSITIONS, transfer.status, target, what=words(transfer))
    lines = {line.line: line for line in transfer.lines}
    parts = [
        part
        for number, units in sorted(good.items())
        for part in _parts(lines[number], units, (wanted or {}).get(number, 0))
    ]
    claims = [_claim(transfer, lines[part.line], part) for part in parts if part.reservation_id]
    moves = [*_moves(transfer, lines, good), *_exceptions(session, transfer, lines, set_aside, surplus)]
    if moves:
        post(session, header_of("receive_transfer", transfer, actor, now), moves, claims=claims)
    for number, units in arrived.items():
        lines[number].received += units
    _count_surplus(transfer, surplus)
    advance(session, transfer, target, actor=actor, now=now)
    return parts


def close_short(
    session: Session, transfer_id: str, *, reason: str = "lost", actor: str, now: datetime
) -> dict[int, int]:
    """Say that what did not arrive will not: lost, or back at its source; returns those units by line number.

    Raises UnknownDocument, UnknownReason, IllegalTransition.
    """
    transfer = lock(session, transfer_id)
    states.advance(TRANSFER_TRANSITIONS, transfer.status, TransferStatus.CLOSED_SHORT, what=words(transfer))
    effect = reasons.moving(session, [reason], reasons.TRANSFER_CLOSE)[reason]
    header = header_of("close_short", transfer, actor, now, reason=reason)
    missing = end_journey(session, transfer, header, effect.target)
    advance(session, transfer, TransferStatus.CLOSED_SHORT, actor=actor, now=now)
    return missing


def find(
    session: Session,
    transfer_id: str,
    found: Mapping[int, int],
    *,
    node: str | None = None,
    reason: str = "found",
    actor: str,
    now: datetime,
) -> Transfer:
    """Take in units, by line number, that had been written off and turned up: where they were sent, or at the source.

    Raises InvalidTransfer for more than was written off or for another node, UnknownDocument, UnknownReason.
    """
    transfer = lock(session, transfer_id)
    place = node or transfer.destination
    _check_found(transfer, found, place)
    effect = reasons.moving(session, [reason], reasons.LATE_ARRIVAL)[reason]
    lines = [(line, found[line.line]) for line in transfer.lines if found.get(line.line)]
    moves = [effect.movement(line.sku, place, units) for line, units in lines]
    post(session, header_of("find_transfer", transfer, actor, now, reason=reason), moves)
    for line, units in lines:
        line.written_off -= units
        if place == transfer.destination:
            line.received += units
            line.found += units
        else:
            line.dispatched -= units
    transfer.version += 1
    session.flush()
    return transfer


def differing(differences: Differences, now: datetime) -> ColumnElement[bool]:
    """Return the rule by which a transfer has differences: open at `now`, units lost, or units never sent."""
    if differences != "open":
        counter = TransferLine.written_off if differences == "lost" else TransferLine.surplus
        return Transfer.id.in_(select(TransferLine.transfer_id).where(counter > 0))
    left_at = func.coalesce(Transfer.dispatched_at, Transfer.recorded_at)
    overdue = (Transfer.expected_at < now) | (Transfer.expected_at.is_(None) & (left_at < now - OVERDUE_AFTER))
    in_transit = Transfer.status == TransferStatus.IN_TRANSIT
    return (Transfer.status == TransferStatus.PARTLY_RECEIVED) | (in_transit & overdue)


def _check_received(transfer: Transfer, arrived: Mapping[int, int]) -> None:
    left = {line.line: on_the_way(line) for line in transfer.lines}
    faults = tuple(
        Fault(f"/lines/{line}", "invalid_units", f"{left.get(line, 0)} units are on their way, not {units}")
        for line, units in arrived.items()
        if not 0 <= units <= left.get(line, 0)
    )
    if faults:
        raise InvalidTransfer("More arrived than was sent: receive what was, and the rest as surplus.", faults=faults)


def _after_receipt(transfer: Transfer, arrived: Mapping[int, int]) -> TransferStatus:
    left = sum(on_the_way(line) for line in transfer.lines) - sum(arrived.values())
    return TransferStatus.PARTLY_RECEIVED if left else TransferStatus.RECEIVED


def _check_found(transfer: Transfer, found: Mapping[int, int], place: str) -> None:
    if place not in {transfer.source, transfer.destination}:
        raise InvalidTransfer(f"{words(transfer)} went from {transfer.source} to {transfer.destination} only.")
    lost = {line.line: line.written_off for line in transfer.lines}
    faults = tuple(
        Fault(f"/lines/{line}", "invalid_units", f"{lost.get(line, 0)} units were written off, {units} are too many")
        for line, units in found.items()
        if not 0 < units <= lost.get(line, 0)
    )
    if faults or not found:
        raise InvalidTransfer("Only what was written off can turn up; adjust the rest as found.", faults=faults)


def _moves(transfer: Transfer, lines: Mapping[int, TransferLine], good: Mapping[int, int]) -> list[Movement]:
    on_its_way, shelf = Side(Account.IN_TRANSIT, transfer.destination), Side(Account.ON_HAND, transfer.destination)
    return [Movement(lines[number].sku, units, on_its_way, shelf) for number, units in sorted(good.items())]


def _exceptions(
    session: Session,
    transfer: Transfer,
    lines: Mapping[int, TransferLine],
    set_aside: Sequence[SetAside],
    surplus: Sequence[Surplus],
) -> Iterable[Movement]:
    """Yield the movements of what arrived otherwise than it should have."""
    aside = reasons.moving(session, {part.reason for part in set_aside}, reasons.ARRIVAL) if set_aside else {}
    extra = reasons.moving(session, {part.reason for part in surplus}, reasons.SURPLUS) if surplus else {}
    for of in set_aside:
        yield aside[of.reason].movement(lines[of.line].sku, transfer.destination, of.units)
    for more in surplus:
        yield extra[more.reason].movement(more.sku, transfer.destination, more.units)


def _count_surplus(transfer: Transfer, surplus: Sequence[Surplus]) -> None:
    """Count surplus units at the first line of their article, where there is one."""
    first = {line.sku: line for line in reversed(transfer.lines)}
    for more in surplus:
        if more.sku in first:
            first[more.sku].surplus += more.units


def _parts(line: TransferLine, units: int, wanted: int) -> Iterable[Arrived]:
    """Yield what is reserved of the units that arrived, then what is not."""
    reserved = min(units, wanted) if line.reference else 0
    for some, reservation_id in ((reserved, new_id()), (units - reserved, None)):
        if some:
            yield Arrived(
                line=line.line, sku=line.sku, units=some, reference=line.reference, reservation_id=reservation_id
            )


def _claim(transfer: Transfer, line: TransferLine, part: Arrived) -> NewReservation:
    assert part.reservation_id is not None, "only reserved parts become claims"
    return NewReservation(
        id=part.reservation_id, sku=line.sku, node=transfer.destination, reference=line.reference,
        purpose=Purpose.ORDER, units=part.units, rank=line.rank,
    )  # fmt: skip
