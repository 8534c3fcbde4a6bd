"""Packing: picked units become packages of a weight, and are taken out again.

Called by store pages and by REST, before shipping or setting ready.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fulfillment.network import boxes, snapshot
from fulfillment.network.boxes import Box
from fulfillment.network.freight import within
from fulfillment.network.offers import ANYTHING
from fulfillment.work import states
from fulfillment.work.errors import InvalidUnits
from fulfillment.work.locks import lock_order
from fulfillment.work.models import FulfillmentLine, FulfillmentOrder, Status
from stock.models import Article

MAX_WEIGHT_G = 1_000_000
MAX_PACKAGES = 99


def pack(
    session: Session, fo_id: str, *, weight_g: int | None = None, packages: int = 1, actor: str, now: datetime
) -> FulfillmentOrder:
    """Close the package of a picked order; without `weight_g` (grams) the articles' weights are added up."""
    fo = lock_order(session, fo_id)
    states.require(fo, {Status.PICKED})
    close_package(session, fo, weight_g=weight_g, packages=packages, actor=actor, now=now)
    return fo


def unpack(session: Session, fo_id: str, *, actor: str, now: datetime) -> FulfillmentOrder:
    """Open the package of an order that has not left, to pack it anew."""
    fo = lock_order(session, fo_id)
    states.require(fo, {Status.PACKED})
    fo.weight_g = fo.packages = None
    states.move(session, fo, Status.PICKED, actor=actor, now=now, reason="unpacked")
    session.flush()
    return fo


def close_package(
    session: Session, fo: FulfillmentOrder, *, weight_g: int | None, packages: int, actor: str, now: datetime
) -> None:
    """Pack an order that is locked and picked."""
    weight = _weight_g(session, fo) if weight_g is None else weight_g
    if not (0 <= weight <= MAX_WEIGHT_G and 1 <= packages <= MAX_PACKAGES):
        message = f"A package weighs 0 to {MAX_WEIGHT_G} g and an order has 1 to {MAX_PACKAGES} of them."
        raise InvalidUnits([message])
    fo.weight_g, fo.packages = weight, packages
    details = {"weight_g": weight, "packages": packages}
    states.move(session, fo, Status.PACKED, actor=actor, now=now, details=details)
    session.flush()


def proposed_box(session: Session, fo: FulfillmentOrder) -> tuple[Box, int] | None:
    """Return the box that the decision costs for what an order holds, and how many of it; None where none is known."""
    net = snapshot.load(session)
    node = net.index.get(fo.node)
    if node is None or not net.boxes[net.box_group[node]].boxes:
        return None
    sides = (Article.length_mm, Article.width_mm, Article.height_mm)
    held = select(FulfillmentLine.units, Article.weight_g, *sides).join(Article, Article.sku == FulfillmentLine.sku)
    rows = session.execute(held.where(FulfillmentLine.fulfillment_order_id == fo.id, FulfillmentLine.units > 0)).all()
    limits = next((offer.limits for offer in net.services if offer.id == fo.carrier_service), ANYTHING)
    kinds = within(net.boxes[net.box_group[node]], limits)
    goods = [(units, weight_g, measures) for units, weight_g, *measures in rows]
    return boxes.proposed(kinds, boxes.goods_of(goods)) if goods else None


def _weight_g(session: Session, fo: FulfillmentOrder) -> int:
    weight = func.coalesce(func.sum(Article.weight_g * FulfillmentLine.units), 0)
    held = select(weight).select_from(FulfillmentLine).join(Article, Article.sku == FulfillmentLine.sku)
    return int(session.scalar(held.where(FulfillmentLine.fulfillment_order_id == fo.id)) or 0)
