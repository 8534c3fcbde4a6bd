"""CSV files: what a spreadsheet would take for a formula is text, and numbers stay numbers."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from api.pages import export


@pytest.mark.parametrize("text", ["=1+1", "+34600", "-2", "@SUM(A1)", "\tx", "\rx"])
def test_text_that_begins_like_a_formula_gets_an_apostrophe(text):
    assert export.guarded(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["Sevilla", "1+1", "", -2, -2.5, Decimal("-3.50")])
def test_other_text_and_numbers_are_written_as_they_are(cell):
    assert export.guarded(cell) == cell


def test_other_kinds_are_written_as_machines_read_them():
    assert export.guarded(None) == ""
    assert export.guarded(True) == "true"
    assert export.guarded(date(2026, 3, 10)) == "2026-03-10"
    assert export.guarded(datetime(2026, 3, 10, 9, tzinfo=UTC)) == "2026-03-10T09:00:00+00:00"


def test_a_file_has_a_header_and_a_line_for_each_row():
    columns = {"name": lambda row: row[0], "amount": lambda row: export.amount(row[1], "EUR")}
    answer = export.csv_file("prices", columns, [("=HYPERLINK(1)", -150), ("coat, red", None)])
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert rows == [["name", "amount"], ["'=HYPERLINK(1)", "-1.50"], ["coat, red", ""]]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="prices.csv"'
