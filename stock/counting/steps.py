"""What the verbs of counting share: the lock, the reason's effect, and the one place where a count changes its state.

Status, history row and event are written together. Called by the verbs of counting, which lock the count first.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from kernel import states
from kernel.events import record
from kernel.ids import new_id
from stock import reasons
from stock.counting.documents import COUNT_TRANSITIONS, Count, CountHistory, CountStatus
from stock.errors import UnknownDocument, UnknownReason
from stock.events import CountMoved

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def locked(session: Session, count_id: str) -> Count:
    """Return a count as it is now, locked until the transaction ends. Raises UnknownDocument."""
    query = select(Count).where(Count.id == count_id).with_for_update()
    count = session.scalar(query, execution_options={"populate_existing": True})
    if count is None:
        raise UnknownDocument("count", count_id)
    return count


def advance(session: Session, count: Count, target: CountStatus, *, actor: str, now: datetime) -> Count:
    """Bring a count to another state. Raises IllegalTransition."""
    before = count.status
    count.status = states.advance(COUNT_TRANSITIONS, before, target, what=f"Count {count.id}")
    count.version += 1
    session.flush()
    tell(session, count, before, actor=actor, now=now)
    return count


def tell(session: Session, count: Count, before: str, *, actor: str, now: datetime) -> None:
    """Write who brought the count from `before` to where it is."""
    session.add(
        CountHistory(
            id=new_id(), count_id=count.id, from_status=before, to_status=count.status, round=count.round,
            actor=actor, occurred_at=now,
        )
    )  # fmt: skip
    moved = CountMoved(
        aggregate_id=count.id, node=count.node, from_status=before, to_status=count.status, actor=actor,
        occurred_at=now.isoformat(),
    )  # fmt: skip
    record(session, moved)


def correction(session: Session, reason: str) -> reasons.Effect:
    """Return between which accounts a count for this reason corrects stock. Raises UnknownReason."""
    effect = reasons.effect(session, reason, reasons.ADJUSTMENT)
    if effect is None:
        raise UnknownReason(reason, "moving units", ())
    return effect
