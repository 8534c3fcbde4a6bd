"""Transfers between nodes: opened, approved, dispatched or cancelled; `stock/arrivals.py` ends their journey.

Called by fulfillment for the legs that supply an order, by planning for stock that moves ahead of demand, and by the
doors. Invariant: units are in transit in the ledger exactly from dispatch until they are received, written off or back,
so that a closed transfer leaves nothing there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from stock.ledger import Header, Movement, Side, post
from stock.lines import check_known, check_units
from stock.models import Account
from stock.reservations import ReservedUnits

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Sent: TypeAlias = ReservedUnits | int | None
"""What leaves for one line: units of a reservation, units that nobody has claimed, or nothing."""

Choice: TypeAlias = Literal["write_back", "write_off"]
ENDS: Mapping[Choice, Account] = {"write_back": Account.ON_HAND, "write_off": Account.SHRINK}


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
    return advance(session, lock(session, transfer_id), TransferStatus.APPROVED, actor=actor, now=now)


def start_picking(session: Session, transfer_id: str, *, actor: str, now: datetime) -> Transfer:
    """Say that the source is collecting the units. Raises UnknownDocument, IllegalTransition."""
    return advance(session, lock(session, transfer_id), TransferStatus.PICKING, actor=actor, now=now)


def dispatch(session: Session, transfer_id: str, units: Sequence[Sent], *, actor: str, now: datetime) -> Transfer:
    """Send units on their way, one item of `units` for each line in order; their reservations are consumed.

    Raises InvalidTransfer, UnknownDocument, IllegalTransition, and InsufficientStock or ClaimsChanged when the units
    are not there as said.
    """
    transfer = lock(session, transfer_id)
    states.advance(TRANSFER_TRANSITIONS, transfer.status, TransferStatus.IN_TRANSIT, what=words(transfer))
    _check_sent(transfer, units)
    target = Side(Account.IN_TRANSIT, transfer.destination)
    held = [sent for sent in units if isinstance(sent, ReservedUnits)]
    moves, changes = reservations.consumption(reservations.find(session, held), held, target=target)
    shelf = Side(Account.ON_HAND, transfer.source)
    transfer.dispatched_at = now
    for line, sent in zip(transfer.lines, units, strict=True):
        line.dispatched = _count(sent)
        if isinstance(sent, int) and sent:
            moves.append(Movement(line.sku, sent, shelf, target))
    post(session, header_of("dispatch", transfer, actor, now), moves, changes=changes)
    return advance(session, transfer, TransferStatus.IN_TRANSIT, actor=actor, now=now)


def cancel(session: Session, transfer_id: str, *, choice: Choice | None = None, actor: str, now: datetime) -> Transfer:
    """Cancel a transfer; once it is in transit, `choice` says whether the units come back or are written off.

    Reservations at the source are the caller's to release. Raises InvalidTransfer without a choice that is needed,
    UnknownDocument, IllegalTransition.
    """
    transfer = lock(session, transfer_id)
    states.advance(TRANSFER_TRANSITIONS, transfer.status, TransferStatus.CANCELLED, what=words(transfer))
    if transfer.status == TransferStatus.IN_TRANSIT:
        if choice is None:
            raise InvalidTransfer(f"{words(transfer)} is on its way: say write_back or write_off.")
        end_journey(session, transfer, header_of("cancel_transfer", transfer, actor, now, reason=choice), ENDS[choice])
    return advance(session, transfer, TransferStatus.CANCELLED, actor=actor, now=now)


def on_the_way(line: TransferLine) -> int:
    """Return the units of a line that are dispatched and not yet accounted for."""
    return line.dispatched - line.received - line.written_off


def lock(session: Session, transfer_id: str) -> Transfer:
    """Return a transfer that nobody else can change before this transaction ends. Raises UnknownDocument."""
    query = select(Transfer).where(Transfer.id == transfer_id).with_for_update()
    transfer = session.scalar(query, execution_options={"populate_existing": True})
    if transfer is None:
        raise UnknownDocument("transfer", transfer_id)
    return transfer


def advance(session: Session, transfer: Transfer, target: TransferStatus, *, actor: str, now: datetime) -> Transfer:
    """Take a transfer that is locked to another state, and tell it. Raises IllegalTransition."""
    before = transfer.status
    transfer.status = states.advance(TRANSFER_TRANSITIONS, before, target, what=words(transfer))
    transfer.version += 1
    session.flush()
    _tell(session, transfer, before, actor=actor, now=now)
    return transfer


def end_journey(session: Session, transfer: Transfer, header: Header, target: Account) -> dict[int, int]:
    """Let what is on its way come back on hand at the source, or be lost; return those units by line number."""
    left = {line.line: on_the_way(line) for line in transfer.lines if on_the_way(line)}
    source = Side(Account.IN_TRANSIT, transfer.destination)
    back = Side(target, transfer.source if target == Account.ON_HAND else None)
    moves = [Movement(line.sku, left[line.line], source, back) for line in transfer.lines if line.line in left]
    if moves:
        post(session, header, moves)
    for line in transfer.lines:
        if target == Account.ON_HAND:
            line.dispatched -= left.get(line.line, 0)
        else:
            line.written_off += left.get(line.line, 0)
    return left


def words(transfer: Transfer) -> str:
    """Return how a transfer is called in sentences."""
    return f"Transfer {transfer.number}"


def header_of(kind: str, transfer: Transfer, actor: str, now: datetime, *, reason: str = "") -> Header:
    """Return the header of a posting for a transfer."""
    return Header(kind=kind, actor=actor, occurred_at=now, reason=reason, reference=transfer.id)


def _tell(session: Session, transfer: Transfer, before: str, *, actor: str, now: datetime) -> None:
    record(
        session,
        TransferMoved(
            aggregate_id=transfer.id, reference=transfer.reference, source=transfer.source,
            destination=transfer.destination, from_status=before, to_status=transfer.status, actor=actor,
            occurred_at=now.isoformat(),
        ),
    )  # fmt: skip


def _count(sent: Sent) -> int:
    return sent.units if isinstance(sent, ReservedUnits) else sent or 0


def _check_sent(transfer: Transfer, units: Sequence[Sent]) -> None:
    if len(units) != len(transfer.lines):
        raise InvalidTransfer(f"{words(transfer)} has {len(transfer.lines)} lines; say of each what leaves.")
    faults = [
        Fault(f"/lines/{line.line}", "invalid_units", f"0 to {line.units} units can leave, not {_count(sent)}")
        for line, sent in zip(transfer.lines, units, strict=True)
        if not 0 <= _count(sent) <= line.units
    ]
    if faults or not any(map(_count, units)):
        raise InvalidTransfer(f"{words(transfer)} cannot leave with so many units.", faults=tuple(faults))
