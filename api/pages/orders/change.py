"""What an agent changes about an order: cancel by line and quantity, hold and let go, correct the address.

Invariant: a cancel is confirmed only after the page has said which units it releases and where they go; whoever changes
an order holds the scope that the REST interface asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from api import deciding
from api.pages import words
from api.pages.orders.order import OrderPage, gather
from api.pages.orders.words import REASONS_TO_CANCEL
from api.pages.planner import forms
from api.pages.visit import caller, doors, now, vault
from fulfillment.work import cancelling
from fulfillment.work.cancelling import CancelledUnits
from fulfillment.work.demands import ADDRESS
from fulfillment.work.models import Status
from oms import addresses, holds, orders
from oms.commands import ShipTo

UNITS_FIELD = "units-"
IN_A_TOTE = frozenset({Status.PICKED, Status.PACKED, Status.READY})


@dataclass(frozen=True)
class Effect:
    """Units that a cancel would give up: of which article, where they are now, and what becomes of them."""

    sku: str
    units: int
    where: str
    becomes: str


def foresee(order_id: str) -> ResponseReturnValue:
    """Say what a cancel would release, and ask whether to do it."""
    _require_scope()
    lines = _lines()
    if not lines:
        flash(gettext("Say how many units of which line to cancel."), "warn")
        return redirect(_order(order_id))
    page, effects = doors().read(lambda session: _foreseen(session, order_id, lines))
    return render_template(
        "orders/cancel.html", page=page, order=page.view.order, effects=effects, lines=lines, reason=_reason()
    )


def cancel(order_id: str) -> ResponseReturnValue:
    """Cancel the units that were confirmed."""
    _require_scope()
    lines, reason, actor, instant = _lines(), _reason(), caller().actor, now()
    done = doors().write(
        lambda session: orders.cancel(session, order_id, lines, reason=reason, actor=actor, now=instant)
    )
    units = sum(each.units for each in done.units)
    flash(ngettext("%(num)d unit is cancelled.", "%(num)d units are cancelled.", units), "good")
    return redirect(_order(order_id), code=303)


def hold(order_id: str) -> ResponseReturnValue:
    """Hold the order."""
    _require_scope()
    doors().write(lambda session: holds.place(session, order_id, reason=_reason(), actor=caller().actor, now=now()))
    flash(gettext("The order is on hold. Lift the hold to let it go on."), "good")
    return redirect(_order(order_id), code=303)


def lift(order_id: str) -> ResponseReturnValue:
    """Lift one hold."""
    _require_scope()
    doors().write(lambda session: holds.lift(session, order_id, reason=_reason(), actor=caller().actor, now=now()))
    flash(gettext("The hold is lifted."), "good")
    return redirect(_order(order_id), code=303)


def correct_address(order_id: str) -> ResponseReturnValue:
    """Send the order elsewhere, and decide it again from there."""
    _require_scope()
    given: dict[str, Any] = {name: request.form.get(name, "").strip() for name in _ADDRESS}
    actor, instant, safe = caller().actor, now(), vault()
    again = doors().write(
        lambda session: addresses.correct_address(
            session, order_id, ShipTo(**given), vault=safe, actor=actor, now=instant
        )
    )
    deciding.many(doors(), again, cause=ADDRESS, now=instant, actor=actor)
    flash(gettext("The address is corrected, and what has not left was decided again."), "good")
    return redirect(_order(order_id), code=303)


def _foreseen(session: Session, order_id: str, lines: dict[str, int]) -> tuple[OrderPage, list[Effect]]:
    page = gather(session, vault(), order_id)
    own = {line.line.id: line.line.sku for line in page.view.lines}
    if not lines.keys() <= own.keys():
        abort(404)
    given_up = cancelling.foresee(session, lines=lines)
    return page, [_effect(page, own[each.demand_line_id], each) for each in given_up.units]


def _effect(page: OrderPage, sku: str, given_up: CancelledUnits) -> Effect:
    if given_up.taken_from == cancelling.WAITING:
        becomes = gettext("They had no node yet; nobody has to do anything.")
        return Effect(sku, given_up.units, gettext("waiting"), becomes)
    part = next(
        part.fulfillment_order for part in page.view.parts if part.fulfillment_order.number == given_up.taken_from
    )
    where = f"{page.node(part.node)}, {words.state(part.status).word}"
    if part.status in IN_A_TOTE:
        becomes = gettext("The store gets a task to put them back on the shelf; then they are for sale again.")
    elif part.status == Status.PICKING:
        becomes = gettext("Those already picked are put back; the others are for sale again at once.")
    elif part.status == Status.AWAITING_TRANSFER:
        becomes = gettext(
            "What is already on its way is received as plain stock; the rest stays where it is, for sale."
        )
    else:
        becomes = gettext("They are for sale again at once, and the store has less to pick.")
    return Effect(sku, given_up.units, where, becomes)


def _lines() -> dict[str, int]:
    """Read how many units of which lines; zero and empty are not asked for."""
    asked = {name: text for name, text in request.values.items() if name.startswith(UNITS_FIELD) and text.strip()}
    units = {name.removeprefix(UNITS_FIELD): forms.whole(asked, name) for name in asked}
    return {line_id: count for line_id, count in units.items() if count}


def _reason() -> str:
    return request.values.get("reason", REASONS_TO_CANCEL[0])


def _require_scope() -> None:
    if not caller().may("orders:write"):
        abort(403)


def _order(order_id: str) -> str:
    return url_for("pages.orders.order", order_id=order_id)


_ADDRESS = ("name", "line1", "line2", "postal_code", "city", "region", "country")
