"""Picking: a list one line per screen, counted by scans, walked from shelf to shelf.

Without JavaScript each scan is a form and a new page; with it, only the line changes. Invariant: a scan counts for the
line on the screen or for none, and its id, made by the device, counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from api.pages.store.answers import Answer, article_words, too_many, wrong
from api.pages.store.room import at_this_node, here, store
from api.pages.visit import by_htmx, caller, config, doors, now
from fulfillment.work import board as boards
from fulfillment.work import picking
from fulfillment.work.board import Walk
from fulfillment.work.errors import TooMany, UnknownPickList, WrongArticle
from fulfillment.work.models import FulfillmentOrder, PickList, Status
from fulfillment.work.walking import Stop
from kernel.ids import new_id


@dataclass(frozen=True)
class Screen:
    """A pick list at one moment: the line to pick now, in which tote it goes, and the lines left for later."""

    walk: Walk
    stop: Stop | None
    tote: int
    later: tuple[str, ...]
    orders: Sequence[FulfillmentOrder]
    mine: bool


@store.post("/<node>/pick")
def start() -> ResponseReturnValue:
    """Begin to pick the most urgent orders, or the one that was chosen."""
    chosen = request.form.getlist("order")

    actor, at = caller().actor, now()

    def begin(session: Session) -> str:
        if not chosen:
            most = config().work.pick_list_orders
            return picking.propose(session, here().id, max_orders=most, actor=actor, now=at).id
        for fo_id in chosen:
            at_this_node(session.get(FulfillmentOrder, fo_id))
        return picking.start(session, chosen, actor=actor, now=at).id

    return redirect(url_for("pages.store.walk", list_id=doors().write(begin)), code=303)


@store.get("/<node>/lists/<list_id>")
def walk(list_id: str) -> ResponseReturnValue:
    """Show the line to pick now."""
    return doors().read(lambda session: _show(session, list_id, "store/walk.html"))


@store.post("/<node>/lists/<list_id>/scan")
def walk_scan(list_id: str) -> ResponseReturnValue:
    """Count a scan for the line on the screen."""
    said = _scan(list_id)
    if by_htmx():
        return doors().read(lambda session: _show(session, list_id, "store/_line.html", said))
    flash(said.sentence, said.tone)
    return redirect(url_for("pages.store.walk", list_id=list_id, later=_later()), code=303)


@store.post("/<node>/lists/<list_id>/take-over")
def walk_take_over(list_id: str) -> ResponseReturnValue:
    """Go on with a list that somebody else began."""

    def take(session: Session) -> None:
        at_this_node(session.get(PickList, list_id))
        picking.take_over(session, list_id, actor=caller().actor, now=now())

    doors().write(take)
    return redirect(url_for("pages.store.walk", list_id=list_id), code=303)


def screen(session: Session, list_id: str, later: Sequence[str]) -> Screen:
    """Return where a list stands; lines left for later come last. Raises UnknownPickList."""
    found = boards.walk(session, list_id)
    if found.pick_list.node != here().id:
        raise UnknownPickList(list_id)
    open_stops = [stop for stop in found.stops if stop.to_pick and stop.status == Status.PICKING]
    waiting = tuple(line for line in later if any(stop.line_id == line for stop in open_stops))
    if len(waiting) == len(open_stops):
        waiting = ()
    stop = next((stop for stop in open_stops if stop.line_id not in waiting), None)
    numbers = sorted({stop.number for stop in found.stops})
    orders = [session.get_one(FulfillmentOrder, fo_id) for fo_id in _in_order(found.stops)]
    return Screen(
        walk=found,
        stop=stop,
        tote=numbers.index(stop.number) + 1 if stop else 0,
        later=waiting,
        orders=orders,
        mine=found.pick_list.claimed_by in {None, caller().actor},
    )


def _show(session: Session, list_id: str, template: str, said: Answer | None = None) -> str:
    shown = screen(session, list_id, _later())
    skipping = (*shown.later, shown.stop.line_id) if shown.stop else ()
    return render_template(template, screen=shown, said=said, skipping=skipping)


def _scan(list_id: str) -> Answer:
    form = request.form
    line_id = form.get("line") or None

    def count(session: Session) -> Answer:
        at_this_node(session.get(PickList, list_id))
        scanned = picking.scan(
            session,
            list_id,
            scan_id=form.get("scan_id") or new_id(),
            code=form.get("code", ""),
            units=form.get("units", 1, type=int),
            line_id=line_id,
            actor=caller().actor,
            now=now(),
        )
        left = scanned.stop.to_pick
        words = article_words(scanned.stop)
        if left:
            return Answer("good", gettext("%(article)s: right, %(left)s more.", article=words, left=left))
        return Answer("good", gettext("%(article)s: complete.", article=words))

    try:
        return doors().write(count)
    except WrongArticle as error:
        return wrong(error, _stop(list_id, line_id))
    except TooMany as error:
        return too_many(error, _stop(list_id, line_id))


def _stop(list_id: str, line_id: str | None) -> Stop | None:
    def find(session: Session) -> Stop | None:
        return next((stop for stop in picking.lines(session, list_id) if stop.line_id == line_id), None)

    return doors().read(find)


def _later() -> list[str]:
    return request.values.getlist("later")


def _in_order(stops: Sequence[Stop]) -> list[str]:
    numbers = {stop.number: stop.fulfillment_order_id for stop in stops}
    return [numbers[number] for number in sorted(numbers)]
