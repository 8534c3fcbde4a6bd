"""Documents of purchase orders, turned into the rows that the stock room takes.

Called by the REST resource and by imports, which read them with the same schema. Invariant: without a tolerance of its
own an order has the configured one.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

import marshmallow as ma

from api.config import Config
from api.files import Record, check_columns, rows_of
from kernel.errors import Fault
from stock.purchasing import OrderedRow

HEAD = ("number", "supplier", "node", "expected_at", "tolerance_percent")
LINE = ("sku", "units")
NEEDED = ("number", "supplier", "node", *LINE)
NUMBERS = {"units", "tolerance_percent"}


def row_of(document: Mapping[str, Any], config: Config) -> OrderedRow:
    """Return a purchase order as the stock room takes it."""
    tolerance = document["tolerance_percent"]
    head = {name: document[name] for name in HEAD if name != "tolerance_percent"}
    return OrderedRow(
        **head,
        tolerance_percent=config.stock.over_receipt_percent if tolerance is None else tolerance,
        lines=tuple((line["sku"], line["units"]) for line in document["lines"]),
    )


def from_csv(lines: Iterable[str], _schema: ma.Schema) -> Iterator[Record]:
    """Yield one record a purchase order: a row is one of its lines, and rows of one number follow one another.

    Raises UnreadableFile for a header that does not fit.
    """
    reader = csv.DictReader(lines)
    check_columns(reader.fieldnames or [], known={*HEAD, *LINE}, needed=set(NEEDED))
    for _, rows in groupby(rows_of(reader), key=lambda numbered: numbered[1].get("number")):
        yield _order(list(rows))


def _order(rows: list[tuple[int, dict[str | None, Any]]]) -> Record:
    line, first = rows[0]
    if any(None in row or None in row.values() for _, row in rows):
        return Record(line, None, (Fault("", "wrong_length", "a row has not as many cells as the header"),))
    document: dict[str, Any] = _cells(first, HEAD)
    document["lines"] = [_cells(row, LINE) for _, row in rows]
    return Record(line, document)


def _cells(row: Mapping[str | None, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: _value(name, row[name].strip()) for name in names if row.get(name, "").strip()}


def _value(name: str, cell: str) -> Any:
    return int(cell) if name in NUMBERS and cell.isdecimal() else cell
