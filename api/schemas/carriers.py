"""Carriers, their tariffs, zones and surcharges, and boxes as others send and read them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, pre_dump

from api.schemas.base import MAX_INTEGER, MoneyField, Schema, between, code, text, whole
from api.schemas.catalog import network_currency
from fulfillment.network.models import CarrierService, CarrierSurcharge, NodeBox, Tariff
from kernel.money import Money

BAND = (
    "max_distance_km", "zone", "max_weight_g", "max_volume_cm3", "price", "further_kg", "transit_days",
)  # fmt: skip
SERVICE = (
    "id", "carrier", "carrier_name", "service", "delivers_on", "cut_off", "dimensional_divisor", "max_parcel_g",
    "max_length_mm", "max_girth_mm", "active",
)  # fmt: skip


def _limit(description: str) -> fields.Integer:
    metadata = {"description": description}
    return whole(1, MAX_INTEGER, required=False, load_default=None, allow_none=True, metadata=metadata)


def _amount(example: str) -> MoneyField:
    return MoneyField(load_default=None, allow_none=True, example=example)


def _weekdays(description: str) -> fields.String:
    return text(64, load_default="", metadata={"description": description, "example": "mo-sa"})


def _prefix(whose: str) -> fields.String:
    return text(64, load_default="", metadata={"description": f"Postal prefix of the {whose}; empty: all of it."})


class BandPlaceSchema(Schema):
    """Which band of a tariff: by distance or zone, weight and volume."""

    max_distance_km = whole(
        0, MAX_INTEGER, required=False, load_default=0, metadata={"description": "0 where the band is of a zone."}
    )
    zone = text(64, load_default="", metadata={"description": "Empty where the band is of a distance."})
    max_weight_g = whole(1, MAX_INTEGER)
    max_volume_cm3 = whole(0, MAX_INTEGER, required=False, load_default=0, metadata={"description": "0 is any volume."})


class BandSchema(BandPlaceSchema):
    """A band of a tariff: what a parcel up to a distance, or in a zone, and a weight costs, and the days it takes."""

    price = MoneyField(required=True, example="3.25")
    further_kg = MoneyField(
        load_default=None, allow_none=True, example="0.40",
        metadata={"description": "Each kilogram above the heaviest band; null: what is heavier is several parcels."},
    )  # fmt: skip
    transit_days = whole(0, 365)

    @pre_dump
    def price_it(self, band: Tariff, **_: Any) -> dict[str, Any]:
        """Give the amounts their currency."""
        shown = {name: getattr(band, name) for name in BAND if hasattr(band, name)}
        return shown | {"price": _money(band.price_minor), "further_kg": _money(band.further_kg_minor)}


class BandRowSchema(BandSchema):
    """A band of a tariff with the carrier service that it belongs to."""

    carrier = code(metadata={"example": "MESETA"})
    carrier_name = text(required=True)
    carrier_service = code(metadata={"example": "MESETA-24"})
    service = code(metadata={"description": "What shoppers choose.", "example": "standard"})


class TariffSchema(Schema):
    """The bands of one carrier service."""

    bands = fields.List(fields.Nested(BandSchema), required=True)


class CarrierRowSchema(Schema):
    """A carrier service as it should be: when it collects and delivers, and what it takes."""

    id = code(metadata={"example": "MESETA-24"})
    carrier = code(metadata={"example": "MESETA"})
    carrier_name = text(required=True)
    service = code(metadata={"description": "What shoppers choose.", "example": "standard"})
    delivers_on = _weekdays("Weekdays of delivery; empty is mo-fr. It rests on public holidays of the destination.")
    cut_off = fields.String(
        load_default=None, allow_none=True,
        metadata={"description": "HH:MM on the node's clock; the earlier of this and the node's binds."},
    )  # fmt: skip
    dimensional_divisor = _limit("Cubic centimetres billed as a kilogram; null: only weight is billed.")
    max_parcel_g = _limit("The heaviest parcel it takes.")
    max_length_mm = _limit("The longest side that it takes.")
    max_girth_mm = _limit("The longest side and the way around the other two, at most.")
    active = fields.Boolean(load_default=True)


class ZonePlaceSchema(Schema):
    """Which pair of places a zone is of."""

    destination_country = fields.String(required=True, metadata={"example": "ES"})
    destination_prefix = _prefix("destination")
    origin_country = text(2, load_default="", metadata={"description": "Empty: wherever it leaves from."})
    origin_prefix = _prefix("origin")


class ZoneRowSchema(ZonePlaceSchema):
    """The zone in which a carrier service sees a pair of places; the longest prefix wins, the destination's first."""

    carrier_service = code(metadata={"example": "MESETA-24"})
    zone = text(64, load_default="", metadata={"description": "A zone of the tariff; empty: by distance."})


class RemovalSchema(Schema):
    """Bands and zones of a carrier service that are wrong, each named by its place."""

    bands = fields.List(fields.Nested(BandPlaceSchema), load_default=list)
    zones = fields.List(fields.Nested(ZonePlaceSchema), load_default=list)


class LeftSchema(TariffSchema):
    """The bands and zones that a carrier service has left."""

    zones = fields.List(fields.Nested(ZoneRowSchema))


class SurchargeRowSchema(Schema):
    """What a carrier service asks beyond its prices where all conditions hold that are given."""

    carrier_service = code(metadata={"example": "MESETA-24"})
    code = code(metadata={"example": "fuel"})
    name = text(required=True)
    percent = fields.Float(
        load_default=0.0, validate=between(0, 1000),
        metadata={"description": "Of the price, to hundredths of a percent.", "example": 12.5},
    )  # fmt: skip
    per_package = _amount("0.90")
    per_kg = _amount("0.05")
    country = text(2, load_default="", metadata={"description": "Only to this country."})
    prefixes = text(2000, load_default="", metadata={"description": "Only there: postal prefixes, spaces between."})
    over_length_mm = whole(
        0, MAX_INTEGER, required=False, load_default=None, allow_none=True,
        metadata={"description": "Only for parcels whose longest side is longer."},
    )  # fmt: skip
    over_weight_g = whole(
        0, MAX_INTEGER, required=False, load_default=None, allow_none=True,
        metadata={"description": "Only for parcels that are heavier."},
    )  # fmt: skip
    delivered_on = _weekdays("Only for what arrives on these weekdays.")
    from_on = fields.Date(
        load_default=None, allow_none=True, metadata={"description": "Only for what leaves from then."}
    )
    until_on = fields.Date(load_default=None, allow_none=True, metadata={"description": "And until then, included."})
    active = fields.Boolean(load_default=True)

    @pre_dump
    def price_it(self, surcharge: CarrierSurcharge, **_: Any) -> dict[str, Any]:
        """Give the amounts their currency."""
        shown = {name: getattr(surcharge, name) for name in self.fields if hasattr(surcharge, name)}
        amounts = {"per_package": surcharge.package_minor, "per_kg": surcharge.kg_minor}
        return shown | {"percent": surcharge.percent_bp / 100} | {name: _money(of) for name, of in amounts.items()}


class BoxRowSchema(Schema):
    """A box that a node packs in, or, without a node, every node that has none of its own; sides are inside."""

    id = code(metadata={"example": "M"})
    name = text(required=True)
    node = fields.String(load_default=None, allow_none=True, metadata={"example": "MAD-1"})
    length_mm = whole(1, 100_000)
    width_mm = whole(1, 100_000)
    height_mm = whole(1, 100_000)
    tare_g = whole(0, MAX_INTEGER, required=False, load_default=0, metadata={"description": "What it weighs empty."})
    max_weight_g = whole(1, MAX_INTEGER, metadata={"description": "What the goods in it may weigh."})
    cost = _amount("0.35")
    active = fields.Boolean(load_default=True)

    @pre_dump
    def price_it(self, box: NodeBox, **_: Any) -> dict[str, Any]:
        """Give the cost its currency."""
        return {name: getattr(box, name, None) for name in self.fields} | {"cost": _money(box.cost_minor)}


class CarrierSchema(CarrierRowSchema):
    """A carrier service."""

    version = fields.Integer()


class CarriersSchema(Schema):
    """All services of all carriers."""

    items = fields.List(fields.Nested(CarrierSchema))

    @pre_dump
    def wrap(self, services: list[CarrierService], **_: Any) -> dict[str, Any]:
        """Name the list."""
        return {"items": services}


class CarrierDetailSchema(CarrierSchema):
    """A carrier service with its zones and surcharges."""

    zones = fields.List(fields.Nested(ZoneRowSchema))
    surcharges = fields.List(fields.Nested(SurchargeRowSchema))


class BoxesSchema(Schema):
    """All boxes."""

    items = fields.List(fields.Nested(BoxRowSchema))


def _money(minor: int | None) -> Money | None:
    return None if minor is None else Money(minor, network_currency())
