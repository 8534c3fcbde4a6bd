"""Purchase orders and recipes as others send and read them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, pre_dump

from api.schemas.base import MAX_ROWS, PageQuery, Schema, at_most, code, instant, one_of, page_of, text, units, whole
from stock.purchasing import PurchaseOrderStatus
from stock.recipes import MAX_COMPONENTS, MAX_PER_UNIT, Component, Recipe, RecipeKind, RecipeRow

MOST_TOLERANCE = 100


class OrderedLineSchema(Schema):
    """Units ordered of an article."""

    sku = code(metadata={"example": "SHI01-WHT-M"})
    units = units()


class PurchaseOrderRowSchema(Schema):
    """A purchase order as it should be."""

    number = fields.String(
        load_default=None, allow_none=True, validate=at_most(64, at_least=1),
        metadata={"example": "4500012345", "description": "Yours; without one it gets one of ours."},
    )  # fmt: skip
    supplier = code(metadata={"example": "ACME", "description": "Your code for the supplier; may be a node's id."})
    node = code(metadata={"example": "MAD-W", "description": "Where it is delivered."})
    expected_at = instant(load_default=None, allow_none=True)
    tolerance_percent = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=whole(0, MOST_TOLERANCE).validate,
        metadata={"description": "Units beyond those ordered that are taken in; the configured share when absent."},
    )  # fmt: skip
    lines = fields.List(fields.Nested(OrderedLineSchema), required=True, validate=at_most(MAX_ROWS, at_least=1))


class PurchaseOrderLineSchema(Schema):
    """Units of an article: ordered, received (some of them set aside), given up, and still expected."""

    sku = fields.String()
    ordered = fields.Integer()
    received = fields.Integer(metadata={"description": "What physically came, beyond the order too."})
    set_aside = fields.Integer(metadata={"description": "Of the received: damaged, or in quarantine."})
    cancelled = fields.Integer(metadata={"description": "Not expected any more."})
    outstanding = fields.Integer()
    difference = fields.Integer(metadata={"description": "Received beyond what was ordered and not given up."})


class PurchaseOrderSchema(Schema):
    """A purchase order."""

    id = fields.String()
    number = fields.String()
    supplier = fields.String()
    node = fields.String()
    status = fields.String(metadata={"enum": list(PurchaseOrderStatus)})
    expected_at = instant(allow_none=True)
    tolerance_percent = fields.Integer()
    version = fields.Integer()
    lines = fields.List(fields.Nested(PurchaseOrderLineSchema))


class PurchaseOrderQuery(PageQuery):
    """Which purchase orders are wanted."""

    node = fields.String(load_default=None)
    supplier = fields.String(load_default=None)
    status = fields.String(load_default=None, validate=one_of(*PurchaseOrderStatus))


PurchaseOrderPage = page_of(PurchaseOrderSchema)


class DeliveredLineSchema(Schema):
    """Units that came, in one state."""

    sku = code()
    units = units()
    reason = text(64, load_default="good", metadata={"description": "A reason for receipts: in what state they are."})


class DeliverySchema(Schema):
    """What came of a purchase order."""

    lines = fields.List(fields.Nested(DeliveredLineSchema), required=True, validate=at_most(MAX_ROWS))
    beyond = fields.String(
        load_default=None, allow_none=True, validate=at_most(64),
        metadata={
            "description": "The reason under which units beyond the order are taken in; refused without one.",
            "example": "over_delivery",
        },
    )  # fmt: skip
    complete = fields.Boolean(load_default=False, metadata={"description": "Nothing more is expected."})


class ComponentSchema(Schema):
    """Units of an article in one unit of another."""

    sku = code()
    units = whole(1, MAX_PER_UNIT, required=False, load_default=1)


class RecipeRowSchema(Schema):
    """What an article is made of: a `kit` is assembled and has stock, a `bundle` is sold as its components."""

    sku = code(metadata={"example": "SET01"})
    kind = fields.String(required=True, metadata={"enum": list(RecipeKind)})
    components = fields.List(
        fields.Nested(ComponentSchema), required=True, validate=at_most(MAX_COMPONENTS, at_least=1)
    )

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> RecipeRow:
        """Return what the stock room takes."""
        parts = tuple(Component(**part) for part in values["components"])
        return RecipeRow(sku=values["sku"], kind=values["kind"], components=parts)


class RecipeSchema(Schema):
    """What an article is made of."""

    sku = fields.String()
    kind = fields.String(metadata={"enum": list(RecipeKind)})
    version = fields.Integer()
    components = fields.List(fields.Nested(ComponentSchema))

    @pre_dump
    def list_components(self, recipe: Recipe, **_: Any) -> dict[str, Any]:
        """Name the components as they are given."""
        parts = [{"sku": line.component, "units": line.units} for line in recipe.lines]
        return {"sku": recipe.sku, "kind": recipe.kind, "version": recipe.version, "components": parts}


RecipePage = page_of(RecipeSchema)
