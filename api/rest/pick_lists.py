"""/pick-lists: several fulfillment orders picked in one walk."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from api import cursors
from api.openapi import PREFIX
from api.rest.operation import Call, Resource, anywhere
from api.schemas import work as schemas
from fulfillment.work import board, lists, picking

resource = Resource("pick-lists", __name__, url_prefix=f"{PREFIX}/pick-lists", description="Walks past the shelves.")


def _here(session: Session, _call: Call, pick_list_id: str) -> list[str]:
    return [lists.node_of_pick_list(session, pick_list_id)]


def _wanted(session: Session, call: Call) -> list[str]:
    named = call.body["fulfillment_orders"] or []
    return [call.body["node"], *(lists.fulfillment_order(session, fo_id).node for fo_id in named)]


@resource.operation(
    "POST", "", scope="work:write", body=schemas.StartListSchema, answer=schemas.WalkSchema, status=201, at=_wanted,
    example={"node": "MAD-1"},
)  # fmt: skip
def start_list(session: Session, call: Call) -> Any:
    """Begin a walk with the most urgent fulfillment orders of a node, or with those named."""
    if call.body["fulfillment_orders"]:
        started = picking.start(session, call.body["fulfillment_orders"], actor=call.actor, now=call.now)
    else:
        most = call.config.work.pick_list_orders
        started = picking.propose(session, call.body["node"], max_orders=most, actor=call.actor, now=call.now)
    return board.walk(session, started.id)


@resource.operation("GET", "", scope="work:read", query=schemas.ListQuery, answer=schemas.PickListPage, at=anywhere)
def list_pick_lists(session: Session, call: Call) -> Any:
    """List pick lists, oldest first."""
    after = cursors.decode(call.query["cursor"], str)
    asked = {"node": call.node(call.query["node"]), "status": call.query["status"]}
    return cursors.page(lists.pick_lists(session, **asked, after=after, limit=call.query["limit"]))


@resource.operation("GET", "/<pick_list_id>", scope="work:read", answer=schemas.WalkSchema, at=_here)
def show_list(session: Session, _call: Call, pick_list_id: str) -> Any:
    """Show a pick list in walking order."""
    return board.walk(session, pick_list_id)


@resource.operation("POST", "/<pick_list_id>/claim", scope="work:write", answer=schemas.PickListSchema, at=_here)
def claim(session: Session, call: Call, pick_list_id: str) -> Any:
    """Take a list that nobody picks."""
    return picking.claim(session, pick_list_id, actor=call.actor, now=call.now)


@resource.operation("POST", "/<pick_list_id>/take-over", scope="work:write", answer=schemas.PickListSchema, at=_here)
def take_over(session: Session, call: Call, pick_list_id: str) -> Any:
    """Go on with a list that somebody else began."""
    return picking.take_over(session, pick_list_id, actor=call.actor, now=call.now)


@resource.operation(
    "POST", "/<pick_list_id>/scan", scope="work:write", body=schemas.ScanSchema, answer=schemas.ScannedSchema, at=_here,
    example={"scan_id": "d1-000017", "code": "2040000100209"},
)  # fmt: skip
def scan(session: Session, call: Call, pick_list_id: str) -> Any:
    """Count a scan for the first line of the walk that it fits."""
    return picking.scan(session, pick_list_id, **call.body, actor=call.actor, now=call.now)
