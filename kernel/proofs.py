"""How rooms prove their rows: checks that go along a key, stretch by stretch, and what they find.

Each room lists its parts; the doors walk them one after the other. Invariant: the stretches of a walk leave no gap and
do not overlap, so that a row is looked at whatever its key is; a stretch is bounded in rows, so that no statement runs
long and what it reads fits in memory, however long the history is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select, true, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session


@dataclass(frozen=True)
class Finding:
    """A row that breaks an invariant: which one, in which table, under which key, and how.

    `place` is its value of the key that the check went along.
    """

    invariant: str
    table: str
    key: str
    message: str
    place: str = ""


LIMITS = {"after": ">", "upto": "<=", "only": "="}


@dataclass(frozen=True)
class Stretch:
    """The keys after one and up to another, open at an end that is None; or `only` one key."""

    after: str | None = None
    upto: str | None = None
    only: str | None = None

    def over(self, column: ColumnElement[str] | InstrumentedAttribute[str]) -> ColumnElement[bool]:
        """Return the condition that a key lies in this stretch."""
        condition: ColumnElement[bool] = true()
        if self.after is not None:
            condition &= column > self.after
        if self.upto is not None:
            condition &= column <= self.upto
        return condition if self.only is None else condition & (column == self.only)

    def written(self, column: str) -> str:
        """Return the same condition as text, for the parameters."""
        ends = [f"{column} {LIMITS[name]} :{name}" for name in self.parameters]
        return " AND ".join(ends) or f"{column} IS NOT NULL"

    @property
    def parameters(self) -> dict[str, str]:
        """What `written` has to be given."""
        return {name: end for name in LIMITS if (end := getattr(self, name)) is not None}


WHOLE = Stretch()


@dataclass(frozen=True)
class Part:
    """Checks that go along one key; `walked` are the columns whose rows make a stretch long.

    `weight` is how many times more than most a row of it costs: a stretch has so many times fewer.
    """

    name: str
    walked: tuple[InstrumentedAttribute[str], ...]
    check: Callable[[Session, Stretch], Iterable[Finding]]
    weight: int = 1

    def share(self, rows: int) -> int:
        """Return how many of its rows make a stretch of `rows` rows."""
        return max(1, rows // self.weight)


def following(session: Session, part: Part, after: str | None, *, rows: int) -> Stretch:
    """Return the stretch after a key that costs about `rows` rows of each column walked; the last has no end."""
    ends = [
        select(column.label("key"))
        .where(Stretch(after).over(column))
        .order_by(column)
        .offset(part.share(rows) - 1)
        .limit(1)
        for column in part.walked
    ]
    nearest = union_all(*(select(end.subquery().c.key) for end in ends)).subquery()
    # The least of them is chosen by the database, whose order of strings need not be ours.
    upto = session.scalar(select(func.min(nearest.c.key)))
    return Stretch(after, upto)


def everything(session: Session, parts: Iterable[Part]) -> Iterator[Finding]:
    """Yield the findings of whole parts, one statement a check: for ledgers that are small, as in tests."""
    for part in parts:
        yield from part.check(session, WHOLE)


def snapshot(session: Session) -> None:
    """Let all that follows in this session read one state, so that rows written meanwhile cause no finding.

    Called before the first statement. A transaction of SQLite reads one state anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        options: dict[str, Any] = {"isolation_level": "REPEATABLE READ"}
        session.connection(execution_options=options)
