"""Availability on the wire."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load

from api.availability import Asked
from api.schemas.base import Schema, at_most, between, instant


class AvailabilityQuery(Schema):
    """Which articles, and perhaps where: a node, a channel, a postal code or coordinates."""

    sku = fields.List(
        fields.String(), required=True, validate=at_most(50, at_least=1), metadata={"description": "Repeatable."}
    )
    node = fields.String(load_default=None)
    channel = fields.String(load_default=None)
    country = fields.String(
        load_default=None, metadata={"description": "Of the postal code; the retailer's if absent."}
    )
    postal_code = fields.String(load_default=None)
    latitude = fields.Float(load_default=None, validate=between(-90, 90))
    longitude = fields.Float(load_default=None, validate=between(-180, 180))

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> Asked:
        """Return what is asked."""
        skus = tuple(dict.fromkeys(values.pop("sku")))
        return Asked(skus=skus, **values)


class AtNodeSchema(Schema):
    """Units that a node can promise."""

    node = fields.String(attribute="near.node")
    name = fields.String(attribute="near.name")
    kind = fields.String(attribute="near.kind")
    available = fields.Integer()
    in_transit = fields.Integer()
    ships = fields.Boolean(attribute="near.ships")
    collects = fields.Boolean(attribute="near.collects")
    distance_km = fields.Float(attribute="near.distance_km", allow_none=True)
    ready_at = instant(attribute="near.ready_at", allow_none=True, metadata={"description": "If ordered now."})


class AvailabilityRowSchema(Schema):
    """Units of an article that can be promised: on hand less reserved, safety stock and what others wait for."""

    sku = fields.String()
    network = fields.Integer()
    nodes = fields.List(fields.Nested(AtNodeSchema))


class AvailabilitySchema(Schema):
    """What can be promised of each article asked for."""

    items = fields.List(fields.Nested(AvailabilityRowSchema))
