"""Orders as channels send them and as everybody reads them.

Ranges and codes of an order are checked by the order service, which finds every fault; here only shapes are.
"""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, pre_dump

from api.schemas.base import MoneyField, PageQuery, Schema, at_most, code, instant, page_of, whole
from api.schemas.decisions import DecisionSummarySchema
from api.schemas.mending import STAND_IN
from fulfillment.work.models import FulfillmentOrder, Shipment
from kernel.money import Money
from oms.checks import MOST_UNITS
from oms.commands import CustomerDetails, Line, PlaceOrder, ShipTo
from oms.models import Order
from oms.view import LineView, PartView


def _money(*, required: bool = False, example: str = "19.90") -> MoneyField:
    stand_in = {STAND_IN: {"amount": "0", "currency": "EUR"}}
    options: dict[str, Any] = {"required": True} if required else {"load_default": None}
    return MoneyField(example=example, metadata=stand_in, allow_none=not required, **options)


def _needed(kind: type[fields.Field[Any]], stand_in: Any, example: Any, **options: Any) -> Any:
    return kind(required=True, metadata={STAND_IN: stand_in, "example": example}, **options)


def _absent(kind: type[fields.Field[Any]], example: Any = None, **options: Any) -> Any:
    metadata = {} if example is None else {"example": example}
    return kind(load_default=None, allow_none=True, metadata=metadata, **options)


class CustomerSchema(Schema):
    """Who buys: found again by our id, the channel's own, or the mail address."""

    id = _absent(fields.String)
    external_id = _absent(fields.String)
    name = _absent(fields.String, "Ana García")
    email = _absent(fields.String, "ana@example.com")
    phone = _absent(fields.String, "+34 600 000 000")
    language = fields.String(load_default="en", metadata={"example": "es"})

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> CustomerDetails:
        """Return what the order service takes."""
        return CustomerDetails(**values)


class ShipToSchema(Schema):
    """Where a parcel goes; coordinates spare a look-up by postal code."""

    name = _needed(fields.String, "-", "Ana García")
    line1 = _needed(fields.String, "-", "Calle Mayor 1")
    line2 = fields.String(load_default="")
    city = _needed(fields.String, "-", "Madrid")
    region = fields.String(load_default="")
    postal_code = _needed(fields.String, "-", "28013")
    country = _needed(fields.String, "ES", "ES")
    latitude = _absent(fields.Float, 40.42)
    longitude = _absent(fields.Float, -3.7)

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> ShipTo:
        """Return what the order service takes."""
        return ShipTo(**values)


class RequestedSchema(Schema):
    """When the shopper wants it."""

    start = instant(data_key="from", load_default=None, allow_none=True)
    end = instant(data_key="to", load_default=None, allow_none=True)


class OrderLineRowSchema(Schema):
    """Units of an article at a price that includes tax; `discount` is taken off the whole line."""

    sku = _needed(fields.String, "-", "SHI01-WHT-M")
    quantity = _needed(fields.Integer, 1, 1, strict=True)
    unit_price = _money(required=True)
    discount = _money(example="2.00")
    tax = _money(example="3.45")
    method = _absent(fields.String)
    collect_node = _absent(fields.String)

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> Line:
        """Return what the order service takes."""
        return Line(**values)


class PlaceOrderSchema(Schema):
    """A sale in a channel. A line may be shipped, collected or carried out otherwise than the order.

    An order without `cart` needs `currency` and `lines`; one that finishes a cart takes from it what it does not say.
    `promise` is the id of a way from POST /promises, whose units are the order's and whose date it keeps.
    """

    channel = _needed(fields.String, "-", "web")
    external_id = _needed(fields.String, "-", "W-10001")
    cart = _absent(fields.String)
    promise = _absent(fields.String)
    currency = fields.String(load_default="", metadata={"example": "EUR"})
    placed_at = instant(load_default=None, allow_none=True)
    customer = fields.Nested(CustomerSchema, load_default=None, allow_none=True)
    method = fields.String(load_default="", metadata={"enum": ["ship", "collect", "carry_out"], "default": "ship"})
    collect_node = _absent(fields.String)
    service = fields.String(load_default="", metadata={"example": "standard", "default": "standard"})
    requested = fields.Nested(RequestedSchema, load_default=None, allow_none=True)
    ship_to = fields.Nested(ShipToSchema, load_default=None, allow_none=True)
    lines = fields.List(fields.Nested(OrderLineRowSchema), load_default=list)
    shipping_price = _money(example="3.95")
    paid = fields.Boolean(load_default=False)

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> PlaceOrder:
        """Return what the order service takes."""
        requested = values.pop("requested") or {"start": None, "end": None}
        lines = tuple(values.pop("lines"))
        if values["cart"] is None:
            values["method"], values["service"] = values["method"] or "ship", values["service"] or "standard"
        return PlaceOrder(**values, lines=lines, requested_from=requested["start"], requested_by=requested["end"])


class LineUnitsSchema(Schema):
    """Units of an order line."""

    line_id = code()
    units = whole(1, MOST_UNITS)


class CancelSchema(Schema):
    """What to cancel: some units of some lines, or, without `lines`, everything that has not left."""

    reason = code(metadata={"example": "customer"})
    lines = fields.List(fields.Nested(LineUnitsSchema), load_default=None, allow_none=True, validate=at_most(200))


class CancelledUnitsSchema(Schema):
    """Units that were given up, and where they stood."""

    line_id = fields.String(attribute="demand_line_id")
    units = fields.Integer()
    taken_from = fields.String(metadata={"description": "`waiting`, or the number of a fulfillment order."})


class CancelledSchema(Schema):
    """What a cancel gave up."""

    units = fields.List(fields.Nested(CancelledUnitsSchema))


class HoldSchema(Schema):
    """Why an order should wait for a person."""

    reason = code(metadata={"example": "fraud"})


class EditSchema(Schema):
    """What changes about an order before its first parcel leaves: where it goes."""

    ship_to = fields.Nested(ShipToSchema, required=True)


class PaymentSchema(Schema):
    """Money received for an order."""

    kind = code(metadata={"example": "card"})
    amount = MoneyField(required=True)


class PaidSchema(Schema):
    """What was paid, and what is still due."""

    paid = MoneyField()
    due = MoneyField()


class BundleSchema(Schema):
    """A bundle as it was ordered: its line in the order as sent (from 1), and how many."""

    sku = fields.String()
    line = fields.Integer()
    quantity = fields.Integer()


class OrderLineSchema(Schema):
    """A line and where its units stand: ordered = cancelled + waiting + allocated + fulfilled."""

    id = fields.String()
    position = fields.Integer()
    sku = fields.String()
    ordered = fields.Integer()
    cancelled = fields.Integer()
    waiting = fields.Integer()
    allocated = fields.Integer()
    fulfilled = fields.Integer()
    returned = fields.Integer()
    waiting_reason = fields.String(allow_none=True, metadata={"example": "no_stock"})
    expected_at = instant(
        allow_none=True, metadata={"description": "When what is to come reaches those that wait, as far as is known."}
    )
    unit_price = MoneyField()
    discount = MoneyField(example="0.00")
    tax = MoneyField(example="3.45")
    method = fields.String()
    collect_node = fields.String(allow_none=True)
    bundle = fields.Nested(
        BundleSchema, allow_none=True, metadata={"description": "The bundle that the line is a component of."}
    )


class PartLineSchema(Schema):
    """Units of an order line in a fulfillment order."""

    line_id = fields.String(attribute="demand_line_id")
    sku = fields.String()
    units = fields.Integer()
    picked = fields.Integer()


class PartSchema(Schema):
    """These lines, this node, this method."""

    id = fields.String()
    number = fields.String()
    node = fields.String()
    method = fields.String()
    status = fields.String(metadata={"example": "allocated"})
    carrier_service = fields.String(allow_none=True)
    destination_node = fields.String(allow_none=True)
    ship_by = instant()
    promised_by = instant()
    expires_at = instant(allow_none=True)
    pickup_code = fields.String(allow_none=True, metadata={"description": "What the shopper shows at the counter."})
    tracking_number = fields.String(allow_none=True)
    lines = fields.List(fields.Nested(PartLineSchema))


class OrderSchema(Schema):
    """An order with its lines, the fulfillment orders that serve it, and its last decisions."""

    id = fields.String()
    number = fields.String(metadata={"description": "What people say on the phone."})
    channel = fields.String()
    external_id = fields.String()
    status = fields.String(metadata={"example": "approved"})
    public_status = fields.String(metadata={"description": "As schema.org names it.", "example": "OrderProcessing"})
    currency = fields.String()
    method = fields.String()
    service = fields.String()
    customer_id = fields.String(allow_none=True)
    placed_at = instant()
    updated_at = instant()
    version = fields.Integer()
    total = MoneyField()
    shipping_price = MoneyField(example="3.95")
    lines = fields.List(fields.Nested(OrderLineSchema))
    fulfillment_orders = fields.List(fields.Nested(PartSchema))
    decisions = fields.List(fields.Nested(DecisionSummarySchema))
    alternatives = fields.List(
        fields.Nested("AlternativeSchema"),
        metadata={"description": "Once, when placed: how else a collection could be had that its store cannot serve."},
    )


class HoldShownSchema(Schema):
    """A hold, by whom it was placed and lifted."""

    reason = fields.String()
    placed_by = fields.String()
    placed_at = instant()
    lifted_by = fields.String(allow_none=True)
    lifted_at = instant(allow_none=True)


class ContactSchema(Schema):
    """How to reach a person."""

    name = fields.String()
    email = fields.String()
    phone = fields.String()


class WholeOrderSchema(OrderSchema):
    """An order with the person, the address and what was paid."""

    contact = fields.Nested(ContactSchema, allow_none=True, metadata={"description": "Null once erased."})
    ship_to = fields.Nested(ShipToSchema, allow_none=True)
    holds = fields.List(fields.Nested(HoldShownSchema))
    paid = MoneyField()
    due = MoneyField(example="0.00")


class OrderQuery(PageQuery):
    """Which orders are wanted: all conditions hold. `q` is a number, an id, a mail address, a phone or a name."""

    q = fields.String(load_default=None, validate=at_most(200))
    number = fields.String(load_default=None)
    channel = fields.String(load_default=None)
    external_id = fields.String(load_default=None)
    status = fields.String(load_default=None)
    customer_id = fields.String(load_default=None)
    email = fields.String(load_default=None)
    phone = fields.String(load_default=None)
    name = fields.String(load_default=None)
    updated_since = instant(load_default=None)
    needs_person = fields.Boolean(load_default=False, metadata={"description": "Only what a person has to bring on."})


class OrderRowSchema(Schema):
    """An order in a list."""

    id = fields.String()
    number = fields.String()
    channel = fields.String()
    external_id = fields.String()
    status = fields.String()
    public_status = fields.String()
    method = fields.String()
    total = MoneyField()
    placed_at = instant()
    updated_at = instant()

    @pre_dump
    def price_it(self, pair: tuple[Order, str], **_: Any) -> dict[str, Any]:
        """Put the order beside what its shopper is told."""
        order, public_status = pair
        names = ("id", "number", "channel", "external_id", "status", "method", "placed_at", "updated_at")
        shown = {name: getattr(order, name) for name in names}
        return shown | {"public_status": public_status, "total": Money(order.total_minor, order.currency)}


OrderPage = page_of(OrderRowSchema)


class MomentSchema(Schema):
    """One thing that happened to an order or to one of its fulfillment orders."""

    occurred_at = instant()
    what = fields.String()
    actor = fields.String()
    reason = fields.String()
    from_status = fields.String(allow_none=True)
    to_status = fields.String(allow_none=True)
    fulfillment_order = fields.String(allow_none=True)
    node = fields.String(allow_none=True)
    details = fields.Dict()


class HistorySchema(Schema):
    """All that happened, in the order in which it was recorded."""

    history = fields.List(fields.Nested(MomentSchema))


class OrderResultSchema(Schema):
    """What became of one order of a bulk request."""

    row = fields.Integer()
    result = fields.String(metadata={"description": "created, existing or failed."})
    order = fields.Nested(OrderSchema, allow_none=True)
    problem = fields.Dict(allow_none=True, metadata={"description": "As a refusal of the single order would say."})


class OrderResultsSchema(Schema):
    """What became of each order of a bulk request."""

    results = fields.List(fields.Nested(OrderResultSchema))


def show_order(order: Order, public_status: str) -> dict[str, Any]:
    """Return the head of an order as it is sent."""
    names = (
        "id", "number", "channel", "external_id", "status", "currency", "method", "service", "customer_id", "placed_at",
        "updated_at", "version",
    )  # fmt: skip
    shown = {name: getattr(order, name) for name in names}
    return shown | {
        "public_status": public_status,
        "total": Money(order.total_minor, order.currency),
        "shipping_price": Money(order.shipping_price_minor, order.currency),
    }


def show_line(shown: LineView, currency: str) -> dict[str, Any]:
    """Return a line and its counters as they are sent."""
    line, counters = shown.line, shown.counters
    values = {name: getattr(line, name) for name in ("id", "position", "sku", "method", "collect_node")}
    values |= vars(counters)
    for name in ("unit_price", "discount", "tax"):
        values[name] = Money(getattr(line, f"{name}_minor"), currency)
    bundle = None
    if line.bundle_sku is not None:
        bundle = {"sku": line.bundle_sku, "line": line.bundle_line, "quantity": line.bundle_quantity}
    return values | {"waiting_reason": shown.waiting_reason, "bundle": bundle}


def show_part(part: PartView) -> dict[str, Any]:
    """Return a fulfillment order as the channel sees it."""
    return _part(part.fulfillment_order, part.shipment)


def _part(fo: FulfillmentOrder, shipment: Shipment | None) -> dict[str, Any]:
    names = (
        "id", "number", "node", "method", "status", "carrier_service", "destination_node", "ship_by", "promised_by",
        "expires_at", "pickup_code",
    )  # fmt: skip
    shown = {name: getattr(fo, name) for name in names}
    return shown | {
        "tracking_number": shipment.tracking_number if shipment else None,
        "lines": [line for line in fo.lines if line.units],
    }
