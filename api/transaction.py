"""The only place that commits: decide on a read session, then commit in one short write transaction.

Called by REST views, pages, jobs and commands. Invariant: the idempotency key, the effect and the outbox are written in
one transaction or not at all; what is retried is always the whole unit, with the same key.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from api.metrics import RETRIES
from kernel import idempotency
from kernel.db import Database, retryable
from kernel.errors import Conflict, DomainError
from kernel.idempotency import Answer

Plan = TypeVar("Plan")
Value = TypeVar("Value")

DATABASE_TRIES = 6
LONGEST_PAUSE_S = 0.5
GIVE_UP_S = 8.0
LOCK_TIMEOUT = "55P03"
UNIQUE_VIOLATION = "23505"
log = structlog.get_logger(__name__)


class OutcomeUnknown(Exception):
    """The connection was lost while committing a request without a key, so that nobody may simply repeat it."""


class KeyInUse(Conflict):
    """A request with the same idempotency key is still running."""

    code = "idempotency_key_in_use"

    def __init__(self, key: str) -> None:
        super().__init__(f"A request with Idempotency-Key {key!r} is still running; try again shortly.")


@dataclass(frozen=True)
class RequestKey:
    """The caller's idempotency key: whose, which, and the keyed hash of the request it came with."""

    scope: str
    key: str
    request_hash: bytes


@dataclass(frozen=True)
class Doors:
    """What every door needs to reach the rooms below.

    `stale` are the errors that say a decision was overtaken; `tries` bounds how often it is made again.
    """

    database: Database
    stale: tuple[type[Conflict], ...] = ()
    tries: int = 8

    def read(self, verb: Callable[[Session], Value]) -> Value:
        """Return what `verb` reads."""
        return self._retrying(lambda: self._read(verb))

    def write(self, commit: Callable[[Session], Value]) -> Value:
        """Run `commit` in one write transaction and return its value."""
        return self._retrying(lambda: self._write(commit, keyed=False))

    def decide_then_commit(self, decide: Callable[[Session], Plan], commit: Callable[[Session, Plan], Value]) -> Value:
        """Decide on a read session, then commit what was decided; do both again when others were faster."""

        def unit() -> Value:
            plan = self._read(decide)
            return self._write(lambda session: commit(session, plan), keyed=False)

        return self._retrying(unit)

    def answer(
        self,
        key: RequestKey | None,
        decide: Callable[[Session], Plan],
        commit: Callable[[Session, Plan], Answer],
    ) -> tuple[Answer, bool]:
        """Answer a request once: return the answer, and whether it is the stored one of an earlier request.

        Raises KeyReused when the key came with another request, KeyInUse when that one is still running, and the last
        stale error when others were faster every time.
        """
        if key is None:
            return self.decide_then_commit(decide, commit), False

        def unit() -> tuple[Answer, bool]:
            with self.database.read() as session:
                stored = idempotency.lookup(session, key.scope, key.key, key.request_hash)
                if stored is not None:
                    return stored, True
                plan = decide(session)
            return self._write(lambda session: _once(session, key, lambda: commit(session, plan)), keyed=True)

        return self._retrying(unit)

    def _read(self, verb: Callable[[Session], Value]) -> Value:
        with self.database.read() as session:
            return verb(session)

    def _write(self, commit: Callable[[Session], Value], *, keyed: bool) -> Value:
        with self.database.turn(), self.database.write() as session:
            try:
                value = commit(session)
            except DomainError as error:
                if error.keeps_writes:
                    session.commit()
                raise
            try:
                session.commit()
            except DBAPIError as error:
                if error.connection_invalidated and not keyed:
                    raise OutcomeUnknown from error
                raise
            return value

    def _retrying(self, unit: Callable[[], Value]) -> Value:
        """Run `unit` until it succeeds, is refused, or has been overtaken or disturbed too often."""
        stale = disturbed = 0
        give_up_at = time.monotonic() + GIVE_UP_S
        while True:
            try:
                return unit()
            except self.stale:
                stale += 1
                RETRIES.labels("stale").inc()
                if stale >= self.tries:
                    raise
            except DBAPIError as error:
                disturbed += 1
                RETRIES.labels("database").inc()
                spent = disturbed >= DATABASE_TRIES or time.monotonic() > give_up_at
                if spent or not (retryable(error) or _raced(error)):
                    raise
                log.debug("retrying", reason=str(error.orig).splitlines()[0], tries=disturbed)
            _pause(stale + disturbed)


def _once(session: Session, key: RequestKey, commit: Callable[[], Answer]) -> tuple[Answer, bool]:
    """Take the key, do the work and remember the answer, or return the answer of the request that had the key first."""
    stored = _claim(session, key)
    if stored is not None:
        return stored, True
    answer = commit()
    idempotency.remember(session, key.scope, key.key, answer)
    return answer, False


def _claim(session: Session, key: RequestKey) -> Answer | None:
    try:
        return idempotency.claim(session, key.scope, key.key, key.request_hash)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == LOCK_TIMEOUT:
            raise KeyInUse(key.key) from error
        raise


def _raced(error: DBAPIError) -> bool:
    """Tell whether someone else just wrote a row with the same unique key, which the next try will read."""
    if not isinstance(error, IntegrityError):
        return False
    state: Any = getattr(error.orig, "sqlstate", None)
    return state == UNIQUE_VIOLATION or "UNIQUE constraint failed" in str(error.orig)


def _pause(tries: int) -> None:
    # Full jitter: those who collided together must not come back together.
    time.sleep(secrets.SystemRandom().uniform(0, min(LONGEST_PAUSE_S, 0.005 * 2**tries)))
