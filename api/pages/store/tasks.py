"""The store's tasks beside orders: putting back what nobody wants any more, and receiving transfers."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from api import deciding
from api.house import house
from api.pages.store.answers import Answer, article_words, too_many, wrong
from api.pages.store.room import at_this_node, here, store
from api.pages.visit import by_htmx, caller, doors, now
from fulfillment.work import board as boards
from fulfillment.work import putting_back
from fulfillment.work import transfers as legs
from fulfillment.work.errors import TooMany, WrongArticle
from fulfillment.work.models import PutBack
from kernel.errors import NotFound
from kernel.ids import new_id
from stock import arrivals, lists
from stock.arrivals import SetAside, Surplus
from stock.documents import Transfer, TransferLine
from stock.models import Article, Node, Placement
from stock.reports import articles
from stock.transfers import on_the_way

MOST_LOST = 20


@dataclass(frozen=True, kw_only=True)
class Task:
    """Units to put back, with the article and its shelf."""

    id: str
    sku: str
    gtin: str | None
    name: str
    size: str
    colour: str
    family: str
    shelf: str | None
    units: int
    picked: int


@dataclass(frozen=True)
class Box:
    """What was found of a line of a transfer."""

    line: int
    sku: str
    good: int
    damaged: int
    surplus: int


@store.get("/<node>/put-back")
def put_back() -> ResponseReturnValue:
    """Show what is to be put back, and on which shelf."""
    return doors().read(lambda session: _put_back(session, "store/put_back.html"))


@store.post("/<node>/put-back")
def put_back_scan() -> ResponseReturnValue:
    """Count a unit that is on its shelf again."""
    said = _scan_back(request.form.get("task", ""))
    if by_htmx():
        return doors().read(lambda session: _put_back(session, "store/_put_back.html", said))
    flash(said.sentence, said.tone)
    return redirect(url_for("pages.store.put_back"), code=303)


@store.get("/<node>/transfers")
def transfers() -> ResponseReturnValue:
    """Show what is on its way here."""
    return doors().read(_transfers)


@store.get("/<node>/transfers/<transfer_id>")
def transfer(transfer_id: str) -> ResponseReturnValue:
    """Show what should be in a transfer."""
    return doors().read(lambda session: _transfer(session, transfer_id))


@store.post("/<node>/transfers/<transfer_id>")
def transfer_receive(transfer_id: str) -> ResponseReturnValue:
    """Receive what is there; what is missing waits for another node."""

    def receive(session: Session) -> tuple[int, int, set[str]]:
        coming = _coming(session, transfer_id)
        boxes = [_in_box(line) for line in coming.lines if on_the_way(line)]
        receipt = legs.receive(
            session, transfer_id, {box.line: box.good for box in boxes},
            set_aside=[SetAside(box.line, box.damaged, "damaged") for box in boxes if box.damaged],
            surplus=[Surplus(box.sku, box.surplus, "surplus") for box in boxes if box.surplus],
            complete=not request.form.get("more"), actor=caller().actor, now=now(),
        )  # fmt: skip
        units = sum(box.good + box.damaged + box.surplus for box in boxes)
        return units, sum(receipt.missing.values()), {box.sku for box in boxes}

    came, missing, skus = doors().write(receive)
    deciding.after_stock(house(), skus, actor=caller().actor)
    flash(gettext("%(came)s received.", came=came), "good")
    if missing:
        flash(gettext("%(missing)s did not come; their orders are served from elsewhere.", missing=missing), "warn")
    return redirect(url_for("pages.store.transfers"), code=303)


@store.post("/<node>/transfers/<transfer_id>/found")
def transfer_found(transfer_id: str) -> ResponseReturnValue:
    """Take in what was missing and has turned up."""

    def find(session: Session) -> tuple[int, set[str]]:
        coming = _coming(session, transfer_id)
        asked = {line.line: request.form.get(f"found-{line.line}", 0, type=int) for line in coming.lines}
        found = {line: units for line, units in asked.items() if units}
        arrivals.find(session, transfer_id, found, actor=caller().actor, now=now())
        return sum(found.values()), {line.sku for line in coming.lines if line.line in found}

    came, skus = doors().write(find)
    deciding.after_stock(house(), skus, actor=caller().actor)
    flash(gettext("%(came)s received.", came=came), "good")
    return redirect(url_for("pages.store.transfers"), code=303)


def tasks_of(session: Session, node: str) -> list[Task]:
    """Return what is to be put back at `node`, in the order of its shelves."""
    here_placed = (Placement.sku == PutBack.sku) & (Placement.node == PutBack.node)
    rows = session.execute(
        select(PutBack, Article, Placement.shelf)
        .join(Article, Article.sku == PutBack.sku)
        .outerjoin(Placement, here_placed)
        .where(PutBack.node == node, PutBack.done < PutBack.units)
    )
    found = [_task(task, article, shelf) for task, article, shelf in rows]
    return sorted(found, key=lambda task: (task.shelf is None, task.shelf or "", task.id))


def _task(task: PutBack, article: Article, shelf: str | None) -> Task:
    return Task(
        id=task.id,
        sku=task.sku,
        gtin=article.gtin,
        name=article.name,
        size=article.size,
        colour=article.colour,
        family=article.family,
        shelf=shelf,
        units=task.units,
        picked=task.done,
    )


def _put_back(session: Session, template: str, said: Answer | None = None) -> str:
    open_tasks = tasks_of(session, here().id)
    chosen = request.values.get("task")
    current = next((task for task in open_tasks if task.id == chosen), open_tasks[0] if open_tasks else None)
    return render_template(template, tasks=open_tasks, current=current, said=said)


def _scan_back(task_id: str) -> Answer:
    form = request.form
    before = doors().read(lambda session: {task.id: task for task in tasks_of(session, here().id)}).get(task_id)

    def count(session: Session) -> Answer:
        at_this_node(session.get(PutBack, task_id))
        task = putting_back.scan(
            session,
            task_id,
            scan_id=form.get("scan_id") or new_id(),
            code=form.get("code", ""),
            actor=caller().actor,
            now=now(),
        )
        words = article_words(before) if before else task.sku
        left = task.units - task.done
        if left:
            return Answer("good", gettext("%(article)s: back on the shelf, %(left)s more.", article=words, left=left))
        return Answer("good", gettext("%(article)s: back on the shelf, for sale again.", article=words))

    try:
        return doors().write(count)
    except WrongArticle as error:
        return wrong(error, before)
    except TooMany as error:
        return too_many(error, before)


def _transfers(session: Session) -> str:
    coming = boards.tasks(session, here().id).to_receive
    gone = lists.transfers(
        session, node=here().id, status=None, differences="lost", now=now(), after=None, limit=MOST_LOST
    )
    lost = [item for item in gone.rows if item.destination == here().id]
    sources = {item.source for item in (*coming, *lost)}
    names = dict(session.execute(select(Node.id, Node.name).where(Node.id.in_(sources))).all())
    units = {item.id: sum(on_the_way(line) for line in item.lines) for item in coming}
    return render_template("store/transfers.html", coming=coming, lost=lost, names=names, units=units)


def _transfer(session: Session, transfer_id: str) -> str:
    coming = _coming(session, transfer_id)
    source = session.get_one(Node, coming.source)
    return render_template(
        "store/transfer.html",
        transfer=coming,
        source=source.name,
        lines=[(line, on_the_way(line)) for line in coming.lines if on_the_way(line)],
        lost=[line for line in coming.lines if line.written_off],
        articles=articles(session, {line.sku for line in coming.lines}),
    )


def _in_box(line: TransferLine) -> Box:
    """Return what the form says of a line: what is beyond what was sent is surplus, never lost."""
    came = max(0, request.form.get(f"received-{line.line}", on_the_way(line), type=int))
    arrived = min(came, on_the_way(line))
    damaged = min(max(0, request.form.get(f"damaged-{line.line}", 0, type=int)), arrived)
    return Box(line.line, line.sku, good=arrived - damaged, damaged=damaged, surplus=came - arrived)


def _coming(session: Session, transfer_id: str) -> Transfer:
    coming = session.get(Transfer, transfer_id)
    if coming is None or coming.destination != here().id:
        raise NotFound(gettext("No such transfer comes here."))
    return coming
