"""The rounds of a count: handed in by its sessions, reviewed, and posted or voided.

Called by store pages, planners and the doors, after `opening.py` and beside `sessions.py`. Invariants: a count posts
the differences to what the shelves should have held when they were counted (`tallying.py`), so that what moved since,
and what is in totes, stays as it is; what nobody looked for is never taken as missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from kernel.events import record as record_event
from stock.availability import LOOKUP
from stock.counting import rules, sessions, tallying, tasks
from stock.counting.documents import Count, CountLine, CountResult, CountSession, CountStatus, CountTally, SessionStatus
from stock.counting.errors import (
    CountIncomplete,
    CountUndecided,
    FourEyes,
    NotBeingCounted,
    NotInReview,
    SessionsUnderWay,
    UnknownRound,
)
from stock.counting.steps import advance, correction, locked
from stock.displacement import Levels, settle
from stock.events import CountPosted, SecondCountWanted
from stock.models import Article
from stock.postings import Header, Movement

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def record(
    session: Session,
    count_id: str,
    *,
    sku: str,
    units: int,
    shelf: str | None = None,
    actor: str,
    now: datetime,
) -> CountResult:
    """Write down what a shelf holds of an article, in the session of `actor`, which begins when there is none.

    Raises as `sessions.begin` and `sessions.record`.
    """
    own = sessions.begin(session, count_id, actor=actor, now=now)
    return sessions.record(session, own.id, sku=sku, units=units, shelf=shelf, actor=actor, now=now)


def hand_in(session: Session, session_id: str, *, actor: str, now: datetime) -> Count:
    """End a session; when it was the last one and nothing is left to count, the round is over.

    Raises UnknownDocument, NotBeingCounted, IllegalTransition for a session that is over.
    """
    own = sessions.found(session, session_id)
    count = locked(session, own.count_id)
    own = sessions.found(session, session_id)
    if count.status != CountStatus.COUNTING:
        raise NotBeingCounted(count.status)
    sessions.end(session, own, SessionStatus.HANDED_IN, actor=actor, now=now)
    if not _under_way(count) and not uncounted(session, count):
        return _end_round(session, count, actor=actor, now=now)
    return count


def submit(session: Session, count_id: str, *, actor: str, now: datetime) -> Count:
    """End the round: hand in the session of `actor`, and have large differences counted again or the count reviewed.

    Raises SessionsUnderWay, CountIncomplete, UnknownDocument, NotBeingCounted.
    """
    count = locked(session, count_id)
    if count.status not in {CountStatus.OPEN, CountStatus.COUNTING}:
        raise NotBeingCounted(count.status)
    for own in _under_way(count):
        if own.counter == actor:
            sessions.end(session, own, SessionStatus.HANDED_IN, actor=actor, now=now)
    if others := _under_way(count):
        raise SessionsUnderWay([own.counter for own in others])
    if missing := uncounted(session, count):
        raise CountIncomplete(missing)
    return _end_round(session, count, actor=actor, now=now)


def review(
    session: Session,
    count_id: str,
    *,
    accept: Mapping[str, int] | None = None,
    recount: Sequence[str] = (),
    actor: str,
    now: datetime,
) -> Count:
    """Say of articles which round's result is right, and which are to be counted once more, which begins a round.

    Raises UnknownDocument, UnknownRound, NotInReview.
    """
    count = locked(session, count_id)
    lines = {line.sku: line for line in count.lines}
    tallies = {(tally.sku, tally.round) for tally in tallies_of(session, count_id)}
    asked = [*(accept or {}).items(), *((sku, lines[sku].round if sku in lines else 0) for sku in recount)]
    if unknown := sorted(sku for sku, round_ in asked if (sku, round_) not in tallies):
        raise UnknownRound(unknown)
    _require_review(count)
    for sku, round_ in (accept or {}).items():
        lines[sku].accepted_round, lines[sku].accepted_by = round_, actor
    if recount:
        _begin_round(count, [lines[sku] for sku in recount])
        advance(session, count, CountStatus.COUNTING, actor=actor, now=now)
    session.flush()
    return count


def post(session: Session, count_id: str, *, actor: str, now: datetime) -> str | None:
    """Post the accepted differences and displace reservations if need be; return the posting, None when all was right.

    Raises UnknownDocument, NotInReview, CountUndecided, FourEyes.
    """
    count = locked(session, count_id)
    accepted = _accepted(session, count, actor)
    advance(session, count, CountStatus.POSTED, actor=actor, now=now)
    effect = correction(session, count.reason)

    def plan(seen: Levels) -> list[Movement]:
        # Of what was found missing, some may have been sold meanwhile: no more can go than the shelf still holds.
        missing = tallying.still_to_correct(session, count_id, node=count.node)
        found = {sku: max(units, -seen[sku, count.node].on_shelf) for sku, units in missing.items()}
        return [effect.movement(sku, count.node, -units) for sku, units in found.items() if units]

    header = Header(kind=tallying.COUNT, reason=count.reason, reference=count.id, actor=actor, occurred_at=now)
    posting_id = settle(session, header, [(tally.sku, count.node) for tally in accepted], plan)
    told = tuple((tally.sku, tally.difference) for tally in accepted if tally.difference)
    record_event(session, CountPosted(aggregate_id=count.id, node=count.node, posting_id=posting_id, differences=told))
    tasks.close_counted(session, count.node, accepted, count_id=count.id, actor=actor, now=now)
    return posting_id


def void(session: Session, count_id: str, *, actor: str, now: datetime) -> Count:
    """Throw a count away. Raises UnknownDocument, IllegalTransition."""
    count = advance(session, locked(session, count_id), CountStatus.VOID, actor=actor, now=now)
    tasks.drop_of_count(session, count_id, actor=actor, now=now)
    return count


def uncounted(session: Session, count: Count) -> list[str]:
    """Return the articles that the present round wants and nobody has counted in it."""
    counted = {result.sku for result in tallying.results(session, count.id, count.round)}
    return [line.sku for line in count.lines if line.round == count.round and line.sku not in counted]


def tallies_of(session: Session, count_id: str) -> list[CountTally]:
    """Return what each round that is over found, by article and round."""
    of_count = select(CountTally).where(CountTally.count_id == count_id)
    return list(session.scalars(of_count.order_by(CountTally.sku, CountTally.round)))


def counters_of(session: Session, count_id: str) -> dict[tuple[str, int], tuple[str, ...]]:
    """Return who counted each article in each round."""
    query = (
        select(CountResult.sku, CountSession.round, CountSession.counter)
        .join(CountSession, CountSession.id == CountResult.session_id)
        .where(CountSession.count_id == count_id, CountSession.status != SessionStatus.DISCARDED)
        .group_by(CountResult.sku, CountSession.round, CountSession.counter)
        .order_by(CountSession.counter)
    )
    found: dict[tuple[str, int], tuple[str, ...]] = {}
    for sku, round_, counter in session.execute(query):
        found[sku, round_] = (*found.get((sku, round_), ()), counter)
    return found


def _under_way(count: Count) -> list[CountSession]:
    return [own for own in count.sessions if own.status == SessionStatus.COUNTING]


def _end_round(session: Session, count: Count, *, actor: str, now: datetime) -> Count:
    """Add the round up; large differences seen once are counted again, all else goes to review."""
    made = tallying.add_up(session, count.id, node=count.node, round_=count.round)
    lines = {line.sku: line for line in count.lines}
    large = _large(session, count.node, made) if count.round == 1 else set()
    if large:
        _begin_round(count, [lines[sku] for sku in sorted(large)])
        session.flush()
        told = SecondCountWanted(aggregate_id=count.id, node=count.node, skus=tuple(sorted(large)))
        record_event(session, told)
        return count
    _accept_what_agrees(lines, tallies_of(session, count.id))
    return advance(session, count, CountStatus.REVIEW, actor=actor, now=now)


def _begin_round(count: Count, lines: Iterable[CountLine]) -> None:
    count.round += 1
    for line in lines:
        line.round, line.accepted_round, line.accepted_by = count.round, None, None


def _accept_what_agrees(lines: Mapping[str, CountLine], tallies: Sequence[CountTally]) -> None:
    """Accept what was counted once, and what was counted again with the same difference."""
    before: dict[str, int] = {}
    for tally in tallies:
        line = lines[tally.sku]
        agrees = before.setdefault(tally.sku, tally.difference) == tally.difference
        before[tally.sku] = tally.difference
        if line.accepted_by is None:
            line.accepted_round = tally.round if agrees else None


def _accepted(session: Session, count: Count, actor: str) -> list[CountTally]:
    """Return the accepted tallies. Raises NotInReview, CountUndecided, FourEyes."""
    _require_review(count)
    if undecided := [line.sku for line in count.lines if line.accepted_round is None]:
        raise CountUndecided(undecided)
    rounds = {line.sku: line.accepted_round for line in count.lines}
    accepted = [tally for tally in tallies_of(session, count.id) if rounds[tally.sku] == tally.round]
    if rules.rule_of(session, count.node).four_eyes:
        seen_by: dict[str, set[str]] = {}
        for (sku, _), counters in counters_of(session, count.id).items():
            seen_by.setdefault(sku, set()).update(counters)
        if alone := sorted(sku for sku in _large(session, count.node, accepted) if seen_by[sku] == {actor}):
            raise FourEyes(actor, alone)
    return accepted


def _large(session: Session, node: str, tallies: Sequence[CountTally]) -> set[str]:
    """Return the articles whose difference is large by the node's rule."""
    rule = rules.rule_of(session, node)
    different = {tally.sku: tally.difference for tally in tallies if tally.difference}
    costs: dict[str, int] = {}
    skus = sorted(different)
    for start in range(0, len(skus), LOOKUP):
        some = Article.sku.in_(skus[start : start + LOOKUP])
        costs |= dict(session.execute(select(Article.sku, Article.unit_cost_minor).where(some)).all())
    return {sku for sku, units in different.items() if rule.wants_second(units, units * costs[sku])}


def _require_review(count: Count) -> None:
    if count.status != CountStatus.REVIEW:
        raise NotInReview(count.status)
