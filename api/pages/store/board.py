"""The store's board: its fulfillment orders by what is to be done with them, the late ones first."""

from __future__ import annotations

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session

from api.pages.store.room import here, store
from api.pages.visit import doors, now
from fulfillment.work import board as boards
from fulfillment.work.board import Board, Card

TABS = {
    "late": lazy_gettext("Late"),
    "to_pick": lazy_gettext("To pick"),
    "in_progress": lazy_gettext("In progress"),
    "packed": lazy_gettext("Packed"),
    "ready": lazy_gettext("Ready"),
    "awaiting_transfer": lazy_gettext("On its way here"),
    "done": lazy_gettext("Done"),
}
# Shown only while there is something in them.
EXCEPTIONS = {"late", "awaiting_transfer"}
NOTHING = {
    "late": lazy_gettext("Nothing is late."),
    "to_pick": lazy_gettext("Nothing to pick. New orders come by themselves."),
    "in_progress": lazy_gettext("Nobody is picking now."),
    "packed": lazy_gettext("Nothing is packed and waiting."),
    "ready": lazy_gettext("Nothing waits to be collected."),
    "awaiting_transfer": lazy_gettext("Nothing is on its way here."),
    "done": lazy_gettext("Nothing was finished in the last 24 hours."),
}


@store.get("/<node>/orders")
def board() -> ResponseReturnValue:
    """Show one column of the board."""
    tab = request.args.get("tab", "to_pick")
    if tab not in TABS:
        abort(404)
    return doors().read(lambda session: _board(session, tab))


def _board(session: Session, tab: str) -> str:
    shown = boards.board(session, here().id, now=now())
    counts = {**shown.counts, "late": shown.late}
    tabs = [
        (name, word, counts[name])
        for name, word in TABS.items()
        if name not in EXCEPTIONS or counts[name] or name == tab
    ]
    return render_template(
        "store/board.html", tabs=tabs, tab=tab, cards=cards_of(shown, tab), count=counts[tab], nothing=NOTHING[tab]
    )


def cards_of(shown: Board, tab: str) -> list[Card]:
    """Return the cards of a tab, the late ones first."""
    if tab != "late":
        return sorted(shown.columns[tab], key=lambda card: not card.late)
    to_do = [card for name in ("to_pick", "in_progress", "packed") for card in shown.columns[name]]
    return sorted((card for card in to_do if card.late), key=lambda card: card.due_at)
