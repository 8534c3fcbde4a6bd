"""Orders as CSV: one row a line of an order; rows of the same order follow one another.

Called by imports. Columns are named as in the body of POST /orders, with dots for what is inside another field
(`ship_to.city`, `customer.email`); `sku`, `quantity`, `unit_price`, `discount` and `tax` belong to the line. Money is
in the order's currency.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import marshmallow as ma

from api.files import Record, UnreadableFile, rows_of
from kernel.errors import Fault

LINE = ("sku", "quantity", "unit_price", "discount", "tax")
MONEY = {"unit_price", "discount", "tax", "shipping_price"}
NEEDED = ("channel", "external_id", "currency", "sku", "quantity", "unit_price")


def orders_from_csv(lines: Iterable[str], _schema: ma.Schema) -> Iterator[Record]:
    """Yield one record an order. Raises UnreadableFile when columns are missing."""
    reader = csv.DictReader(lines)
    if missing := [name for name in NEEDED if name not in (reader.fieldnames or [])]:
        raise UnreadableFile(f"Missing columns: {', '.join(missing)}.")
    for _, rows in groupby(rows_of(reader), key=lambda numbered: _identity(numbered[1])):
        yield _order(list(rows))


def _identity(row: dict[str | None, Any]) -> tuple[Any, Any]:
    return row.get("channel"), row.get("external_id")


def _order(rows: list[tuple[int, dict[str | None, Any]]]) -> Record:
    line, first = rows[0]
    if any(None in row or None in row.values() for _, row in rows):
        return Record(line, None, (Fault("", "wrong_length", "a row has not as many cells as the header"),))
    currency = first["currency"].strip()
    document: dict[str, Any] = {}
    for name, cell in first.items():
        if name not in LINE and cell.strip():
            _put(document, str(name), _value(str(name), cell.strip(), currency))
    document["lines"] = [
        {name: _value(name, row[name].strip(), currency) for name in LINE if row.get(name, "").strip()}
        for _, row in rows
    ]
    return Record(line, document)


def _put(document: dict[str, Any], name: str, value: Any) -> None:
    *path, last = name.split(".")
    for step in path:
        document = document.setdefault(step, {})
    document[last] = value


def _value(name: str, cell: str, currency: str) -> Any:
    if name in MONEY:
        return {"amount": cell, "currency": currency}
    if name == "quantity":
        return int(cell) if cell.removeprefix("-").isdecimal() else cell
    return cell
