"""Transfers between nodes: opened, approved, dispatched, received, closed short or cancelled.

Called by fulfillment for the legs that supply an order, by planning for stock that moves ahead of demand, and by the
doors. Invariant: units are in transit in the ledger exactly from dispatch to receipt; what arrives for a claim is
reserved for it in the posting that receives it, so that nobody can take it in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from sqlalchemy import select

from kernel import states
from kernel.errors import Fault, Rejected
from kernel.events import record
from kernel.ids import new_id, short_code
from stock import reservations
from stock.documents import TRANSFER_TRANSITIONS, Transfer, TransferLine, TransferStatus
from stock.errors import UnknownDocument
from stock.events import TransferMoved
from stock.ledger import Header, Movement, NewReservation, Side, post
from stock.lines import check_known, check_units
from stock.models import Account, Purpose
from stock.reservations import ReservedUnits

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Sent: TypeAlias = ReservedUnits | int | None
"""What leaves for one line: units of a reservation, units that nobody has claimed, or nothing."""

Choice: TypeAlias = Literal["write_back", "write_off"]


class InvalidTransfer(Rejected):
    """A transfer that cannot be, or lines that cannot be sent or received so; every fault is named."""

    code = "transfer_invalid"


@dataclass(frozen=True, kw_only=True)
class TransferWant:
    """Units wanted at the destination, for a claim (`reference`) or, when that is empty, as plain stock."""

    sku: str
    units: int
    reference: str = ""
    rank: int = 0


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """Units of a line that arrived: reserved for its reference, or plain stock where there is no reservation."""

    line: int
    sku: str
    units: int
    reference: str
    reservation_id: str | None


def open_transfer(
    session: Session,
    *,
    source: str,
    destination: str,
    reference: str,
    lines: Sequence[TransferWant],
    status: TransferStatus = TransferStatus.APPROVED,
    expected_at: datetime | None = None,
    actor: str,
    now: datetime,
) -> Transfer:
    """Open a transfer, proposed or approved. Raises InvalidTransfer, InvalidUnits, UnknownStock."""
    assert status in {TransferStatus.PROPOSED, TransferStatus.APPROVED}, f"a transfer is not opened as {status}"
    if source == destination or not lines:
        raise InvalidTransfer("A transfer goes from one node to another and has at least one line.")
    check_units(want.units for want in lines)
    check_known(session, [(want.sku, node) for want in lines for node in (source, destination)])
    transfer = Transfer(
        id=new_id(), number=f"T{short_code()}", source=source, destination=destination, reference=reference,
        status=status, expected_at=expected_at, version=1,
        lines=[
            TransferLine(line=line, sku=want.sku, reference=want.reference, rank=want.rank, units=want.units,
                         dispatched=0, received=0, written_off=0)
            for line, want in enumerate(lines, start=1)
        ],
    )  # fmt: skip
    session.add(transfer)
    session.flush()
    _tell(session, transfer, "", actor=actor, now=now)
    return transfer


def approve(session: Session, transfer_id: str, *, actor: str, now: datetime) -> Transfer:
    """Approve a proposed transfer. Raises UnknownDocument, IllegalTransition."""
    return _advance(session, _locked(session, transfer_id), TransferStatus.APPROVED, actor=actor, now=now)


def start_picking(session: Session, transfer_id: str, *, actor: str, now: datetime) -> Transfer:
    """Say that the source is collecting the units. Raises UnknownDocument, IllegalTransition."""
    return _advance(session, _locked(session, transfer_id), TransferStatus.PICKING, actor=actor, now=now)


def dispatch(session: Session, transfer_id: str, units: Sequence[Sent], *, actor: str, now: datetime) -> Transfer:
    """Send units on their way, one item of `units` for each line in order; their reservations are consumed.

    Raises InvalidTransfer, UnknownDocument, IllegalTransition, and InsufficientStock or ClaimsChanged when the units
    are not there as said.
    """
    transfer = _locked(session, transfer_id)
    states.advance(TRANSFER_TRANSITIONS, transfer.status, TransferStatus.IN_TRANSIT, what=_what(transfer))
    _check_sent(transfer, units)
    target = Side(Account.IN_TRANSIT, transfer.destination)
    held = [sent for sent in units if isinstance(sent, ReservedUnits)]
    moves, changes = reservations.consumption(reservations.find(session, held), held, target=target)
    shelf = Side(Account.ON_HAND, transfer.source)
    for line, sent in zip(transfer.lines, units, strict=True):
        line.dispatched = _count(sent)
        if isinstance(sent, int) and sent:
            moves.append(Movement(line.sku, sent, shelf, target))
    post(session, _header("dispatch", transfer, actor, now), moves, changes=changes)
    return _advance(session, transfer, TransferStatus.IN_TRANSIT, actor=actor, now=now)


def receive(
    session: Session,
    transfer_id: str,
    received: Mapping[int, int],
    *,
    wanted: Mapping[int, int] | None = None,
    actor: str,
    now: datetime,
) -> list[Arrived]:
    """Put what arrived on hand at the destination, by line number, and reserve of it what is still wanted.

    Args:
        session: a write session.
        transfer_id: of the transfer.
        received: units that arrived, by line number.
        wanted: units still wanted for the line's reference, by line number; what is beyond becomes plain stock.
        actor: who received.
        now: business time.

    Raises InvalidTransfer when more arrived than was sent, UnknownDocument, IllegalTransition.
    """
    transfer = _locked(session, transfer_id)
    arrived = {line: units for line, units in received.items() if units}
    _check_received(transfer, arrived)
    target = _after_receipt(transfer, arrived)
    states.advance(TRANSFER_TRANSITIONS, transfer.status, target, what=_what(transfer))
    by_number = {line.line: line for line in transfer.lines}
    parts = [
        part for number, units in sorted(arrived.items())
        for part in _parts(by_number[number], units, (wanted or {}).get(number, 0))
    ]  # fmt: skip
    on_the_way, shelf = Side(Account.IN_TRANSIT, transfer.destination), Side(Account.ON_HAND, transfer.destination)
    moves = [Movement(by_number[number].sku, units, on_the_way, shelf) for number, units in sorted(arrived.items())]
    claims = [_claim(transfer, by_number[part.line], part) for part in parts if part.reservation_id]
    if moves:
        post(session, _header("receive_transfer", transfer, actor, now), moves, claims=claims)
    for number, units in arrived.items():
        by_number[number].received += units
    _advance(session, transfer, target, actor=actor, now=now)
    return parts


def close_short(
    session: Session, transfer_id: str, *, reason: str = "lost", actor: str, now: datetime
) -> dict[int, int]:
    """Write off what did not arrive and will not; returns the missing units by line number.

    Raises UnknownDocument, IllegalTransition.
    """
    transfer = _locked(session, transfer_id)
    states.advance(TRANSFER_TRANSITIONS, transfer.status, TransferStatus.CLOSED_SHORT, what=_what(transfer))
    missing = _write_off(session, transfer, _header("close_short", transfer, actor, now, reason=reason))
    _advance(session, transfer, TransferStatus.CLOSED_SHORT, actor=actor, now=now)
    return missing


def cancel(session: Session, transfer_id: str, *, choice: Choice | None = None, actor: str, now: datetime) -> Transfer:
    """Cancel a transfer; once it is in transit, `choice` says whether the units come back or are written off.

    Reservations at the source are the caller's to release. Raises InvalidTransfer without a choice that is needed,
    UnknownDocument, IllegalTransition.
    """
    transfer = _locked(session, transfer_id)
    states.advance(TRANSFER_TRANSITIONS, transfer.status, TransferStatus.CANCELLED, what=_what(transfer))
    if transfer.status == TransferStatus.IN_TRANSIT:
        header = _header("cancel_transfer", transfer, actor, now, reason=choice or "")
        if choice == "write_off":
            _write_off(session, transfer, header)
        elif choice == "write_back":
            _write_back(session, transfer, header)
        else:
            raise InvalidTransfer(f"{_what(transfer)} is on its way: say write_back or write_off.")
    return _advance(session, transfer, TransferStatus.CANCELLED, actor=actor, now=now)


def on_the_way(line: TransferLine) -> int:
    """Return the units of a line that are dispatched and not yet accounted for."""
    return line.dispatched - line.received - line.written_off


def _locked(session: Session, transfer_id: str) -> Transfer:
    query = select(Transfer).where(Transfer.id == transfer_id).with_for_update()
    transfer = session.scalar(query, execution_options={"populate_existing": True})
    if transfer is None:
        raise UnknownDocument("transfer", transfer_id)
    return transfer


def _advance(session: Session, transfer: Transfer, target: TransferStatus, *, actor: str, now: datetime) -> Transfer:
    before = transfer.status
    transfer.status = states.advance(TRANSFER_TRANSITIONS, before, target, what=_what(transfer))
    transfer.version += 1
    session.flush()
    _tell(session, transfer, before, actor=actor, now=now)
    return transfer


def _tell(session: Session, transfer: Transfer, before: str, *, actor: str, now: datetime) -> None:
    record(
        session,
        TransferMoved(
            aggregate_id=transfer.id, reference=transfer.reference, source=transfer.source,
            destination=transfer.destination, from_status=before, to_status=transfer.status, actor=actor,
            occurred_at=now.isoformat(),
        ),
    )  # fmt: skip


def _what(transfer: Transfer) -> str:
    return f"Transfer {transfer.number}"


def _header(kind: str, transfer: Transfer, actor: str, now: datetime, *, reason: str = "") -> Header:
    return Header(kind=kind, actor=actor, occurred_at=now, reason=reason, reference=transfer.id)


def _count(sent: Sent) -> int:
    return sent.units if isinstance(sent, ReservedUnits) else sent or 0


def _check_sent(transfer: Transfer, units: Sequence[Sent]) -> None:
    if len(units) != len(transfer.lines):
        raise InvalidTransfer(f"{_what(transfer)} has {len(transfer.lines)} lines; say of each what leaves.")
    faults = [
        Fault(f"/lines/{line.line}", "invalid_units", f"0 to {line.units} units can leave, not {_count(sent)}")
        for line, sent in zip(transfer.lines, units, strict=True)
        if not 0 <= _count(sent) <= line.units
    ]
    if faults or not any(map(_count, units)):
        raise InvalidTransfer(f"{_what(transfer)} cannot leave with so many units.", faults=tuple(faults))


def _check_received(transfer: Transfer, arrived: Mapping[int, int]) -> None:
    left = {line.line: on_the_way(line) for line in transfer.lines}
    faults = tuple(
        Fault(f"/lines/{line}", "invalid_units", f"{left.get(line, 0)} units are on their way, not {units}")
        for line, units in arrived.items()
        if not 0 <= units <= left.get(line, 0)
    )
    if faults:
        raise InvalidTransfer(
            "More arrived than was sent: receive what was, and adjust the rest as found.", faults=faults
        )


def _after_receipt(transfer: Transfer, arrived: Mapping[int, int]) -> TransferStatus:
    left = sum(on_the_way(line) for line in transfer.lines) - sum(arrived.values())
    return TransferStatus.PARTLY_RECEIVED if left else TransferStatus.RECEIVED


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


def _write_off(session: Session, transfer: Transfer, header: Header) -> dict[int, int]:
    missing = _end_journey(session, transfer, header, Side(Account.SHRINK))
    for line in transfer.lines:
        line.written_off += missing.get(line.line, 0)
    return missing


def _write_back(session: Session, transfer: Transfer, header: Header) -> None:
    """Put the units back on hand at the source, as if they had never left."""
    returned = _end_journey(session, transfer, header, Side(Account.ON_HAND, transfer.source))
    for line in transfer.lines:
        line.dispatched -= returned.get(line.line, 0)


def _end_journey(session: Session, transfer: Transfer, header: Header, target: Side) -> dict[int, int]:
    left = {line.line: on_the_way(line) for line in transfer.lines if on_the_way(line)}
    source = Side(Account.IN_TRANSIT, transfer.destination)
    moves = [Movement(line.sku, left[line.line], source, target) for line in transfer.lines if line.line in left]
    if moves:
        post(session, header, moves)
    return left
