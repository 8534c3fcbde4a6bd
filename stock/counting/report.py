"""Counts as people see them: blind for those who count, with expectations, differences and values for those who review.

Read by the doors and by pages; writes nothing. Invariant: a blind view holds nothing from which the expected figure, or
what another counter found, could be told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from kernel.money import Money
from stock.availability import LOOKUP
from stock.counting import counts, tallying
from stock.counting.documents import (
    Count,
    CountHistory,
    CountLine,
    CountResult,
    CountSession,
    CountStatus,
    CountTally,
    CountTask,
    SessionStatus,
    TaskStatus,
)
from stock.models import Article, Placement

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True, kw_only=True)
class TallyView:
    """What a round found of an article; `low` and `high` bound what is right, `value` is the difference at cost."""

    round: int
    counted: int
    low: int
    high: int
    difference: int
    value: Money
    counted_at: datetime
    counters: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LineView:
    """An article of a count. Blind, there are no tallies and nothing about what was accepted."""

    sku: str
    article: Article
    shelf: str | None
    asked: bool
    round: int
    counted: bool
    tallies: tuple[TallyView, ...] | None = None
    accepted_round: int | None = None
    accepted_by: str | None = None

    @property
    def standing(self) -> TallyView | None:
        """The accepted tally, or else the last one."""
        known = {tally.round: tally for tally in self.tallies or ()}
        return known.get(self.accepted_round or 0) or next(reversed(known.values()), None)


@dataclass(frozen=True, kw_only=True)
class SessionView:
    """A counter's session; how many articles it has, and blind, nothing more."""

    id: str
    round: int
    counter: str
    status: str
    alone: bool
    begun_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    articles: int
    units: int | None


@dataclass(frozen=True, kw_only=True)
class CountView:
    """A count with all that belongs to it."""

    count: Count
    blind: bool
    lines: list[LineView]
    sessions: list[SessionView]
    history: list[CountHistory]

    @property
    def open_lines(self) -> list[LineView]:
        """Articles that the present round still wants."""
        return [line for line in self.lines if line.round == self.count.round and not line.counted]

    @property
    def undecided(self) -> list[LineView]:
        """Articles whose rounds disagree, in review."""
        in_review = self.count.status == CountStatus.REVIEW
        return [line for line in self.lines if in_review and not self.blind and line.accepted_round is None]


@dataclass(frozen=True)
class Progress:
    """How far a count is: articles asked in its round, and those that have a result."""

    wanted: int = 0
    counted: int = 0


@dataclass(frozen=True)
class TaskView:
    """A proposal to count, with the article and its shelf."""

    task: CountTask
    article: Article
    shelf: str | None


def view(session: Session, count: Count, *, blind: bool) -> CountView:
    """Return a count as it stands."""
    counted = {result.sku for result in tallying.results(session, count.id, count.round)}
    articles = articles_of(session, [line.sku for line in count.lines])
    tallies = {} if blind else _tallies(session, count.id, articles)
    lines = [
        _line(line, articles[line.sku], None if blind else tallies.get(line.sku, ()), counted) for line in count.lines
    ]
    steps = select(CountHistory).where(CountHistory.count_id == count.id).order_by(CountHistory.id)
    sessions = _sessions(session, count.id, blind=blind)
    history = list(session.scalars(steps))
    return CountView(count=count, blind=blind, lines=lines, sessions=sessions, history=history)


def progress(session: Session, count_ids: Collection[str]) -> dict[str, Progress]:
    """Return how far each of these counts is."""
    in_round = (CountLine.count_id == Count.id) & (CountLine.round == Count.round)
    wanted = select(Count.id, func.count()).join(CountLine, in_round).where(Count.id.in_(count_ids)).group_by(Count.id)
    present = (CountSession.count_id == Count.id) & (CountSession.round == Count.round)
    counted = (
        select(Count.id, func.count(CountResult.sku.distinct()))
        .join(CountSession, present & (CountSession.status != SessionStatus.DISCARDED))
        .join(CountResult, CountResult.session_id == CountSession.id)
        .where(Count.id.in_(count_ids))
        .group_by(Count.id)
    )
    asked, found = dict(session.execute(wanted).all()), dict(session.execute(counted).all())
    return {count_id: Progress(asked.get(count_id, 0), found.get(count_id, 0)) for count_id in count_ids}


def proposed(session: Session, node: str) -> list[TaskView]:
    """Return what is proposed to be counted at a node, in walking order."""
    here = (Placement.sku == CountTask.sku) & (Placement.node == CountTask.node)
    query = (
        select(CountTask, Article, Placement.shelf)
        .join(Article, Article.sku == CountTask.sku)
        .outerjoin(Placement, here)
        .where(CountTask.node == node, CountTask.status == TaskStatus.PROPOSED)
        .order_by(Placement.shelf.is_(None), Placement.shelf, CountTask.sku)
    )
    return [TaskView(*row) for row in session.execute(query)]


def in_work(session: Session, node: str) -> list[Count]:
    """Return the counts of a node that people can work on, oldest first."""
    working = Count.status.in_([CountStatus.OPEN, CountStatus.COUNTING])
    return list(session.scalars(select(Count).where(Count.node == node, working).order_by(Count.id)))


def articles_of(session: Session, skus: Sequence[str]) -> dict[str, Article]:
    """Return the articles of these SKUs."""
    found: dict[str, Article] = {}
    for start in range(0, len(skus), LOOKUP):
        some = session.scalars(select(Article).where(Article.sku.in_(skus[start : start + LOOKUP])))
        found |= {article.sku: article for article in some}
    return found


def _tallies(session: Session, count_id: str, articles: Mapping[str, Article]) -> dict[str, tuple[TallyView, ...]]:
    counters = counts.counters_of(session, count_id)
    found: dict[str, tuple[TallyView, ...]] = defaultdict(tuple)
    for tally in counts.tallies_of(session, count_id):
        who = counters.get((tally.sku, tally.round), ())
        found[tally.sku] = (*found[tally.sku], _tally(tally, articles[tally.sku], who))
    return found


def _tally(tally: CountTally, article: Article, counters: tuple[str, ...]) -> TallyView:
    return TallyView(
        round=tally.round, counted=tally.counted, low=tally.low, high=tally.high, difference=tally.difference,
        value=Money(tally.difference * article.unit_cost_minor, article.currency), counted_at=tally.counted_at,
        counters=counters,
    )  # fmt: skip


def _line(line: CountLine, article: Article, found: Sequence[TallyView] | None, counted: Collection[str]) -> LineView:
    known = LineView(
        sku=line.sku, article=article, shelf=line.shelf, asked=line.asked, round=line.round,
        counted=line.sku in counted,
    )  # fmt: skip
    if found is None:
        return known
    return replace(
        known, tallies=tuple(found), accepted_round=line.accepted_round, accepted_by=line.accepted_by
    )  # fmt: skip


def _sessions(session: Session, count_id: str, *, blind: bool) -> list[SessionView]:
    sums = (
        select(CountSession, func.count(CountResult.sku.distinct()), func.coalesce(func.sum(CountResult.units), 0))
        .outerjoin(CountResult, CountResult.session_id == CountSession.id)
        .where(CountSession.count_id == count_id)
        .group_by(CountSession.id)
        .order_by(CountSession.id)
    )
    return [_session(own, articles, None if blind else int(units)) for own, articles, units in session.execute(sums)]


def _session(own: CountSession, articles: int, units: int | None) -> SessionView:
    return SessionView(
        id=own.id, round=own.round, counter=own.counter, status=own.status, alone=own.alone, begun_at=own.begun_at,
        ended_at=own.ended_at,
        ended_by=own.ended_by, articles=articles, units=units,
    )  # fmt: skip
