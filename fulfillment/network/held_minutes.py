"""Minutes of work that are held for a reference beside its units, so that a promise that is held keeps its date.

Called by sourcing, which holds promises and commits the orders that buy them, and by the job that sweeps holds.
Invariants: what is held is claimed from its day like the work of an order, once; it lasts exactly as long as units are
held for its reference, so that it needs no end of its own; whoever takes a row away gives its minutes back, or claims
them for an order, in the same transaction. Rows are locked after balances and before days.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import Row, bindparam, delete, func, insert, select, tuple_
from sqlalchemy.orm import Session

from fulfillment.network import minutes
from fulfillment.network.minutes import NodeMinutes
from fulfillment.network.models import HeldMinutes
from kernel.db import table
from stock import holds

_HELD = table(HeldMinutes)
_KEY = (_HELD.c.reference, _HELD.c.node, _HELD.c.on_date)
_ROWS = select(*_KEY, _HELD.c.minutes).order_by(*_KEY)
_OF = _ROWS.where(_HELD.c.reference.in_(bindparam("references", expanding=True)))
_LOCKED = _OF.with_for_update()
_OVER = _ROWS.where(~holds.any_units(_HELD.c.reference)).with_for_update(of=_HELD, skip_locked=True)
_HOLD = insert(_HELD)
_END = delete(_HELD).where(tuple_(*_KEY).in_(bindparam("keys", expanding=True)))


def of(session: Session, reference: str) -> tuple[NodeMinutes, ...]:
    """Return what is held for a reference, though its hold may have run out: until it is swept nobody else has it."""
    return tuple((row.node, row.on_date, row.minutes) for row in session.execute(_OF, {"references": [reference]}))


def by_day(session: Session, node: str, days: Collection[date]) -> dict[date, int]:
    """Return the minutes of a node that are held, by those of the days on which any are."""
    own = select(_HELD.c.on_date, func.sum(_HELD.c.minutes)).where(_HELD.c.node == node, _HELD.c.on_date.in_(days))
    return {on: int(count) for on, count in session.execute(own.group_by(_HELD.c.on_date))}


def hold(session: Session, reference: str, wanted: Sequence[NodeMinutes]) -> None:
    """Hold minutes for a reference, one figure for a node and day, in the place of what is held for it.

    Raises NoMinutesLeft where a day has no room for what it needs beyond that.
    """
    given = take(session, [reference])
    rows = [
        {"reference": reference, "node": node, "on_date": on, "minutes": count} for node, on, count in wanted if count
    ]
    if rows:
        session.execute(_HOLD, rows)
    minutes.change(session, [*given, *wanted])


def take(session: Session, references: Collection[str]) -> list[NodeMinutes]:
    """End what is held for references, and return it as it is to be given back to its days by the caller."""
    return _end(session, session.execute(_LOCKED, {"references": list(references)}).all())


def release(session: Session, references: Collection[str]) -> None:
    """Give back what is held for references."""
    minutes.change(session, take(session, references))


def sweep(session: Session, *, limit: int) -> int:
    """Give back up to `limit` rows whose reference holds no units any more; return how many.

    What somebody is about to hold anew or to buy is left alone: its row is locked.
    """
    swept = session.execute(_OVER.limit(limit)).all()
    minutes.change(session, _end(session, swept))
    return len(swept)


def _end(session: Session, locked: Sequence[Row[str, str, date, int]]) -> list[NodeMinutes]:
    if locked:
        session.execute(_END, {"keys": [(row.reference, row.node, row.on_date) for row in locked]})
    return [(row.node, row.on_date, -row.minutes) for row in locked]
