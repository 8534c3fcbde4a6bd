"""/purchase-orders and /recipes: what suppliers are to deliver, and what articles are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from api import bulk, cursors, deciding, purchasing
from api.openapi import PREFIX
from api.rest.operation import Call, Reply, Resource, anywhere
from api.schemas import purchasing as schemas
from api.schemas.base import BulkAnswerSchema, PageQuery
from stock import purchasing as orders
from stock import receipts, recipes

resource = Resource(
    "purchasing", __name__, url_prefix=PREFIX, description="Purchase orders, and what articles are made of."
)
ORDER = "/purchase-orders/<order_id>"
EXAMPLE = {
    "number": "4500012345", "supplier": "ACME", "node": "MAD-W", "expected_at": "2026-11-24T09:00:00+01:00",
    "lines": [{"sku": "SHI01-WHT-M", "units": 40}],
}  # fmt: skip
DELIVERY = {
    "lines": [{"sku": "SHI01-WHT-M", "units": 38}, {"sku": "SHI01-WHT-M", "units": 2, "reason": "damaged"}],
    "complete": True,
}
RECIPE = {"sku": "SET01", "kind": "kit", "components": [{"sku": "SHI01-WHT-M", "units": 2}]}


def _at_its_node(session: Session, _call: Call, order_id: str) -> Iterable[str]:
    return [orders.order(session, order_id).node]


@resource.operation(
    "POST", "/purchase-orders", scope="stock:write", body=schemas.PurchaseOrderRowSchema,
    answer=schemas.PurchaseOrderSchema, status=201, key=True, example=EXAMPLE,
)  # fmt: skip
def open_purchase_order(session: Session, call: Call) -> Any:
    """Say what a supplier is to deliver."""
    return orders.open_order(session, purchasing.row_of(call.body, call.config), actor=call.actor, now=call.now)


@resource.operation(
    "GET", "/purchase-orders", scope="stock:read", query=schemas.PurchaseOrderQuery, answer=schemas.PurchaseOrderPage,
    at=anywhere,
)  # fmt: skip
def list_purchase_orders(session: Session, call: Call) -> Any:
    """List purchase orders, oldest first."""
    asked = {name: call.query[name] for name in ("supplier", "status")} | {"node": call.node(call.query["node"])}
    after = cursors.decode(call.query["cursor"], str)
    return cursors.page(orders.orders(session, **asked, after=after, limit=call.query["limit"]))


@resource.operation("GET", ORDER, scope="stock:read", answer=schemas.PurchaseOrderSchema, at=_at_its_node)
def show_purchase_order(session: Session, _call: Call, order_id: str) -> Any:
    """Show a purchase order."""
    return orders.order(session, order_id)


@resource.operation(
    "POST", f"{ORDER}/receive", scope="stock:write", body=schemas.DeliverySchema, answer=schemas.PurchaseOrderSchema,
    key=True, at=_at_its_node, example=DELIVERY,
)  # fmt: skip
def receive_purchase_order(session: Session, call: Call, order_id: str) -> Any:
    """Take in what came; what is not there yet stays expected, what is beyond the order needs a reason."""
    lines = [(line["sku"], line["units"], line["reason"]) for line in call.body["lines"]]
    asked = {name: call.body[name] for name in ("beyond", "complete")}
    received = receipts.receive_ordered(session, order_id, lines, **asked, actor=call.actor, now=call.now)
    skus = {sku for sku, _, _ in lines}
    return Reply(received, after=lambda house: deciding.after_stock(house, skus, actor=call.actor))


@resource.operation(
    "POST", f"{ORDER}/close-short", scope="stock:write", answer=schemas.PurchaseOrderSchema, at=_at_its_node
)
def close_purchase_order_short(session: Session, call: Call, order_id: str) -> Any:
    """Expect no more than came."""
    return orders.close_short(session, order_id, actor=call.actor, now=call.now)


@resource.operation("POST", f"{ORDER}/cancel", scope="stock:write", answer=schemas.PurchaseOrderSchema)
def cancel_purchase_order(session: Session, call: Call, order_id: str) -> Any:
    """Call a purchase order off of which nothing has come."""
    return orders.cancel(session, order_id, actor=call.actor, now=call.now)


@resource.operation(
    "POST", "/recipes", scope="catalog:write", body=schemas.RecipeRowSchema(many=True), answer=BulkAnswerSchema,
    example=[RECIPE],
)  # fmt: skip
def put_recipes(session: Session, call: Call) -> Any:
    """Say what articles are made of; each row has its own result."""
    return bulk.or_refuse(bulk.put(session, call.body, recipes.put, name=lambda row: str(row.sku)))


@resource.operation("GET", "/recipes", scope="stock:read", query=PageQuery, answer=schemas.RecipePage, at=anywhere)
def list_recipes(session: Session, call: Call) -> Any:
    """List what articles are made of, by SKU."""
    after = cursors.decode(call.query["cursor"], str)
    return cursors.page(recipes.recipes(session, after=after, limit=call.query["limit"]))
