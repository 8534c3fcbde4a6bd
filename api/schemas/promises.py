"""Promises on the wire: what is asked, the ways that are quoted, and one that is held."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import fields, post_load, validate

from api.schemas.base import MAX_INTEGER, MoneyField, Schema, at_most, between, code, instant, whole
from api.schemas.orders import RequestedSchema
from fulfillment.network.nearby import Store
from fulfillment.sourcing.promises import Alternative, Way
from fulfillment.sourcing.proposal import Package
from kernel.money import Money
from oms.checks import MOST_LINES, MOST_UNITS
from oms.commands import AskPromises, Place
from oms.errors import OutOfStock
from oms.promises import Answer, HeldPromise, Offer
from oms.quotes import Quoted

MOST_WAYS = 20
METHODS = ("ship", "collect")
LABELS = ("earliest", "cheapest", "fewest_packages", "nearest")


class PlaceSchema(Schema):
    """Where it would go, or near which place it would be collected: coordinates, or a postal code and its country."""

    country = fields.String(
        load_default=None, allow_none=True,
        metadata={"example": "ES", "description": "ISO 3166-1; the retailer's if absent."},
    )  # fmt: skip
    postal_code = fields.String(load_default=None, allow_none=True, metadata={"example": "28013"})
    latitude = fields.Float(load_default=None, allow_none=True, validate=between(-90, 90))
    longitude = fields.Float(load_default=None, allow_none=True, validate=between(-180, 180))

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> Place:
        """Return what the order service takes."""
        return Place(**values)


class WantedUnitsSchema(Schema):
    """Units of an article or a bundle."""

    sku = code(metadata={"example": "SHI01-WHT-M"})
    quantity = whole(1, MOST_UNITS, metadata={"example": 1})


class AskPromisesSchema(Schema):
    """In which ways could this basket, or cart, be served? A cart brings its channel, its lines and its address."""

    channel = fields.String(load_default="", metadata={"example": "web", "description": "Needed without a cart."})
    cart = fields.String(load_default=None, allow_none=True)
    lines = fields.List(fields.Nested(WantedUnitsSchema), load_default=list, validate=at_most(MOST_LINES))
    place = fields.Nested(PlaceSchema, load_default=None, allow_none=True)
    methods = fields.List(
        fields.String(validate=validate.OneOf(METHODS)), load_default=lambda: list(METHODS),
        validate=at_most(2, at_least=1), metadata={"description": "Which kinds of ways to look at."},
    )  # fmt: skip
    services = fields.List(
        fields.String(), load_default=list, validate=at_most(MOST_WAYS),
        metadata={"description": "Services to ship by; all where none is named.", "example": ["standard"]},
    )  # fmt: skip
    stores = whole(
        0, MOST_WAYS, required=False, load_default=5,
        metadata={"description": "How many stores near the place to look at."},
    )  # fmt: skip
    limit = whole(
        1, MOST_WAYS, required=False, load_default=10, metadata={"description": "How many ways to answer at most."}
    )
    requested = fields.Nested(RequestedSchema, load_default=None, allow_none=True)

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> AskPromises:
        """Return what the order service takes."""
        requested = values.pop("requested") or {"start": None, "end": None}
        lines = tuple((line["sku"], line["quantity"]) for line in values.pop("lines"))
        methods, services = tuple(values.pop("methods")), tuple(dict.fromkeys(values.pop("services")))
        return AskPromises(
            lines=lines, methods=methods, services=services, most=values.pop("limit"),
            requested_from=requested["start"], requested_by=requested["end"], **values,
        )  # fmt: skip


class PromisedLineSchema(Schema):
    """Units of a line in a package; a bundle's line comes as its components."""

    line = fields.Integer(allow_none=True, metadata={"description": "Its place in the basket, from 1."})
    sku = fields.String()
    units = fields.Integer()


class PromisedPackageSchema(Schema):
    """Lines that would leave a node together."""

    node = fields.String()
    carrier_service = fields.String(allow_none=True, metadata={"description": "Null from a store's own shelves."})
    transfer = fields.Boolean(metadata={"description": "Whether it goes to the store of the collection first."})
    leaves_at = instant(metadata={"description": "The cut-off it leaves at, or when a store has it ready."})
    arrives_at = instant()
    arrives_on = fields.Date(metadata={"description": "By the calendar of the destination."})
    lines = fields.List(fields.Nested(PromisedLineSchema))


class StoreSchema(Schema):
    """The store of a collection."""

    node = fields.String()
    name = fields.String()
    distance_km = fields.Float(allow_none=True)


class WaySchema(Schema):
    """A way to serve a basket."""

    method = fields.String(metadata={"enum": list(METHODS)})
    service = fields.String(allow_none=True, metadata={"description": "Null for a collection."})
    store = fields.Nested(StoreSchema, allow_none=True)
    arrives_at = instant(metadata={"description": "When the last package is there, or all of it ready."})
    arrives_on = fields.Date(metadata={"description": "The same by the calendar of the destination."})
    arrives_local = fields.String(metadata={"example": "2026-11-18T20:00:00+01:00"})
    time_zone = fields.String(metadata={"description": "Of the destination.", "example": "Europe/Madrid"})
    packages = fields.List(fields.Nested(PromisedPackageSchema))


class LackingSchema(PromisedLineSchema):
    """Units that no way serves, why, and from when on they can be had, as far as is known."""

    reason = fields.String(metadata={"example": "no_stock"})
    expected_at = instant(allow_none=True)


class OfferSchema(WaySchema):
    """A way that is quoted; `id` holds it."""

    id = fields.String()
    labels = fields.List(
        fields.String(metadata={"enum": list(LABELS)}),
        metadata={"description": "What it is the best in among the ways of its service, or among collections."},
    )
    complete = fields.Boolean(metadata={"description": "Whether it leaves nothing."})
    valid_until = instant(metadata={"description": "Until when it can be held."})
    order_by = instant(metadata={"description": "Until when an order can still have it, once it is held."})
    cost = MoneyField(
        allow_none=True, metadata={"description": "The retailer's; null for who may not see figures."}
    )  # fmt: skip
    by_term = fields.Dict(keys=fields.String(), values=MoneyField(), allow_none=True)


class AnswerSchema(Schema):
    """The ways to serve a basket, the earliest first, and what none of them serves."""

    quoted_at = instant()
    geocode = fields.String(
        metadata={"description": "How the place was found: order, postal_code, prefix or none.", "example": "order"}
    )
    ways = fields.List(fields.Nested(OfferSchema))
    missing = fields.List(fields.Nested(LackingSchema))


class PromiseHoldSchema(Schema):
    """For how long to hold; as the settings say where it is not said."""

    minutes = whole(1, MAX_INTEGER, required=False, load_default=None, allow_none=True)


class HeldPromiseSchema(Schema):
    """A way that is held: an order that names it as its `promise` until `held_until` arrives by `promised_by`."""

    id = fields.String()
    held_until = instant(allow_none=True)
    promised_by = instant()
    method = fields.String()
    service = fields.String(allow_none=True)
    collect_node = fields.String(allow_none=True)


class AlternativeSchema(WaySchema):
    """Another way to have all that a store cannot hand over."""

    instead_of = fields.String(metadata={"description": "The store that was chosen."})


def show_answer(answer: Answer, *, currency: str, exact: bool) -> dict[str, Any]:
    """Return ways as they are sent; without `exact` what they cost the retailer is left out."""
    return {
        "quoted_at": answer.quoted_at,
        "geocode": answer.location.geocode,
        "ways": [_offer(offer, currency, exact=exact) for offer in answer.offers],
        "missing": answer.missing,
    }


def show_held(held: HeldPromise) -> dict[str, Any]:
    """Return a promise that is held as it is sent."""
    return show_promise(held.quoted) | {"held_until": held.held_until}


def show_promise(quoted: Quoted) -> dict[str, Any]:
    """Return a promise as it is sent when nothing is held for it."""
    names = ("id", "promised_by", "method", "collect_node")
    service = quoted.service if quoted.method == "ship" else None
    return {name: getattr(quoted, name) for name in names} | {"service": service, "held_until": None}


def show_alternative(alternative: Alternative) -> dict[str, Any]:
    """Return what else there is in place of a collection, as it is sent."""
    return _way(alternative.way, alternative.store) | {"instead_of": alternative.instead_of}


def show_refused(error: OutOfStock) -> dict[str, Any]:
    """Return what a refusal for want of stock tells beside its faults."""
    dumped = AlternativeSchema(many=True).dump([show_alternative(each) for each in error.alternatives])
    return {"alternatives": dumped} if dumped else {}


def _offer(offer: Offer, currency: str, *, exact: bool) -> dict[str, Any]:
    way, quoted = offer.way, offer.quoted
    return _way(way, offer.store) | {
        "id": quoted.id,
        "labels": way.labels,
        "complete": not way.missing,
        "valid_until": quoted.valid_until,
        "order_by": quoted.order_by,
        "cost": Money(way.cost_minor, currency) if exact else None,
        "by_term": _money(way.by_term, currency) if exact else None,
    }


def _way(way: Way, store: Store | None) -> dict[str, Any]:
    ships = way.wanted.method == "ship"
    return {
        "method": way.wanted.method,
        "service": way.wanted.service if ships else None,
        "store": None if ships else store,
        "arrives_at": way.arrives_at,
        "arrives_on": way.arrives_on,
        "arrives_local": _local(way.arrives_at, way.time_zone),
        "time_zone": way.time_zone,
        "packages": [_package(package) for package in way.packages],
    }


def _package(package: Package) -> dict[str, Any]:
    names = ("node", "carrier_service", "transfer", "leaves_at", "arrives_at", "arrives_on")
    lines = [{"line": _place(line.line_id), "sku": line.sku, "units": line.units} for line in package.lines]
    return {name: getattr(package, name) for name in names} | {"lines": lines}


def _place(line_id: str) -> int | None:
    """Return the place of a line in the basket that was asked about; None for a line of an order."""
    place, slash, _ = line_id.partition("/")
    return int(place) if slash else None


def _local(at: datetime, zone: str) -> str:
    return at.astimezone(UTC).astimezone(ZoneInfo(zone)).isoformat()


def _money(by_term: Mapping[str, int], currency: str) -> dict[str, Money]:
    return {term: Money(minor, currency) for term, minor in by_term.items()}
