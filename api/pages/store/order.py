"""One fulfillment order at the store, its next step (pack, ship, set ready, dispatch) and its paper."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.pages.store.room import at_this_node, store
from api.pages.visit import caller, doors, now, vault
from fulfillment.work import board as boards
from fulfillment.work import collecting, documents, packing, shipping, transfers, walking
from fulfillment.work.documents import Recipient, Wording
from fulfillment.work.models import FulfillmentOrder, Method, Status
from oms import customers
from oms.models import Order
from stock.models import Node

TO_PICK = {Status.ALLOCATED, Status.ACCEPTED}
REJECTABLE = {Status.ALLOCATED, Status.ACCEPTED, Status.PICKING}


@store.get("/<node>/orders/<fo_id>")
def order(fo_id: str) -> ResponseReturnValue:
    """Show a fulfillment order and its next step."""
    return doors().read(lambda session: _order(session, fo_id))


@store.post("/<node>/orders/<fo_id>/pack")
def order_pack(fo_id: str) -> ResponseReturnValue:
    """Close the package."""
    kilos = request.form.get("weight_kg", "").replace(",", ".")
    packages = request.form.get("packages", 1, type=int)
    weight_g = round(float(kilos) * 1000) if _is_number(kilos) else None
    return _step(
        fo_id,
        lambda session, given: packing.pack(session, fo_id, weight_g=weight_g, packages=packages, **given),
        gettext("Packed."),
    )


@store.post("/<node>/orders/<fo_id>/unpack")
def order_unpack(fo_id: str) -> ResponseReturnValue:
    """Open the package again."""
    return _step(fo_id, lambda session, given: packing.unpack(session, fo_id, **given), gettext("Opened again."))


@store.post("/<node>/orders/<fo_id>/ship")
def order_ship(fo_id: str) -> ResponseReturnValue:
    """Give the package to its carrier."""
    tracking = request.form.get("tracking_number", "").strip() or None
    return _step(
        fo_id,
        lambda session, given: shipping.ship(session, fo_id, tracking_number=tracking, **given),
        gettext("Shipped. Print the label and give the package to the carrier."),
    )


@store.post("/<node>/orders/<fo_id>/dispatch")
def order_dispatch(fo_id: str) -> ResponseReturnValue:
    """Send a transfer on its way."""
    return _step(
        fo_id,
        lambda session, given: transfers.dispatch(session, fo_id, **given),
        gettext("On its way. Print the label and give it to the driver."),
    )


@store.post("/<node>/orders/<fo_id>/ready")
def order_ready(fo_id: str) -> ResponseReturnValue:
    """Put a collection on its shelf by the counter."""
    shelf = request.form.get("shelf", "").strip()
    return _step(
        fo_id,
        lambda session, given: collecting.ready(session, fo_id, shelf=shelf, **given),
        gettext("Ready on shelf %(shelf)s. The customer can come now.", shelf=shelf),
    )


@store.get("/<node>/orders/<fo_id>/label.pdf")
def label(fo_id: str) -> ResponseReturnValue:
    """Render the label of a package that leaves."""
    return _paper(fo_id, documents.label_pdf, "label")


@store.get("/<node>/orders/<fo_id>/slip.pdf")
def slip(fo_id: str) -> ResponseReturnValue:
    """Render the slip that goes into the package."""
    return _paper(fo_id, documents.slip_pdf, "slip")


def _order(session: Session, fo_id: str) -> str:
    fo = at_this_node(session.get(FulfillmentOrder, fo_id))
    stops = walking.stops(session, [fo_id])
    destination = session.get(Node, fo.destination_node) if fo.destination_node else None
    return render_template(
        "store/order.html",
        fo=fo,
        stops=stops,
        to_pick=fo.status in TO_PICK,
        rejectable=fo.status in REJECTABLE,
        customer=_customer_name(session, fo) if fo.method == Method.COLLECT else "",
        destination=destination.name if destination else "",
        shipment=shipping.shipment_of(session, fo_id),
        late=_is_late(fo, now()),
        box=packing.proposed_box(session, fo) if fo.status == Status.PICKED else None,
        next_to_pack=_next_to_pack(session, fo) if fo.status in {Status.SHIPPED, Status.READY} else None,
        history=boards.history(session, [fo_id]),
    )


def _step(fo_id: str, verb: Callable[[Session, dict[str, Any]], object], said: str) -> ResponseReturnValue:
    """Take one step with an order of this node, say that it is done, and show the order again."""

    def take(session: Session) -> None:
        at_this_node(session.get(FulfillmentOrder, fo_id))
        verb(session, {"actor": caller().actor, "now": now()})

    doors().write(take)
    flash(said, "good")
    return redirect(url_for("pages.store.order", fo_id=fo_id), code=303)


def _paper(fo_id: str, render: Callable[..., bytes], name: str) -> Response:
    def draw(session: Session) -> tuple[str, bytes]:
        fo = at_this_node(session.get(FulfillmentOrder, fo_id))
        return fo.number, render(session, fo_id, recipient=_recipient(session, fo), wording=_wording())

    number, paper = doors().read(draw)
    shown = {"Content-Disposition": f'inline; filename="{name}-{number}.pdf"'}
    return Response(paper, content_type="application/pdf", headers=shown)


def _recipient(session: Session, fo: FulfillmentOrder) -> Recipient | None:
    sold = session.get(Order, fo.reference)
    if fo.method == Method.TRANSFER or sold is None:
        return None
    address = customers.address(session, vault(), sold) or {}
    person = customers.contact(session, vault(), sold.customer_id) or {}
    lines = ("line1", "line2", "postal_code", "city", "region", "country")
    return Recipient(
        name=address.get("name") or person.get("name") or "", **{line: address.get(line) or "" for line in lines}
    )


def _wording() -> Wording:
    return Wording(
        sender=gettext("From"),
        recipient=gettext("To"),
        packages=gettext("Packages"),
        weight=gettext("Weight"),
        order=gettext("Order"),
        packing_slip=gettext("Packing slip"),
        article=gettext("Article"),
        sku=gettext("SKU"),
        units=gettext("Units"),
        returns=gettext("Something not right? Bring it back with this slip to any of our stores."),
    )


def _customer_name(session: Session, fo: FulfillmentOrder) -> str:
    sold = session.get(Order, fo.reference)
    person = customers.contact(session, vault(), sold.customer_id) if sold else None
    return (person or {}).get("name") or ""


def _next_to_pack(session: Session, done: FulfillmentOrder) -> FulfillmentOrder | None:
    """Return the order to pack after this one, so that it is one tap away."""
    picked = select(FulfillmentOrder).where(
        FulfillmentOrder.node == done.node, FulfillmentOrder.status == Status.PICKED
    )
    return session.scalar(picked.order_by(FulfillmentOrder.ship_by, FulfillmentOrder.number).limit(1))


def _is_late(fo: FulfillmentOrder, at: datetime) -> bool:
    return fo.ship_by < at and fo.status in {*TO_PICK, Status.PICKING, Status.PICKED, Status.PACKED}


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()
