"""News: facts in the past tense, recorded in the transaction that made them true.

An event is stored in the outbox, which `GET /events` and webhooks read, and given at once to the handlers inside the
house, which run in the same transaction. Which handlers there are is decided in `api/` and carried by the session.
Invariant: per aggregate, sequences are dense from 1; an event holds ids and values only, never a row or personal data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import Index, UniqueConstraint, bindparam, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kernel.db import Base, Code, Document, Id, database_now, table
from kernel.ids import new_id

HANDLERS = "event_handlers"


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact about one aggregate; subclasses name the aggregate and the verb, and add the values that tell it."""

    aggregate: ClassVar[str]
    verb: ClassVar[str]
    aggregate_id: str

    @property
    def type(self) -> str:
        """The name under which the outside knows this fact, as in "order.placed"."""
        return f"{self.aggregate}.{self.verb}"


Handler = Callable[[Session, Any], None]
Handlers = Mapping[type[Event], tuple[Handler, ...]]


class OutboxEvent(Base):
    """An event as the outside will read it."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("aggregate", "aggregate_id", "sequence"),
        Index("ix_outbox_recorded_at", "recorded_at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    type: Mapped[Code]
    aggregate: Mapped[Code]
    aggregate_id: Mapped[Code]
    sequence: Mapped[int]
    payload: Mapped[dict[str, Any]] = mapped_column(Document)
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())


class OutboxPosition(Base):
    """The place of an event in the one order in which the outside reads them: dense, given once, never changed."""

    __tablename__ = "outbox_position"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[Id] = mapped_column(unique=True)


_OUTBOX = table(OutboxEvent)
_SAME = (_OUTBOX.c.aggregate == bindparam("aggregate")) & (_OUTBOX.c.aggregate_id == bindparam("aggregate_id"))
_FOLLOWING = select(func.coalesce(func.max(_OUTBOX.c.sequence), 0) + 1).where(_SAME).scalar_subquery()
# Built once, since most writes of the house record an event.
_RECORD = insert(_OUTBOX).values(
    id=bindparam("id"), type=bindparam("type"),
    aggregate=bindparam("aggregate"), aggregate_id=bindparam("aggregate_id"),
    sequence=_FOLLOWING, payload=bindparam("payload"), recorded_at=database_now(),
)  # fmt: skip


def record(session: Session, event: Event) -> None:
    """Store `event` in the outbox and let the handlers inside the house act on it, in this transaction."""
    payload = _written(event)
    payload.pop("aggregate_id")
    named = {"type": event.type, "aggregate": event.aggregate, "aggregate_id": event.aggregate_id}
    session.execute(_RECORD, {"id": new_id(), "payload": payload, **named})
    handlers: Handlers = session.info.get(HANDLERS, {})
    for handle in handlers.get(type(event), ()):
        handle(session, event)


def _written(value: Any) -> Any:
    """Write dataclasses by field, instants and dates as ISO 8601, all else as it is."""
    if is_dataclass(value):
        return {part.name: _written(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, dict):
        return {name: _written(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_written(part) for part in value]
    return value.isoformat() if isinstance(value, date) else value


def place(session: Session, *, limit: int) -> int:
    """Give up to `limit` committed events that have none the next positions; one caller at a time. Returns how many."""
    last = session.scalar(select(func.coalesce(func.max(OutboxPosition.position), 0))) or 0
    unplaced = session.scalars(
        select(OutboxEvent.id)
        .outerjoin(OutboxPosition, OutboxPosition.event_id == OutboxEvent.id)
        .where(OutboxPosition.position.is_(None))
        .order_by(OutboxEvent.recorded_at, OutboxEvent.sequence)
        .limit(limit)
    ).all()
    if unplaced:
        rows = [{"position": last + n, "event_id": event_id} for n, event_id in enumerate(unplaced, start=1)]
        session.execute(insert(OutboxPosition), rows)
    return len(unplaced)


def after(session: Session, position: int, *, limit: int) -> list[tuple[int, OutboxEvent]]:
    """Return up to `limit` events after `position`, in order, each with its position."""
    rows = session.execute(
        select(OutboxPosition.position, OutboxEvent)
        .join(OutboxEvent, OutboxEvent.id == OutboxPosition.event_id)
        .where(OutboxPosition.position > position)
        .order_by(OutboxPosition.position)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]
