"""Drafts worked out into postings, and postings added up into what one statement is given.

Pure values and arithmetic for `stock/ledger.py`. Invariant: what a batch asks of a balance, a reservation or open
demand is there exactly when each of its postings, taken in order, finds enough; entries carry the versions that they
would carry had the postings been written one after the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kernel.events import payload_of
from kernel.ids import new_id
from kernel.rowsets import RowSet, instant_text
from stock import statements
from stock.events import StockPosted
from stock.postings import (
    ACCOUNTS,
    AVAILABLE,
    COUNTERS,
    BalanceChange,
    DemandChange,
    Draft,
    Key,
    Movement,
    NewReservation,
    ReservationChange,
    asked,
    claim_movements,
    net_changes,
    net_demand,
    net_movements,
)
from stock.statements import Parts

# No balance ever has this version.
NEVER = -1
OWN = -1
"""The floor of a balance that keeps its own safety stock."""


@dataclass(frozen=True, kw_only=True)
class Writing:
    """A posting worked out."""

    draft: Draft
    entries: Sequence[Movement]
    balances: Mapping[Key, BalanceChange]
    resolutions: Sequence[ReservationChange]
    wishes: Sequence[DemandChange]
    event: StockPosted

    @property
    def posting_id(self) -> str:
        """The id that the posting will have."""
        return self.event.aggregate_id

    def floor(self, key: Key) -> int | None:
        """Return what claims must leave of a balance: OWN for its safety stock, None if nothing is looked at."""
        d_on_hand, d_reserved = self.balances[key].counters[:2]
        if self.draft.floors is None or d_reserved <= d_on_hand:
            return None
        return self.draft.floors.get(key, OWN)

    def expected(self, key: Key) -> int | None:
        """Return the version that a balance must have, if that is looked at."""
        return self.draft.expected.get(key) if self.draft.expected else None


def work_out(draft: Draft) -> Writing:
    """Return the entries and net changes of a draft, and its news."""
    resolutions = [each for each in net_changes(draft.changes) if each.consumed or each.released or each.picked]
    entries = (*claim_movements(resolutions, ()), *draft.movements, *claim_movements((), draft.claims))
    balances = net_movements(entries)
    wishes = net_demand(draft.demand)
    skus = {sku for sku, _ in balances} | {wish.sku for wish in wishes}
    header = draft.header
    event = StockPosted(
        aggregate_id=new_id(), kind=header.kind, reason=header.reason, reference=header.reference,
        skus=tuple(sorted(skus)), nodes=tuple(sorted({node for _, node in balances})),
    )  # fmt: skip
    return Writing(draft=draft, entries=entries, balances=balances, resolutions=resolutions, wishes=wishes, event=event)


@dataclass(slots=True)
class Total:
    """What postings so far do to a balance, and what it must have had for each of them to fit."""

    counters: list[int] = field(default_factory=lambda: [0] * len(COUNTERS))
    touches: int = 0
    expected: int | None = None
    above_safety: int | None = None
    needs: list[int] = field(default_factory=lambda: [0] * len(ACCOUNTS))

    def add(self, change: BalanceChange, *, floor: int | None, expected: int | None) -> None:
        """Add the next posting's change."""
        if expected is not None:
            at_first = expected - self.touches
            self.expected = at_first if self.expected in (None, at_first) else NEVER
        self.counters = list(map(int.__add__, self.counters, change.counters))
        self.touches += change.touches
        wanted = asked(self.counters)
        if floor == OWN:
            so_far = wanted[AVAILABLE] if self.above_safety is None else self.above_safety
            self.above_safety = max(so_far, wanted[AVAILABLE])
        elif floor is not None:
            wanted[AVAILABLE] += floor
        self.needs = list(map(max, self.needs, wanted))


@dataclass(slots=True)
class Running:
    """A sum over postings, and the most that was asked for on the way."""

    sums: list[int]
    needs: list[int]

    def add(self, more: Sequence[int], wanted: Sequence[Sequence[int]]) -> None:
        """Add the next posting's numbers; each of `wanted` weighs the sums to what is asked for."""
        self.sums = [so_far + one for so_far, one in zip(self.sums, more, strict=True)]
        reached = [
            sum(weight * so_far for weight, so_far in zip(weights, self.sums, strict=True)) for weights in wanted
        ]
        self.needs = list(map(max, self.needs, reached))


# Of (picked, consumed, released): what must have been picked, and what must have been left.
_OF_RESERVATION = ((-1, 0, 0), (1, 1, 1))
_OF_DEMAND = ((-1,),)


class Batch:
    """Postings in the order in which they came, ready to be written by one statement."""

    def __init__(self, writings: Sequence[Writing]) -> None:
        self.writings = writings
        self.balances: dict[Key, Total] = defaultdict(Total)
        for writing in writings:
            for key, change in writing.balances.items():
                self.balances[key].add(change, floor=writing.floor(key), expected=writing.expected(key))

    @property
    def parts(self) -> Parts:
        """Which parts the statement must have."""
        return Parts(
            resolutions=any(writing.resolutions for writing in self.writings),
            claims=any(writing.draft.claims for writing in self.writings),
            wishes=any(writing.wishes for writing in self.writings),
        )

    def parameters(self) -> dict[str, Any]:
        """Return the batch as the parameters of the statement."""
        parts = self.parts
        given: list[tuple[RowSet, Iterable[tuple[Any, ...]]]] = [
            (statements.CHANGE, self._changes()), (statements.HEAD, self._heads()), (statements.LINE, self._lines()),
        ]  # fmt: skip
        if parts.resolutions:
            given.append((statements.RESOLUTION, self._resolutions()))
        if parts.claims:
            given.append((statements.CLAIM, self._claims()))
        if parts.wishes:
            given.append((statements.WISH, self._wishes()))
        return {name: value for rows, values in given for name, value in rows.given(list(values)).items()}

    def _changes(self) -> Iterator[tuple[Any, ...]]:
        for key, total in sorted(self.balances.items()):
            yield (*key, *total.counters, total.touches, total.expected, total.above_safety, *total.needs)

    def _heads(self) -> Iterator[tuple[Any, ...]]:
        for writing in self.writings:
            header = writing.draft.header
            yield (
                writing.posting_id, header.kind, header.reason, header.actor, header.reference,
                instant_text(header.occurred_at), new_id(), payload_of(writing.event),
            )  # fmt: skip

    def _lines(self) -> Iterator[tuple[Any, ...]]:
        """Number the entries of each balance, all postings through: so many versions each is above the one before."""
        nth: dict[Key, int] = defaultdict(int)
        for writing in self.writings:
            for number, entry in enumerate(writing.entries, start=1):
                source, target = entry.source, entry.target
                if source.node is not None:
                    nth[entry.sku, source.node] += 1
                if target.node is not None and target.node != source.node:
                    nth[entry.sku, target.node] += 1
                yield (
                    writing.posting_id, number, entry.sku, entry.units,
                    source.node, source.account, nth[entry.sku, source.node] if source.node is not None else None,
                    target.node, target.account, nth[entry.sku, target.node] if target.node is not None else None,
                    entry.reservation_id,
                )  # fmt: skip

    def _resolutions(self) -> Iterator[tuple[Any, ...]]:
        totals: dict[tuple[str, str, str], Running] = defaultdict(lambda: Running([0, 0, 0], [0, 0]))
        for writing in self.writings:
            for each in writing.resolutions:
                more = (each.picked, each.consumed, each.released)
                totals[each.sku, each.id, each.node].add(more, _OF_RESERVATION)
        for key, total in sorted(totals.items()):
            yield (*key, *total.sums, *total.needs)

    def _claims(self) -> Iterator[tuple[Any, ...]]:
        """Number the claims of one reference, so that each becomes an attempt of its own."""
        ordinals: dict[tuple[str, str, str], int] = defaultdict(int)
        for claim in self._new_reservations():
            ordinals[claim.sku, claim.reference, claim.purpose] += 1
            yield (
                ordinals[claim.sku, claim.reference, claim.purpose], claim.id, claim.sku, claim.node, claim.reference,
                claim.purpose, claim.units, claim.picked, claim.rank, instant_text(claim.expires_at),
            )  # fmt: skip

    def _new_reservations(self) -> Iterator[NewReservation]:
        for writing in self.writings:
            yield from writing.draft.claims

    def _wishes(self) -> Iterator[tuple[Any, ...]]:
        totals: dict[tuple[str, str], Running] = defaultdict(lambda: Running([0], [0]))
        for writing in self.writings:
            for wish in writing.wishes:
                totals[wish.sku, wish.reference].add((wish.units,), _OF_DEMAND)
        for key, total in sorted(totals.items()):
            yield (*key, *total.sums, *total.needs)


def in_runs(writings: Sequence[Writing], *, most: int) -> Iterator[list[Writing]]:
    """Yield writings in runs of at most so many, in order, none of which changes a reservation that it makes."""
    run: list[Writing] = []
    made: set[str] = set()
    for writing in writings:
        if len(run) == most or any(change.id in made for change in writing.resolutions):
            yield run
            run, made = [], set()
        run.append(writing)
        made |= {claim.id for claim in writing.draft.claims}
    if run:
        yield run
