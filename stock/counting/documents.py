"""The documents of counting: counts and their lines, the sessions of their counters, what was found, tasks and rules.

Written by the verbs of counting alone. Invariant: a result is of one session, article and shelf, and names the balance
version it was taken at, so that what moved since can be told apart from what was missing; nothing here moves a unit.
"""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from kernel.db import Base, Code, Id, database_now
from kernel.states import Transitions


class CountStatus(enum.StrEnum):
    """The way of a count from opening to its posting."""

    OPEN = "open"
    COUNTING = "counting"
    REVIEW = "review"
    POSTED = "posted"
    VOID = "void"


COUNT_TRANSITIONS: Transitions = {
    CountStatus.OPEN: {CountStatus.COUNTING, CountStatus.VOID},
    CountStatus.COUNTING: {CountStatus.REVIEW, CountStatus.VOID},
    CountStatus.REVIEW: {CountStatus.COUNTING, CountStatus.POSTED, CountStatus.VOID},
    CountStatus.POSTED: set(),
    CountStatus.VOID: set(),
}


class SessionStatus(enum.StrEnum):
    """The way of one counter's part in a count; what was discarded counts for nothing."""

    COUNTING = "counting"
    HANDED_IN = "handed_in"
    DISCARDED = "discarded"


SESSION_TRANSITIONS: Transitions = {
    SessionStatus.COUNTING: {SessionStatus.HANDED_IN, SessionStatus.DISCARDED},
    SessionStatus.HANDED_IN: {SessionStatus.DISCARDED},
    SessionStatus.DISCARDED: set(),
}


class TaskStatus(enum.StrEnum):
    """The way of a proposal to count: taken into a count, done by its posting, or dropped."""

    PROPOSED = "proposed"
    COUNTING = "counting"
    DONE = "done"
    DROPPED = "dropped"


TASK_TRANSITIONS: Transitions = {
    TaskStatus.PROPOSED: {TaskStatus.COUNTING, TaskStatus.DONE, TaskStatus.DROPPED},
    TaskStatus.COUNTING: {TaskStatus.DONE, TaskStatus.DROPPED},
    TaskStatus.DONE: set(),
    TaskStatus.DROPPED: set(),
}


class CountScope(enum.StrEnum):
    """What a count was opened for: named articles, named shelves, or a range of shelves up to the whole node."""

    ARTICLES = "articles"
    SHELVES = "shelves"
    AREA = "area"


class Cause(enum.StrEnum):
    """Why an article should be counted."""

    SHORT_PICK = "short_pick"
    REJECTION = "rejection"
    SOLD_BEYOND_STOCK = "sold_beyond_stock"
    ZERO_CHECK = "zero_check"
    AGE = "age"


class Count(Base):
    """Counting some articles of one node, in rounds; posting it writes the differences, never an overwrite."""

    __tablename__ = "count"
    __table_args__ = (Index("ix_count_node", "node", "status"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    node: Mapped[Code] = mapped_column(ForeignKey("node.id"))
    status: Mapped[Code]
    reason: Mapped[Code]
    scope: Mapped[Code] = mapped_column(default=CountScope.ARTICLES)
    shelf_from: Mapped[Code | None]
    shelf_to: Mapped[Code | None]
    round: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = mapped_column(default=1)
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())
    lines: Mapped[list[CountLine]] = relationship(order_by="CountLine.sku")
    sessions: Mapped[list[CountSession]] = relationship(order_by="CountSession.id")


class CountLine(Base):
    """One article to be counted: its shelf when the count began, the last round that wants it, and which is accepted.

    An article that nobody asked for and somebody found is not `asked`. An accepted round without a person was accepted
    because nothing spoke against it.
    """

    __tablename__ = "count_line"

    count_id: Mapped[Id] = mapped_column(ForeignKey("count.id"), primary_key=True)
    sku: Mapped[Code] = mapped_column(ForeignKey("article.sku"), primary_key=True)
    shelf: Mapped[Code | None]
    asked: Mapped[bool] = mapped_column(default=True)
    round: Mapped[int] = mapped_column(default=1)
    accepted_round: Mapped[int | None]
    accepted_by: Mapped[Code | None]


class CountSession(Base):
    """One counter's part in one round; `alone` says that nobody else was there to count again."""

    __tablename__ = "count_session"
    __table_args__ = (
        Index("ix_count_session_count", "count_id"),
        Index(
            "uq_count_session_under_way", "count_id", "counter", unique=True,
            postgresql_where=text("status = 'counting'"), sqlite_where=text("status = 'counting'"),
        ),
    )  # fmt: skip

    id: Mapped[Id] = mapped_column(primary_key=True)
    count_id: Mapped[Id] = mapped_column(ForeignKey("count.id"))
    round: Mapped[int]
    counter: Mapped[Code]
    status: Mapped[Code]
    alone: Mapped[bool] = mapped_column(default=False)
    begun_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[Code | None]
    results: Mapped[list[CountResult]] = relationship(order_by="(CountResult.shelf, CountResult.sku)")


class CountResult(Base):
    """Units that one counter found of an article on one shelf, between two versions of its balance.

    `expected` is what the whole node's shelves should have held (on hand less picked) when its first unit was recorded,
    at `began_version`; `version` is the balance's when the last one was.
    """

    __tablename__ = "count_result"
    __table_args__ = (CheckConstraint("units >= 0", name="units"),)

    session_id: Mapped[Id] = mapped_column(ForeignKey("count_session.id"), primary_key=True)
    sku: Mapped[Code] = mapped_column(ForeignKey("article.sku"), primary_key=True)
    shelf: Mapped[Code] = mapped_column(primary_key=True)
    units: Mapped[int]
    expected: Mapped[int]
    began_version: Mapped[int]
    version: Mapped[int]
    counted_at: Mapped[datetime]


class CountScan(Base):
    """A scan that was counted; its id, made by the device, counts once."""

    __tablename__ = "count_scan"

    id: Mapped[Code] = mapped_column(primary_key=True)
    session_id: Mapped[Id] = mapped_column(ForeignKey("count_session.id"))
    sku: Mapped[Code]
    shelf: Mapped[Code]
    code: Mapped[Code]
    units: Mapped[int]


class CountTally(Base):
    """What one round found of an article, over all sessions and shelves, beside what should have been there.

    `moved_out` and `moved_in` are units that left and reached the shelves while they were being counted.
    """

    __tablename__ = "count_tally"
    __table_args__ = (CheckConstraint("counted >= 0 AND moved_out >= 0 AND moved_in >= 0", name="units"),)

    count_id: Mapped[Id] = mapped_column(ForeignKey("count.id"), primary_key=True)
    sku: Mapped[Code] = mapped_column(ForeignKey("article.sku"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    counted: Mapped[int]
    expected: Mapped[int]
    moved_out: Mapped[int] = mapped_column(default=0)
    moved_in: Mapped[int] = mapped_column(default=0)
    began_version: Mapped[int]
    version: Mapped[int]
    counted_at: Mapped[datetime]

    @property
    def low(self) -> int:
        """The least that could be found with nothing missing."""
        return self.expected - self.moved_out

    @property
    def high(self) -> int:
        """The most that could be found with nothing too many."""
        return self.expected + self.moved_in

    @property
    def difference(self) -> int:
        """Units missing (negative) or too many for certain, whatever the counters saw of the moves."""
        return self.counted - min(max(self.counted, self.low), self.high)


class CountHistory(Base):
    """A step of a count: who took it, when, and what it led to."""

    __tablename__ = "count_history"
    __table_args__ = (Index("ix_count_history_count", "count_id"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    count_id: Mapped[Id] = mapped_column(ForeignKey("count.id"))
    from_status: Mapped[Code]
    to_status: Mapped[Code]
    round: Mapped[int]
    actor: Mapped[Code]
    occurred_at: Mapped[datetime]


class CountTask(Base):
    """A proposal to count an article at a node; there is at most one open one of each. `times` is how often it came."""

    __tablename__ = "count_task"
    __table_args__ = (
        Index(
            "uq_count_task_open", "sku", "node", unique=True,
            postgresql_where=text("closed_at IS NULL"), sqlite_where=text("closed_at IS NULL"),
        ),
        Index("ix_count_task_node", "node", "status"),
        Index("ix_count_task_count", "count_id"),
    )  # fmt: skip

    id: Mapped[Id] = mapped_column(primary_key=True)
    sku: Mapped[Code] = mapped_column(ForeignKey("article.sku"))
    node: Mapped[Code] = mapped_column(ForeignKey("node.id"))
    cause: Mapped[Code]
    reference: Mapped[Code]
    status: Mapped[Code]
    times: Mapped[int] = mapped_column(default=1)
    proposed_at: Mapped[datetime]
    count_id: Mapped[str | None] = mapped_column(ForeignKey("count.id"))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[Code | None]


class CountRule(Base):
    """How a node counts: when a second count is wanted, who may post, and what is proposed."""

    __tablename__ = "count_rule"
    __table_args__ = (
        CheckConstraint(
            "recount_units >= 0 AND recount_value_minor >= 0 AND max_age_days > 0 AND tasks_a_day >= 0", name="limits"
        ),
    )

    node: Mapped[Code] = mapped_column(primary_key=True)
    recount_units: Mapped[int]
    recount_value_minor: Mapped[int]
    four_eyes: Mapped[bool]
    zero_checks: Mapped[bool]
    max_age_days: Mapped[int]
    tasks_a_day: Mapped[int]


class LastCount(Base):
    """The latest look at an article of a node that was posted: when, and at which version of its balance."""

    __tablename__ = "last_count"

    sku: Mapped[Code] = mapped_column(ForeignKey("article.sku"), primary_key=True)
    node: Mapped[Code] = mapped_column(ForeignKey("node.id"), primary_key=True)
    count_id: Mapped[Id] = mapped_column(ForeignKey("count.id"))
    version: Mapped[int]
    counted_at: Mapped[datetime]
