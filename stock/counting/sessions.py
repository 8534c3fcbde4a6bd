"""The sessions of a count: several people count at once, each for themselves, scan by scan or shelf by shelf.

Called by store pages and by the doors. Invariants: a result belongs to one session, and only its counter writes it; a
scan id counts once; a named shelf is counted by one person in a round, so that no unit is counted twice; each result
remembers what the ledger had on the shelves when it was taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from kernel import states
from kernel.ids import new_id
from stock import availability
from stock.availability import Level
from stock.counting.documents import (
    SESSION_TRANSITIONS,
    Count,
    CountLine,
    CountResult,
    CountScan,
    CountSession,
    CountStatus,
    SessionStatus,
)
from stock.counting.errors import (
    CountedBefore,
    NotBeingCounted,
    NotYourSession,
    ScanReused,
    SessionEnded,
    ShelfTaken,
    UnknownCode,
)
from stock.counting.steps import advance, locked
from stock.errors import UnknownDocument
from stock.lines import NONE_TO_MAX, ONE_TO_MAX, check_known, check_units
from stock.models import Article, Placement
from stock.postings import MAX_UNITS

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Scanned:
    """What a scan led to: the result it belongs to, and whether it counted now or had been counted before."""

    result: CountResult
    counted: bool


def begin(session: Session, count_id: str, *, alone: bool = False, actor: str, now: datetime) -> CountSession:
    """Return the session of `actor` in the present round, begun now unless there is one under way.

    Raises UnknownDocument, NotBeingCounted, and CountedBefore for a second count by somebody who made the first, unless
    `alone`.
    """
    count = locked(session, count_id)
    if count.status not in {CountStatus.OPEN, CountStatus.COUNTING}:
        raise NotBeingCounted(count.status)
    under_way = [each for each in count.sessions if each.status == SessionStatus.COUNTING and each.counter == actor]
    if under_way:
        return under_way[0]
    if not alone and _counted_before(session, count, actor):
        raise CountedBefore(actor)
    if count.status == CountStatus.OPEN:
        advance(session, count, CountStatus.COUNTING, actor=actor, now=now)
    made = CountSession(
        id=new_id(), count_id=count.id, round=count.round, counter=actor, status=SessionStatus.COUNTING, alone=alone,
        begun_at=now,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def record(
    session: Session, session_id: str, *, sku: str, units: int, shelf: str | None = None, actor: str, now: datetime
) -> CountResult:
    """Write down what a shelf holds of an article, in place of what the session had there; 0 confirms that none is.

    `shelf` is the article's own where it is not named. An article that was not asked for is added to the count. Raises
    InvalidUnits, UnknownStock, UnknownDocument, NotYourSession, SessionEnded, NotBeingCounted, ShelfTaken.
    """
    check_units([units], within=NONE_TO_MAX)
    count, own = _writable(session, session_id, actor)
    result = _result(session, count, own, sku, shelf, now=now, anew=True)
    result.units = units
    session.flush()
    return result


def record_none(session: Session, session_id: str, skus: Sequence[str], *, actor: str, now: datetime) -> None:
    """Confirm of each of these articles that there is none, all of them named; what was counted of them stays.

    Raises as `record`.
    """
    count, own = _writable(session, session_id, actor)
    counted = session.scalars(select(CountResult.sku).where(CountResult.session_id == own.id))
    for sku in sorted(set(skus) - set(counted)):
        _result(session, count, own, sku, None, now=now, anew=True)
    session.flush()


def scan(
    session: Session, session_id: str, *, scan_id: str, code: str, units: int = 1, shelf: str | None = None,
    actor: str, now: datetime,
) -> Scanned:  # fmt: skip
    """Count scanned units on top of what the session has on that shelf; the same `scan_id` counts once.

    Raises UnknownCode, ScanReused, and as `record`.
    """
    check_units([units], within=ONE_TO_MAX)
    count, own = _writable(session, session_id, actor)
    earlier = session.get(CountScan, scan_id)
    if earlier is not None:
        if (earlier.session_id, earlier.code) != (own.id, code.strip()):
            raise ScanReused(scan_id)
        return Scanned(session.get_one(CountResult, (own.id, earlier.sku, earlier.shelf)), counted=False)
    article = find(session, code)
    result = _result(session, count, own, article.sku, shelf, now=now, anew=False)
    check_units([result.units + units], within=range(MAX_UNITS + 1))
    result.units += units
    session.add(
        CountScan(
            id=scan_id, session_id=own.id, sku=article.sku, shelf=result.shelf, code=code.strip(), units=units
        )
    )  # fmt: skip
    session.flush()
    return Scanned(result, counted=True)


def forget_shelf(session: Session, session_id: str, *, shelf: str, actor: str) -> int:
    """Take back all that the session found on a shelf, to count it again; return how many results that were.

    Raises UnknownDocument, NotYourSession, SessionEnded, NotBeingCounted.
    """
    _, own = _writable(session, session_id, actor)
    session.execute(delete(CountScan).where(CountScan.session_id == own.id, CountScan.shelf == shelf))
    of_shelf = select(CountResult).where(CountResult.session_id == own.id, CountResult.shelf == shelf)
    there = session.scalars(of_shelf).all()
    for result in there:
        session.delete(result)
    session.flush()
    return len(there)


def discard(session: Session, session_id: str, *, actor: str, now: datetime) -> CountSession:
    """Let a session count for nothing, so that somebody else can count its shelves.

    Raises UnknownDocument, IllegalTransition, NotBeingCounted once its round is over.
    """
    own = found(session, session_id)
    count = locked(session, own.count_id)
    if count.status != CountStatus.COUNTING or own.round != count.round:
        raise NotBeingCounted(count.status)
    return end(session, own, SessionStatus.DISCARDED, now=now, actor=actor)


def end(session: Session, own: CountSession, target: SessionStatus, *, now: datetime, actor: str) -> CountSession:
    """Bring a session to its end; the count is locked by the caller."""
    what = f"The session that {actor} ends"
    own.status = states.advance(SESSION_TRANSITIONS, own.status, target, what=what)
    own.ended_at, own.ended_by = now, actor
    session.flush()
    return own


def found(session: Session, session_id: str) -> CountSession:
    """Return a session. Raises UnknownDocument."""
    own = session.get(CountSession, session_id, populate_existing=True)
    if own is None:
        raise UnknownDocument("count session", session_id)
    return own


def find(session: Session, code: str) -> Article:
    """Return the article with this SKU or GTIN, as scanned: with or without leading zeros. Raises UnknownCode."""
    scanned = code.strip()
    by_sku = session.get(Article, scanned)
    if by_sku is not None:
        return by_sku
    bare = scanned.lstrip("0")
    spellings = {scanned, *(bare.rjust(length, "0") for length in (8, 12, 13, 14))} if bare.isdigit() else {scanned}
    article = session.scalar(select(Article).where(Article.gtin.in_(sorted(spellings))))
    if article is None:
        raise UnknownCode(scanned)
    return article


def _writable(session: Session, session_id: str, actor: str) -> tuple[Count, CountSession]:
    own = found(session, session_id)
    count = locked(session, own.count_id)
    own = found(session, session_id)
    if own.counter != actor:
        raise NotYourSession(own.counter)
    if own.status != SessionStatus.COUNTING:
        raise SessionEnded
    if count.status != CountStatus.COUNTING or own.round != count.round:
        raise NotBeingCounted(count.status)
    return count, own


def _result(
    session: Session, count: Count, own: CountSession, sku: str, shelf: str | None, *, now: datetime, anew: bool
) -> CountResult:
    """Return the session's result of an article on a shelf as it is recorded now: another unit of it, or `anew`."""
    _line(session, count, sku)
    if shelf is None:
        shelf = session.scalar(select(Placement.shelf).where(Placement.sku == sku, Placement.node == count.node)) or ""
    _refuse_taken(session, count, own, sku, shelf)
    level = availability.levels(session, [sku], nodes=[count.node]).get((sku, count.node), Level())
    result = session.get(CountResult, (own.id, sku, shelf))
    if result is None:
        result = CountResult(session_id=own.id, sku=sku, shelf=shelf, units=0)
        session.add(result)
        anew = True
    if anew:
        result.expected, result.began_version = level.on_shelf, level.version
    result.version, result.counted_at = level.version, now
    return result


def _counted_before(session: Session, count: Count, actor: str) -> bool:
    earlier = (
        select(CountResult.sku)
        .join(CountSession, CountSession.id == CountResult.session_id)
        .where(CountSession.count_id == count.id, CountSession.round < count.round, CountSession.counter == actor)
    )
    return session.scalar(earlier.limit(1)) is not None


def _line(session: Session, count: Count, sku: str) -> None:
    line = session.get(CountLine, (count.id, sku))
    if line is None:
        check_known(session, [(sku, count.node)])
        line = CountLine(count_id=count.id, sku=sku, asked=False, round=count.round)
        session.add(line)
    # What somebody counts in a later round although nobody asked for it is counted in that round too.
    line.round = count.round


def _refuse_taken(session: Session, count: Count, own: CountSession, sku: str, shelf: str) -> None:
    if not shelf:
        return
    others = (
        select(CountSession.counter)
        .join(CountResult, CountResult.session_id == CountSession.id)
        .where(CountSession.count_id == count.id, CountSession.round == count.round)
        .where(CountSession.status != SessionStatus.DISCARDED, CountSession.counter != own.counter)
        .where(CountResult.sku == sku, CountResult.shelf == shelf)
    )
    counter = session.scalar(others.limit(1))
    if counter is not None:
        raise ShelfTaken(sku, shelf, counter)
