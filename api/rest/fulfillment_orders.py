"""/fulfillment-orders, from taken on to handed over, with their paper; and put-back tasks."""

from __future__ import annotations

from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from api import cursors, deciding, paper
from api.house import House
from api.openapi import PREFIX
from api.rest.operation import Call, Reply, Resource, anywhere
from api.schemas import work as schemas
from api.schemas.transfers import TransferSchema
from fulfillment.network import minutes
from fulfillment.sourcing import commit as sourcing
from fulfillment.sourcing.proposal import Proposal
from fulfillment.work import collecting, lists, orders, packing, picking, putting_back, shipping, transfers
from oms import counter

resource = Resource("work", __name__, url_prefix=PREFIX, description="Physical work on fulfillment orders.")
ONE = "/fulfillment-orders/<fo_id>"


def _here(session: Session, _call: Call, fo_id: str) -> list[str]:
    return [lists.fulfillment_order(session, fo_id).node]


def _task_here(session: Session, _call: Call, put_back_id: str) -> list[str]:
    return [lists.node_of_put_back(session, put_back_id)]


def _if_short(session: Session, call: Call, fo_id: str) -> Proposal:
    return deciding.if_short(session, fo_id, **call.body, now=call.now)


def _if_rejected(session: Session, call: Call, fo_id: str) -> Proposal:
    # Refusing elsewhere as well touches other demands, which are decided after the fact.
    if call.body["collateral"]:
        return Proposal(cause=deciding.REJECTION)
    asked = {name: call.body[name] for name in ("lines", "reason")}
    return deciding.if_rejected(session, fo_id, **asked, now=call.now)


@resource.operation(
    "GET", "/fulfillment-orders", scope="work:read", query=schemas.WorkQuery, answer=schemas.WorkPage, at=anywhere
)
def list_fulfillment_orders(session: Session, call: Call) -> Any:
    """List fulfillment orders, oldest first."""
    after = cursors.decode(call.query["cursor"], str)
    asked = {"status": call.query["status"], "method": call.query["method"], "node": call.node(call.query["node"])}
    return cursors.page(lists.fulfillment_orders(session, **asked, after=after, limit=call.query["limit"]))


@resource.operation("GET", ONE, scope="work:read", answer=schemas.WorkOrderSchema, at=_here)
def show_fulfillment_order(session: Session, _call: Call, fo_id: str) -> Any:
    """Show a fulfillment order."""
    return lists.fulfillment_order(session, fo_id)


@resource.operation("POST", f"{ONE}/accept", scope="work:write", answer=schemas.WorkOrderSchema, at=_here)
def accept(session: Session, call: Call, fo_id: str) -> Any:
    """Take a fulfillment order on; from now on sourcing leaves it where it is."""
    return orders.accept(session, fo_id, actor=call.actor, now=call.now)


@resource.operation(
    "POST", f"{ONE}/reject", scope="work:write", body=schemas.RejectSchema, answer=schemas.RejectedSchema, at=_here,
    decide=_if_rejected, key=True, example={"reason": "no_staff"},
)  # fmt: skip
def reject(session: Session, call: Call, fo_id: str, decided: Proposal) -> Any:
    """Refuse a fulfillment order, or some of its lines; its units are decided again in the same transaction."""
    with minutes.held_back(session):
        rejected = orders.reject(session, fo_id, **call.body, actor=call.actor, now=call.now)
        sourcing.commit(session, decided, now=call.now, actor=call.actor)
    demand_ids = sorted({fo.demand_id for fo in rejected}) if call.body["collateral"] else []
    return Reply({"fulfillment_orders": rejected}, after=lambda house: _decide(house, call, demand_ids))


@resource.operation(
    "POST", f"{ONE}/pick", scope="work:write", body=schemas.ScanSchema, answer=schemas.ScannedSchema, at=_here,
    example={"scan_id": "d1-000017", "code": "2040000100209"},
)  # fmt: skip
def pick(session: Session, call: Call, fo_id: str) -> Any:
    """Count a scan; the wrong article or one too many is said at once and not counted."""
    return picking.scan(session, fo_id, **call.body, actor=call.actor, now=call.now)


@resource.operation(
    "POST", f"{ONE}/short", scope="work:write", body=schemas.ShortSchema, answer=schemas.WorkOrderSchema, at=_here,
    decide=_if_short, key=True, example={"line_id": "0190...", "found": 0, "reason": "not_found"},
)  # fmt: skip
def short(session: Session, call: Call, fo_id: str, decided: Proposal) -> Any:
    """Say that fewer units are there than asked; the rest is decided again in the same transaction."""
    with minutes.held_back(session):
        fo = picking.short(session, fo_id, **call.body, actor=call.actor, now=call.now)
        sourcing.commit(session, decided, now=call.now, actor=call.actor)
    return fo


@resource.operation(
    "POST", f"{ONE}/pack", scope="work:write", body=schemas.PackSchema, answer=schemas.WorkOrderSchema, at=_here,
    example={"weight_g": 850},
)  # fmt: skip
def pack(session: Session, call: Call, fo_id: str) -> Any:
    """Close the package of a picked order."""
    return packing.pack(session, fo_id, **call.body, actor=call.actor, now=call.now)


@resource.operation("POST", f"{ONE}/unpack", scope="work:write", answer=schemas.WorkOrderSchema, at=_here)
def unpack(session: Session, call: Call, fo_id: str) -> Any:
    """Open a package that has not left."""
    return packing.unpack(session, fo_id, actor=call.actor, now=call.now)


@resource.operation(
    "POST", f"{ONE}/ship", scope="work:write", body=schemas.ShipSchema, answer=schemas.ShipmentSchema, status=201,
    key=True,
    at=_here, example={},
)  # fmt: skip
def ship(session: Session, call: Call, fo_id: str) -> Any:
    """Give a packed order to the carrier."""
    return shipping.ship(session, fo_id, **call.body, actor=call.actor, now=call.now)


@resource.operation(
    "POST", f"{ONE}/dispatch", scope="work:write", body=schemas.ShipSchema, answer=TransferSchema, status=201, key=True,
    at=_here, example={},
)  # fmt: skip
def dispatch(session: Session, call: Call, fo_id: str) -> Any:
    """Send a packed transfer on its way to the store that awaits it."""
    return transfers.dispatch(session, fo_id, **call.body, actor=call.actor, now=call.now)


@resource.operation("POST", f"{ONE}/deliver", scope="work:write", answer=schemas.WorkOrderSchema, at=_here)
def deliver(session: Session, call: Call, fo_id: str) -> Any:
    """Say that a shipped order has arrived."""
    return shipping.deliver(session, fo_id, actor=call.actor, now=call.now)


@resource.operation(
    "POST", f"{ONE}/return-to-sender", scope="work:write", body=schemas.ReasonSchema, answer=schemas.WorkOrderSchema,
    at=_here, example={"reason": "not_at_home"},
)  # fmt: skip
def return_to_sender(session: Session, call: Call, fo_id: str) -> Any:
    """Say that the carrier brings a shipped order back."""
    return shipping.return_to_sender(session, fo_id, **call.body, actor=call.actor, now=call.now)


@resource.operation(
    "POST", f"{ONE}/ready", scope="work:write", body=schemas.ReadySchema, answer=schemas.WorkOrderSchema, at=_here,
    example={"shelf": "C-04"},
)  # fmt: skip
def ready(session: Session, call: Call, fo_id: str) -> Any:
    """Put an order on a shelf by the counter, where it waits for its shopper."""
    keep_days = call.config.work.keep_days
    return collecting.ready(session, fo_id, **call.body, keep_days=keep_days, actor=call.actor, now=call.now)


@resource.operation(
    "POST", f"{ONE}/hand-over", scope="work:write", body=schemas.HandOverSchema, answer=schemas.WorkOrderSchema,
    key=True,
    at=_here, example={"code": "123456"},
)  # fmt: skip
def hand_over(session: Session, call: Call, fo_id: str) -> Any:
    """Hand a ready order over against its code or a document, collecting what is due; a wrong code is counted."""
    return counter.hand_over(session, fo_id, **call.body, actor=call.actor, now=call.now)


@resource.operation(
    "POST", f"{ONE}/refuse", scope="work:write", body=schemas.ReasonSchema, answer=schemas.WorkOrderSchema, at=_here,
    example={"reason": "wrong_size"},
)  # fmt: skip
def refuse(session: Session, call: Call, fo_id: str) -> Any:
    """Say that the shopper does not want a ready order; its units are cancelled and put back."""
    return collecting.refuse(session, fo_id, **call.body, actor=call.actor, now=call.now)


@resource.operation("GET", f"{ONE}/label", scope="work:read", at=_here, content_type="application/pdf")
def label(session: Session, call: Call, fo_id: str) -> Response:
    """Print the label of a shipped order; a reprint is a new rendering."""
    return Response(paper.label(session, fo_id, vault=call.vault), content_type="application/pdf")


@resource.operation("GET", f"{ONE}/slip", scope="work:read", at=_here, content_type="application/pdf")
def slip(session: Session, call: Call, fo_id: str) -> Response:
    """Print the packing slip of an order."""
    return Response(paper.slip(session, fo_id, vault=call.vault), content_type="application/pdf")


@resource.operation(
    "GET", "/put-backs", scope="work:read", query=schemas.NodeListQuery, answer=schemas.PutBackPage, at=anywhere
)
def list_put_backs(session: Session, call: Call) -> Any:
    """List what is still to be put back, oldest first."""
    after = cursors.decode(call.query["cursor"], str)
    return cursors.page(
        lists.put_backs(session, node=call.node(call.query["node"]), after=after, limit=call.query["limit"])
    )


@resource.operation(
    "POST", "/put-backs/<put_back_id>/scan", scope="work:write", body=schemas.PutBackScanSchema,
    answer=schemas.PutBackSchema, at=_task_here, example={"scan_id": "d1-000018", "code": "2040000100209"},
)  # fmt: skip
def put_back(session: Session, call: Call, put_back_id: str) -> Any:
    """Count units back on their shelf, where they can be sold again."""
    return putting_back.scan(session, put_back_id, **call.body, actor=call.actor, now=call.now)


def _decide(house: House, call: Call, demand_ids: list[str]) -> None:
    deciding.many(house.doors, demand_ids, cause=deciding.REJECTION, now=call.now, actor=call.actor)
