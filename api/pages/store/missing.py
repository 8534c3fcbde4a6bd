"""Cannot find, and cannot do: a reason is chosen among large buttons that say what each does before it is confirmed."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from api import deciding
from api.pages.store import elsewhere
from api.pages.store.room import at_this_node, here, store
from api.pages.visit import caller, doors, now
from fulfillment.sourcing.proposal import Proposal
from fulfillment.work import orders, picking, walking
from fulfillment.work.models import FulfillmentLine, FulfillmentOrder
from fulfillment.work.walking import Stop
from stock.reasons import REJECT, SHORT


@store.get("/<node>/lists/<list_id>/lines/<line_id>/missing")
def missing(list_id: str, line_id: str) -> ResponseReturnValue:
    """Ask why a line cannot be found, and say what each reason leads to."""
    return doors().read(lambda session: _ask_short(session, list_id, line_id))


@store.post("/<node>/lists/<list_id>/lines/<line_id>/missing")
def missing_confirm(list_id: str, line_id: str) -> ResponseReturnValue:
    """Take the units off the order, with the reason's effect on stock, and send them where they are decided to go."""
    reason = request.form.get("reason", "")
    found = request.form.get("found", 0, type=int)

    def decided(session: Session) -> Proposal:
        fo, _ = _line(session, line_id)
        return deciding.if_short(session, fo.id, line_id=line_id, found=found, reason=reason, now=now())

    def happens(session: Session) -> None:
        fo, _ = _line(session, line_id)
        picking.short(session, fo.id, line_id=line_id, found=found, reason=reason, actor=caller().actor, now=now())

    elsewhere.settle(decided, happens)
    flash(gettext("Noted. The order goes on without these units; this line is done."), "good")
    return redirect(url_for("pages.store.walk", list_id=list_id), code=303)


@store.get("/<node>/orders/<fo_id>/reject")
def reject(fo_id: str) -> ResponseReturnValue:
    """Ask why the store cannot do an order, and say what each reason leads to."""
    return doors().read(lambda session: _ask_reject(session, fo_id))


@store.post("/<node>/orders/<fo_id>/reject")
def reject_confirm(fo_id: str) -> ResponseReturnValue:
    """Refuse an order; its units go where they are decided to go."""
    reason = request.form.get("reason", "")

    def decided(session: Session) -> Proposal:
        at_this_node(session.get(FulfillmentOrder, fo_id))
        return deciding.if_rejected(session, fo_id, lines=None, reason=reason, now=now())

    def happens(session: Session) -> str:
        fo = at_this_node(session.get(FulfillmentOrder, fo_id))
        orders.reject(session, fo_id, reason=reason, actor=caller().actor, now=now())
        return fo.number

    number = elsewhere.settle(decided, happens)
    flash(gettext("Order %(number)s was rejected; its units go elsewhere.", number=number), "good")
    return redirect(url_for("pages.store.board"), code=303)


def _ask_short(session: Session, list_id: str, line_id: str) -> str:
    fo, line = _line(session, line_id)
    stop = _stop(session, fo, line_id)
    found = min(max(request.args.get("found", line.picked, type=int), line.picked), line.units - 1)
    proposal = deciding.if_short(session, fo.id, line_id=line_id, found=found, now=now())
    return render_template(
        "store/missing.html",
        stop=stop,
        found=found,
        lost=line.units - found,
        choices=elsewhere.choices(session, SHORT),
        effects=elsewhere.order_effect(session, proposal),
        action=url_for("pages.store.missing_confirm", list_id=list_id, line_id=line_id),
        back=url_for("pages.store.walk", list_id=list_id),
    )


def _ask_reject(session: Session, fo_id: str) -> str:
    fo = at_this_node(session.get(FulfillmentOrder, fo_id))
    proposal = deciding.if_rejected(session, fo_id, lines=None, now=now())
    return render_template(
        "store/reject.html",
        fo=fo,
        stops=walking.stops(session, [fo_id]),
        choices=elsewhere.choices(session, REJECT),
        effects=elsewhere.order_effect(session, proposal),
        store_name=here().name,
    )


def _line(session: Session, line_id: str) -> tuple[FulfillmentOrder, FulfillmentLine]:
    line = session.get(FulfillmentLine, line_id)
    if line is None or line.units <= line.picked:
        abort(404)
    return at_this_node(session.get(FulfillmentOrder, line.fulfillment_order_id)), line


def _stop(session: Session, fo: FulfillmentOrder, line_id: str) -> Stop:
    return next(stop for stop in walking.stops(session, [fo.id]) if stop.line_id == line_id)
