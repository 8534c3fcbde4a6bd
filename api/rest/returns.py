"""/returns: goods that come back, to any node that takes them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from api import cursors, deciding
from api.house import House
from api.openapi import PREFIX
from api.rest.operation import Call, Reply, Resource, anywhere
from api.schemas import returns as schemas
from oms import lists, returns
from oms.models import Return

resource = Resource("returns", __name__, url_prefix=PREFIX, description="Goods that come back.")
WANTED = {"lines": [{"line_id": "0190...", "units": 1, "reason": "too_small"}]}
FOUND = {"node": "MAD-1", "lines": [{"line_id": "0190...", "units": 1, "grade": "resell"}]}
BROUGHT = {
    "order_id": "0190...",
    "node": "MAD-1",
    "lines": [{"line_id": "0190...", "units": 1, "reason": "too_small", "grade": "resell"}],
}


def _counter(_session: Session, call: Call, **_path: str) -> list[str]:
    return [call.body["node"]]


def _back_in_stock(house: House, call: Call, made: list[str]) -> None:
    deciding.after_stock(house, set(made), actor=call.actor)


def _received(call: Call, made: Return) -> Reply:
    skus = [line.sku for line in made.lines]
    return Reply(made, after=lambda house: _back_in_stock(house, call, skus))


@resource.operation(
    "POST", "/orders/<order_id>/returns", scope="orders:write", body=schemas.RequestReturnSchema,
    answer=schemas.ReturnSchema, status=201, key=True, example=WANTED,
)  # fmt: skip
def request_return(session: Session, call: Call, order_id: str) -> Any:
    """Ask to send units of an order back."""
    return returns.request(session, order_id, call.body["lines"], actor=call.actor, now=call.now)


@resource.operation(
    "POST", "/returns", scope="work:write", body=schemas.CounterReturnSchema, answer=schemas.ReturnSchema, status=201,
    key=True, at=_counter, example=BROUGHT,
)  # fmt: skip
def take_back(session: Session, call: Call) -> Any:
    """Take back what a shopper brings to a counter, from the request to the graded goods."""
    brought = call.body["lines"]
    made = returns.at_counter(
        session, call.body["order_id"], node=call.body["node"], brought=brought, actor=call.actor, now=call.now
    )
    return _received(call, made)


@resource.operation(
    "GET", "/returns", scope="work:read", query=schemas.ReturnQuery, answer=schemas.ReturnPage, at=anywhere
)
def list_returns(session: Session, call: Call) -> Any:
    """List returns, oldest first."""
    after = cursors.decode(call.query["cursor"], str)
    asked = {"order_id": call.query["order_id"], "status": call.query["status"], "node": call.node(call.query["node"])}
    return cursors.page(lists.returns(session, **asked, after=after, limit=call.query["limit"]))


@resource.operation("GET", "/returns/<return_id>", scope="work:read", answer=schemas.ReturnSchema, at=anywhere)
def show_return(session: Session, _call: Call, return_id: str) -> Any:
    """Show a return."""
    return lists.one_return(session, return_id)


@resource.operation("POST", "/returns/<return_id>/authorise", scope="orders:write", answer=schemas.ReturnSchema)
def authorise_return(session: Session, call: Call, return_id: str) -> Any:
    """Allow a requested return."""
    return returns.authorise(session, return_id, actor=call.actor, now=call.now)


@resource.operation(
    "POST", "/returns/<return_id>/reject", scope="orders:write", body=schemas.WhySchema, answer=schemas.ReturnSchema,
    example={"reason": "too_late"},
)  # fmt: skip
def reject_return(session: Session, call: Call, return_id: str) -> Any:
    """Refuse a requested return."""
    return returns.reject(session, return_id, **call.body, actor=call.actor, now=call.now)


@resource.operation(
    "POST", "/returns/<return_id>/cancel", scope="orders:write", body=schemas.WhySchema, answer=schemas.ReturnSchema,
    example={"reason": "kept"},
)  # fmt: skip
def cancel_return(session: Session, call: Call, return_id: str) -> Any:
    """Give up a return of which nothing has come."""
    return returns.cancel(session, return_id, **call.body, actor=call.actor, now=call.now)


@resource.operation(
    "POST", "/returns/<return_id>/receive", scope="work:write", body=schemas.ReceiveReturnSchema,
    answer=schemas.ReturnSchema, key=True, at=_counter, example=FOUND,
)  # fmt: skip
def receive_return(session: Session, call: Call, return_id: str) -> Any:
    """Take in an authorised return, graded; what did not come is not returned."""
    found = call.body["lines"]
    made = returns.receive(session, return_id, node=call.body["node"], found=found, actor=call.actor, now=call.now)
    return _received(call, made)
