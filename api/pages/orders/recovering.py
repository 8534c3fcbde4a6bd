"""An order in trouble: what went wrong, the ways it may go on with date, cost and probability, and choosing one.

Invariant: each way says what it does before it is chosen; whoever chooses holds the scope that the REST interface asks
for, and says why.
"""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from api.pages.orders.order import OrderPage, gather
from api.pages.visit import caller, config, doors, now, vault
from oms import recovery
from oms.recovery import Asked, Prepared, Trouble

REASONS = ("customer", "planner", "other")
REPLACES = "substitute-"


def page(order_id: str) -> ResponseReturnValue:
    """Show the ways an order may go on."""

    def read(session: Session) -> tuple[OrderPage, list[Trouble]]:
        return gather(session, vault(), order_id), recovery.troubles(session, order_id, vault=vault(), now=now())

    shown, found = doors().read(read)
    return render_template(
        "orders/recovery.html", page=shown, order=shown.view.order, troubles=found, reasons=REASONS, now=now(),
        zone=config().night.time_zone, currency=config().network.currency, may_write=caller().may("orders:write"),
    )  # fmt: skip


def choose(order_id: str) -> ResponseReturnValue:
    """Carry out the way that was chosen."""
    if not caller().may("orders:write"):
        abort(403)
    asked, instant, actor = _asked(), now(), caller().actor

    def prepare(session: Session) -> Prepared:
        return recovery.prepare(session, order_id, asked, vault=vault(), now=instant)

    def commit(session: Session, prepared: Prepared) -> None:
        recovery.carry_out(session, order_id, prepared, now=instant, actor=actor)

    doors().decide_then_commit(prepare, commit)
    flash(gettext("Done. The order goes on as you chose."), "good")
    return redirect(url_for("pages.orders.order", order_id=order_id), code=303)


def _asked() -> Asked:
    form = request.form
    substitutes = {name.removeprefix(REPLACES): sku for name, sku in form.items() if name.startswith(REPLACES)}
    return Asked(
        demand_id=form.get("demand_id", ""), choice=form.get("choice", ""), reason=form.get("reason", ""),
        node=form.get("node") or None, substitutes=substitutes,
    )  # fmt: skip
