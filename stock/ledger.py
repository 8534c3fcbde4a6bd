"""The single inventory ledger: the only writer of postings, entries, balances, reservations and open demand.

Called by the verbs of the stock room, and by nobody else. Invariants: a posting is written whole or not at all; what
does not fit is refused with every shortage named, never clamped; each entry carries the consecutive versions that the
balances it touches have reached, so that a balance is the fold of its entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy.orm import Mapper

from kernel.errors import Fault
from kernel.events import payload_of, tell_house
from kernel.ids import new_id
from kernel.rowsets import RowSet
from stock import statements
from stock.errors import BalancesMoved, ClaimsChanged, InsufficientStock, Shortage, UnknownStock
from stock.events import StockPosted
from stock.models import OpenDemand, Reservation, StockBalance
from stock.postings import (
    BalanceChange,
    DemandChange,
    Header,
    Key,
    Line,
    Movement,
    NewReservation,
    ReservationChange,
    Side,
    claim_movements,
    fold,
    net_changes,
    net_demand,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


Floors = Mapping[Key, int]
OWN_SAFETY_STOCK: Floors = {}
"""Floors for claims that leave each balance its own safety stock and no more."""
_OWN = -1
"""How the statement is told that a balance's own safety stock is its floor."""


class Refusal(NamedTuple):
    """A row that the statement answers with: what did not fit, and how it stands. Counters are null where unknown."""

    what: str
    sku: str
    key: str
    on_hand: int | None
    reserved: int | None
    picked: int | None
    damaged: int | None
    quarantine: int | None
    in_transit: int | None
    safety_stock: int | None
    backorder_limit: int | None
    version: int | None


@dataclass(frozen=True, kw_only=True)
class Writing:
    """A posting worked out, ready to be written."""

    posting_id: str
    header: Header
    lines: Sequence[Line]
    balances: Mapping[Key, BalanceChange]
    expected: Mapping[Key, int]
    resolutions: Sequence[ReservationChange]
    claims: Sequence[NewReservation]
    wishes: Sequence[DemandChange]
    floors: Floors | None
    event: StockPosted


def post(
    session: Session,
    header: Header,
    movements: Sequence[Movement],
    *,
    claims: Sequence[NewReservation] = (),
    changes: Iterable[ReservationChange] = (),
    demand: Iterable[DemandChange] = (),
    floors: Floors | None = None,
    expected: Mapping[Key, int] | None = None,
) -> str:
    """Write one posting and return its id.

    Args:
        session: a write session.
        header: kind, actor, business time, reason and reference.
        movements: physical entries, in order. Claim entries follow from `claims` and `changes`.
        claims: reservations to make.
        changes: what happens to reservations there are; changes of the same one are added up.
        demand: open demand to open or close.
        floors: claims that grow must leave each balance the floor given here, or its own safety stock where none is
            given; nothing is kept back when this is None.
        expected: versions that balances must still have; others are not looked at.

    Raises:
        InsufficientStock: some balances do not have the units; it lists them all.
        ClaimsChanged: a reservation or open demand has fewer units left than are taken from it.
        BalancesMoved: a balance has not the version expected.
        UnknownStock: there is no such article or node.

    A refusal writes nothing and leaves the transaction usable; the balances stay locked until it ends.
    """
    session.flush()
    resolutions = net_changes(changes)
    ended = [change for change in resolutions if change.consumed or change.released or change.picked]
    entries = (*claim_movements(ended, ()), *movements, *claim_movements((), claims))
    lines, balances = fold(entries)
    wishes = net_demand(demand)
    event = StockPosted(
        aggregate_id=new_id(), kind=header.kind, reason=header.reason, reference=header.reference,
        skus=_sorted(sku for sku, _ in (*balances, *((wish.sku, "") for wish in wishes))),
        nodes=_sorted(node for _, node in balances),
    )  # fmt: skip
    writing = Writing(
        posting_id=event.aggregate_id, header=header, lines=lines, balances=balances, expected=expected or {},
        resolutions=ended, claims=claims, wishes=wishes, floors=floors, event=event,
    )  # fmt: skip
    _write(session, writing)
    _forget_loaded(session, writing)
    tell_house(session, event)
    return writing.posting_id


def create_balances(session: Session, keys: Iterable[Key]) -> None:
    """Make the empty balances that are missing; keys of unknown articles or nodes are left out."""
    dialect = session.get_bind().dialect.name
    rows = sorted(set(keys))
    given = statements.KEY.as_arrays(rows) if dialect == "postgresql" else statements.KEY.as_json(rows)
    session.connection().exec_driver_sql(statements.create_balances(dialect), given)


def _write(session: Session, writing: Writing) -> None:
    """Write, making balances that are missing first; raise for what was refused."""
    write = _write_postgresql if session.get_bind().dialect.name == "postgresql" else _write_sqlite
    refusals = write(session, writing)
    missing = [(row.sku, row.key) for row in refusals if row.what == "balance" and row.version is None]
    if missing:
        create_balances(session, missing)
        refusals = write(session, writing)
    if refusals:
        raise _refused(writing, refusals)


def _write_postgresql(session: Session, writing: Writing) -> list[Refusal]:
    statement = statements.postgresql(
        resolutions=bool(writing.resolutions), claims=bool(writing.claims), wishes=bool(writing.wishes)
    )
    parameters = _scalars(writing) | {"occurred_at": writing.header.occurred_at}
    for row_set, rows in _rows(writing):
        parameters |= row_set.as_arrays(rows)
    answer = [Refusal(*row) for row in session.connection().exec_driver_sql(statement, parameters)]
    refusals = [row for row in answer if row.what != "moved"]
    if not refusals:
        moved = answer[0].on_hand
        assert moved == len(writing.balances), f"{moved} of {len(writing.balances)} balances moved"
    return refusals


def _write_sqlite(session: Session, writing: Writing) -> list[Refusal]:
    parts = {"resolutions": bool(writing.resolutions), "wishes": bool(writing.wishes)}
    occurred_at = writing.header.occurred_at.astimezone(UTC).replace(tzinfo=None)
    parameters: dict[str, Any] = _scalars(writing) | {"occurred_at": f"{occurred_at:%Y-%m-%d %H:%M:%S.%f}"}
    for row_set, rows in _rows(writing, instants_as_text=True):
        parameters |= row_set.as_json(rows)
    connection = session.connection()
    refusals = [Refusal(*row) for row in connection.exec_driver_sql(statements.sqlite_verdict(**parts), parameters)]
    if refusals:
        return refusals
    move, *others = statements.sqlite_writes(claims=bool(writing.claims), **parts)
    moved = len(connection.exec_driver_sql(move, parameters).all())
    assert moved == len(writing.balances), f"{moved} of {len(writing.balances)} balances moved"
    for statement in others:
        connection.exec_driver_sql(statement, parameters)
    return []


def _scalars(writing: Writing) -> dict[str, Any]:
    header = writing.header
    return {
        "posting_id": writing.posting_id, "kind": header.kind, "reason": header.reason, "actor": header.actor,
        "reference": header.reference, "event_id": new_id(), "event": writing.event.type,
        "aggregate": writing.event.aggregate, "payload": payload_of(writing.event),
    }  # fmt: skip


def _rows(writing: Writing, *, instants_as_text: bool = False) -> Iterable[tuple[RowSet, list[tuple[Any, ...]]]]:
    """Yield each part of the posting as the rows that the statement is given."""
    yield (
        statements.CHANGE,
        [
            (*key, *change.counters, change.touches, writing.expected.get(key), _floor(writing, key))
            for key, change in writing.balances.items()
        ],
    )
    yield statements.LINE, [_line_row(number, line) for number, line in enumerate(writing.lines, start=1)]
    if writing.resolutions:
        yield (
            statements.RESOLUTION,
            [
                (change.sku, change.id, change.node, change.picked, change.consumed, change.released)
                for change in writing.resolutions
            ],
        )
    if writing.claims:
        yield statements.CLAIM, _claim_rows(writing.claims, instants_as_text=instants_as_text)
    if writing.wishes:
        yield statements.WISH, [(wish.sku, wish.reference, wish.units) for wish in writing.wishes]


def _floor(writing: Writing, key: Key) -> int | None:
    return None if writing.floors is None else writing.floors.get(key, _OWN)


def _line_row(number: int, line: Line) -> tuple[Any, ...]:
    moved = line.movement
    return (
        number, moved.sku, moved.units, moved.source.node, moved.source.account.value, line.from_back,
        moved.target.node, moved.target.account.value, line.to_back, moved.reservation_id,
    )  # fmt: skip


def _claim_rows(claims: Sequence[NewReservation], *, instants_as_text: bool) -> list[tuple[Any, ...]]:
    """Number the claims of one reference, so that each becomes an attempt of its own."""
    ordinals: dict[tuple[str, str, str], int] = {}
    rows = []
    for claim in claims:
        same = (claim.sku, claim.reference, claim.purpose)
        ordinals[same] = ordinals.get(same, 0) + 1
        expires_at: Any = claim.expires_at
        if instants_as_text and expires_at is not None:
            expires_at = f"{expires_at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
        rows.append(
            (
                ordinals[same], claim.id, claim.sku, claim.node, claim.reference, claim.purpose, claim.units,
                claim.picked, claim.rank, expires_at,
            )
        )  # fmt: skip
    return rows


def _refused(writing: Writing, refusals: Sequence[Refusal]) -> Exception:
    """Return the error that tells all of the gravest kind: what does not exist, what changed, what is short."""
    balances = [row for row in refusals if row.what == "balance"]
    if unknown := [(row.sku, row.key) for row in balances if row.version is None]:
        return UnknownStock(unknown)
    if changed := [row for row in refusals if row.what != "balance"]:
        ids = [row.key for row in changed if row.what == "reservation"]
        return ClaimsChanged([_claim_fault(row) for row in changed], reservation_ids=ids)
    moved = [
        (row.sku, row.key) for row in balances if row.version != writing.expected.get((row.sku, row.key), row.version)
    ]
    if moved:
        return BalancesMoved(moved)
    shortages = [short for row in balances for short in _shortages(row, writing)]
    assert shortages, f"a balance was refused for no known reason: {balances}"
    return InsufficientStock(shortages)


def _claim_fault(row: Refusal) -> Fault:
    if row.what == "demand":
        return Fault(
            "", "open_demand_changed", f"{row.key} has {row.on_hand or 0} units of {row.sku} waiting, not more."
        )
    if row.on_hand is None:
        return Fault("", "unknown_reservation", f"There is no reservation {row.key} of {row.sku}.")
    left = row.on_hand - (row.reserved or 0)
    return Fault(
        "",
        "reservation_ended",
        f"Reservation {row.key} of {row.sku} has {left} of {row.on_hand} units left, {row.picked} of them picked.",
    )


def _shortages(row: Refusal, writing: Writing) -> Iterable[Shortage]:
    """Yield each account of a refused balance that does not have what it was asked for."""
    on_hand, reserved, picked, damaged, quarantine, in_transit = (count or 0 for count in row[3:9])
    d_on_hand, d_reserved, d_picked, *d_others = writing.balances[row.sku, row.key].counters
    floor = _floor(writing, (row.sku, row.key)) if d_reserved > d_on_hand else None
    kept = (row.safety_stock or 0) if floor == _OWN else floor or 0
    available = on_hand + (row.backorder_limit or 0) - reserved - kept
    asked = (
        ("on hand", -d_on_hand, on_hand),
        ("available", d_reserved - d_on_hand, available),
        ("reserved", -d_reserved, reserved),
        ("picked", -d_picked, picked),
        ("on hand to pick", d_picked - d_on_hand, on_hand - picked),
        ("reserved to pick", d_picked - d_reserved, reserved - picked),
        *zip(
            ("damaged", "in quarantine", "in transit"),
            (-d for d in d_others),
            (damaged, quarantine, in_transit),
            strict=True,
        ),
    )
    for account, wanted, there in asked:
        if wanted > there:
            yield Shortage(row.sku, row.key, account, wanted, max(0, there))


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _forget_loaded(session: Session, writing: Writing) -> None:
    """Expire the rows that the session has loaded and that were changed behind its back."""
    changed: list[tuple[Any, tuple[str, str]]] = [(StockBalance, key) for key in writing.balances]
    changed += [(Reservation, (change.sku, change.id)) for change in writing.resolutions]
    changed += [(OpenDemand, (wish.sku, wish.reference)) for wish in writing.wishes]
    for table, key in changed:
        mapper: Mapper[Any] = table.__mapper__
        loaded = session.identity_map.get(mapper.identity_key_from_primary_key(key))
        if loaded is not None:
            session.expire(loaded)


__all__ = [
    "OWN_SAFETY_STOCK", "DemandChange", "Floors", "Header", "Movement", "NewReservation", "ReservationChange", "Side",
    "create_balances", "post",
]  # fmt: skip
