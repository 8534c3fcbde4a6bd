"""Who fits: a batch that was refused, judged posting by posting against what the statement has locked.

Pure values for `stock/ledger.py`. Invariant: a posting meets exactly the levels that it would have met had the postings
before it been written one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from kernel.errors import DomainError, Fault
from stock.batches import OWN, Writing
from stock.errors import BalancesMoved, ClaimsChanged, InsufficientStock, Shortage, UnknownStock
from stock.postings import ACCOUNTS, AVAILABLE, Key, ReservationChange, asked, offered


class Locked(NamedTuple):
    """A row that the statement answers with: a balance, a reservation or open demand, as it stands."""

    what: str
    sku: str
    key: str
    node: str
    first: int
    second: int = 0
    third: int = 0
    damaged: int = 0
    quarantine: int = 0
    in_transit: int = 0
    safety_stock: int = 0
    backorder_limit: int = 0
    version: int = 0


@dataclass(slots=True)
class Balance:
    """A balance as it stands."""

    counters: list[int]
    safety_stock: int
    backorder_limit: int
    version: int


@dataclass(slots=True)
class Claimed:
    """A reservation as it stands."""

    node: str
    units: int
    picked: int
    ended: int

    @property
    def left(self) -> int:
        """Units neither consumed nor released."""
        return self.units - self.ended


@dataclass
class Levels:
    """How everything stands that a batch touches, as far as it exists."""

    balances: dict[Key, Balance] = field(default_factory=dict)
    claimed: dict[Key, Claimed] = field(default_factory=dict)
    waiting: dict[Key, int] = field(default_factory=dict)

    def take(self, writing: Writing) -> None:
        """Change the levels as a posting does that fits."""
        for key, change in writing.balances.items():
            balance = self.balances[key]
            balance.counters = list(map(int.__add__, balance.counters, change.counters))
            balance.version += change.touches
        for each in writing.resolutions:
            reservation = self.claimed[each.sku, each.id]
            reservation.picked += each.picked
            reservation.ended += each.consumed + each.released
        for wish in writing.wishes:
            key = (wish.sku, wish.reference)
            self.waiting[key] = self.waiting.get(key, 0) + wish.units


def levels_of(rows: Iterable[Locked]) -> Levels:
    """Return the levels that the statement answered with."""
    levels = Levels()
    for row in rows:
        if row.what == "balance":
            counters = [row.first, row.second, row.third, row.damaged, row.quarantine, row.in_transit]
            levels.balances[row.sku, row.key] = Balance(counters, row.safety_stock, row.backorder_limit, row.version)
        elif row.what == "reservation":
            levels.claimed[row.sku, row.key] = Claimed(row.node, row.first, row.second, row.third)
        elif row.what == "demand":
            levels.waiting[row.sku, row.key] = row.first
    return levels


def refusal(levels: Levels, writing: Writing) -> DomainError | None:
    """Return the error that tells all of the gravest kind: what does not exist, what changed, what is short."""
    if unknown := [key for key in writing.balances if key not in levels.balances]:
        return UnknownStock(unknown)
    ended = [(each, levels.claimed.get((each.sku, each.id))) for each in writing.resolutions]
    ended = [(each, there) for each, there in ended if not _can_end(each, there)]
    if faults := [*(_claim_fault(*each) for each in ended), *_demand_faults(levels, writing)]:
        return ClaimsChanged(faults, reservation_ids=[each.id for each, _ in ended])
    if moved := [key for key in writing.balances if writing.expected(key) not in (None, levels.balances[key].version)]:
        return BalancesMoved(moved)
    shortages = [short for key in writing.balances for short in _shortages(key, levels.balances[key], writing)]
    return InsufficientStock(shortages) if shortages else None


def _can_end(change: ReservationChange, there: Claimed | None) -> bool:
    if there is None or there.node != change.node or there.picked + change.picked < 0:
        return False
    return there.picked + change.picked + there.ended + change.consumed + change.released <= there.units


def _claim_fault(change: ReservationChange, there: Claimed | None) -> Fault:
    if there is None or there.node != change.node:
        return Fault(
            "", "unknown_reservation", f"There is no reservation {change.id} of {change.sku} at {change.node}."
        )
    return Fault(
        "",
        "reservation_ended",
        f"Reservation {change.id} of {change.sku} has {there.left} of {there.units} units left, "
        f"{there.picked} of them picked.",
    )


def _demand_faults(levels: Levels, writing: Writing) -> Iterator[Fault]:
    for wish in writing.wishes:
        there = levels.waiting.get((wish.sku, wish.reference), 0)
        if there + wish.units < 0:
            message = f"{wish.reference} has {there} units of {wish.sku} waiting, not more."
            yield Fault("", "open_demand_changed", message)


def _shortages(key: Key, balance: Balance, writing: Writing) -> Iterator[Shortage]:
    """Yield each account of a balance that does not have what it is asked for."""
    there = offered(balance.counters, balance.backorder_limit)
    floor = writing.floor(key)
    if floor is not None:
        there[AVAILABLE] -= balance.safety_stock if floor == OWN else floor
    for account, wanted, available in zip(ACCOUNTS, asked(writing.balances[key].counters), there, strict=True):
        if wanted > available:
            yield Shortage(*key, account, wanted, max(0, available))
