"""Counting shelves: what is proposed, and one count as its counter walks it, blind, scan by scan or by typed figures.

Each scan is a form of its own, so that nothing is lost when the phone is; its id, made by the device, counts once.
Invariant: no page here shows what a shelf should hold, nor what others found on it.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.pages.store.answers import Answer, article_words
from api.pages.store.room import at_this_node, here, store
from api.pages.visit import by_htmx, caller, doors, now
from kernel.ids import new_id
from stock import lists
from stock.counting import counts, opening, report, sessions, tasks
from stock.counting.documents import Count, CountResult, CountSession, CountStatus, SessionStatus
from stock.counting.errors import ShelfTaken, UnknownCode
from stock.counting.report import CountView, LineView
from stock.models import Article, Placement

MOST_SHOWN = 50


@dataclass(frozen=True)
class Walk:
    """One count as one counter sees it: the articles still wanted, what they found, and whether they counted before."""

    view: CountView
    own: CountSession | None
    results: list[tuple[CountResult, Article]]
    counted_before: bool

    @property
    def wanted(self) -> int:
        """How many articles the round wants."""
        return sum(line.round == self.view.count.round for line in self.view.lines)

    @property
    def still(self) -> list[LineView]:
        """The next articles to look for, as one walks; what has no shelf comes last."""
        way = sorted(self.view.open_lines, key=lambda line: (line.shelf is None, line.shelf or "", line.sku))
        return way[:MOST_SHOWN]


@store.get("/<node>/counts")
def counts_here() -> ResponseReturnValue:
    """Show what is proposed to be counted here, and the counts under way."""
    return doors().read(_counts)


@store.post("/<node>/counts")
def count_open() -> ResponseReturnValue:
    """Open a count of the ticked articles, or of an area."""
    skus, area = request.form.getlist("sku"), "area" in request.form
    if not skus and not area:
        flash(gettext("Nothing was ticked, so no count was opened."), "warn")
        return redirect(url_for("pages.store.counts_here"), code=303)

    def write(session: Session) -> str:
        node, actor = here().id, caller().actor
        if not area:
            return opening.open_count(session, node=node, skus=skus, actor=actor, now=now()).id
        first, last = (request.form.get(name, "").strip() or None for name in ("shelf_from", "shelf_to"))
        opened = opening.open_area(session, node=node, shelf_from=first, shelf_to=last, actor=actor, now=now())
        return opened.id

    return redirect(url_for("pages.store.count_walk", count_id=doors().write(write)), code=303)


@store.post("/<node>/count-tasks/<task_id>/drop")
def count_task_drop(task_id: str) -> ResponseReturnValue:
    """Take a proposal off the list."""

    def write(session: Session) -> None:
        at_this_node(lists.count_task(session, task_id))
        tasks.drop(session, task_id, actor=caller().actor, now=now())

    doors().write(write)
    return redirect(url_for("pages.store.counts_here"), code=303)


@store.get("/<node>/counts/<count_id>")
def count_walk(count_id: str) -> ResponseReturnValue:
    """Show a count: where to go, and what was found."""
    return doors().read(lambda session: _count(session, count_id, "store/count.html"))


@store.post("/<node>/counts/<count_id>/begin")
def count_begin(count_id: str) -> ResponseReturnValue:
    """Count a second time although one made the first count, since nobody else is there."""
    doors().write(lambda session: _begun(session, count_id, alone=True))
    return _back(count_id)


@store.post("/<node>/counts/<count_id>/scan")
def count_scan(count_id: str) -> ResponseReturnValue:
    """Count a scanned article, or go to a scanned shelf."""
    code, shelf = request.form.get("code", "").strip(), request.form.get("shelf", "")
    if doors().read(lambda session: _is_shelf(session, code)):
        shelf, said = code, Answer("calm", gettext("Shelf %(shelf)s.", shelf=code))
    else:
        said = _scan(count_id, code, shelf or None)
    if by_htmx():
        return doors().read(lambda session: _count(session, count_id, "store/_count.html", said, shelf))
    flash(said.sentence, said.tone)
    return _back(count_id, shelf)


@store.post("/<node>/counts/<count_id>/units")
def count_units(count_id: str) -> ResponseReturnValue:
    """Write down a typed figure in place of what was there."""
    form = request.form
    shelf = form.get("shelf") or None

    def write(session: Session) -> None:
        own = _begun(session, count_id)
        units = form.get("units", -1, type=int)
        sku = form.get("sku", "")
        sessions.record(session, own.id, sku=sku, units=units, shelf=shelf, actor=caller().actor, now=now())

    doors().write(write)
    return _back(count_id, form.get("at", ""))


@store.post("/<node>/counts/<count_id>/none")
def count_none(count_id: str) -> ResponseReturnValue:
    """Confirm that of these articles, each named on the page, there is none."""
    skus = request.form.getlist("sku")

    def write(session: Session) -> None:
        own = _begun(session, count_id)
        sessions.record_none(session, own.id, skus, actor=caller().actor, now=now())

    doors().write(write)
    flash(
        ngettext("%(num)d article is confirmed as none.", "%(num)d articles are confirmed as none.", len(skus)), "calm"
    )
    return _back(count_id, request.form.get("at", ""))


@store.post("/<node>/counts/<count_id>/forget")
def count_forget(count_id: str) -> ResponseReturnValue:
    """Begin a shelf again."""
    shelf = request.form.get("shelf", "")

    def write(session: Session) -> int:
        return sessions.forget_shelf(session, _begun(session, count_id).id, shelf=shelf, actor=caller().actor)

    doors().write(write)
    return _back(count_id, shelf)


@store.post("/<node>/counts/<count_id>/hand-in")
def count_hand_in(count_id: str) -> ResponseReturnValue:
    """Hand in what one counted; the last one ends the round."""

    def write(session: Session) -> Answer:
        own = _begun(session, count_id)
        done = counts.hand_in(session, own.id, actor=caller().actor, now=now())
        return _handed_in(report.view(session, done, blind=True))

    said = doors().write(write)
    flash(said.sentence, said.tone)
    return redirect(url_for("pages.store.counts_here"), code=303)


def open_tasks(session: Session, node: str) -> int:
    """Return how much there is to count at a node: proposals and counts under way."""
    return len(report.proposed(session, node)) + len(report.in_work(session, node))


def _counts(session: Session) -> str:
    under_way = report.in_work(session, here().id)
    return render_template(
        "store/counts.html",
        proposed=report.proposed(session, here().id),
        under_way=under_way,
        progress=report.progress(session, [each.id for each in under_way]),
    )


def _count(session: Session, count_id: str, template: str, said: Answer | None = None, shelf: str | None = None) -> str:
    walk = _walk(session, _here(session, count_id))
    shelf = request.args.get("shelf", "") if shelf is None else shelf
    return render_template(template, walk=walk, view=walk.view, shelf=shelf, said=said)


def _walk(session: Session, found: Count) -> Walk:
    view = report.view(session, found, blind=True)
    mine = [own for own in found.sessions if own.counter == caller().actor]
    own = next((own for own in mine if own.status == SessionStatus.COUNTING and own.round == found.round), None)
    results = sorted(own.results, key=lambda result: result.counted_at, reverse=True) if own else []
    articles = {line.sku: line.article for line in view.lines}
    before = any(session_.round < found.round and session_.results for session_ in mine)
    return Walk(view, own, [(result, articles[result.sku]) for result in results], before and own is None)


def _here(session: Session, count_id: str) -> Count:
    return at_this_node(session.get(Count, count_id))


def _begun(session: Session, count_id: str, *, alone: bool = False) -> CountSession:
    _here(session, count_id)
    return sessions.begin(session, count_id, alone=alone, actor=caller().actor, now=now())


def _is_shelf(session: Session, code: str) -> bool:
    placed = select(Placement.sku).where(Placement.node == here().id, Placement.shelf == code)
    return session.get(Article, code) is None and session.scalar(placed.limit(1)) is not None


def _scan(count_id: str, code: str, shelf: str | None) -> Answer:
    scan_id = request.form.get("scan_id") or new_id()

    def write(session: Session) -> Answer:
        own = _begun(session, count_id)
        scanned = sessions.scan(
            session, own.id, scan_id=scan_id, code=code, shelf=shelf, actor=caller().actor, now=now()
        )
        words = article_words(session.get_one(Article, scanned.result.sku))
        units, place = scanned.result.units, scanned.result.shelf or gettext("no shelf")
        return Answer(
            "good", gettext("%(article)s: %(units)s on shelf %(shelf)s.", article=words, units=units, shelf=place)
        )

    try:
        return doors().write(write)
    except UnknownCode as error:
        return Answer("bad", gettext("No article has the code %(code)s. Nothing was counted.", code=error.scanned))
    except ShelfTaken as error:
        sentence = gettext(
            "%(who)s counts %(sku)s on shelf %(shelf)s. Nothing was counted.",
            who=error.counter, sku=error.sku, shelf=error.shelf,
        )  # fmt: skip
        return Answer("bad", sentence)


def _handed_in(view: CountView) -> Answer:
    still = len(view.open_lines)
    if view.count.status == CountStatus.REVIEW:
        return Answer("good", gettext("Handed in. The count is complete, and goes to review."))
    if view.count.round > 1 and not any(own.round == view.count.round for own in view.sessions):
        return Answer("warn", gettext("Handed in. Some articles are to be counted once more, best by somebody else."))
    if still:
        sentence = ngettext(
            "Handed in. %(num)d article is still to be counted.",
            "Handed in. %(num)d articles are still to be counted.",
            still,
        )
        return Answer("warn", sentence)
    return Answer("good", gettext("Handed in. Others are still counting."))


def _back(count_id: str, shelf: str = "") -> ResponseReturnValue:
    return redirect(url_for("pages.store.count_walk", count_id=count_id, shelf=shelf or None), code=303)
