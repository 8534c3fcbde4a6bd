"""Where an article is: on which shelf here, and in which other places, the nearest first."""

from __future__ import annotations

from dataclasses import dataclass

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from api.pages.store.room import here, store
from api.pages.visit import doors
from fulfillment.network import snapshot
from fulfillment.network.geography import distances_km
from stock import availability
from stock.availability import Level
from stock.models import Article, Node, NodeStatus, Placement

MOST_FOUND = 20
MOST_PLACES = 50


@dataclass(frozen=True)
class Place:
    """A node that has units to promise, and how far it is, where that is known."""

    node: str
    name: str
    units: int
    distance_km: float | None


@store.get("/<node>/stock")
def stock() -> ResponseReturnValue:
    """Find an article by its code or its name; one match opens at once."""
    text = request.args.get("q", "").strip()
    found = doors().read(lambda session: find_articles(session, text)) if text else []
    if len(found) == 1:
        return redirect(url_for("pages.store.stock_article", sku=found[0].sku))
    return render_template("store/stock.html", text=text, found=found)


@store.get("/<node>/stock/<sku>")
def stock_article(sku: str) -> ResponseReturnValue:
    """Show where an article is."""
    return doors().read(lambda session: _article(session, sku))


def find_articles(session: Session, text: str) -> list[Article]:
    """Return the article with this SKU or GTIN, or those whose name contains every word."""
    exact = session.scalars(select(Article).where(or_(Article.sku == text, Article.gtin == text)))
    if found := list(exact):
        return found
    words = [Article.name.icontains(word, autoescape=True) for word in text.split()]
    named = select(Article).where(*words).order_by(Article.name, Article.colour, Article.size).limit(MOST_FOUND)
    return list(session.scalars(named))


def places(session: Session, sku: str, around: str) -> list[Place]:
    """Return the other open nodes that can promise units of `sku`, the nearest first."""
    levels = availability.levels(session, [sku])
    have = {node: level.atp for (_, node), level in levels.items() if level.atp > 0 and node != around}
    named = select(Node.id, Node.name).where(Node.id.in_(have), Node.status == NodeStatus.OPEN)
    away = _distances(session, around)
    found = [Place(node, name, have[node], away.get(node)) for node, name in session.execute(named)]
    return sorted(found, key=lambda place: (place.distance_km is None, place.distance_km or 0, place.name))[
        :MOST_PLACES
    ]


def _article(session: Session, sku: str) -> str:
    article = session.get(Article, sku)
    if article is None:
        abort(404)
    level = availability.levels(session, [sku], nodes=[here().id]).get((sku, here().id), Level())
    placement = session.get(Placement, (sku, here().id))
    return render_template(
        "store/article.html",
        item=article,
        level=level,
        shelf=placement.shelf if placement else None,
        places=places(session, sku, here().id),
    )


def _distances(session: Session, around: str) -> dict[str, float]:
    network = snapshot.load(session)
    centre = network.index.get(around)
    if centre is None:
        return {}
    latitude, longitude = float(network.latitude[centre]), float(network.longitude[centre])
    away = distances_km(latitude, longitude, network.latitude, network.longitude)
    return dict(zip(network.nodes, away.tolist(), strict=True))
