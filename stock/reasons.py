"""Reason codes: between which accounts a reason moves units. Read by every verb that moves stock for a reason.

Invariants: a reason is data; what it does is stored with it, and never depends on its name. What a code does never
changes, so that a posting can be read years later: one that is wrong or not wanted any more is set inactive, and
another is added.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import select

from kernel.errors import Fault
from stock.catalog import InvalidRows
from stock.errors import UnknownReason
from stock.models import NODE_ACCOUNTS, Account, Reason
from stock.postings import Movement, Side
from stock.rows import CODE_LENGTH, repeated
from stock.upsert import Outcome

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

ADJUSTMENT, SHORT, REJECT, RETURN_GRADE = "adjustment", "short", "reject", "return_grade"
RECEIPT, ARRIVAL, SURPLUS, TRANSFER_CLOSE, LATE_ARRIVAL = (
    "receipt", "arrival", "surplus", "transfer_close", "late_arrival",
)  # fmt: skip

Pair: TypeAlias = "tuple[Account, Account] | None"

A = Account
STORED = (A.ON_HAND, A.DAMAGED, A.QUARANTINE)
SET_ASIDE = (A.DAMAGED, A.QUARANTINE)
# Between which accounts a reason may move units, by what it is for; None is a reason that moves none.
PAIRS: Mapping[str, frozenset[Pair]] = {
    ADJUSTMENT: frozenset(
        pair for pair in product(STORED, (*STORED, A.SHRINK, A.ADJUSTMENT, A.SUPPLIER)) if pair[0] != pair[1]
    ),
    SHORT: frozenset([None, *product([A.ON_HAND], (*SET_ASIDE, A.SHRINK, A.ADJUSTMENT))]),
    REJECT: frozenset([None, *product([A.ON_HAND], (*SET_ASIDE, A.SHRINK, A.ADJUSTMENT))]),
    RETURN_GRADE: frozenset(product([A.CUSTOMER], STORED)),
    RECEIPT: frozenset(product([A.SUPPLIER], STORED)),
    ARRIVAL: frozenset(product([A.IN_TRANSIT], SET_ASIDE)),
    SURPLUS: frozenset(product([A.ADJUSTMENT], STORED)),
    TRANSFER_CLOSE: frozenset(product([A.IN_TRANSIT], (A.SHRINK, A.ON_HAND))),
    LATE_ARRIVAL: frozenset(product([A.SHRINK], STORED)),
}
USES = tuple(PAIRS)
# What the verbs fall back on when nobody gives a reason.
NEEDED = frozenset({(ADJUSTMENT, "recount"), (RECEIPT, "good"), (TRANSFER_CLOSE, "lost"), (LATE_ARRIVAL, "found")})


@dataclass(frozen=True)
class Effect:
    """Between which accounts a reason moves units."""

    source: Account
    target: Account

    def movement(self, sku: str, node: str, units: int) -> Movement:
        """Return the movement of `units` at a node, backwards when they are negative."""
        sides = (_side(self.source, node), _side(self.target, node))
        source, target = sides if units > 0 else sides[::-1]
        return Movement(sku, abs(units), source, target)


@dataclass(frozen=True, kw_only=True)
class ReasonRow:
    """A reason as it is given; without accounts it moves nothing."""

    use: str
    code: str
    from_account: str | None = None
    to_account: str | None = None
    active: bool = True


def effect(session: Session, code: str, use: str) -> Effect | None:
    """Return what a reason does to stock, None when it moves nothing. Raises UnknownReason."""
    return _effects(session, [code], use)[code]


def moving(session: Session, codes: Iterable[str], use: str) -> dict[str, Effect]:
    """Return what each of these reasons does. Raises UnknownReason, also for one that moves nothing."""
    found = _effects(session, sorted(set(codes)), use)
    moves = {code: does for code, does in found.items() if does is not None}
    for code in found.keys() - moves.keys():
        raise UnknownReason(code, "moving units", moves)
    return moves


def known(session: Session, use: str | None = None, *, active_only: bool = True) -> list[Reason]:
    """Return the reasons for a use, or for all, by use and code."""
    query = select(Reason).order_by(Reason.use, Reason.code)
    if use is not None:
        query = query.where(Reason.use == use)
    if active_only:
        query = query.where(Reason.active.is_(True))
    return list(session.scalars(query))


def put(session: Session, rows: Sequence[ReasonRow]) -> list[Outcome]:
    """Add reasons, and set those there are active or inactive. Raises InvalidRows with every fault, by row."""
    stored = {(reason.use, reason.code): reason for reason in known(session, active_only=False)}
    faults = [*repeated(rows, ("use", "code"))]
    for place, row in enumerate(rows):
        faults += [
            Fault(f"/{place}{fault.pointer}", fault.code, fault.message)
            for fault in _faults(row, stored.get((row.use, row.code)))
        ]
    if faults:
        message = f"{len(faults)} faults in the rows; nothing was written. {faults[0].pointer}: {faults[0].message}."
        raise InvalidRows(message, faults=tuple(faults))
    outcomes = [_put(session, row, stored.get((row.use, row.code))) for row in rows]
    session.flush()
    return outcomes


def _put(session: Session, row: ReasonRow, stored: Reason | None) -> Outcome:
    if stored is None:
        session.add(Reason(**vars(row)))
        return "created"
    if stored.active == row.active:
        return "unchanged"
    stored.active = row.active
    return "updated"


def _faults(row: ReasonRow, stored: Reason | None) -> Iterator[Fault]:
    accounts = (row.from_account, row.to_account)
    if row.use not in PAIRS:
        yield Fault("/use", "invalid", f"must be one of {', '.join(USES)}")
    elif (accounts if any(accounts) else None) not in PAIRS[row.use]:
        yield Fault("/to_account", "no_such_effect", f"a reason for {row.use} moves {_possible(PAIRS[row.use])}")
    if not 0 < len(row.code) <= CODE_LENGTH or not row.code.isprintable():
        yield Fault("/code", "invalid", f"must have 1 to {CODE_LENGTH} characters")
    if stored is not None and (stored.from_account, stored.to_account) != accounts:
        now_it_is = f"{row.code} moves {stored.from_account or 'nothing'} to {stored.to_account or 'nothing'}"
        yield Fault("/code", "effect_is_fixed", f"{now_it_is}: set it inactive and add another code")
    if not row.active and (row.use, row.code) in NEEDED:
        yield Fault("/active", "needed", f"{row.code} is the reason when nobody gives one")


def _possible(pairs: Collection[Pair]) -> str:
    told = sorted(f"{pair[0]} to {pair[1]}" for pair in pairs if pair)
    return ", ".join([*told, *(["nothing"] if None in pairs else [])])


def _effects(session: Session, codes: Collection[str], use: str) -> dict[str, Effect | None]:
    in_use = {reason.code: reason for reason in known(session, use)}
    for code in codes:
        if code not in in_use:
            raise UnknownReason(code, use, in_use)
    return {code: _effect(in_use[code]) for code in codes}


def _effect(reason: Reason) -> Effect | None:
    if reason.from_account is None or reason.to_account is None:
        return None
    return Effect(Account(reason.from_account), Account(reason.to_account))


def _side(account: Account, node: str) -> Side:
    return Side(account, node if account in NODE_ACCOUNTS else None)
