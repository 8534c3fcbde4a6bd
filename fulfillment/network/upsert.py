"""Writing many rows of one table so that unchanged ones are left alone.

Called by the catalog. Invariant: a row is written only where a value differs, and a table with a `version` has it
raised by each such write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.orm import Session

Outcome: TypeAlias = Literal["created", "updated", "unchanged"]
Values: TypeAlias = Mapping[str, Any]
Key: TypeAlias = tuple[Any, ...]

_CHUNK: Final = 500


def upsert(session: Session, model: type[Any], rows: Sequence[Values], *, key: Sequence[str]) -> list[Outcome]:
    """Write `rows` and tell for each, in order, what was done; the last of several rows with one key wins."""
    known = _read(session, model, rows, key)
    outcomes: list[Outcome] = []
    created: dict[Key, Values] = {}
    updated: dict[Key, Values] = {}
    for row in rows:
        place = _key(row, key)
        before = known.get(place)
        if before is None:
            created[place] = row
            outcomes.append("created")
        elif any(before[name] != value for name, value in row.items()):
            (created if place in created else updated)[place] = row
            outcomes.append("updated")
        else:
            outcomes.append("unchanged")
        known[place] = row
    if created:
        session.execute(insert(model), [dict(row) for row in created.values()])
    for place, row in updated.items():
        _write(session, model, dict(zip(key, place, strict=True)), row)
    return outcomes


def _read(session: Session, model: type[Any], rows: Sequence[Values], key: Sequence[str]) -> dict[Key, Values]:
    names = list(rows[0]) if rows else []
    known: dict[Key, Values] = {}
    for chunk in _chunks(rows):
        # One list for each part of the key finds somewhat more than asked for, in one query on either database.
        where = [_column(model, name).in_({row[name] for row in chunk}) for name in key]
        found = session.execute(select(*(_column(model, name) for name in names)).where(*where))
        known |= {_key(row, key): row for row in map(dict[str, Any], found.mappings())}
    return known


def _write(session: Session, model: type[Any], place: Values, row: Values) -> None:
    where = [_column(model, name) == value for name, value in place.items()]
    raised = {"version": _column(model, "version") + 1} if "version" in model.__table__.columns else {}
    values = {name: value for name, value in row.items() if name not in place}
    session.execute(update(model).where(*where).values({**values, **raised}))


def _chunks(rows: Sequence[Values]) -> Iterator[Sequence[Values]]:
    yield from (rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK))


def _column(model: type[Any], name: str) -> ColumnElement[Any]:
    column: ColumnElement[Any] = model.__table__.columns[name]
    return column


def _key(row: Values, key: Sequence[str]) -> Key:
    return tuple(row[name] for name in key)
