"""The room of the store: its address, who may enter, and the node that every page of it is about.

Invariant: staff see their own node only; what belongs to another node is answered as if it did not exist.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar, cast
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, current_app, g, request
from sqlalchemy.orm import Session

from api.pages import gate
from api.pages.visit import doors, now, person
from stock.models import Node


class HasNode(Protocol):
    """What is at a node."""

    node: Any


Placed = TypeVar("Placed", bound=HasNode)
store = Blueprint("store", __name__, url_prefix="/store")
store.before_request(gate.for_roles("store", "supplier", "admin"))
# What people of a supplier may open: their own orders, and nothing of our stock, our shoppers or other places.
OPEN_TO_SUPPLIERS = frozenset({
    "choose", "home", "board", "start", "walk", "walk_scan", "walk_take_over", "missing", "missing_confirm", "reject",
    "reject_confirm", "order", "order_pack", "order_unpack", "order_ship", "order_dispatch", "label", "slip",
    "put_back", "put_back_scan",
})  # fmt: skip


@store.url_value_preprocessor
def read_node(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Take the node out of the address, so that no view need ask for it."""
    g.node_id = (values or {}).pop("node", None)


@store.url_defaults
def keep_node(endpoint: str, values: dict[str, Any]) -> None:
    """Stay at the node in links from page to page."""
    if "node" not in values and g.get("node_id") and current_app.url_map.is_endpoint_expecting(endpoint, "node"):
        values["node"] = g.node_id


@store.before_request
def enter() -> None:
    """Load the node of the address, for those who may know that it exists."""
    if person().role == "supplier" and (request.endpoint or "").rpartition(".")[2] not in OPEN_TO_SUPPLIERS:
        abort(403)
    if g.node_id is None:
        return
    g.node = doors().read(lambda session: _detached(session, g.node_id)) if person().caller.sees(g.node_id) else None
    if g.node is None:
        abort(404)


@store.context_processor
def surroundings() -> dict[str, Any]:
    """Give every template of the room the node, its time zone and the time there."""
    node = g.get("node")
    return {"node": node, "zone": node.time_zone, "now": now(), "place_name": node.name} if node else {}


def here() -> Node:
    """Return the node this page is about."""
    return cast("Node", g.node)


def at_this_node(thing: Placed | None) -> Placed:
    """Return a thing of this node; anything else is answered as if it did not exist."""
    if thing is None or thing.node != g.node_id:
        abort(404)
    return thing


def zone() -> ZoneInfo:
    """Return the node's time zone."""
    return ZoneInfo(here().time_zone)


def _detached(session: Session, node: str) -> Node | None:
    found = session.get(Node, node)
    if found is not None:
        session.expunge(found)
    return found
