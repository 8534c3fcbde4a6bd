"""Claims on stock: made, exchanged, picked, consumed, put back and released.

Called by fulfillment, for demand lines, transfers, holds and put-back tasks; it knows references, never orders.
Invariant: a reservation ends once, since what is consumed and released never exceeds its units; releasing never
depends on what is available.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, select, tuple_

from kernel.errors import DomainError, Fault
from kernel.ids import new_id
from stock import suppliers
from stock.errors import ClaimsChanged
from stock.ledger import (
    OWN_SAFETY_STOCK,
    DemandChange,
    Draft,
    Floors,
    Header,
    Movement,
    NewReservation,
    ReservationChange,
    Side,
    post,
    post_many,
)
from stock.models import Account, Purpose, Reservation
from stock.postings import MAX_UNITS, Key

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

CUSTOMER = Side(Account.CUSTOMER)
# Looked up so many at a time, below the number of parameters that SQLite takes in a statement.
LOOKUP = 500


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Units of a SKU wanted at a node for a reference; the higher the rank, the later they are displaced."""

    sku: str
    node: str
    units: int
    reference: str
    purpose: str
    rank: int = 0
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReservedUnits:
    """Units of a reservation."""

    sku: str
    reservation_id: str
    units: int


@dataclass(frozen=True, slots=True)
class Reserved:
    """A reservation as it was read."""

    sku: str
    id: str
    node: str
    reference: str
    purpose: str
    rank: int
    units: int
    picked: int
    consumed: int
    released: int

    @property
    def open_units(self) -> int:
        """Units still claimed, picked ones included."""
        return self.units - self.consumed - self.released


@dataclass(frozen=True, kw_only=True)
class Rebinding:
    """What is released, claimed, opened and closed in one posting, net per balance: exchanges hold while stock is full.

    Claims leave each balance the floor given, or its safety stock where none is; nothing is kept where it is None.
    """

    header: Header
    release: Sequence[ReservedUnits] = ()
    claims: Sequence[Claim] = ()
    demand: Sequence[DemandChange] = ()
    floors: Floors | None = field(default_factory=lambda: OWN_SAFETY_STOCK)


def rebind(
    session: Session,
    header: Header,
    *,
    release: Sequence[ReservedUnits] = (),
    claims: Sequence[Claim] = (),
    demand: Sequence[DemandChange] = (),
    floors: Floors | None = OWN_SAFETY_STOCK,
) -> list[str]:
    """Write one rebinding, given by its parts.

    Returns the ids of the new reservations, in the order of `claims`. Raises InsufficientStock with every shortage,
    ClaimsChanged when picked, ended or unknown units are to be released, or more demand is closed than is open.
    """
    wanted = Rebinding(header=header, release=release, claims=claims, demand=demand, floors=floors)
    (outcome,) = rebind_many(session, [wanted])
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def rebind_many(session: Session, wanted: Sequence[Rebinding]) -> list[list[str] | DomainError]:
    """Write rebindings as if one after the other; return what `rebind` would have returned or raised for each."""
    given = _found(session, [of for each in wanted for of in each.release])
    outcomes: list[list[str] | DomainError] = []
    drafts: dict[int, Draft] = {}
    for number, each in enumerate(wanted):
        made = [_made(claim) for claim in each.claims]
        unknown = _unknown(each.release, given)
        outcomes.append(ClaimsChanged(unknown) if unknown else [reservation.id for reservation in made])
        if not unknown and (each.release or made or each.demand):
            drafts[number] = _draft(each, made, given)
    for number, posted in zip(drafts, post_many(session, list(drafts.values())), strict=True):
        if isinstance(posted, DomainError):
            outcomes[number] = posted
    return outcomes


def _draft(wanted: Rebinding, made: Sequence[NewReservation], given: Mapping[str, Reserved]) -> Draft:
    changes = [
        ReservationChange(sku=of.sku, id=of.reservation_id, node=given[of.reservation_id].node, released=of.units)
        for of in wanted.release
    ]
    return Draft(header=wanted.header, claims=made, changes=changes, demand=wanted.demand, floors=wanted.floors)


def pick(session: Session, header: Header, units: Sequence[ReservedUnits]) -> str:
    """Take reserved units from the shelf into a tote; the shelf must have them, unless it is a supplier's."""
    return _pick(session, header, units, sign=1)


def unpick(session: Session, header: Header, units: Sequence[ReservedUnits]) -> str:
    """Take it back that units were picked; they stay reserved."""
    return _pick(session, header, units, sign=-1)


def consume(session: Session, header: Header, units: Sequence[ReservedUnits], *, target: Side = CUSTOMER) -> str:
    """Let reserved units leave on hand, picked ones first; their reservations end by so many units."""
    movements, changes = consumption(find(session, units), units, target=target)
    return suppliers.post(session, header, movements, changes=changes)


def consumption(
    given: Mapping[str, Reserved], units: Sequence[ReservedUnits], *, target: Side
) -> tuple[list[Movement], list[ReservationChange]]:
    """Return the movements out of on hand, and what they do to the reservations, for a posting that has more to say."""
    picked = {id_: reservation.picked for id_, reservation in given.items()}
    movements, changes = [], []
    for of in units:
        reservation = given[of.reservation_id]
        from_tote = min(picked[of.reservation_id], of.units)
        picked[of.reservation_id] -= from_tote
        shelf = Side(Account.ON_HAND, reservation.node)
        movements.append(Movement(of.sku, of.units, shelf, target, of.reservation_id))
        changes.append(
            ReservationChange(
                sku=of.sku, id=of.reservation_id, node=reservation.node, picked=-from_tote, consumed=of.units
            )
        )
    return movements, changes


def to_put_back(
    session: Session, header: Header, units: Sequence[ReservedUnits], *, references: Sequence[str]
) -> list[str]:
    """Hand picked units over to reservations of put-back tasks, one a reference, without their being free in between.

    Returns the ids of the new reservations, in order. Raises ClaimsChanged when so many units are not picked.
    """
    given = find(session, units)
    made = [
        NewReservation(
            id=new_id(), sku=of.sku, node=given[of.reservation_id].node, reference=reference,
            purpose=Purpose.PUT_BACK, units=of.units, picked=of.units, rank=given[of.reservation_id].rank,
        )
        for of, reference in zip(units, references, strict=True)
    ]  # fmt: skip
    changes = [_put_down(given[of.reservation_id], of.units) for of in units]
    post(session, header, (), claims=made, changes=changes)
    return [reservation.id for reservation in made]


def put_on_shelf(session: Session, header: Header, units: Sequence[ReservedUnits]) -> str:
    """Put picked units back on the shelf, free for anybody."""
    given = find(session, units)
    return post(session, header, (), changes=[_put_down(given[of.reservation_id], of.units) for of in units])


def find(session: Session, units: Iterable[ReservedUnits]) -> dict[str, Reserved]:
    """Return the reservations of `units` by id. Raises ClaimsChanged when some do not exist."""
    asked = list(units)
    found = _found(session, asked)
    if unknown := _unknown(asked, found):
        raise ClaimsChanged(unknown)
    return found


def _found(session: Session, units: Iterable[ReservedUnits]) -> dict[str, Reserved]:
    wanted = sorted({(of.sku, of.reservation_id) for of in units})
    found: dict[str, Reserved] = {}
    for start in range(0, len(wanted), LOOKUP):
        keys = wanted[start : start + LOOKUP]
        same = tuple_(Reservation.sku, Reservation.id).in_(keys)
        found |= {reservation.id: reservation for reservation in _read(session, _COLUMNS.where(same))}
    return found


def _unknown(units: Iterable[ReservedUnits], found: Mapping[str, Reserved]) -> list[Fault]:
    missing = sorted({(of.sku, of.reservation_id) for of in units if of.reservation_id not in found})
    return [Fault("", "unknown_reservation", f"There is no reservation {id_} of {sku}.") for sku, id_ in missing]


def by_reference(session: Session, references: Sequence[str]) -> dict[str, list[Reserved]]:
    """Return the open reservations of each reference, oldest first."""
    still_open = Reservation.consumed + Reservation.released < Reservation.units
    found: dict[str, list[Reserved]] = defaultdict(list)
    for start in range(0, len(references), LOOKUP):
        some = Reservation.reference.in_(references[start : start + LOOKUP])
        for reservation in _read(session, _COLUMNS.where(some, still_open).order_by(Reservation.id)):
            found[reservation.reference].append(reservation)
    return found


def on_balances(session: Session, keys: Iterable[Key]) -> dict[Key, list[Reserved]]:
    """Return the open reservations of each balance, in the order in which they lose units: rank, then youngest."""
    still_open = Reservation.consumed + Reservation.released < Reservation.units
    wanted = sorted(set(keys))
    found: dict[Key, list[Reserved]] = {key: [] for key in wanted}
    for start in range(0, len(wanted), LOOKUP):
        some = tuple_(Reservation.sku, Reservation.node).in_(wanted[start : start + LOOKUP])
        rows = _COLUMNS.where(some, still_open).order_by(Reservation.rank, Reservation.id.desc())
        for reservation in _read(session, rows):
            found[reservation.sku, reservation.node].append(reservation)
    return found


_COLUMNS: Select[*tuple[Any, ...]] = select(
    Reservation.sku, Reservation.id, Reservation.node, Reservation.reference, Reservation.purpose, Reservation.rank,
    Reservation.units, Reservation.picked, Reservation.consumed, Reservation.released,
)  # fmt: skip


def _read(session: Session, query: Select[*tuple[Any, ...]]) -> Iterator[Reserved]:
    return (Reserved(*row) for row in session.execute(query))


def _pick(session: Session, header: Header, units: Sequence[ReservedUnits], *, sign: int) -> str:
    given = find(session, units)
    changes = [
        ReservationChange(sku=of.sku, id=of.reservation_id, node=given[of.reservation_id].node, picked=sign * of.units)
        for of in units
    ]
    return suppliers.post(session, header, (), changes=changes)


def _made(claim: Claim) -> NewReservation:
    assert 0 < claim.units <= MAX_UNITS, f"a claim has 1 to {MAX_UNITS} units, not {claim.units}"
    return NewReservation(
        id=new_id(), sku=claim.sku, node=claim.node, reference=claim.reference, purpose=claim.purpose,
        units=claim.units, rank=claim.rank, expires_at=claim.expires_at,
    )  # fmt: skip


def _put_down(reservation: Reserved, units: int) -> ReservationChange:
    return ReservationChange(
        sku=reservation.sku, id=reservation.id, node=reservation.node, picked=-units, released=units
    )
