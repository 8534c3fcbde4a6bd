"""Writing many rows of one table so that unchanged ones are left alone.

Called by catalogs, of this room and of those above. Invariant: a row is written only where a value differs; a table
with a `version` has it raised by each such write; two that write the same new row at once both succeed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from kernel.db import insert_into

Outcome: TypeAlias = Literal["created", "updated", "unchanged"]
Values: TypeAlias = Mapping[str, Any]
RowKey: TypeAlias = tuple[Any, ...]

CHUNK = 500


def upsert(session: Session, model: type[Any], rows: Sequence[Values], *, key: Sequence[str]) -> list[Outcome]:
    """Write `rows`, all with the same columns, and tell for each, in order, what was done; the last of a key wins."""
    session.flush()
    known: dict[RowKey, Values] = _read(session, model, rows, key)
    written: dict[RowKey, Values] = {}
    outcomes: list[Outcome] = []
    for row in rows:
        place = _key(row, key)
        before = known.get(place)
        if before is not None and all(before[name] == value for name, value in row.items()):
            outcomes.append("unchanged")
            continue
        outcomes.append("created" if before is None else "updated")
        written[place] = known[place] = row
    _write(session, model, [written[place] for place in sorted(written)], key)
    return outcomes


def chunks(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield `rows` so many at a time that no statement has more parameters than a database takes."""
    yield from (rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK))


def _read(session: Session, model: type[Any], rows: Sequence[Values], key: Sequence[str]) -> dict[RowKey, Values]:
    known: dict[RowKey, Values] = {}
    for some in chunks(rows):
        names = list(some[0])
        columns = [_column(model, name) for name in names]
        # One list for each part of the key finds somewhat more than asked for, in one query on either database.
        wanted = [_column(model, name).in_({row[name] for row in some}) for name in key]
        for row in session.execute(select(*columns).where(*wanted)):
            stored = dict(zip(names, row, strict=True))
            known[_key(stored, key)] = stored
    return known


def _write(session: Session, model: type[Any], rows: Sequence[Values], key: Sequence[str]) -> None:
    if not rows:
        return
    given = insert_into(session, model.__table__)
    changed: dict[str, Any] = {name: given.excluded[name] for name in rows[0] if name not in key}
    first = {}
    if "version" in model.__table__.columns:
        first["version"] = 1
        changed["version"] = _column(model, "version") + 1
    statement = given.on_conflict_do_update(index_elements=list(key), set_=changed)
    session.execute(statement, [dict(row) | first for row in rows])
    for loaded in list(session.identity_map.values()):
        if isinstance(loaded, model):
            session.expire(loaded)


def _column(model: type[Any], name: str) -> ColumnElement[Any]:
    column: ColumnElement[Any] = model.__table__.columns[name]
    return column


def _key(row: Values, key: Sequence[str]) -> RowKey:
    return tuple(row[name] for name in key)
