"""Opening stock and daily stock files: what lies where, how much of it, and what is not promised.

Called by imports. Invariant: stock is brought to what the file says by the difference alone, so that the same file
posts nothing the second time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from marshmallow import fields
from sqlalchemy.orm import Session

from api import bulk, catalog, deciding
from api.bulk import FAILED, Row, RowAnswer
from api.catalog import SEVERITY
from api.house import House
from api.schemas.base import Schema, at_most, code
from api.schemas.base import units as units_field
from stock import feeds

REFERENCE = "stock-import"


class StockRowSchema(Schema):
    """Units on hand of an article at a node, its shelf, and the units that are not promised."""

    sku = code()
    node = code()
    units = units_field(0)
    shelf = fields.String(load_default=None, validate=at_most(64))
    safety_stock = units_field(0, required=False, load_default=0)


def put(house: House, rows: Sequence[Row], *, actor: str) -> list[RowAnswer]:
    """Bring stock to what the rows say, in one transaction, and decide what waits for it."""
    now = house.clock.now()

    def write(session: Session) -> tuple[list[RowAnswer], set[str]]:
        answers = bulk.put(session, rows, _limits_and_shelves, name=lambda row: f"{row['sku']}@{row['node']}")
        good = [(answer.row, rows[answer.row].value) for answer in answers if answer.result != FAILED]
        changed = _feed(session, good, actor=actor, now=now)
        skus = {rows[number].value["sku"] for number in changed}
        return [_updated(answer) if answer.row in changed else answer for answer in answers], skus

    answers, skus = house.doors.write(write)
    deciding.after_stock(house, skus, actor=actor)
    return answers


def _limits_and_shelves(session: Session, rows: list[Any]) -> list[str]:
    limits = [{"sku": row["sku"], "node": row["node"], "safety_stock": row["safety_stock"]} for row in rows]
    outcomes = catalog.put_limits(session, limits)
    with_shelf = [(number, row) for number, row in enumerate(rows) if row["shelf"]]
    shelves = [{name: row[name] for name in ("sku", "node", "shelf")} for _, row in with_shelf]
    for (number, _), outcome in zip(with_shelf, catalog.put_shelves(session, shelves), strict=True):
        outcomes[number] = max(outcomes[number], outcome, key=SEVERITY.index)
    return outcomes


def _feed(session: Session, rows: Sequence[tuple[int, Any]], *, actor: str, now: Any) -> set[int]:
    """Post the difference of each node; return the numbers of rows at nodes where something was posted."""
    by_node: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    for number, row in rows:
        by_node[row["node"]].append((number, row))
    told = {node: [(row["sku"], row["units"]) for _, row in of_node] for node, of_node in sorted(by_node.items())}
    posted = feeds.absolute_many(session, told, as_of=now, reference=REFERENCE, actor=actor, now=now)
    return {number for node, posting_id in posted.items() if posting_id for number, _ in by_node[node]}


def _updated(answer: RowAnswer) -> RowAnswer:
    return answer if answer.result == "created" else replace(answer, result="updated")
