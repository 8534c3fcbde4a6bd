"""What units are worth where they lie, on the wire: shadow prices, and markdowns that are expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, pre_dump

from api.house import house
from api.schemas.base import MoneyField, PageQuery, Schema, at_most, code, instant, page_of
from fulfillment.network.article_models import Markdown, ShadowPrice
from kernel.money import Money

EXAMPLE_PRICE = {
    "sku": "SHI01-WHT-M", "node": "MAD-1", "price": {"amount": "1.50", "currency": "EUR"},
    "valid_from": "2026-11-21T06:00:00+01:00", "source": "run-42",
}  # fmt: skip
EXAMPLE_MARKDOWN = {
    "family": "shirts", "node": "MAD-1", "saved": {"amount": "6.00", "currency": "EUR"}, "from_on": "2026-11-21",
    "until_on": "2027-01-06",
}  # fmt: skip


class ShadowPriceRowSchema(Schema):
    """What one more unit of an article at a node is worth to the orders still to come, from an instant on."""

    sku = code(metadata={"example": "SHI01-WHT-M"})
    node = code(metadata={"example": "MAD-1"})
    price = MoneyField(required=True, example="1.50")
    valid_from = instant(required=True, metadata={"description": "Until a later one begins."})
    source = code(metadata={"description": "The run that worked it out, or who says so."})


class ShadowPriceSchema(ShadowPriceRowSchema):
    """A shadow price as it stands."""

    version = fields.Integer()
    recorded_at = instant()

    @pre_dump
    def show(self, price: ShadowPrice, **_: Any) -> dict[str, Any]:
        """Say the amount with its currency."""
        shown = {name: getattr(price, name) for name in self.fields if name != "price"}
        return shown | {"price": Money(price.price_minor, house().config.network.currency)}


class MarkdownRowSchema(Schema):
    """The markdown expected on each unit of an article, or of a family, that stays at a node between two dates."""

    sku = fields.String(load_default="", validate=at_most(64), metadata={"description": "This article alone."})
    family = fields.String(load_default="", validate=at_most(64), metadata={"description": "Or all of this family."})
    node = code(metadata={"example": "MAD-1"})
    saved = MoneyField(required=True, example="6.00")
    from_on = fields.Date(required=True, metadata={"description": "The first date, by the node's clock."})
    until_on = fields.Date(load_default=None, allow_none=True, metadata={"description": "The last date; null: open."})


class MarkdownSchema(MarkdownRowSchema):
    """An expected markdown as it stands."""

    @pre_dump
    def show(self, markdown: Markdown, **_: Any) -> dict[str, Any]:
        """Say the amount with its currency."""
        shown = {name: getattr(markdown, name) for name in self.fields if name != "saved"}
        return shown | {"saved": Money(markdown.saved_minor, house().config.network.currency)}


class UnitPriceQuery(PageQuery):
    """Which articles and nodes are wanted."""

    sku = fields.String(load_default=None)
    node = fields.String(load_default=None)


ShadowPricePage = page_of(ShadowPriceSchema)
MarkdownPage = page_of(MarkdownSchema)


def name_of_price(row: Mapping[str, Any]) -> str:
    """Return how a row is named in answers."""
    return f"{row['sku']}/{row['node']}"


def name_of_markdown(row: Mapping[str, Any]) -> str:
    """Return how a row is named in answers."""
    return f"{row['sku'] or row['family']}/{row['node']}/{row['from_on']}"
