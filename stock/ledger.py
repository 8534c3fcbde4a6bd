"""The single inventory ledger: the only writer of postings, entries, balances, reservations and open demand.

Called by the verbs of the stock room, and by nobody else. Invariants: a posting is written whole or not at all; what
does not fit is refused with every shortage named, never clamped; each entry carries the consecutive versions that the
balances it touches have reached, so that a balance is the fold of its entries.

Many postings at once take the lane: one statement for all of them. It comes to the same as writing them one after the
other, so that one that is refused keeps no other from being written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kernel.errors import DomainError
from kernel.events import tell_house
from kernel.rowsets import MOST_ROWS
from stock import statements
from stock.batches import Batch, Writing, in_runs, work_out
from stock.models import OpenDemand, Reservation, StockBalance
from stock.postings import (
    OWN_SAFETY_STOCK,
    DemandChange,
    Draft,
    Floors,
    Header,
    Key,
    Movement,
    NewReservation,
    ReservationChange,
    Side,
)
from stock.verdicts import Levels, Locked, levels_of, refusal

if TYPE_CHECKING:
    from sqlalchemy.orm import Mapper, Session

LANE = 96
"""Postings that one statement writes at most."""

Outcome = str | DomainError
"""What became of a draft: the id of its posting, or why it was refused."""


def post(
    session: Session,
    header: Header,
    movements: Sequence[Movement],
    *,
    claims: Sequence[NewReservation] = (),
    changes: Iterable[ReservationChange] = (),
    demand: Iterable[DemandChange] = (),
    floors: Floors | None = None,
    expected: Mapping[Key, int] | None = None,
) -> str:
    """Write one posting, given as the parts of a Draft, and return its id.

    Raises:
        InsufficientStock: some balances do not have the units; it lists them all.
        ClaimsChanged: a reservation or open demand has fewer units left than are taken from it.
        BalancesMoved: a balance has not the version expected.
        UnknownStock: there is no such article or node.

    A refusal writes nothing and leaves the transaction usable; the balances stay locked until it ends.
    """
    draft = Draft(
        header=header, movements=movements, claims=claims, changes=changes, demand=demand, floors=floors,
        expected=expected,
    )  # fmt: skip
    (outcome,) = post_many(session, [draft])
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def post_many(session: Session, drafts: Sequence[Draft]) -> list[Outcome]:
    """Write postings as if one after the other, in the order of their arrival, and return what became of each.

    An outcome is the posting's id, or the error that `post` would have raised. The session must be a write session.
    """
    session.flush()
    writings = [work_out(draft) for draft in drafts]
    runs = list(in_runs(writings, most=LANE))
    if len(runs) > 1:
        _lock(session, {key for writing in writings for key in writing.balances})
    outcomes = [outcome for run in runs for outcome in _write(session, run)]
    written = [writing for writing, outcome in zip(writings, outcomes, strict=True) if isinstance(outcome, str)]
    _forget_loaded(session, written)
    for writing in written:
        tell_house(session, writing.event)
    return outcomes


def create_balances(session: Session, keys: Iterable[Key]) -> None:
    """Make the empty balances that are missing; keys of unknown articles or nodes are left out."""
    connection = session.connection()
    given = statements.KEY.given(sorted(set(keys))) | MOST_ROWS
    connection.exec_driver_sql(statements.create_balances(connection.dialect.name), given)


def _lock(session: Session, keys: Iterable[Key]) -> None:
    """Lock the balances of several statements at once, in the order in which everybody locks."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(statements.lock_balances(), statements.KEY.given(sorted(set(keys))) | MOST_ROWS)


def _write(session: Session, run: Sequence[Writing]) -> list[Outcome]:
    """Write what fits, making balances that are missing first; return what became of each."""
    levels = _attempt(session, run)
    if levels is not None and (missing := _missing(run, levels)):
        create_balances(session, missing)
        levels = _attempt(session, run)
    if levels is None:
        return [writing.posting_id for writing in run]
    refused = _judge(run, levels)
    survivors = [writing for writing in run if writing.posting_id not in refused]
    if survivors:
        again = _attempt(session, survivors)
        assert again is None, "what fits under the locked levels is written"
    return [refused.get(writing.posting_id, writing.posting_id) for writing in run]


def _missing(run: Sequence[Writing], levels: Levels) -> set[Key]:
    return {key for writing in run for key in writing.balances if key not in levels.balances}


def _judge(run: Sequence[Writing], levels: Levels) -> dict[str, DomainError]:
    """Return who is refused and why, by posting, deciding in the order of arrival."""
    refused: dict[str, DomainError] = {}
    for writing in run:
        error = refusal(levels, writing)
        if error is None:
            levels.take(writing)
        else:
            refused[writing.posting_id] = error
    assert refused, "a batch was refused for no known reason"
    return refused


def _attempt(session: Session, run: Sequence[Writing]) -> Levels | None:
    """Write a run whole and return None, or nothing and return how everything stands that it would have touched."""
    batch = Batch(run)
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    answer = (_write_postgresql if on_postgresql else _write_sqlite)(session, batch)
    moved = next((row.first for row in answer if row.what == "written"), None)
    if moved is None:
        return levels_of(answer)
    assert moved == len(batch.balances), f"{moved} of {len(batch.balances)} balances moved"
    return None


def _write_postgresql(session: Session, batch: Batch) -> list[Locked]:
    statement = statements.postgresql(batch.parts)
    return [Locked(*row) for (row,) in session.connection().exec_driver_sql(statement, batch.parameters() | MOST_ROWS)]


def _write_sqlite(session: Session, batch: Batch) -> list[Locked]:
    connection, parameters = session.connection(), batch.parameters()
    verdict = connection.exec_driver_sql(statements.sqlite_verdict(batch.parts), parameters)
    answer = [Locked(*json.loads(row)) for (row,) in verdict]
    if any(row.what == "refused" for row in answer):
        return answer
    *writes, move = statements.sqlite_writes(batch.parts)
    for statement in writes:
        connection.exec_driver_sql(statement, parameters)
    moved = len(connection.exec_driver_sql(move, parameters).all())
    return [answer[0]._replace(first=moved)]


def _forget_loaded(session: Session, written: Sequence[Writing]) -> None:
    """Expire the rows that the session has loaded and that were changed behind its back."""
    if not session.identity_map:
        return
    changed: list[tuple[Any, tuple[str, str]]] = []
    for writing in written:
        changed += [(StockBalance, key) for key in writing.balances]
        changed += [(Reservation, (change.sku, change.id)) for change in writing.resolutions]
        changed += [(OpenDemand, (wish.sku, wish.reference)) for wish in writing.wishes]
    for table, key in changed:
        mapper: Mapper[Any] = table.__mapper__
        loaded = session.identity_map.get(mapper.identity_key_from_primary_key(key))
        if loaded is not None:
            session.expire(loaded)


__all__ = [
    "OWN_SAFETY_STOCK", "DemandChange", "Draft", "Floors", "Header", "Movement", "NewReservation", "Outcome",
    "ReservationChange", "Side", "create_balances", "post", "post_many",
]  # fmt: skip
