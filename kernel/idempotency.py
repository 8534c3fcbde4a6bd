"""Same key, same answer, one effect: the key is a row written in the transaction of its effect.

Called by the transaction of every door. Invariant: only successes are stored; a stored answer holds no personal data;
the request is kept as a keyed hash, so that nobody can guess its content from the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import LargeBinary, String, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Document, database_now, table
from kernel.errors import Rejected

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class KeyReused(Rejected):
    """The idempotency key was used before with another request."""

    code = "idempotency_key_reused"

    def __init__(self, key: str) -> None:
        super().__init__(f"Idempotency-Key {key!r} was used with another request; use a new key for a new request.")


@dataclass(frozen=True)
class Answer:
    """What was answered the first time."""

    status: int
    body: Any


class IdempotencyKey(Base):
    """One key of one caller, the hash of its request and the answer given."""

    __tablename__ = "idempotency_key"

    scope: Mapped[str] = mapped_column(String(80), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    status: Mapped[int | None]
    answer: Mapped[Any | None] = mapped_column(Document)
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())


# Built once, since every write that carries a key comes here three times.
_KEY = table(IdempotencyKey)
_MINE = (_KEY.c.scope == bindparam("of_scope")) & (_KEY.c.key == bindparam("of_key"))
_CLAIM = {
    dialect.dialect.name: dialect.insert(_KEY)
    .values(recorded_at=database_now())
    .on_conflict_do_nothing()
    .execution_options(preserve_rowcount=True)
    for dialect in (postgresql, sqlite)
}
_LOOKUP = select(_KEY.c.request_hash, _KEY.c.status, _KEY.c.answer).where(_MINE)
_REMEMBER = update(_KEY).where(_MINE)


def claim(session: Session, scope: str, key: str, request_hash: bytes) -> Answer | None:
    """Take the key for this transaction, or return the answer it already has.

    A key that another transaction holds is waited for. Raises KeyReused when the stored request is another one.
    """
    row = {"scope": scope, "key": key, "request_hash": request_hash}
    taken = session.execute(_CLAIM[session.get_bind().dialect.name], row)
    if taken.rowcount == 1:  # type: ignore[attr-defined]
        return None
    return lookup(session, scope, key, request_hash)


def lookup(session: Session, scope: str, key: str, request_hash: bytes) -> Answer | None:
    """Return the stored answer, if there is one; raise KeyReused when the stored request is another one."""
    stored = session.execute(_LOOKUP, {"of_scope": scope, "of_key": key}).one_or_none()
    if stored is None or stored.status is None:
        return None
    if stored.request_hash != request_hash:
        raise KeyReused(key)
    return Answer(stored.status, stored.answer)


def remember(session: Session, scope: str, key: str, answer: Answer) -> None:
    """Store the answer of the key claimed in this transaction."""
    mine = {"of_scope": scope, "of_key": key}
    session.execute(_REMEMBER, {**mine, "status": answer.status, "answer": answer.body})


def forget(session: Session, *, before: datetime, limit: int) -> int:
    """Delete up to `limit` keys recorded before an instant; returns how many."""
    old = select(IdempotencyKey.scope, IdempotencyKey.key).where(IdempotencyKey.recorded_at < before).limit(limit)
    rows = session.execute(old).all()
    for scope, key in rows:
        session.execute(delete(IdempotencyKey).where(IdempotencyKey.scope == scope, IdempotencyKey.key == key))
    return len(rows)


RETENTION = timedelta(hours=72)
