"""Reading files row by row: CSV with a header line, or JSON lines, turned into the documents that schemas read.

Called by imports. Invariant: a row that cannot be read is told with its line, and the next one is read; the file is
never held in memory whole.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from marshmallow import fields

from api.schemas.base import MoneyField
from fulfillment.network.calendar import read_week
from kernel.errors import Fault

CURRENCY = "currency"


class UnreadableFile(Exception):
    """The file as a whole cannot be read; the message is one sentence."""


@dataclass(frozen=True)
class Record:
    """One row of a file: the line it begins at, and the document in it or why there is none."""

    line: int
    document: Any
    faults: tuple[Fault, ...] = ()


def from_json_lines(lines: Iterable[str]) -> Iterator[Record]:
    """Yield one record a line; empty lines are passed over."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield Record(number, json.loads(line))
        except (ValueError, RecursionError) as error:
            yield Record(number, None, (Fault("", "malformed_json", f"not JSON: {error}"),))


def from_csv(lines: Iterable[str], schema: ma.Schema) -> Iterator[Record]:
    """Yield one record a row, as `schema` wants to read it. Raises UnreadableFile for a header that does not fit."""
    reader = csv.DictReader(lines)
    check_header(reader.fieldnames or [], schema)
    for number, row in rows_of(reader):
        yield record(number, row, schema)


def rows_of(reader: csv.DictReader[str]) -> Iterator[tuple[int, dict[str | None, Any]]]:
    """Yield rows with their lines. Raises UnreadableFile where the file is no CSV."""
    try:
        for row in reader:
            yield reader.line_num, dict(row)
    except csv.Error as error:
        raise UnreadableFile(f"Line {reader.line_num} is not CSV: {error}.") from error


def record(line: int, row: Mapping[str | None, Any], schema: ma.Schema) -> Record:
    """Return a row of text cells as the document that `schema` reads; empty cells are absent."""
    if None in row or None in row.values():
        return Record(line, None, (Fault("", "wrong_length", "the row has not as many cells as the header"),))
    cells = {str(name): cell.strip() for name, cell in row.items() if cell.strip()}
    faults: list[Fault] = []
    document = {name: _value(field, name, cells, faults) for name, field in schema.fields.items() if name in cells}
    return Record(line, document, tuple(faults))


def check_header(columns: Iterable[str], schema: ma.Schema) -> None:
    """Raise UnreadableFile when columns are missing, or unknown."""
    money = any(isinstance(field, MoneyField) for field in schema.fields.values())
    known = set(schema.fields) | ({CURRENCY} if money else set())
    check_columns(columns, known=known, needed={name for name, field in schema.fields.items() if field.required})


def check_columns(columns: Iterable[str], *, known: set[str], needed: set[str]) -> None:
    """Raise UnreadableFile when some of the columns needed are missing, or columns are unknown."""
    given = set(columns)
    if unknown := sorted(given - known):
        raise UnreadableFile(f"Unknown columns: {', '.join(unknown)}. There are {', '.join(sorted(known))}.")
    if missing := sorted(needed - given):
        raise UnreadableFile(f"Missing columns: {', '.join(missing)}.")


def _value(field: fields.Field[Any], name: str, cells: Mapping[str, str], faults: list[Fault]) -> Any:
    cell = cells[name]
    if isinstance(field, MoneyField):
        return {"amount": cell, "currency": cells.get(CURRENCY, "")}
    if isinstance(field, fields.Integer):
        return int(cell) if cell.removeprefix("-").isdecimal() else cell
    if isinstance(field, fields.Dict):
        try:
            return read_week(cell)
        except ValueError as error:
            faults.append(Fault(f"/{name}", "invalid", str(error)))
    return cell
