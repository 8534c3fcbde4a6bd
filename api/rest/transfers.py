"""/transfers: stock on its way between nodes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy.orm import Session

from api import cursors, deciding
from api.openapi import PREFIX
from api.rest.operation import Call, Reply, Resource, anywhere
from api.schemas import transfers as schemas
from fulfillment.work import transfers as work_transfers
from kernel.errors import Conflict
from stock import arrivals, lists, transfers
from stock.arrivals import SetAside, Surplus
from stock.documents import Transfer

resource = Resource("transfers", __name__, url_prefix=PREFIX, description="Transfers between nodes.")
TRANSFER = "/transfers/<transfer_id>"


class ServesAnOrder(Conflict):
    """A transfer that serves an order is moved by its fulfillment order."""

    code = "transfer_serves_order"


def _source(session: Session, _call: Call, transfer_id: str) -> list[str]:
    return [lists.transfer(session, transfer_id).source]


def _destination(session: Session, _call: Call, transfer_id: str) -> list[str]:
    return [lists.transfer(session, transfer_id).destination]


def _plain(session: Session, transfer_id: str) -> Transfer:
    found = lists.transfer(session, transfer_id)
    if found.reference:
        message = f"Transfer {found.number} serves fulfillment order {found.reference}: move or cancel that."
        raise ServesAnOrder(message)
    return found


def _where_found(session: Session, call: Call, transfer_id: str) -> list[str]:
    return [call.body["node"] or lists.transfer(session, transfer_id).destination]


def _for_sale(lines: list[dict[str, Any]] | None) -> dict[int, int] | None:
    """Return the units by line that can be sold as they came; None when no line is named, which means all."""
    if lines is None:
        return None
    units = Counter[int]()
    for line in lines:
        units[line["line"]] += 0 if line["reason"] else line["units"]
    return dict(units)


def _by_line(call: Call) -> dict[int, int] | None:
    lines = call.body["lines"]
    return None if lines is None else {line["line"]: line["units"] for line in lines}


@resource.operation(
    "POST", "/transfers", scope="stock:write", body=schemas.OpenTransferSchema, answer=schemas.TransferSchema,
    status=201,
    key=True, example={"source": "MAD-W", "destination": "MAD-1", "lines": [{"sku": "SHI01-WHT-M", "units": 5}]},
)  # fmt: skip
def open_transfer(session: Session, call: Call) -> Any:
    """Open a transfer of plain stock, approved."""
    return transfers.open_transfer(session, **call.body, reference="", actor=call.actor, now=call.now)


@resource.operation(
    "GET", "/transfers", scope="stock:read", query=schemas.TransferQuery, answer=schemas.TransferPage, at=anywhere
)
def list_transfers(session: Session, call: Call) -> Any:
    """List transfers, oldest first."""
    after = cursors.decode(call.query["cursor"], str)
    asked = {name: call.query[name] for name in ("status", "differences", "limit")}
    node = call.node(call.query["node"])
    return cursors.page(lists.transfers(session, node=node, **asked, now=call.now, after=after))


@resource.operation("GET", TRANSFER, scope="stock:read", answer=schemas.TransferSchema)
def show_transfer(session: Session, _call: Call, transfer_id: str) -> Any:
    """Show a transfer."""
    return lists.transfer(session, transfer_id)


@resource.operation("POST", f"{TRANSFER}/approve", scope="stock:write", answer=schemas.TransferSchema)
def approve_transfer(session: Session, call: Call, transfer_id: str) -> Any:
    """Approve a proposed transfer."""
    return transfers.approve(session, transfer_id, actor=call.actor, now=call.now)


@resource.operation(
    "POST", f"{TRANSFER}/dispatch", scope="stock:write", body=schemas.SentSchema, answer=schemas.TransferSchema,
    key=True,
    at=_source, example={},
)  # fmt: skip
def dispatch_transfer(session: Session, call: Call, transfer_id: str) -> Any:
    """Send plain stock on its way; what serves an order is dispatched with its fulfillment order."""
    found = _plain(session, transfer_id)
    sent = _by_line(call) or {line.line: line.units for line in found.lines}
    units = [sent.get(line.line) for line in found.lines]
    return transfers.dispatch(session, transfer_id, units, actor=call.actor, now=call.now)


@resource.operation(
    "POST", f"{TRANSFER}/receive", scope="stock:write", body=schemas.ArrivedSchema, answer=schemas.TransferSchema,
    key=True,
    at=_destination, example={},
)  # fmt: skip
def receive_transfer(session: Session, call: Call, transfer_id: str) -> Any:
    """Put what arrived on hand, reserved at once for the order that awaits it."""
    lines, surplus = call.body["lines"], [Surplus(**more) for more in call.body["surplus"]]
    aside = [SetAside(**line) for line in lines or () if line["reason"]]
    receipt = work_transfers.receive(
        session, transfer_id, _for_sale(lines), set_aside=aside, surplus=surplus, complete=call.body["complete"],
        actor=call.actor, now=call.now,
    )  # fmt: skip
    skus = {line.sku for line in receipt.transfer.lines} | {more.sku for more in surplus}
    return Reply(receipt.transfer, after=lambda house: deciding.after_stock(house, skus, actor=call.actor))


@resource.operation(
    "POST", f"{TRANSFER}/cancel", scope="stock:write", body=schemas.CancelTransferSchema, answer=schemas.TransferSchema,
    example={"choice": "write_back"},
)  # fmt: skip
def cancel_transfer(session: Session, call: Call, transfer_id: str) -> Any:
    """Cancel a transfer of plain stock; what is on its way comes back or is written off."""
    _plain(session, transfer_id)
    return transfers.cancel(session, transfer_id, **call.body, actor=call.actor, now=call.now)


@resource.operation(
    "POST", f"{TRANSFER}/close-short", scope="stock:write", body=schemas.CloseShortSchema,
    answer=schemas.TransferSchema,
    at=_destination, example={"reason": "lost"},
)  # fmt: skip
def close_transfer_short(session: Session, call: Call, transfer_id: str) -> Any:
    """Say that what did not arrive will not: it is lost, or back at its source."""
    skus = {line.sku for line in _plain(session, transfer_id).lines}
    arrivals.close_short(session, transfer_id, **call.body, actor=call.actor, now=call.now)
    closed = lists.transfer(session, transfer_id)
    return Reply(closed, after=lambda house: deciding.after_stock(house, skus, actor=call.actor))


@resource.operation(
    "POST", f"{TRANSFER}/found", scope="stock:write", body=schemas.FoundSchema, answer=schemas.TransferSchema,
    key=True, at=_where_found, example={"lines": [{"line": 1, "units": 1}]},
)  # fmt: skip
def find_of_transfer(session: Session, call: Call, transfer_id: str) -> Any:
    """Take in what had been written off and turned up, where it was sent or at its source."""
    said = {"node": call.body["node"], "reason": call.body["reason"]}
    found = arrivals.find(session, transfer_id, _by_line(call) or {}, **said, actor=call.actor, now=call.now)
    skus = {line.sku for line in found.lines}
    return Reply(found, after=lambda house: deciding.after_stock(house, skus, actor=call.actor))
