"""What a posting is made of, and what it does to the balances it touches.

Pure values and arithmetic: `stock/ledger.py` writes what `fold` returns, the verbs of the stock room build the rest.
Invariant: a claim's entries are derived from the reservations themselves, so that a balance's reserved and picked units
always equal the sum of its open reservations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from stock.models import CLAIM_ACCOUNTS, NODE_ACCOUNTS, Account

Key = tuple[str, str]
"""A balance: SKU and node."""

COUNTERS = ("on_hand", "reserved", "picked", "damaged", "quarantine", "in_transit")
ON_HAND, RESERVED, PICKED, DAMAGED, QUARANTINE, IN_TRANSIT = range(len(COUNTERS))
# Available and unpicked are what is left of on hand and of reserved: no counter of their own moves with them.
COUNTER_OF = {
    Account.ON_HAND: ON_HAND,
    Account.RESERVED: RESERVED,
    Account.PICKED: PICKED,
    Account.DAMAGED: DAMAGED,
    Account.QUARANTINE: QUARANTINE,
    Account.IN_TRANSIT: IN_TRANSIT,
}
MAX_UNITS = 10_000_000

# What a balance is asked for, as `asked` and `offered` return it.
ACCOUNTS = (
    "on hand", "available", "reserved", "picked", "on hand to pick", "reserved to pick",
    "damaged", "in quarantine", "in transit",
)  # fmt: skip
AVAILABLE = 1


@dataclass(frozen=True, kw_only=True)
class Header:
    """Who posts what kind of business event, when it happened, why, and for whom."""

    kind: str
    actor: str
    occurred_at: datetime
    reason: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a movement: an account, at a node where the account is one of a node."""

    account: Account
    node: str | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """Units of a SKU that go from one account to another."""

    sku: str
    units: int
    source: Side
    target: Side
    reservation_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no caller may build."""
        assert 0 < self.units <= MAX_UNITS, f"a movement has 1 to {MAX_UNITS} units, not {self.units}"
        for side in (self.source, self.target):
            at_a_node = side.account in NODE_ACCOUNTS or side.account in CLAIM_ACCOUNTS
            assert at_a_node == (side.node is not None), f"{side.account} with node {side.node!r}"
        assert self.source.node or self.target.node, "a movement touches a node"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewReservation:
    """A reservation to be made; `picked` units of it are in a tote already."""

    id: str
    sku: str
    node: str
    reference: str
    purpose: str
    units: int
    picked: int = 0
    rank: int = 0
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReservationChange:
    """How many units of a reservation are picked (negative: put down), consumed and released."""

    sku: str
    id: str
    node: str
    picked: int = 0
    consumed: int = 0
    released: int = 0


@dataclass(frozen=True, slots=True)
class DemandChange:
    """Units of open demand of a reference: positive opens, negative closes."""

    sku: str
    reference: str
    units: int


Floors = Mapping[Key, int]
OWN_SAFETY_STOCK: Floors = {}
"""Floors for claims that leave each balance its own safety stock and no more."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A posting as it is asked for.

    header: kind, actor, business time, reason and reference.
    movements: physical entries, in order. Claim entries follow from `claims` and `changes`.
    claims: reservations to make.
    changes: what happens to reservations there are; changes of the same one are added up.
    demand: open demand to open or close.
    floors: claims that grow must leave each balance the floor given here, or its own safety stock where none is given;
        nothing is kept back when this is None.
    expected: versions that balances must still have; others are not looked at.
    """

    header: Header
    movements: Sequence[Movement] = ()
    claims: Sequence[NewReservation] = ()
    changes: Iterable[ReservationChange] = ()
    demand: Iterable[DemandChange] = ()
    floors: Floors | None = None
    expected: Mapping[Key, int] | None = None


@dataclass(slots=True)
class BalanceChange:
    """The net change of one balance, and how many entries touch it."""

    counters: list[int] = field(default_factory=lambda: [0] * len(COUNTERS))
    touches: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """An entry to be written: the movement, and how many entries after it touch each of its balances."""

    movement: Movement
    from_back: int
    to_back: int


def fold(movements: Sequence[Movement]) -> tuple[list[Line], dict[Key, BalanceChange]]:
    """Return the entries in order, and the net change of each balance in the order in which balances are locked."""
    changes: dict[Key, BalanceChange] = defaultdict(BalanceChange)
    ordinals: list[tuple[int, int]] = []
    for movement in movements:
        touched = [_apply(changes, movement, movement.source, -1)]
        if movement.target.node != movement.source.node:
            touched.append(_apply(changes, movement, movement.target, 1))
        else:
            _count(changes[movement.sku, movement.target.node or ""], movement.target, movement.units)
            touched *= 2
        ordinals.append((touched[0], touched[1]))
    lines = [
        Line(
            movement,
            _after(changes, movement.sku, movement.source.node, from_ordinal),
            _after(changes, movement.sku, movement.target.node, to_ordinal),
        )
        for movement, (from_ordinal, to_ordinal) in zip(movements, ordinals, strict=True)
    ]
    return lines, dict(sorted(changes.items()))


def asked(change: Sequence[int]) -> list[int]:
    """Return how much a change of the counters asks of each of ACCOUNTS; nothing where it is not more than zero."""
    on_hand, reserved, picked, damaged, quarantine, in_transit = change
    return [
        -on_hand, reserved - on_hand, -reserved, -picked, picked - on_hand, picked - reserved,
        -damaged, -quarantine, -in_transit,
    ]  # fmt: skip


def offered(counters: Sequence[int], backorder_limit: int) -> list[int]:
    """Return how much there is in each of ACCOUNTS."""
    on_hand, reserved, picked, damaged, quarantine, in_transit = counters
    return [
        on_hand, on_hand + backorder_limit - reserved, reserved, picked, on_hand - picked, reserved - picked,
        damaged, quarantine, in_transit,
    ]  # fmt: skip


def claim_movements(changes: Iterable[ReservationChange], claims: Iterable[NewReservation]) -> Iterator[Movement]:
    """Yield the entries that say on the balances what happens to their reservations: old ones first, then new ones."""
    for change in changes:
        yield from _moves(change.sku, change.id, change.node, (Account.UNPICKED, Account.PICKED), change.picked)
        ended = change.consumed + change.released
        yield from _moves(change.sku, change.id, change.node, (Account.AVAILABLE, Account.RESERVED), -ended)
    for claim in claims:
        yield from _moves(claim.sku, claim.id, claim.node, (Account.AVAILABLE, Account.RESERVED), claim.units)
        yield from _moves(claim.sku, claim.id, claim.node, (Account.UNPICKED, Account.PICKED), claim.picked)


def net_changes(changes: Iterable[ReservationChange]) -> list[ReservationChange]:
    """Add up the changes of each reservation, so that each is written once, in key order."""
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for change in changes:
        total = sums[change.sku, change.id, change.node]
        for place, units in enumerate((change.picked, change.consumed, change.released)):
            total[place] += units
    return [
        ReservationChange(sku=sku, id=id_, node=node, picked=picked, consumed=consumed, released=released)
        for (sku, id_, node), (picked, consumed, released) in sorted(sums.items())
    ]


def net_demand(changes: Iterable[DemandChange]) -> list[DemandChange]:
    """Add up the open demand of each SKU and reference, in key order, without those that come to nothing."""
    sums: dict[Key, int] = defaultdict(int)
    for change in changes:
        sums[change.sku, change.reference] += change.units
    return [DemandChange(sku, reference, units) for (sku, reference), units in sorted(sums.items()) if units]


def _apply(changes: Mapping[Key, BalanceChange], movement: Movement, side: Side, sign: int) -> int:
    if side.node is None:
        return 0
    change = changes[movement.sku, side.node]
    _count(change, side, sign * movement.units)
    change.touches += 1
    return change.touches


def _count(change: BalanceChange, side: Side, units: int) -> None:
    counter = COUNTER_OF.get(side.account)
    if counter is not None:
        change.counters[counter] += units


def _after(changes: Mapping[Key, BalanceChange], sku: str, node: str | None, ordinal: int) -> int:
    return changes[sku, node].touches - ordinal if node is not None else 0


def _moves(
    sku: str, reservation_id: str, node: str, accounts: tuple[Account, Account], units: int
) -> Iterator[Movement]:
    """Yield the movement from the first account to the second, or back when `units` is negative."""
    if units:
        source, target = accounts if units > 0 else accounts[::-1]
        yield Movement(sku, abs(units), Side(source, node), Side(target, node), reservation_id)
