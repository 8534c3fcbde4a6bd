"""The store's first page: four numbers, the next cut-off, tasks, and one button that begins to pick."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from api.pages.store.room import here, store
from api.pages.visit import doors, person
from stock.models import Node, NodeKind


@store.get("/")
def choose() -> ResponseReturnValue:
    """Let people who are bound to no store choose one."""
    own = person().node
    works = Node.kind != NodeKind.SUPPLIER
    listed = (
        select(Node.id, Node.name, Node.kind)
        .where(works, Node.id == own if own else works)
        .order_by(Node.kind, Node.name)
    )
    return render_template("store/choose.html", nodes=doors().read(lambda session: session.execute(listed).all()))


@store.get("/<node>/")
def home() -> ResponseReturnValue:
    """Show what to do next."""
    return render_template("store/home.html", node_name=here().name)
