"""/shadow-prices and /markdowns: what units are worth where they lie, beyond what it costs to bring them."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from api import bulk, catalog, cursors
from api.openapi import PREFIX
from api.rest.operation import Call, Resource, anywhere
from api.schemas import unit_prices as schemas
from api.schemas.base import BulkAnswerSchema
from fulfillment.network import unit_prices

resource = Resource("unit-prices", __name__, url_prefix=PREFIX, description="What units are worth where they lie.")


@resource.operation(
    "PUT", "/shadow-prices", scope="plan:write", body=schemas.ShadowPriceRowSchema(many=True),
    answer=BulkAnswerSchema, example=[schemas.EXAMPLE_PRICE],
)  # fmt: skip
def put_shadow_prices(session: Session, call: Call) -> Any:
    """Set what units are worth to the orders still to come; each row has its own result."""
    write = partial(catalog.put_shadow_prices, currency=call.config.network.currency, now=call.now)
    return bulk.or_refuse(bulk.put(session, call.body, write, name=schemas.name_of_price))


@resource.operation(
    "GET", "/shadow-prices", scope="plan:read", query=schemas.UnitPriceQuery, answer=schemas.ShadowPricePage,
    at=anywhere,
)  # fmt: skip
def list_shadow_prices(session: Session, call: Call) -> Any:
    """List shadow prices by article, node and start; one that a later one has replaced is gone."""
    after = cursors.decode(call.query["cursor"], str, str, datetime)
    asked = {"sku": call.query["sku"], "node": call.node(call.query["node"])}
    return cursors.page(unit_prices.shadow_prices(session, **asked, after=after, limit=call.query["limit"]))


@resource.operation(
    "PUT", "/markdowns", scope="plan:write", body=schemas.MarkdownRowSchema(many=True), answer=BulkAnswerSchema,
    example=[schemas.EXAMPLE_MARKDOWN],
)  # fmt: skip
def put_markdowns(session: Session, call: Call) -> Any:
    """Set the markdowns expected on units that stay where they are; each row has its own result."""
    write = partial(catalog.put_markdowns, currency=call.config.network.currency)
    return bulk.or_refuse(bulk.put(session, call.body, write, name=schemas.name_of_markdown))


@resource.operation(
    "GET", "/markdowns", scope="plan:read", query=schemas.UnitPriceQuery, answer=schemas.MarkdownPage, at=anywhere
)
def list_markdowns(session: Session, call: Call) -> Any:
    """List expected markdowns by article, family, node and first date."""
    after = cursors.decode(call.query["cursor"], str, str, str, date)
    asked = {"sku": call.query["sku"], "node": call.node(call.query["node"])}
    return cursors.page(unit_prices.markdowns(session, **asked, after=after, limit=call.query["limit"]))
