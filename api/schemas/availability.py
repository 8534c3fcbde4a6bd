"""Availability on the wire."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load

from api.availability import Asked
from api.schemas.base import Schema, at_most, between, instant
from stock.outlook import Status


class AvailabilityQuery(Schema):
    """Which articles, and perhaps where: a node, a channel, a postal code or coordinates."""

    sku = fields.List(
        fields.String(),
        required=True,
        validate=at_most(200, at_least=1),
        metadata={"description": "Repeatable, up to 200."},
    )
    node = fields.String(load_default=None)
    channel = fields.String(load_default=None)
    country = fields.String(
        load_default=None, metadata={"description": "Of the postal code; the retailer's if absent."}
    )
    postal_code = fields.String(load_default=None)
    latitude = fields.Float(load_default=None, validate=between(-90, 90))
    longitude = fields.Float(load_default=None, validate=between(-180, 180))
    supply = fields.Boolean(load_default=False, metadata={"description": "Whether to tell what is to come, and when."})

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> Asked:
        """Return what is asked."""
        skus = tuple(dict.fromkeys(values.pop("sku")))
        return Asked(skus=skus, **values)


class AtNodeSchema(Schema):
    """Units that a node can promise; figures are null for who may not see them."""

    node = fields.String(attribute="near.node")
    name = fields.String(attribute="near.name")
    kind = fields.String(attribute="near.kind")
    status = fields.String(metadata={"enum": list(Status)})
    available = fields.Integer(allow_none=True)
    in_transit = fields.Integer(allow_none=True)
    version = fields.Integer(allow_none=True, metadata={"description": "Of the balance that was read."})
    ships = fields.Boolean(attribute="near.ships")
    collects = fields.Boolean(attribute="near.collects")
    distance_km = fields.Float(attribute="near.distance_km", allow_none=True)
    ready_at = instant(attribute="near.ready_at", allow_none=True, metadata={"description": "If ordered now."})


class SupplySchema(Schema):
    """Units that are to come to a node, or to one that is not known yet."""

    node = fields.String(allow_none=True)
    units = fields.Integer()
    expected_at = instant(allow_none=True)
    kind = fields.String(metadata={"example": "purchase_order"})
    reference = fields.String()
    adds = fields.Boolean(
        metadata={"description": "Whether they are more for the network; not while a transfer has not left."}
    )


class OnDateSchema(Schema):
    """Units that can be promised from a date on, once those who wait have theirs."""

    expected_at = instant()
    units = fields.Integer()


class AvailabilityRowSchema(Schema):
    """Units of an article that can be promised: on hand less reserved, safety stock and what others wait for."""

    sku = fields.String()
    network = fields.Integer(allow_none=True, metadata={"description": "Null for who may not see figures."})
    status = fields.String(attribute="outlook.status", metadata={"enum": list(Status)})
    expected_at = instant(
        attribute="outlook.expected_at", allow_none=True,
        metadata={"description": "From when on a back-order or pre-order can be had, as far as is known."},
    )  # fmt: skip
    nodes = fields.List(fields.Nested(AtNodeSchema))
    dates = fields.List(fields.Nested(OnDateSchema), attribute="outlook.dates")
    supply = fields.List(fields.Nested(SupplySchema), allow_none=True)


class AvailabilitySchema(Schema):
    """What can be promised of each article asked for."""

    items = fields.List(fields.Nested(AvailabilityRowSchema))
