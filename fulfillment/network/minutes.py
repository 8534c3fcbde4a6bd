"""Minutes of labour at a node on a day: what is left, claimed and released.

Sourcing reads them when it decides and claims them when it commits, `work` releases them when it gives work back.
Invariants: a claim succeeds only while the day's capacity holds it; a planner may set capacity below what is claimed,
after which nothing more is claimed and nothing is taken away; a transaction touches days once, at its end and in the
order of keys, since all orders of a node meet in the row of its day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Final

from sqlalchemy import CursorResult, Update, bindparam, func, select, update
from sqlalchemy.orm import Session

from fulfillment.network.models import NodeDay, NodeProfile
from kernel.db import insert_into, table
from kernel.errors import Conflict

NodeMinutes = tuple[str, date, int]
_HELD_BACK: Final = "minutes_held_back"


class NoMinutesLeft(Conflict):
    """A node has no labour left on a day."""

    code = "no_minutes_left"

    def __init__(self, node: str, on: date, minutes: int) -> None:
        super().__init__(f"{node} has not {minutes} minutes left on {on}: decide again, or raise its capacity.")
        self.node, self.on, self.minutes = node, on, minutes


def change(session: Session, minutes: Iterable[NodeMinutes]) -> None:
    """Claim minutes (positive) and release them (negative), net by node and day, in the order of keys.

    Raises NoMinutesLeft where a net claim exceeds what the day has left; a net release always succeeds.
    """
    net: dict[tuple[str, date], int] = {}
    for node, on, count in (*minutes, *session.info.get(_HELD_BACK, ())):
        net[node, on] = net.get((node, on), 0) + count
    if _HELD_BACK in session.info:
        session.info[_HELD_BACK] = []
    for (node, on), count in sorted(net.items()):
        if count < 0:
            _give_back(session, node, on, -count)
        elif count > 0 and not _take(session, node, on, count):
            _open_day(session, node, on)
            if not _take(session, node, on, count):
                raise NoMinutesLeft(node, on, count)


def claim(session: Session, minutes: Iterable[NodeMinutes]) -> None:
    """Claim minutes. Raises NoMinutesLeft."""
    change(session, minutes)


def release(session: Session, minutes: Iterable[NodeMinutes]) -> None:
    """Give claimed minutes back."""
    given = [(node, on, -count) for node, on, count in minutes]
    if _HELD_BACK in session.info:
        session.info[_HELD_BACK] += given
    else:
        change(session, given)


@contextmanager
def held_back(session: Session) -> Iterator[None]:
    """Keep releases back until a claim nets them, or the block ends.

    For who gives work back and places it anew in one transaction: two that did so the other way round would wait for
    each other.
    """
    session.info[_HELD_BACK] = []
    try:
        yield
        change(session, ())
    finally:
        del session.info[_HELD_BACK]


def days_between(session: Session, first: date, last: date) -> list[tuple[str, date, int | None, int]]:
    """Return node, date, changed capacity and claimed minutes of the days that have been touched."""
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(_BETWEEN, {"first": first, "last": last})]


def left(session: Session, node: str, on: date) -> int:
    """Return the minutes that a node has left on a day."""
    usual = session.scalar(select(_PROFILE.c.capacity_minutes).where(_PROFILE.c.node == node)) or 0
    touched = [day for day in days_between(session, on, on) if day[0] == node]
    for _, _, capacity, claimed in touched:
        return max(0, (usual if capacity is None else capacity) - claimed)
    return usual


_DAY = table(NodeDay)
_BETWEEN = select(_DAY.c.node, _DAY.c.on_date, _DAY.c.capacity_minutes, _DAY.c.claimed_minutes).where(
    _DAY.c.on_date.between(bindparam("first"), bindparam("last"))
)
_PROFILE = table(NodeProfile)
_USUAL = select(_PROFILE.c.capacity_minutes).where(_PROFILE.c.node == bindparam("place")).scalar_subquery()
_CHANGE = (
    update(_DAY)
    .where(_DAY.c.node == bindparam("place"), _DAY.c.on_date == bindparam("day"))
    .values(claimed_minutes=_DAY.c.claimed_minutes + bindparam("minutes"))
)
_CLAIM = _CHANGE.where(_DAY.c.claimed_minutes + bindparam("minutes") <= func.coalesce(_DAY.c.capacity_minutes, _USUAL))


def _take(session: Session, node: str, on: date, minutes: int) -> bool:
    return _changed(session, _CLAIM, node, on, minutes)


def _give_back(session: Session, node: str, on: date, minutes: int) -> None:
    found = _changed(session, _CHANGE, node, on, -minutes)
    assert found, f"{node} released {minutes} minutes on {on} that nobody claimed"


def _changed(session: Session, statement: Update, node: str, on: date, minutes: int) -> bool:
    result = session.execute(statement, {"place": node, "day": on, "minutes": minutes})
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def _open_day(session: Session, node: str, on: date) -> None:
    row = {"node": node, "on_date": on, "claimed_minutes": 0}
    session.execute(insert_into(session, NodeDay).values(row).on_conflict_do_nothing())
