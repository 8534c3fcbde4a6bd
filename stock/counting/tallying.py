"""What a round of counting found, laid beside what should have been there.

Called by `counts.py` when a round ends and when a count is posted. The rule, for one article of one round:

- the counted units are the sum over all sessions and shelves;
- what should have been there is what the ledger had on the shelves when the first unit was recorded. What moved while
  the round went on may or may not have passed a counter before it was counted, so that every figure from `low` to
  `high` is right, and only what lies outside is a difference;
- what was corrected since the round began (by another count, a feed, units written off as missing) is not corrected
  again.

Invariant: the same results and entries give the same answer at any later moment, however stock moves meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import ColumnElement, Select, or_, select

from stock.counting.documents import CountLine, CountResult, CountSession, CountTally, LastCount, SessionStatus
from stock.feeds import ABSOLUTE, FEED, RELATIVE
from stock.models import Account, Posting, StockEntry

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

COUNT = "count"
Look: TypeAlias = tuple[int, datetime]
"""A look at a shelf: the balance's version then, and when it was."""

# What goes from the shelf to these accounts, or comes from them, is no move of goods: somebody saw that the ledger was
# wrong.
BELIEFS = frozenset({Account.SHRINK, Account.ADJUSTMENT})
ON_SHELF = {Account.ON_HAND: 1, Account.PICKED: -1}


@dataclass(frozen=True, slots=True)
class ShelfChange:
    """An entry that changed how many units the ledger has on a node's shelves, by so many up or down."""

    sku: str
    version: int
    units: int
    posting_id: str
    kind: str
    reason: str
    reference: str
    occurred_at: datetime
    corrects: bool


@dataclass(frozen=True, slots=True)
class Corrections:
    """What others corrected since a look at a shelf: by looks of their own at all of it, and by single units.

    `overtaken` when one of those looks was later than this one.
    """

    looks: int = 0
    singles: int = 0
    overtaken: bool = False

    def left_of(self, difference: int) -> int:
        """Return what is still to be corrected; single units may have been part of the difference, never more."""
        if self.overtaken:
            return 0
        left = difference - self.looks
        if left * self.singles <= 0:
            return left
        return left - self.singles if abs(self.singles) < abs(left) else 0


def add_up(session: Session, count_id: str, *, node: str, round_: int) -> list[CountTally]:
    """Write the tally of every article that a round counted, over all its sessions that were not discarded."""
    by_sku: dict[str, list[CountResult]] = defaultdict(list)
    for result in results(session, count_id, round_):
        by_sku[result.sku].append(result)
    made = [_sum(count_id, round_, sku, found) for sku, found in sorted(by_sku.items())]
    session.add_all(made)
    session.flush()
    in_round = select(CountTally).where(CountTally.count_id == count_id, CountTally.round == round_)
    changes = _by_sku(_changes(session, node, in_round))
    for tally in made:
        tally.moved_out, tally.moved_in = _moved(tally, changes.get(tally.sku, ()))
    session.flush()
    return made


def still_to_correct(session: Session, count_id: str, *, node: str) -> dict[str, int]:
    """Return by how many units each article of a count is to be corrected now, by its accepted round."""
    of_line = (CountLine.count_id == CountTally.count_id) & (CountLine.sku == CountTally.sku)
    accepted = (
        select(CountTally)
        .join(CountLine, of_line & (CountLine.accepted_round == CountTally.round))
        .where(CountTally.count_id == count_id)
    )
    changes = _by_sku(change for change in _changes(session, node, accepted) if change.corrects)
    latest = _latest_looks(session, count_id, node)
    left = {
        tally.sku: _corrections(tally, changes.get(tally.sku, ()), latest.get(tally.sku)).left_of(tally.difference)
        for tally in session.scalars(accepted)
    }
    return {sku: units for sku, units in sorted(left.items()) if units}


def results(session: Session, count_id: str, round_: int) -> Iterable[CountResult]:
    """Return what counts of a round: whoever counts a shelf again replaces what they had found there themselves."""
    query = (
        select(CountSession.counter, CountResult)
        .join(CountSession, CountSession.id == CountResult.session_id)
        .where(CountSession.count_id == count_id, CountSession.round == round_)
        .where(CountSession.status != SessionStatus.DISCARDED)
        .order_by(CountSession.id)
    )
    return {(who, result.sku, result.shelf): result for who, result in session.execute(query)}.values()


def _sum(count_id: str, round_: int, sku: str, found: Sequence[CountResult]) -> CountTally:
    first = min(found, key=lambda result: result.began_version)
    return CountTally(
        count_id=count_id, sku=sku, round=round_, counted=sum(result.units for result in found),
        expected=first.expected, moved_out=0, moved_in=0, began_version=first.began_version,
        version=max(result.version for result in found), counted_at=max(result.counted_at for result in found),
    )  # fmt: skip


def _moved(tally: CountTally, changes: Iterable[ShelfChange]) -> tuple[int, int]:
    """Return the units that left the shelves, and those that reached them, between the first and the last result."""
    by_posting: dict[str, int] = defaultdict(int)
    for change in changes:
        if change.version <= tally.version and not change.corrects:
            # A unit that leaves its tote for the customer was off the shelf before: one posting says both.
            by_posting[change.posting_id] += change.units
    moves = by_posting.values()
    return -sum(units for units in moves if units < 0), sum(units for units in moves if units > 0)


def _corrections(tally: CountTally, changes: Iterable[ShelfChange], latest: Look | None) -> Corrections:
    own: Look = (tally.version, tally.counted_at)
    if latest is not None and latest > own:
        return Corrections(overtaken=True)
    looks = singles = 0
    for change in changes:
        if change.kind == FEED and change.reason == ABSOLUTE and change.occurred_at > tally.counted_at:
            return Corrections(overtaken=True)
        if change.kind in {COUNT, FEED}:
            looks += change.units
        else:
            singles += change.units
    return Corrections(looks, singles)


def _latest_looks(session: Session, count_id: str, node: str) -> dict[str, Look]:
    """Return the latest posted look at each article of a count at its node."""
    of_line = (LastCount.sku == CountLine.sku) & (LastCount.node == node)
    query = select(LastCount).join(CountLine, of_line).where(CountLine.count_id == count_id)
    return {last.sku: (last.version, last.counted_at) for last in session.scalars(query)}


def _changes(session: Session, node: str, tallies: Select[Any]) -> Iterator[ShelfChange]:
    """Yield what changed the shelves of a node since each of these tallies began."""
    since = tallies.with_only_columns(CountTally.sku, CountTally.began_version).subquery()
    entry = StockEntry
    from_here = (entry.from_node == node) & (entry.from_version > since.c.began_version)
    to_here = (entry.to_node == node) & (entry.to_version > since.c.began_version)
    only_to = to_here & or_(entry.from_node.is_(None), entry.from_node != node)
    for here, version in ((from_here, entry.from_version), (only_to, entry.to_version)):
        query = _entries(version).join(since, (since.c.sku == entry.sku) & here)
        for row in session.execute(query):
            if change := _change(row, node):
                yield change


def _entries(version: Any) -> Select[Any]:
    entry = StockEntry
    columns: tuple[ColumnElement[Any] | Any, ...] = (
        entry.sku, version, entry.units, entry.from_node, entry.from_account, entry.to_node, entry.to_account,
        entry.posting_id, Posting.kind, Posting.reason, Posting.reference, Posting.occurred_at,
    )  # fmt: skip
    return select(*columns).select_from(entry).join(Posting, Posting.id == entry.posting_id)


def _change(row: Any, node: str) -> ShelfChange | None:
    sku, version, units, from_node, source, to_node, target, posting_id, kind, reason, reference, occurred_at = row
    effect = ON_SHELF.get(target, 0) * (to_node == node) - ON_SHELF.get(source, 0) * (from_node == node)
    if not effect:
        return None
    # A relative feed tells of goods that moved elsewhere's way, through accounts that it does not know by name.
    corrects = bool(BELIEFS & {source, target}) and (kind, reason) != (FEED, RELATIVE)
    return ShelfChange(
        sku=sku, version=version, units=effect * units, posting_id=posting_id, kind=kind, reason=reason,
        reference=reference, occurred_at=occurred_at, corrects=corrects,
    )  # fmt: skip


def _by_sku(changes: Iterable[ShelfChange]) -> dict[str, list[ShelfChange]]:
    found: dict[str, list[ShelfChange]] = defaultdict(list)
    for change in changes:
        found[change.sku].append(change)
    return found
