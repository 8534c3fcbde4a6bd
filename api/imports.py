"""Importing files: nodes, articles, stock, carriers, orders of shoppers and to suppliers, in chunks that commit.

Called by the command line. Invariants: a bad row never spoils the file; importing a file twice changes nothing; what
was committed before an interruption stays, and is found unchanged the next time.
"""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from api import bulk, carriers, catalog, files, intake, purchasing, stocking
from api.bulk import FAILED, Row, RowAnswer
from api.errors import faults_of
from api.files import Record, UnreadableFile
from api.house import House
from api.order_files import orders_from_csv
from api.schemas import carriers as carrier_schemas
from api.schemas import catalog as schemas
from api.schemas.orders import PlaceOrderSchema
from api.schemas.purchasing import PurchaseOrderRowSchema, RecipeRowSchema
from api.schemas.safety_rules import SafetyRuleRowSchema
from api.schemas.stock import StockReasonRowSchema
from api.schemas.unit_prices import MarkdownRowSchema, ShadowPriceRowSchema, name_of_markdown, name_of_price
from kernel.errors import Fault
from oms import channels
from stock import purchasing as stock_purchasing
from stock import reasons, recipes

CHUNK = 500
PAUSE_S = 0.01
"""Between two chunks, so that a server on the same SQLite file gets its turn."""
JSON_ENDINGS = {".jsonl", ".ndjson", ".json"}
ACTOR = "import"

Write = Callable[[Session, list[Any]], Sequence[str]]
Place = Callable[[House, list[Row]], list[RowAnswer]]


@dataclass
class Result:
    """What an import did: rows by what became of them, and what is wrong with those that failed."""

    counts: Counter[str] = field(default_factory=Counter)
    errors: list[tuple[int, str, Fault]] = field(default_factory=list)


@dataclass(frozen=True)
class Kind:
    """What can be imported: how its rows are read and where they go."""

    schema: Callable[[], ma.Schema]
    place: Callable[[House], Place]
    read_csv: Callable[[Iterable[str], ma.Schema], Iterator[Record]] = files.from_csv
    chunk: int = CHUNK


def import_file(house: House, kind: str, lines: Iterable[str], *, ending: str) -> Iterator[Result]:
    """Import the rows in `lines`, yielding the result so far after each chunk that was committed.

    `ending` is that of the file's name: .csv, or one of JSON_ENDINGS. Raises UnreadableFile.
    """
    known = KINDS[kind]
    schema, place, result = known.schema(), known.place(house), Result()
    records = files.from_json_lines(lines) if ending in JSON_ENDINGS else known.read_csv(lines, schema)
    while chunk := list(islice(records, known.chunk)):
        rows = [_row(schema, record) for record in chunk]
        for record, answer in zip(chunk, place(house, rows), strict=True):
            result.counts[answer.result] += 1
            result.errors += [(record.line, answer.id or "", fault) for fault in answer.errors]
        yield result
        time.sleep(PAUSE_S)


def write_errors(path: Path, result: Result) -> Path | None:
    """Write what is wrong beside the file at `path`, row by row; return where, or None when nothing is."""
    target = path.with_name(f"{path.name}.errors.csv")
    if not result.errors:
        target.unlink(missing_ok=True)
        return None
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "id", "field", "reason"])
        for line, name, fault in result.errors:
            writer.writerow([line, name, fault.pointer.removeprefix("/").replace("/", "."), fault.message])
    return target


def _row(schema: ma.Schema, record: Record) -> Row:
    if record.faults:
        return Row(None, record.faults)
    try:
        return Row(schema.load(record.document))
    except ma.ValidationError as error:
        return Row(None, tuple(faults_of(error.messages)))


def _in_one_transaction(write: Write, name: Callable[[Any], str]) -> Place:
    def place(house: House, rows: list[Row]) -> list[RowAnswer]:
        return house.doors.write(lambda session: bulk.put(session, rows, write, name=name))

    return place


def _by(write: Write, *names: str) -> Callable[[House], Place]:
    return lambda _house: _in_one_transaction(write, lambda row: "/".join(str(row[name]) for name in names))


def _in_currency(write: Callable[..., Sequence[str]], *names: str) -> Callable[[House], Place]:
    return lambda house: _by(partial(write, currency=house.config.network.currency), *names)(house)


def _shadow_prices(house: House) -> Place:
    def write(session: Session, rows: list[Any]) -> list[str]:
        currency = house.config.network.currency
        return catalog.put_shadow_prices(session, rows, currency=currency, now=house.clock.now())

    return _in_one_transaction(write, name_of_price)


def _markdowns(house: House) -> Place:
    write = partial(catalog.put_markdowns, currency=house.config.network.currency)
    return _in_one_transaction(write, name_of_markdown)


def _channels(_house: House) -> Place:
    return _in_one_transaction(channels.put, lambda row: str(row.id))


def _safety_rules(_house: House) -> Place:
    return _in_one_transaction(catalog.put_safety_rules, lambda row: str(row.id))


def _stock(_house: House) -> Place:
    return lambda house, rows: stocking.put(house, rows, actor=ACTOR)


def _purchase_orders(house: House) -> Place:
    def write(session: Session, documents: list[Any]) -> list[str]:
        rows = [purchasing.row_of(document, house.config) for document in documents]
        return stock_purchasing.put(session, rows, actor=ACTOR, now=house.clock.now())

    return _in_one_transaction(write, lambda document: str(document["number"]))


def _orders(_house: House) -> Place:
    def place(house: House, rows: list[Row]) -> list[RowAnswer]:
        answers = intake.place_many(house, rows, actor=ACTOR, show=lambda _session, placed: placed.order.number)
        outcome = {"existing": "unchanged"}
        return [
            RowAnswer(answer.row, outcome.get(answer.result, answer.result), answer.order, answer.faults)
            for answer in answers
        ]

    return place


KINDS: Mapping[str, Kind] = {
    "nodes": Kind(schemas.NodeRowSchema, _in_currency(catalog.put_nodes, "id")),
    "articles": Kind(schemas.ArticleRowSchema, _by(catalog.put_articles, "sku")),
    "stock": Kind(stocking.StockRowSchema, _stock),
    "carriers": Kind(carrier_schemas.BandRowSchema, _in_currency(carriers.put_bands, "carrier_service")),
    "carrier-services": Kind(carrier_schemas.CarrierRowSchema, _by(carriers.put_services, "id")),
    "carrier-zones": Kind(carrier_schemas.ZoneRowSchema, _by(carriers.put_zones, "carrier_service")),
    "surcharges": Kind(
        carrier_schemas.SurchargeRowSchema, _in_currency(carriers.put_surcharges, "carrier_service", "code")
    ),
    "boxes": Kind(carrier_schemas.BoxRowSchema, _in_currency(carriers.put_boxes, "id")),
    "postal-codes": Kind(schemas.PlaceRowSchema, _by(catalog.put_places, "country", "postal_code")),
    "channels": Kind(schemas.ChannelRowSchema, _channels),
    "reasons": Kind(StockReasonRowSchema, lambda _house: _in_one_transaction(reasons.put, lambda row: str(row.code))),
    "recipes": Kind(RecipeRowSchema, lambda _house: _in_one_transaction(recipes.put, lambda row: str(row.sku))),
    "purchase-orders": Kind(PurchaseOrderRowSchema, _purchase_orders, purchasing.from_csv),
    "safety-rules": Kind(SafetyRuleRowSchema, _safety_rules),
    "shadow-prices": Kind(ShadowPriceRowSchema, _shadow_prices),
    "markdowns": Kind(MarkdownRowSchema, _markdowns),
    "orders": Kind(PlaceOrderSchema, _orders, orders_from_csv, intake.CHUNK),
}
__all__ = ["FAILED", "KINDS", "Result", "UnreadableFile", "import_file", "write_errors"]
