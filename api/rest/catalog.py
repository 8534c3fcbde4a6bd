"""/nodes, /articles, /channels, /postal-codes: what the network is made of."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from api import bulk, catalog, cursors, deciding
from api.openapi import PREFIX
from api.rest.operation import Call, Reply, Resource, anywhere
from api.schemas import catalog as schemas
from api.schemas.base import BulkAnswerSchema, PageQuery
from fulfillment.network import edits, report
from oms import channels
from stock import lists, substitutes

resource = Resource("catalog", __name__, url_prefix=PREFIX, description="Nodes, articles, channels, places.")

EXAMPLE_NODE = {
    "id": "MAD-1", "name": "Madrid Centro", "kind": "store", "time_zone": "Europe/Madrid", "line1": "Calle Mayor 1",
    "city": "Madrid", "region": "MD", "postal_code": "28013", "country": "ES", "latitude": 40.4168,
    "longitude": -3.7038,
    "ships": True, "collects": True, "takes_returns": True, "capacity_minutes": 240,
    "package_cost": {"amount": "2.40", "currency": "EUR"}, "line_cost": {"amount": "0.60", "currency": "EUR"},
    "unit_cost": {"amount": "0.15", "currency": "EUR"}, "package_minutes": 6, "line_minutes": 2, "pick_success": 0.95,
    "opening_hours": schemas.HOURS, "cut_off": "18:00",
}  # fmt: skip
EXAMPLE_ARTICLE = {
    "sku": "SHI01-WHT-M", "name": "Linen shirt Alba", "gtin": "2040000100209", "family": "shirts", "size": "M",
    "colour": "white", "weight_g": 240, "price": {"amount": "29.95", "currency": "EUR"},
}  # fmt: skip
EXAMPLE_CHANNEL = {"id": "web", "name": "Online shop", "kind": "web", "currency": "EUR", "shortage": "wait"}
EXAMPLE_PLACE = {"country": "ES", "postal_code": "28013", "city": "Madrid", "latitude": 40.4168, "longitude": -3.7038}


def _of_path(_session: Session, _call: Call, node_id: str) -> list[str]:
    return [node_id]


def _version(session: Session, node_id: str) -> int:
    return catalog.version_of(session, node_id)


@resource.operation(
    "POST", "/nodes", scope="catalog:write", body=schemas.NodeRowSchema(many=True), answer=BulkAnswerSchema,
    example=[EXAMPLE_NODE],
)  # fmt: skip
def put_nodes(session: Session, call: Call) -> Any:
    """Create or update nodes; each row has its own result."""
    write = partial(catalog.put_nodes, currency=call.config.network.currency)
    return bulk.or_refuse(bulk.put(session, call.body, write, name=lambda row: str(row["id"])))


@resource.operation("GET", "/nodes", scope="stock:read", query=schemas.NodeQuery, answer=schemas.NodePage, at=anywhere)
def list_nodes(session: Session, call: Call) -> Any:
    """List nodes by id."""
    after = cursors.decode(call.query["cursor"], str)
    found = lists.nodes(session, kind=call.query["kind"], after=after, limit=call.query["limit"])
    profiles = report.profiles(session)
    return cursors.page(found, [(node, profiles.get(node.id)) for node in found.rows])


@resource.operation(
    "GET", "/nodes/<node_id>", scope="stock:read", answer=schemas.NodeSchema, version=_version, at=anywhere
)
def show_node(session: Session, _call: Call, node_id: str) -> Any:
    """Show a node; its ETag is wanted by whoever edits it."""
    return catalog.node_with_profile(session, node_id)


@resource.operation(
    "PATCH", "/nodes/<node_id>", scope="plan:write", body=schemas.NodeEditSchema, answer=schemas.NodeSchema,
    version=_version, example={"pick_success": 0.9},
)  # fmt: skip
def change_node(session: Session, call: Call, node_id: str) -> Any:
    """Change some fields of a node; what one that does not work any more has not begun is decided again."""
    catalog.change_node(session, node_id, call.body, currency=call.config.network.currency)
    return Reply(
        catalog.node_with_profile(session, node_id),
        after=lambda house: deciding.unstarted(house, house.doors.write, actor=call.actor),
    )


@resource.operation(
    "PUT", "/nodes/<node_id>/hours", scope="plan:write", body=schemas.HoursSchema, answer=schemas.NodeSchema,
    version=_version, example={"opening_hours": schemas.HOURS, "cut_off": "18:00"},
)  # fmt: skip
def set_hours(session: Session, call: Call, node_id: str) -> Any:
    """Set the weekly hours of a node, and its cut-off when one is given."""
    changes = {name: value for name, value in call.body.items() if value is not None}
    edits.change_profile(session, node_id, changes, version=_version(session, node_id))
    return catalog.node_with_profile(session, node_id)


@resource.operation(
    "GET", "/nodes/<node_id>/days", scope="stock:read", query=schemas.DaysQuery, answer=schemas.DaysSchema, at=_of_path,
    version=_version,
)  # fmt: skip
def list_days(session: Session, call: Call, node_id: str) -> Any:
    """Show the work of a node from today on."""
    return report.days(session, node_id, call.query["count"], now=call.now)


@resource.operation(
    "PUT", "/nodes/<node_id>/capacity", scope="plan:write", body=schemas.CapacitySchema, answer=schemas.DaysSchema,
    version=_version, example={"days": [{"on_date": "2026-11-20", "minutes": 0}]},
)  # fmt: skip
def set_capacity(session: Session, call: Call, node_id: str) -> Any:
    """Set the minutes a node works on some dates; what is claimed already stays."""
    minutes = {day["on_date"]: day["minutes"] for day in call.body["days"]}
    edits.change_days(session, node_id, minutes, version=_version(session, node_id))
    return report.days(session, node_id, 7, now=call.now)


@resource.operation(
    "POST", "/articles", scope="catalog:write", body=schemas.ArticleRowSchema(many=True), answer=BulkAnswerSchema,
    example=[EXAMPLE_ARTICLE],
)  # fmt: skip
def put_articles(session: Session, call: Call) -> Any:
    """Create or update articles; each row has its own result."""
    answers = bulk.put(session, call.body, catalog.put_articles, name=lambda row: str(row["sku"]))
    return bulk.or_refuse(answers)


@resource.operation(
    "POST", "/articles/substitutes", scope="catalog:write", body=schemas.SubstituteRowSchema(many=True),
    answer=BulkAnswerSchema, example=[{"sku": "SHI01-WHT-M", "substitute": "SHI01-BLU-M", "rank": 1}],
)  # fmt: skip
def put_substitutes(session: Session, call: Call) -> Any:
    """Name articles that may go instead of others where a person says so; each row has its own result."""
    name = lambda row: f"{row.sku}>{row.substitute}"  # noqa: E731
    return bulk.or_refuse(bulk.put(session, call.body, substitutes.put, name=name))


@resource.operation(
    "GET", "/articles/<sku>/substitutes", scope="stock:read", answer=schemas.SubstitutesSchema, at=anywhere
)
def list_substitutes(session: Session, _call: Call, sku: str) -> Any:
    """List what may go instead of an article, the best first."""
    return {"substitutes": substitutes.of(session, [lists.article(session, sku).sku]).get(sku, [])}


@resource.operation("GET", "/articles", scope="stock:read", query=PageQuery, answer=schemas.ArticlePage, at=anywhere)
def list_articles(session: Session, call: Call) -> Any:
    """List articles by SKU."""
    found = lists.articles(session, after=cursors.decode(call.query["cursor"], str), limit=call.query["limit"])
    return cursors.page(found)


@resource.operation("GET", "/articles/<sku>", scope="stock:read", answer=schemas.ArticleSchema, at=anywhere)
def show_article(session: Session, _call: Call, sku: str) -> Any:
    """Show an article."""
    return lists.article(session, sku)


@resource.operation(
    "POST", "/channels", scope="catalog:write", body=schemas.ChannelRowSchema(many=True), answer=BulkAnswerSchema,
    example=[EXAMPLE_CHANNEL],
)  # fmt: skip
def put_channels(session: Session, call: Call) -> Any:
    """Create or update channels; each row has its own result."""
    return bulk.or_refuse(bulk.put(session, call.body, channels.put, name=lambda row: str(row.id)))


@resource.operation("GET", "/channels", scope="orders:read", answer=schemas.ChannelsSchema)
def list_channels(session: Session, _call: Call) -> Any:
    """List all channels."""
    return channels.known(session)


@resource.operation(
    "POST", "/postal-codes", scope="catalog:write", body=schemas.PlaceRowSchema(many=True), answer=BulkAnswerSchema,
    example=[EXAMPLE_PLACE],
)  # fmt: skip
def put_postal_codes(session: Session, call: Call) -> Any:
    """Say where postal codes lie; each row has its own result."""
    answers = bulk.put(
        session, call.body, catalog.put_places, name=lambda row: f"{row['country']}-{row['postal_code']}"
    )
    return bulk.or_refuse(answers)
