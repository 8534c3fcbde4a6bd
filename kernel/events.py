"""News: facts in the past tense, recorded in the transaction that made them true.

An event is stored in the outbox, which `GET /events` and webhooks read, and given at once to the handlers inside the
house, which run in the same transaction. Which handlers there are is decided in `api/` and carried by the session.
Invariants: per aggregate, sequences are dense from 1; an event holds ids and values only, never a row or personal data;
an event is in the queue until it has its position in the one order of all events.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import UniqueConstraint, bindparam, delete, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kernel.db import Base, Code, Document, Id, database_now, table
from kernel.ids import new_id
from kernel.rowsets import MOST_ROWS, RowSet, as_pyformat, with_steps

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


@dataclass(frozen=True, kw_only=True)
class Moved(Event):
    """Something went from one state to another; whatever begins may come from none."""

    verb: ClassVar[str] = "moved"
    from_status: str | None
    to_status: str

    @property
    def type(self) -> str:
        """The state reached names the fact, as in "order.completed"."""
        return f"{self.aggregate}.{self.to_status}"


Handler = Callable[[Session, Any], None]
Handlers = Mapping[type[Event], tuple[Handler, ...]]


class OutboxEvent(Base):
    """An event as the outside will read it."""

    __tablename__ = "outbox"
    __table_args__ = (UniqueConstraint("aggregate", "aggregate_id", "sequence"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    type: Mapped[Code]
    aggregate: Mapped[Code]
    aggregate_id: Mapped[Code]
    sequence: Mapped[int]
    payload: Mapped[dict[str, Any]] = mapped_column(Document)
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())


class OutboxQueue(Base):
    """An event that has no position yet; written with the event, so that placing never looks at history."""

    __tablename__ = "outbox_queue"

    queued_at: Mapped[datetime] = mapped_column(server_default=database_now(), primary_key=True)
    event_id: Mapped[Id] = mapped_column(primary_key=True)


class OutboxPosition(Base):
    """The place of an event in the one order in which the outside reads them: dense, given once, never changed."""

    __tablename__ = "outbox_position"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[Id] = mapped_column(unique=True)


_EVENT = RowSet(
    "event",
    (
        ("id", "text"), ("type", "text"), ("aggregate", "text"), ("aggregate_id", "text"), ("ordinal", "int"),
        ("payload", "json"),
    ),
)  # fmt: skip
_STORE = """INSERT INTO outbox (id, type, aggregate, aggregate_id, sequence, payload)
  SELECT e.id, e.type, e.aggregate, e.aggregate_id,
    e.ordinal + coalesce((SELECT max(o.sequence) FROM outbox AS o
      WHERE o.aggregate = e.aggregate AND o.aggregate_id = e.aggregate_id), 0),
    e.payload
  FROM event AS e WHERE true"""
_ENQUEUE = "INSERT INTO outbox_queue (event_id) SELECT id FROM {stored}"
_RECORD_POSTGRESQL = as_pyformat(
    with_steps([_EVENT.postgresql, f"stored AS ({_STORE} RETURNING id)"], _ENQUEUE.format(stored="stored"))
)
_RECORD_SQLITE = (with_steps([_EVENT.sqlite], _STORE), with_steps([_EVENT.sqlite], _ENQUEUE.format(stored="event")))


def record(session: Session, event: Event) -> None:
    """Store `event` in the outbox and let the handlers inside the house act on it, in this transaction."""
    record_many(session, [event])


def record_many(session: Session, told: Sequence[Event]) -> None:
    """Store events in the outbox, all at once, and let the handlers inside the house act on each in order."""
    if not told:
        return
    rows = _EVENT.given(_rows(told))
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_RECORD_POSTGRESQL, rows | MOST_ROWS)
    else:
        for statement in _RECORD_SQLITE:
            connection.exec_driver_sql(statement, rows)
    for event in told:
        tell_house(session, event)


def tell_house(session: Session, event: Event) -> None:
    """Let the handlers inside the house act on an event that is in the outbox."""
    handlers: Handlers = session.info.get(HANDLERS, {})
    for handle in handlers.get(type(event), ()):
        handle(session, event)


def payload_of(event: Event) -> dict[str, Any]:
    """Return the values that tell an event, for a row of the outbox."""
    return {name: value for name, value in vars(event).items() if name != "aggregate_id"}


def _rows(told: Sequence[Event]) -> list[tuple[Any, ...]]:
    """Number the events of each aggregate, so that each follows the one before it."""
    ordinals: dict[tuple[str, str], int] = defaultdict(int)
    rows = []
    for event in told:
        ordinals[event.aggregate, event.aggregate_id] += 1
        ordinal = ordinals[event.aggregate, event.aggregate_id]
        rows.append((new_id(), event.type, event.aggregate, event.aggregate_id, ordinal, payload_of(event)))
    return rows


def place(session: Session, *, limit: int) -> int:
    """Give up to `limit` committed events that have none the next positions; one caller at a time. Returns how many."""
    queued = session.execute(_QUEUED.limit(limit)).all()
    if queued:
        last = session.scalar(select(func.coalesce(func.max(OutboxPosition.position), 0))) or 0
        rows = [{"position": last + n, "event_id": row.event_id} for n, row in enumerate(queued, start=1)]
        session.execute(insert(OutboxPosition), rows)
        session.execute(_PLACED, [{"at": row.queued_at, "event": row.event_id} for row in queued])
    return len(queued)


# The queue is read along its key; only events of one instant are put in order.
_QUEUED = (
    select(OutboxQueue.queued_at, OutboxQueue.event_id)
    .join(OutboxEvent, OutboxEvent.id == OutboxQueue.event_id)
    .order_by(OutboxQueue.queued_at, OutboxEvent.sequence, OutboxQueue.event_id)
)
_PLACED = delete(table(OutboxQueue)).where(
    table(OutboxQueue).c.queued_at == bindparam("at"), table(OutboxQueue).c.event_id == bindparam("event")
)


def after(
    session: Session,
    position: int,
    *,
    limit: int,
    type: str | None = None,  # noqa: A002 (as events call it)
) -> list[tuple[int, OutboxEvent]]:
    """Return up to `limit` events after `position`, in order, each with its position; of one `type` if it is given."""
    query = (
        select(OutboxPosition.position, OutboxEvent)
        .join(OutboxEvent, OutboxEvent.id == OutboxPosition.event_id)
        .where(OutboxPosition.position > position)
        .order_by(OutboxPosition.position)
        .limit(limit)
    )
    rows = session.execute(query if type is None else query.where(OutboxEvent.type == type))
    return [(row[0], row[1]) for row in rows]
