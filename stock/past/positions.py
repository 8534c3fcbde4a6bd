"""Positions: each committed posting gets the next place in the one order in which the ledger's history is read.

Called by a job, one at a time; history, seals and runs name positions. Invariant: positions are dense from 1, a posting
has one, given once, and none comes before a posting that it built on; whatever is stored of a position is committed
with it, so that what is known at a position never changes.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from kernel import events
from kernel.db import table
from stock.events import StockPosted
from stock.past.chronicle import MarkName, PostingPosition, go_on
from stock.past.recorded import Recorded, read
from stock.past.states import Placing
from stock.past.succession import Succession

POSTED = f"{StockPosted.aggregate}.{StockPosted.verb}"


def newest(session: Session) -> int:
    """Return the newest position; 0 when nothing is placed."""
    return session.scalar(select(func.coalesce(func.max(PostingPosition.position), 0))) or 0


def place(session: Session, *, limit: int) -> int:
    """Give the postings that the next `limit` placed events tell of their positions; returns how many events were read.

    What a posting built on is placed before it, even where its own event comes later in the feed. Safe to repeat; of
    two callers the second waits and goes on after the first.
    """
    mark = go_on(session, MarkName.EVENTS)
    news = events.after(session, mark.position, limit=limit, type=POSTED)
    told = {event.aggregate_id: position for position, event in news if event.type == POSTED}
    placed = _placed(session, list(told))
    awaiting = {id_: position for id_, position in told.items() if id_ not in placed}
    succession = Succession(session, limit)
    found = read(session, list(awaiting))
    succession.add({id_: found.get(id_) or Recorded(id_, None, ()) for id_ in awaiting})
    succession.add_predecessors()
    order = succession.in_order()
    _write(session, order, succession)
    left = awaiting.keys() - {posting.id for posting in order}
    if news:
        # An event is read when its posting is placed; one that is left is read again, and those after it with it.
        mark.position = min((awaiting[id_] for id_ in left), default=news[-1][0] + 1) - 1
    return len(news)


def _placed(session: Session, ids: Sequence[str]) -> set[str]:
    known = select(PostingPosition.posting_id).where(PostingPosition.posting_id.in_(ids))
    return set(session.scalars(known)) if ids else set()


def _write(session: Session, order: Sequence[Recorded], succession: Succession) -> None:
    if not order:
        return
    first = newest(session) + 1
    placing = Placing(succession.states)
    rows = []
    for position, posting in enumerate(order, start=first):
        rows.append(
            {
                "position": position,
                "posting_id": posting.id,
                "entries": len(posting.entries),
                "digest": posting.digest,
            }
        )
        for key, effect in succession.effects[posting.id].items():
            placing.apply(key, effect, posting, position)
    session.execute(insert(table(PostingPosition)), rows)
    placing.write(session)
