"""What a posting is made of, and what it does to the balances it touches.

Pure values and arithmetic: `stock/ledger.py` writes what they come to, the verbs of the stock room build the rest.
Invariant: a claim's entries are derived from the reservations themselves, so that a balance's reserved and picked units
always equal the sum of its open reservations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

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
AT_A_NODE = NODE_ACCOUNTS | CLAIM_ACCOUNTS
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
            assert (side.account in AT_A_NODE) == (side.node is not None), f"{side.account} with node {side.node!r}"
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

    def count(self, account: Account, units: int) -> None:
        """Add units to the counter of an account, where it has one."""
        counter = COUNTER_OF.get(account)
        if counter is not None:
            self.counters[counter] += units


def net_movements(movements: Iterable[Movement]) -> dict[Key, BalanceChange]:
    """Return the net change of each balance, in the order in which balances are locked."""
    changes: dict[Key, BalanceChange] = defaultdict(BalanceChange)
    for movement in movements:
        source, target = movement.source, movement.target
        if source.node is not None:
            change = changes[movement.sku, source.node]
            change.count(source.account, -movement.units)
            change.touches += 1
        if target.node is not None:
            change = changes[movement.sku, target.node]
            change.count(target.account, movement.units)
            change.touches += target.node != source.node
    return dict(sorted(changes.items()))


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
        ended = change.consumed + change.released
        if change.picked:
            yield _move(change, _PICKING, change.picked)
        if ended:
            yield _move(change, _CLAIMING, -ended)
    for claim in claims:
        if claim.units:
            yield _move(claim, _CLAIMING, claim.units)
        if claim.picked:
            yield _move(claim, _PICKING, claim.picked)


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


_CLAIMING = (Account.AVAILABLE, Account.RESERVED)
_PICKING = (Account.UNPICKED, Account.PICKED)


def _move(of: ReservationChange | NewReservation, accounts: tuple[Account, Account], units: int) -> Movement:
    """Return the movement from the first account to the second, or back when `units` is negative."""
    first, second = _sides(accounts, of.node)
    if units < 0:
        return Movement(of.sku, -units, second, first, of.id)
    return Movement(of.sku, units, first, second, of.id)


@lru_cache(maxsize=4096)
def _sides(accounts: tuple[Account, Account], node: str) -> tuple[Side, Side]:
    return Side(accounts[0], node), Side(accounts[1], node)
