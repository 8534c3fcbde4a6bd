"""Returns at the counter: find the order, say what comes back, why and in which grade, and where each piece goes.

Invariant: searches travel in the body of a request, since names, phones and mails must not stand in addresses and logs.
"""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from api.pages.store.room import at_this_node, here, store
from api.pages.visit import caller, doors, move_on, now, vault
from api.pages.words import GRADE_EFFECTS, GRADES
from oms import history, queries, returns
from oms.commands import ReturnBrought
from oms.models import Order, Return
from stock.reports import articles

WHY_RETURNED = (
    "changed_mind",
    "too_small",
    "too_large",
    "damaged",
    "not_as_described",
    "wrong_article",
    "late",
    "other",
)
MOST_FOUND = 20


@store.get("/<node>/returns")
def return_search() -> ResponseReturnValue:
    """Ask for the order."""
    return render_template("store/returns.html", text="", found=None)


@store.post("/<node>/returns")
def return_find() -> ResponseReturnValue:
    """Find orders by number, phone, mail or name; one match opens at once."""
    text = request.form.get("text", "").strip()
    wanted = queries.Wanted(text=text)
    found = doors().read(lambda session: list(queries.find(session, vault(), wanted, limit=MOST_FOUND).orders))
    if len(found) == 1:
        return redirect(url_for("pages.store.return_order", order_id=found[0].id), code=303)
    return render_template("store/returns.html", text=text, found=found)


@store.get("/<node>/returns/<order_id>")
def return_order(order_id: str) -> ResponseReturnValue:
    """Show the lines of which something can come back."""
    return doors().read(lambda session: _lines_page(session, order_id))


@store.post("/<node>/returns/<order_id>")
def return_confirm(order_id: str) -> ResponseReturnValue:
    """Take back what was brought."""

    def receive(session: Session) -> str:
        order = history.get(session, order_id)
        brought = _brought(order)
        made = returns.at_counter(session, order_id, node=here().id, brought=brought, actor=caller().actor, now=now())
        return made.id

    return move_on(url_for("pages.store.return_done", return_id=doors().write(receive)))


@store.get("/<node>/returns/done/<return_id>")
def return_done(return_id: str) -> ResponseReturnValue:
    """Say where each piece of a return belongs."""

    def show(session: Session) -> str:
        made = at_this_node(session.get(Return, return_id))
        return render_template(
            "store/returned.html",
            made=made,
            articles=articles(session, {line.sku for line in made.lines}),
            effects=GRADE_EFFECTS,
        )

    return doors().read(show)


def _lines_page(session: Session, order_id: str) -> str:
    order = history.get(session, order_id)
    left = returns.returnable(session, order)
    return render_template(
        "store/return.html",
        order=order,
        lines=[line for line in order.lines if left.get(line.id, 0) > 0],
        left=left,
        articles=articles(session, {line.sku for line in order.lines}),
        reasons=WHY_RETURNED,
        grades=GRADES,
        effects=GRADE_EFFECTS,
    )


def _brought(order: Order) -> list[ReturnBrought]:
    form = request.form
    return [
        ReturnBrought(
            line_id=line.id,
            units=units,
            reason=form.get(f"reason-{line.id}", "other"),
            grade=form.get(f"grade-{line.id}", ""),
        )
        for line in order.lines
        if (units := form.get(f"units-{line.id}", 0, type=int)) > 0
    ]
