"""Finding orders across all channels, by what the person on the phone has at hand.

Invariant: what was searched for is in the address; a search that finds one order leads straight to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from api.pages.export import Columns, amount, csv_file
from api.pages.visit import config, doors, now, vault
from kernel.vault import SubjectErased, Vault
from oms import channels, customers, queries, view
from oms.models import Channel, Order, OrderStatus
from oms.queries import Wanted

PAGE_ORDERS = 50


@dataclass(frozen=True)
class FoundOrder:
    """An order in the list: its row, what the shopper is told, who it is for, and how many units wait."""

    order: Order
    public_status: str
    customer: str
    units: int
    waiting: int


@dataclass(frozen=True)
class Found:
    """A page of orders, and the cursor of the next."""

    orders: list[FoundOrder]
    cursor: str | None
    channels: list[Channel]


def page() -> ResponseReturnValue:
    """Show the orders that match, lead to the only one, or give them as a file."""
    wanted = Wanted(
        text=request.args.get("q", "").strip() or None,
        channel=request.args.get("channel") or None,
        status=request.args.get("status") or None,
        waiting=bool(request.args.get("waiting")),
        needs_person=bool(request.args.get("needs_person")),
    )
    cursor = request.args.get("cursor") or None
    as_file = request.args.get("format") == "csv"
    limit = queries.MOST if as_file else PAGE_ORDERS
    found = doors().read(lambda session: gather(session, vault(), wanted, cursor=cursor, limit=limit))
    if as_file:
        return csv_file("orders", COLUMNS, found.orders)
    if wanted.text and cursor is None and len(found.orders) == 1:
        return redirect(url_for("pages.orders.order", order_id=found.orders[0].order.id))
    return render_template(
        "orders/find.html", found=found, wanted=wanted, statuses=list(OrderStatus), now=now(),
        zone=config().night.time_zone,
    )  # fmt: skip


def gather(session: Session, safe: Vault, wanted: Wanted, *, cursor: str | None, limit: int) -> Found:
    """Read a page of orders. Raises InvalidCursor."""
    page = queries.find(session, safe, wanted, cursor=cursor, limit=limit)
    told = view.public_statuses(session, page.orders)
    waiting = queries.waiting_units(session, [order.id for order in page.orders])
    rows = [
        FoundOrder(
            order,
            told[order.id],
            customer_name(session, safe, order.customer_id),
            sum(line.ordered - line.cancelled for line in order.lines),
            waiting.get(order.id, 0),
        )
        for order in page.orders
    ]
    return Found(rows, page.cursor, channels.known(session))


def customer_name(session: Session, safe: Vault, customer_id: str | None) -> str:
    """Return a customer's name; empty when there is nobody, or not any more."""
    try:
        contact = customers.contact(session, safe, customer_id)
    except SubjectErased:
        return ""
    return str((contact or {}).get("name", ""))


# Names of people are not in the file: it leaves the house, and nobody could erase them there.
COLUMNS: Columns[FoundOrder] = {
    "order": lambda row: row.order.number,
    "channel": lambda row: row.order.channel,
    "external_id": lambda row: row.order.external_id,
    "placed_at": lambda row: row.order.placed_at,
    "status": lambda row: row.order.status,
    "told_to_shopper": lambda row: row.public_status,
    "method": lambda row: row.order.method,
    "units": lambda row: row.units,
    "units_waiting": lambda row: row.waiting,
    "total": lambda row: amount(row.order.total_minor, row.order.currency),
    "currency": lambda row: row.order.currency,
}
