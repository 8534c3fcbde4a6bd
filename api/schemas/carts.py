"""Carts on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from marshmallow import fields, post_load

from api.schemas.base import MAX_INTEGER, MoneyField, Schema, at_most, code, instant, whole
from api.schemas.orders import CustomerSchema, OrderLineRowSchema, RequestedSchema, ShipToSchema
from kernel.money import Money
from oms.commands import Basket
from oms.models import Cart, CartLine


class CartShipToSchema(ShipToSchema):
    """Where a parcel would go; a country is enough to begin with, a postal code to hold units."""

    name = fields.String(load_default="", metadata={"example": "Ana García"})
    line1 = fields.String(load_default="", metadata={"example": "Calle Mayor 1"})
    city = fields.String(load_default="", metadata={"example": "Madrid"})
    postal_code = fields.String(load_default="", metadata={"example": "28013"})


class BasketSchema(Schema):
    """What is in a cart. Much may be missing until it is ordered; nothing may be wrong."""

    channel = fields.String(required=True, metadata={"example": "web"})
    currency = fields.String(required=True, metadata={"example": "EUR"})
    customer = fields.Nested(CustomerSchema, load_default=None, allow_none=True)
    method = fields.String(load_default="ship", metadata={"enum": ["ship", "collect", "carry_out"]})
    collect_node = fields.String(load_default=None, allow_none=True)
    service = fields.String(load_default="standard")
    requested = fields.Nested(RequestedSchema, load_default=None, allow_none=True)
    ship_to = fields.Nested(CartShipToSchema, load_default=None, allow_none=True)
    lines = fields.List(fields.Nested(OrderLineRowSchema), load_default=list)
    shipping_price = MoneyField(load_default=None, allow_none=True, example="3.95")

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> Basket:
        """Return what the order service takes."""
        requested = values.pop("requested") or {"start": None, "end": None}
        lines = tuple(values.pop("lines"))
        return Basket(**values, lines=lines, requested_from=requested["start"], requested_by=requested["end"])


class ContinueSchema(Schema):
    """Where somebody goes on with a cart."""

    channel = code(metadata={"example": "till"})


class CartHoldSchema(Schema):
    """For how long to hold; as the settings say where it is not said."""

    minutes = whole(1, MAX_INTEGER, required=False, load_default=None, allow_none=True)


class CartQuery(Schema):
    """The code of a cart, as people type or scan it."""

    code = fields.String(required=True, validate=at_most(40, at_least=1), metadata={"example": "K7M2QX4P"})


class CartLineSchema(Schema):
    """Units of an article in a cart, the channel that gave the price, and how many are held."""

    position = fields.Integer()
    sku = fields.String()
    quantity = fields.Integer()
    unit_price = MoneyField()
    discount = MoneyField(example="0.00")
    tax = MoneyField(example="3.45")
    method = fields.String(allow_none=True)
    collect_node = fields.String(allow_none=True)
    priced_in = fields.String(metadata={"description": "The channel that gave the price."})
    held = fields.Integer(metadata={"description": "Units that nobody else can buy now."})


class CartSchema(Schema):
    """A cart without the person."""

    id = fields.String()
    code = fields.String(metadata={"description": "What people type or scan to go on elsewhere."})
    status = fields.String(metadata={"enum": ["open", "ordered", "abandoned"]})
    channel = fields.String()
    started_in = fields.String(metadata={"description": "The channel it was begun in."})
    currency = fields.String()
    customer_id = fields.String(allow_none=True)
    method = fields.String()
    collect_node = fields.String(allow_none=True)
    service = fields.String()
    requested_from = instant(allow_none=True)
    requested_by = instant(allow_none=True)
    shipping_price = MoneyField(allow_none=True, example="3.95")
    total = MoneyField()
    lines = fields.List(fields.Nested(CartLineSchema))
    held_until = instant(allow_none=True)
    order_id = fields.String(allow_none=True)
    touched_at = instant()
    version = fields.Integer()


class WholeCartSchema(CartSchema):
    """A cart with the person and the address, as far as they were said."""

    customer = fields.Nested(CustomerSchema, allow_none=True)
    ship_to = fields.Nested(CartShipToSchema, allow_none=True)


class NotHeldSchema(Schema):
    """Units of a line that could not be held, and why."""

    position = fields.Integer()
    sku = fields.String()
    units = fields.Integer()
    reason = fields.String(metadata={"example": "no_stock"})


class HeldCartSchema(CartSchema):
    """A cart with what could not be held for it."""

    missing = fields.List(fields.Nested(NotHeldSchema))


class CartsSchema(Schema):
    """The open cart with a code, if there is one."""

    items = fields.List(fields.Nested(CartSchema))


def show_cart(cart: Cart, held: Sequence[int], until: datetime | None) -> dict[str, Any]:
    """Return a cart as it is sent, without its person."""
    names = (
        "id", "code", "status", "channel", "started_in", "currency", "customer_id", "method", "collect_node", "service",
        "requested_from", "requested_by", "order_id", "touched_at", "version",
    )  # fmt: skip
    shipping = cart.shipping_price_minor
    total = sum(line.unit_price_minor * line.units - line.discount_minor for line in cart.lines) + (shipping or 0)
    lines = [_line(line, units, cart.currency) for line, units in zip(cart.lines, held, strict=True)]
    return {name: getattr(cart, name) for name in names} | {
        "shipping_price": None if shipping is None else Money(shipping, cart.currency),
        "total": Money(total, cart.currency),
        "lines": lines,
        "held_until": until,
    }


def _line(line: CartLine, held: int, currency: str) -> dict[str, Any]:
    names = ("position", "sku", "method", "collect_node", "priced_in")
    money = {name: Money(getattr(line, f"{name}_minor"), currency) for name in ("unit_price", "discount", "tax")}
    return {name: getattr(line, name) for name in names} | money | {"quantity": line.units, "held": held}
