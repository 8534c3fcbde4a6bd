"""Nodes, articles, channels, carriers and postal codes as others send and read them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, pre_dump

from api.house import house
from api.schemas.base import (
    MAX_INTEGER,
    MoneyField,
    PageQuery,
    Schema,
    between,
    code,
    instant,
    one_of,
    page_of,
    text,
    whole,
)
from fulfillment.network.models import NodeProfile
from fulfillment.network.report import WorkDay
from kernel.money import Money
from oms.channels import KINDS, SHORTAGES
from oms.commands import ChannelRow
from stock.models import Article, Node, NodeKind, NodeStatus
from stock.substitutes import SubstituteRow

COSTS = ("package_cost", "line_cost", "unit_cost")
HOURS = {"0": [["10:00", "21:00"]], "5": [["10:00", "14:00"], ["17:00", "22:00"]]}
CLOCK = "HH:MM on the node's clock."


class ProfileFields(Schema):
    """What a node does for orders."""

    line1 = text(required=True)
    city = text(required=True)
    region = fields.String(
        load_default="", metadata={"description": "Second half of ISO 3166-2; chooses the holidays."}
    )
    postal_code = code()
    country = fields.String(required=True, metadata={"example": "ES"})
    latitude = fields.Float(required=True)
    longitude = fields.Float(required=True)
    ships = fields.Boolean(required=True)
    collects = fields.Boolean(required=True)
    takes_returns = fields.Boolean(required=True)
    capacity_minutes = whole(0, MAX_INTEGER, metadata={"description": "Minutes of labour on a working day."})
    package_cost = MoneyField(required=True, example="1.20")
    line_cost = MoneyField(required=True, example="0.30")
    unit_cost = MoneyField(required=True, example="0.08")
    package_minutes = whole(0, MAX_INTEGER)
    line_minutes = whole(0, MAX_INTEGER)
    pick_success = fields.Float(required=True, metadata={"description": "Share of lines found, above 0 and up to 1."})
    opening_hours = fields.Dict(
        keys=fields.String(), required=True,
        metadata={"description": "By weekday, 0 is Monday; absent is closed.", "example": HOURS},
    )  # fmt: skip
    cut_off = fields.String(required=True, metadata={"description": CLOCK, "example": "18:00"})


class NodeRowSchema(ProfileFields):
    """A node with its profile, as it should be."""

    id = code(metadata={"example": "MAD-1"})
    name = text(required=True)
    kind = fields.String(required=True, metadata={"enum": list(NodeKind)})
    status = fields.String(load_default=NodeStatus.OPEN.value, metadata={"enum": list(NodeStatus)})
    group = text(64, load_default="", metadata={"description": "Nodes of one group can share rules."})
    time_zone = fields.String(required=True, metadata={"example": "Europe/Madrid"})


class NodeEditSchema(NodeRowSchema):
    """Fields of a node that should change; what is left out stays."""

    class Meta:
        exclude = ("id", "kind", "time_zone")

    def __init__(self, **options: Any) -> None:
        super().__init__(**(options | {"partial": True}))


class NodeSchema(NodeRowSchema):
    """A node with its profile; a node that serves no orders has none."""

    version = fields.Integer()

    @pre_dump
    def join(self, pair: tuple[Node, NodeProfile | None] | dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put the node and its profile side by side."""
        if isinstance(pair, dict):
            return pair
        return _node(*pair)


def _node(node: Node, profile: NodeProfile | None) -> dict[str, Any]:
    shown = {name: getattr(node, name) for name in ("id", "name", "kind", "status", "group", "time_zone", "version")}
    if profile is not None:
        shown |= {name: getattr(profile, name) for name in ProfileFields().fields if hasattr(profile, name)}
        shown |= {cost: Money(getattr(profile, f"{cost}_minor"), network_currency()) for cost in COSTS}
        shown["version"] = profile.version
    return shown


def network_currency() -> str:
    """Return the currency in which the network counts its costs."""
    return house().config.network.currency


class NodeQuery(PageQuery):
    """Which nodes are wanted."""

    kind = fields.String(load_default=None, validate=one_of(*NodeKind))


NodePage = page_of(NodeSchema)


class HoursSchema(Schema):
    """When a node is open, and until when it works on today's departures."""

    opening_hours = fields.Dict(keys=fields.String(), required=True, metadata={"example": HOURS})
    cut_off = fields.String(load_default=None, metadata={"description": CLOCK, "example": "18:00"})


class DayMinutesSchema(Schema):
    """The minutes of one date; null goes back to the usual ones."""

    on_date = fields.Date(required=True)
    minutes = fields.Integer(required=True, allow_none=True, strict=True, validate=between(0, 100_000))


class CapacitySchema(Schema):
    """The minutes a node works on some dates; 0 stops it."""

    days = fields.List(fields.Nested(DayMinutesSchema), required=True)


class WorkDaySchema(Schema):
    """A date of a node: what it could do, and what is claimed of it."""

    on_date = fields.Date()
    usual_minutes = fields.Integer()
    set_minutes = fields.Integer(allow_none=True, metadata={"description": "What a planner set, if anything."})
    capacity_minutes = fields.Integer()
    claimed_minutes = fields.Integer()
    held_minutes = fields.Integer(metadata={"description": "Those of the claimed ones that are held for promises."})
    closed = fields.Boolean()


class DaysQuery(Schema):
    """How many dates from today on."""

    count = fields.Integer(load_default=7, validate=between(1, 60))


class DaysSchema(Schema):
    """The dates of a node."""

    days = fields.List(fields.Nested(WorkDaySchema))

    @pre_dump
    def wrap(self, days: list[WorkDay], **_: Any) -> dict[str, Any]:
        """Name the list."""
        return {"days": days}


class ArticleRowSchema(Schema):
    """An article as it should be; what is left out is empty."""

    sku = code(metadata={"example": "SHI01-WHT-M"})
    name = text(required=True)
    gtin = fields.String(load_default=None, allow_none=True, metadata={"example": "2040000100209"})
    family = text(64, load_default="")
    size = text(64, load_default="")
    colour = text(64, load_default="")
    weight_g = whole(0, MAX_INTEGER, required=False, load_default=0)
    length_mm = whole(0, MAX_INTEGER, required=False, load_default=0)
    width_mm = whole(0, MAX_INTEGER, required=False, load_default=0)
    height_mm = whole(0, MAX_INTEGER, required=False, load_default=0)
    unit_cost = MoneyField(load_default=None, example="9.80")
    price = MoneyField(required=True, example="29.95")
    available_from = instant(
        load_default=None, allow_none=True, metadata={"description": "Nothing of it is promised before; pre-order."}
    )
    backorder = fields.Boolean(
        load_default=False, metadata={"description": "Whether shoppers may order units that are still to come."}
    )


class ArticleSchema(ArticleRowSchema):
    """An article."""

    version = fields.Integer()

    @pre_dump
    def price_it(self, article: Article, **_: Any) -> dict[str, Any]:
        """Give the amounts their currency."""
        shown = {name: getattr(article, name) for name in self.fields if hasattr(article, name)}
        shown["unit_cost"] = Money(article.unit_cost_minor, article.currency)
        shown["price"] = Money(article.price_minor, article.currency)
        return shown


ArticlePage = page_of(ArticleSchema)


class SubstituteRowSchema(Schema):
    """What may go instead of an article where a person says so; the lowest rank first."""

    sku = code()
    substitute = code()
    rank = whole(1, 100, required=False, load_default=1)
    active = fields.Boolean(load_default=True)

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> SubstituteRow:
        """Return what the stock room takes."""
        return SubstituteRow(**values)


class SubstitutesSchema(Schema):
    """What may go instead of an article, the best first."""

    substitutes = fields.List(fields.String())


class ChannelRowSchema(Schema):
    """A channel as it should be. `shortage`: short lines `wait`, or the order is refused."""

    id = code(metadata={"example": "web"})
    name = text(required=True)
    kind = fields.String(required=True, metadata={"enum": list(KINDS)})
    currency = fields.String(required=True, metadata={"example": "EUR"})
    shortage = fields.String(load_default="wait", metadata={"enum": list(SHORTAGES)})
    policy = fields.String(load_default="default")
    service_policies = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        load_default=dict,
        metadata={"description": "Policies of services that have another one.", "example": {"express": "fast"}},
    )
    active = fields.Boolean(load_default=True)
    low_stock = whole(
        0,
        MAX_INTEGER,
        required=False,
        load_default=3,
        metadata={"description": "Units up to which stock is called low."},
    )

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> ChannelRow:
        """Return what the order service takes."""
        return ChannelRow(**values)


class ChannelSchema(ChannelRowSchema):
    """A channel."""

    version = fields.Integer()


class ChannelsSchema(Schema):
    """All channels."""

    items = fields.List(fields.Nested(ChannelSchema))

    @pre_dump
    def wrap(self, channels: list[Any], **_: Any) -> dict[str, Any]:
        """Name the list."""
        return {"items": channels}


class PlaceRowSchema(Schema):
    """Where a postal code lies; one shorter than its country's full length stands for all that begin with it."""

    country = fields.String(required=True, metadata={"example": "ES"})
    postal_code = code(metadata={"example": "28013"})
    city = text(load_default="")
    region = text(64, load_default="")
    latitude = fields.Float(required=True)
    longitude = fields.Float(required=True)
