"""/stock: balances and entries of the ledger, and what others tell it: receipts, corrections, sales and feeds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from api import bulk, catalog, cursors, deciding
from api.house import House
from api.openapi import PREFIX
from api.rest.operation import Call, Resource, anywhere
from api.schemas import stock as schemas
from api.schemas.base import BulkAnswerSchema
from kernel.pages import Page
from stock import adjustments, conversions, feeds, lists, reasons, receipts, recipes, sales
from stock.past import history
from stock.postings import Header
from stock.receipts import Delivered

resource = Resource("stock", __name__, url_prefix=f"{PREFIX}/stock", description="The inventory ledger.")

RECEIPT = {"reference": "PO-1", "lines": [{"node": "MAD-1", "sku": "SHI01-WHT-M", "units": 12}]}
ADJUSTMENT = {"node": "MAD-1", "sku": "SHI01-WHT-M", "units": -2, "reason": "damage"}
SALE = {"node": "MAD-1", "reference": "T-77", "lines": [{"sku": "SHI01-WHT-M", "units": 1}]}
FEED = {"node": "MAD-1", "kind": "absolute", "rows": [{"sku": "SHI01-WHT-M", "units": 9}]}
CONVERSION = {"node": "MAD-W", "sku": "SET01", "units": 5, "direction": "assemble"}
REASON = {"use": "adjustment", "code": "mouldy", "from_account": "on_hand", "to_account": "damaged"}
SHELF = {"sku": "SHI01-WHT-M", "node": "MAD-1", "shelf": "A-03-2"}
LIMIT = {"sku": "SHI01-WHT-M", "node": "MAD-1", "safety_stock": 1}


def _node_of_body(_session: Session, call: Call) -> list[str]:
    return [call.body["node"]]


def _nodes_of_lines(_session: Session, call: Call) -> list[str]:
    return [line["node"] for line in call.body["lines"]]


def _decide(house: House, call: Call) -> None:
    """Decide what waits for the articles of this request, or lost its units to it."""
    rows = call.body.get("lines") or call.body.get("rows") or [call.body]
    deciding.after_stock(house, {row["sku"] for row in rows}, actor=call.actor)


def _decide_parts(house: House, call: Call) -> None:
    """Decide what waits for a kit, or for what it is made of."""
    made_of = house.doors.read(lambda session: recipes.components(session, [call.body["sku"]]))
    skus = {call.body["sku"], *(part.sku for parts in made_of.values() for part in parts)}
    deciding.after_stock(house, skus, actor=call.actor)


@resource.operation(
    "GET", "/balances", scope="stock:read", query=schemas.BalanceQuery, answer=schemas.BalancePageSchema, at=anywhere
)
def list_balances(session: Session, call: Call) -> Any:
    """List balances by SKU and node: as they are, or as they were known at a position or about a business time."""
    node = call.node(call.query["node"])
    if call.query["position"] is not None or call.query["at"] is not None:
        return _past_balances(session, call, node)
    after = cursors.decode(call.query["cursor"], str, str)
    return cursors.page(
        lists.balances(session, sku=call.query["sku"], node=node, after=after, limit=call.query["limit"])
    )


def _past_balances(session: Session, call: Call, node: str | None) -> dict[str, Any]:
    """Return a page of the past; its cursor carries the position, so that all pages tell of the same one."""
    after = cursors.decode(call.query["cursor"], str, str, int)
    position = history.position_to_read(session, after.pop() if after else call.query["position"])
    found = history.page(
        session, sku=call.query["sku"], node=node, after=after, limit=call.query["limit"],
        position=position, at=call.query["at"],
    )  # fmt: skip
    last = None if found.last is None else [*found.last, position]
    return cursors.page(Page(found.rows, last)) | {"position": position}


@resource.operation(
    "GET", "/entries", scope="stock:read", query=schemas.EntryQuery, answer=schemas.EntryPage, at=anywhere
)
def list_entries(session: Session, call: Call) -> Any:
    """List the entries of an article, oldest first."""
    after = cursors.decode(call.query["cursor"], str, int)
    node = call.node(call.query["node"])
    found = lists.entries(session, sku=call.query["sku"], node=node, after=after, limit=call.query["limit"])
    postings = lists.postings(session, [entry.posting_id for entry in found.rows])
    return cursors.page(found, [(entry, postings[entry.posting_id]) for entry in found.rows])


def _occurred_at(call: Call) -> datetime:
    """Return when it happened, by what was told; an instant to come is taken as now, since clocks differ."""
    return min(call.body["occurred_at"] or call.now, call.now)


@resource.operation(
    "POST", "/receipts", scope="stock:write", body=schemas.ReceiptSchema, answer=schemas.PostingSchema, status=201,
    key=True,
    at=_nodes_of_lines, after=_decide, example=RECEIPT,
)  # fmt: skip
def receive(session: Session, call: Call) -> Any:
    """Take goods in from outside, without a purchase order."""
    header = Header(
        kind="receipt", actor=call.actor, occurred_at=_occurred_at(call), reference=call.body["reference"]
    )  # fmt: skip
    lines = [Delivered(**line) for line in call.body["lines"]]
    return {"posting_id": receipts.receive(session, header, lines)}


@resource.operation(
    "POST", "/adjustments", scope="stock:write", body=schemas.AdjustmentSchema, answer=schemas.PostingSchema,
    status=201,
    key=True, at=_node_of_body, after=_decide, example=ADJUSTMENT,
)  # fmt: skip
def adjust(session: Session, call: Call) -> Any:
    """Correct the stock of an article at a node, with a reason."""
    return {"posting_id": adjustments.adjust(session, **call.body, actor=call.actor, now=call.now)}


@resource.operation(
    "POST", "/conversions", scope="stock:write", body=schemas.ConversionSchema, answer=schemas.PostingSchema,
    status=201, key=True, at=_node_of_body, after=_decide_parts, example=CONVERSION,
)  # fmt: skip
def convert(session: Session, call: Call) -> Any:
    """Put kits together from their components, or take them apart; only unclaimed units are used."""
    return {"posting_id": conversions.convert(session, **call.body, actor=call.actor, now=call.now)}


@resource.operation(
    "GET", "/reasons", scope="stock:read", query=schemas.ReasonQuery, answer=schemas.StockReasonsSchema, at=anywhere
)
def list_reasons(session: Session, call: Call) -> Any:
    """List the reasons for which stock moves, by use."""
    return {"items": reasons.known(session, call.query["use"], active_only=call.query["active"])}


@resource.operation(
    "PUT", "/reasons", scope="catalog:write", body=schemas.StockReasonRowSchema(many=True), answer=BulkAnswerSchema,
    example=[REASON],
)  # fmt: skip
def put_reasons(session: Session, call: Call) -> Any:
    """Add reasons, or take some in and out of use; what a reason does never changes."""
    answers = bulk.put(session, call.body, reasons.put, name=lambda row: f"{row.use}/{row.code}")
    return bulk.or_refuse(answers)


@resource.operation(
    "POST", "/sales", scope="stock:write", body=schemas.SaleSchema, answer=schemas.PostingSchema, status=201, key=True,
    at=_node_of_body, after=_decide, example=SALE,
)  # fmt: skip
def sell(session: Session, call: Call) -> Any:
    """Take what was sold at a till off the shelf; reservations give way."""
    lines = [(line["sku"], line["units"]) for line in call.body["lines"]]
    sold = {"node": call.body["node"], "lines": lines, "reference": call.body["reference"]}
    return {"posting_id": sales.sell(session, **sold, actor=call.actor, occurred_at=_occurred_at(call))}


@resource.operation(
    "POST", "/feeds", scope="stock:write", body=schemas.FeedSchema, answer=schemas.PostingSchema, status=201, key=True,
    at=_node_of_body, after=_decide, example=FEED,
)  # fmt: skip
def feed(session: Session, call: Call) -> Any:
    """Bring a node to what another system says it has; reservations give way."""
    told = {
        "node": call.body["node"],
        "rows": [(row["sku"], row["units"]) for row in call.body["rows"]],
        "reference": call.body["reference"],
    }
    if call.body["kind"] == "relative":
        return {"posting_id": feeds.relative(session, **told, actor=call.actor, now=call.now)}
    as_of = call.body["as_of"] or call.now
    return {"posting_id": feeds.absolute(session, **told, as_of=as_of, actor=call.actor, now=call.now)}


@resource.operation(
    "POST", "/shelves", scope="catalog:write", body=schemas.ShelfRowSchema(many=True), answer=BulkAnswerSchema,
    example=[SHELF],
)  # fmt: skip
def put_shelves(session: Session, call: Call) -> Any:
    """Say where articles lie; each row has its own result."""
    return bulk.or_refuse(bulk.put(session, call.body, catalog.put_shelves, name=_pair))


@resource.operation(
    "POST",
    "/limits",
    scope="stock:write",
    body=schemas.LimitRowSchema(many=True),
    answer=BulkAnswerSchema,
    example=[LIMIT],
)
def put_limits(session: Session, call: Call) -> Any:
    """Set safety stocks and backorder limits; each row has its own result."""
    return bulk.or_refuse(bulk.put(session, call.body, catalog.put_limits, name=_pair))


def _pair(row: Any) -> str:
    return f"{row['sku']}@{row['node']}"
