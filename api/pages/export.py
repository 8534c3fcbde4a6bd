"""Tables as CSV files, which every spreadsheet opens and none runs.

Used by the pages whose tables can be taken along. Invariant: no text cell begins as a formula would; numbers stay
numbers, so that they can be added up.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias, TypeVar

from flask import Response

from kernel.money import Money

Row = TypeVar("Row")
Cell: TypeAlias = str | int | float | Decimal | bool | date | datetime | None
Columns: TypeAlias = Mapping[str, Callable[[Row], Cell]]

# What a spreadsheet takes for the beginning of a formula (OWASP, CSV Injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_file(name: str, columns: Columns[Row], rows: Iterable[Row]) -> Response:
    """Return `rows` as a file to download, a header line first; `name` is the file's, without its ending."""
    file = io.StringIO()
    lines = csv.writer(file)
    lines.writerow(columns)
    lines.writerows([guarded(cell(row)) for cell in columns.values()] for row in rows)
    # The byte order mark tells spreadsheets that the letters are UTF-8.
    body = file.getvalue().encode("utf-8-sig")
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    return Response(body, content_type="text/csv; charset=utf-8", headers=headers)


def guarded(cell: Cell) -> str | int | float | Decimal:
    """Return a cell as it is written: text that begins like a formula gets a leading apostrophe."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell


def amount(minor: int | None, currency: str) -> Decimal | None:
    """Return an amount of minor units as the decimal a spreadsheet adds up."""
    return None if minor is None else Decimal(Money(minor, currency).amount)


def plain(minor: int, currency: str) -> str:
    """Return an amount as people type it into a field, without the currency's sign."""
    return Money(minor, currency).amount
