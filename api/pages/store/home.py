"""The store's first page: four numbers, the next cut-off, tasks, and one button that begins to pick."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.pages.store.counting import open_tasks
from api.pages.store.room import here, store, zone
from api.pages.visit import caller, doors, now, person
from fulfillment.network import snapshot
from fulfillment.work import board as boards
from fulfillment.work.models import PickList, Status
from stock import purchasing
from stock.models import Node, NodeKind

# A node that is closed for longer than this has no next cut-off worth showing.
LOOK_AHEAD_DAYS = 8


@dataclass(frozen=True)
class CutOff:
    """The next moment after which work leaves a day later."""

    at: datetime
    left_s: int
    is_today: bool


@store.get("/")
def choose() -> ResponseReturnValue:
    """Let people who are bound to no store choose one."""
    own = person().node
    works = (Node.id == own) if own else (Node.kind != NodeKind.SUPPLIER)
    listed = select(Node.id, Node.name, Node.kind).where(works).order_by(Node.kind, Node.name)
    return render_template("store/choose.html", nodes=doors().read(lambda session: session.execute(listed).all()))


@store.get("/<node>/")
def home() -> ResponseReturnValue:
    """Show what to do next."""
    return doors().read(_home)


def _home(session: Session) -> str:
    board = boards.board(session, here().id, now=now())
    tasks = boards.tasks(session, here().id)
    mine, others = _split(tasks.pick_lists, caller().actor)
    return render_template(
        "store/home.html",
        board=board,
        to_pack=sum(card.status == Status.PICKED for card in board.columns["in_progress"]),
        uncollected=sum(card.late for card in board.columns["ready"]),
        put_back=sum(task.units - task.done for task in tasks.put_back),
        to_receive=len(tasks.to_receive),
        to_count=open_tasks(session, here().id),
        deliveries=len(purchasing.expected(session, here().id)),
        mine=mine,
        others=others,
        cut_off=next_cut_off(session, here().id, now=now()),
    )


def next_cut_off(session: Session, node: str, *, now: datetime) -> CutOff | None:
    """Return the node's next cut-off, or None when it has no hours or is closed for long."""
    network = snapshot.load(session)
    if node not in network.index:
        return None
    calendar = network.calendars[network.index[node]]
    today = now.astimezone(zone()).date()
    for step in range(LOOK_AHEAD_DAYS):
        on = today + timedelta(days=step)
        if calendar.works_on(on) and (cut_off := calendar.work_day(on).cut_off_at) > now:
            return CutOff(cut_off, int((cut_off - now).total_seconds()), is_today=step == 0)
    return None


def _split(pick_lists: list[PickList], actor: str) -> tuple[list[PickList], list[PickList]]:
    return (
        [pick_list for pick_list in pick_lists if pick_list.claimed_by == actor],
        [pick_list for pick_list in pick_lists if pick_list.claimed_by != actor],
    )
