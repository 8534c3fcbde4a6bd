"""The counter: who comes for an order, what they take, whether it is paid, and what they leave here.

Invariant: searches travel in the body of a request, since names, phones and codes must not stand in addresses and logs.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.pages.store.room import at_this_node, here, store
from api.pages.visit import caller, doors, move_on, now, vault
from fulfillment.work import board as boards
from fulfillment.work import collecting, walking
from fulfillment.work.collecting import Identification
from fulfillment.work.models import FulfillmentOrder, Status
from oms import counter as counters
from oms import customers, queries
from oms.models import Order

DOCUMENTS = {
    Identification.ID_CARD: lazy_gettext("Identity card"),
    Identification.PASSPORT: lazy_gettext("Passport"),
    Identification.DRIVING_LICENCE: lazy_gettext("Driving licence"),
    Identification.RESIDENCE_PERMIT: lazy_gettext("Residence permit"),
}
# How people pay at a counter.
PAID_BY = {"card": lazy_gettext("Card"), "cash": lazy_gettext("Cash"), "voucher": lazy_gettext("Voucher")}
WHY_REFUSED = ("changed_mind", "too_small", "too_large", "damaged", "not_as_described", "wrong_article", "late")


@store.get("/<node>/hand-over")
def counter() -> ResponseReturnValue:
    """Show the search, and what lies ready."""
    return doors().read(lambda session: _search_page(session, "", None))


@store.post("/<node>/hand-over")
def counter_search() -> ResponseReturnValue:
    """Find what lies ready by its code, or by number, name, phone or mail; one match opens at once."""
    text = request.form.get("code", "").strip()

    def search(session: Session) -> tuple[str | None, str]:
        found = find_ready(session, here().id, text)
        only = found[0].id if len(found) == 1 else None
        return only, _search_page(session, text, found)

    only, page = doors().read(search)
    if only is None:
        return page
    return doors().read(lambda session: _hand_over_page(session, only, text if _is_code(text) else ""))


@store.get("/<node>/hand-over/<fo_id>")
def hand_over(fo_id: str) -> ResponseReturnValue:
    """Show what to hand over."""
    return doors().read(lambda session: _hand_over_page(session, fo_id, ""))


@store.post("/<node>/hand-over/<fo_id>/due")
def hand_over_due(fo_id: str) -> ResponseReturnValue:
    """Show what is to be paid for the units that are taken."""

    def due(session: Session) -> str:
        at_this_node(session.get(FulfillmentOrder, fo_id))
        amount = counters.amount_due(session, fo_id, accepted=_accepted())
        return render_template("store/_due.html", due=amount, kinds=PAID_BY, paid_by=request.form.get("paid_by"))

    return doors().read(due)


@store.post("/<node>/hand-over/<fo_id>")
def hand_over_confirm(fo_id: str) -> ResponseReturnValue:
    """Hand over what is taken, and keep the rest to be put back."""
    form = request.form

    def give(session: Session) -> str:
        at_this_node(session.get(FulfillmentOrder, fo_id))
        fo = counters.hand_over(
            session,
            fo_id,
            code=form.get("code", "").strip() or None,
            identified_by=form.get("identified_by") or None,
            accepted=_accepted(),
            paid_by=form.get("paid_by") or None,
            reason=form.get("reason") or "refused",
            actor=caller().actor,
            now=now(),
        )
        return str(fo.status)

    if doors().write(give) == Status.REFUSED:
        flash(gettext("Nothing was taken. Put the units back: the task is on the store's page."), "good")
        return move_on(url_for("pages.store.home"))
    flash(gettext("Handed over. Thank you."), "good")
    return move_on(url_for("pages.store.counter"))


def find_ready(session: Session, node: str, text: str) -> list[FulfillmentOrder]:
    """Return what lies ready at `node` for a pickup code, or for an order, name, phone or mail."""
    if not text:
        return []
    if _is_code(text) and (by_code := collecting.ready_for_code(session, node, text)):
        return by_code
    found = queries.find(session, vault(), queries.Wanted(text=text)).orders
    named = FulfillmentOrder.reference.in_([order.id for order in found]) | (FulfillmentOrder.number == text.upper())
    ready = select(FulfillmentOrder).where(
        FulfillmentOrder.node == node, FulfillmentOrder.status == Status.READY, named
    )
    return list(session.scalars(ready.order_by(FulfillmentOrder.expires_at)))


def _search_page(session: Session, text: str, found: list[FulfillmentOrder] | None) -> str:
    ready = boards.board(session, here().id, now=now()).columns["ready"] if found is None else []
    people = {fo.id: _name(session, fo) for fo in found or []}
    return render_template("store/counter.html", text=text, found=found, people=people, ready=ready)


def _hand_over_page(session: Session, fo_id: str, code: str) -> str:
    fo = at_this_node(session.get(FulfillmentOrder, fo_id))
    is_ready = fo.status == Status.READY
    return render_template(
        "store/hand_over.html",
        fo=fo,
        stops=walking.stops(session, [fo_id]),
        customer=_name(session, fo),
        due=counters.amount_due(session, fo_id) if is_ready else None,
        code=code,
        locked=fo.wrong_codes >= collecting.MAX_WRONG_CODES,
        documents=DOCUMENTS,
        kinds=PAID_BY,
        reasons=WHY_REFUSED,
    )


def _name(session: Session, fo: FulfillmentOrder) -> str:
    sold = session.get(Order, fo.reference)
    person = customers.contact(session, vault(), sold.customer_id) if sold else None
    return (person or {}).get("name") or ""


def _accepted() -> Mapping[str, int] | None:
    """Return the units taken of each line; None when the form says nothing about them."""
    given = {
        name.removeprefix("accepted-"): request.form.get(name, 0, type=int)
        for name in request.form
        if name.startswith("accepted-")
    }
    return given or None


def _is_code(text: str) -> bool:
    return text.isdecimal() and len(text) == 6
