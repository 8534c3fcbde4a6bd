"""Many rows in one request or file: what can be written is written, what cannot is named, row by row.

Called by REST resources and by imports. Invariant: a faulty row keeps no other row from being written, and leaves
nothing of itself behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from kernel.errors import Fault, Rejected

FAILED = "failed"
Write = Callable[[Session, list[Any]], Sequence[str]]


@dataclass(frozen=True)
class Row:
    """One row as it was read: its value, or what is wrong with it."""

    value: Any
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class RowAnswer:
    """What became of a row: created, updated, unchanged or failed."""

    row: int
    result: str
    id: str | None = None
    errors: tuple[Fault, ...] = ()


class NothingWritten(Rejected):
    """Every row of a request was wrong."""

    code = "rows_invalid"


def put(session: Session, rows: Sequence[Row], write: Write, *, name: Callable[[Any], str]) -> list[RowAnswer]:
    """Write the rows that can be written and tell what became of each, in order.

    Args:
        session: a write session.
        rows: as they were read.
        write: writes all rows it is given or raises Rejected, whose pointers begin with the place of the row.
        name: the identifier of a value.
    """
    answers = {place: RowAnswer(place, FAILED, errors=row.faults) for place, row in enumerate(rows) if row.faults}
    left = [(place, row.value) for place, row in enumerate(rows) if not row.faults]
    while left:
        try:
            with session.begin_nested():
                outcomes = write(session, [value for _, value in left])
        except Rejected as error:
            faults = _by_place(error)
            answers |= {
                place: RowAnswer(place, FAILED, name(value), tuple(faults[number]))
                for number, (place, value) in enumerate(left)
                if number in faults
            }
            left = [row for number, row in enumerate(left) if number not in faults]
        else:
            answers |= {
                place: RowAnswer(place, str(outcome), name(value))
                for (place, value), outcome in zip(left, outcomes, strict=True)
            }
            break
    return [answers[place] for place in range(len(rows))]


def or_refuse(answers: Sequence[RowAnswer]) -> dict[str, Sequence[RowAnswer]]:
    """Return the answers as they are sent; raise NothingWritten, with every fault, when all rows failed."""
    if all(answer.result == FAILED for answer in answers):
        single = len(answers) == 1
        faults = tuple(
            Fault(fault.pointer if single else f"/{answer.row}{fault.pointer}", fault.code, fault.message)
            for answer in answers
            for fault in answer.errors
        )
        raise NothingWritten("No row can be taken; nothing was written.", faults=faults)
    return {"results": answers}


def _by_place(error: Rejected) -> dict[int, list[Fault]]:
    """Return the faults by the place of their row, the pointer starting below it."""
    found: dict[int, list[Fault]] = defaultdict(list)
    for fault in error.faults:
        place, _, rest = fault.pointer.removeprefix("/").partition("/")
        if not place.isdecimal():
            raise error
        found[int(place)].append(Fault(f"/{rest}" if rest else "", fault.code, fault.message))
    if not found:
        raise error
    return found
