"""What the stock room refuses, each with every fault found. Mapped to HTTP by the doors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kernel.errors import Conflict, Fault, NotFound, Rejected


@dataclass(frozen=True, order=True)
class Shortage:
    """Units of a SKU that an account of a node was asked for and does not have; `available` is what could be had."""

    sku: str
    node: str
    account: str
    wanted: int
    available: int


class InsufficientStock(Conflict):
    """Some balances do not have the units; nothing was written."""

    code = "insufficient_stock"

    def __init__(self, shortages: Iterable[Shortage]) -> None:
        self.shortages = tuple(sorted(shortages))
        faults = tuple(
            Fault(
                "",
                self.code,
                f"{short.node} has {short.available} units of {short.sku} {short.account}, {short.wanted} were wanted.",
            )
            for short in self.shortages
        )
        super().__init__("Not enough stock: decide again with what is there. " + _sentences(faults), faults=faults)


class ClaimsChanged(Conflict):
    """Reservations or open demand are no longer what the caller believed; nothing was written."""

    code = "claims_changed"

    def __init__(self, faults: Sequence[Fault], *, reservation_ids: Iterable[str] = ()) -> None:
        self.reservation_ids = frozenset(reservation_ids)
        super().__init__("Claims have changed: read them again. " + _sentences(faults), faults=tuple(faults))


class BalancesMoved(Conflict):
    """Balances moved between reading and writing; nothing was written, and they are locked now."""

    code = "balances_moved"

    def __init__(self, keys: Iterable[tuple[str, str]]) -> None:
        self.keys = tuple(sorted(keys))
        moved = ", ".join(f"{sku} at {node}" for sku, node in self.keys)
        super().__init__(f"Stock moved while this was being worked out: {moved}. Try again.")


class UnknownStock(Rejected):
    """No such article, or no such node."""

    code = "unknown_stock"

    def __init__(self, keys: Iterable[tuple[str, str]]) -> None:
        self.keys = tuple(sorted(keys))
        faults = tuple(Fault("", self.code, f"There is no article {sku} or no node {node}.") for sku, node in self.keys)
        super().__init__(_sentences(faults), faults=faults)


class InvalidUnits(Rejected):
    """A number of units that no movement can have."""

    code = "invalid_units"


class UnknownReason(Rejected):
    """This reason code is not known for this use, or is not in use any more."""

    code = "unknown_reason"

    def __init__(self, reason: str, use: str, known: Iterable[str]) -> None:
        super().__init__(f"{reason!r} is no reason for {use}; use one of: {', '.join(sorted(known))}.")


class UnknownPosition(Rejected):
    """The ledger has not come to this position yet."""

    code = "unknown_position"

    def __init__(self, position: int, newest: int) -> None:
        message = f"The newest position is {newest}; ask for it or one before, not for {position}."
        super().__init__(message, faults=(Fault("/position", self.code, message),))


class HistoryArchived(Rejected):
    """The entries that would tell are archived."""

    code = "history_archived"

    def __init__(self, archived: int) -> None:
        super().__init__(f"Entries up to position {archived} are archived: ask for a later position or business time.")


class UnknownDocument(NotFound):
    """There is no such transfer, count or reservation."""

    code = "unknown_document"

    def __init__(self, what: str, id_: str) -> None:
        super().__init__(f"There is no {what} {id_}.")


def _sentences(faults: Iterable[Fault]) -> str:
    return " ".join(fault.message for fault in faults)
