"""Putting back: units that nobody wants any more go from the tote to their shelf.

Called by store pages and by REST. Invariant: a task's own reservation keeps its units from being sold until they are
scanned to the shelf; each scan counts once.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.work.errors import InvalidUnits, ScanIdReused, TooMany, UnknownPutBack, WrongArticle, WrongShelf
from fulfillment.work.models import FulfillmentLine, PutBack, Scan
from fulfillment.work.walking import is_article
from stock import reservations
from stock.models import Article, Placement
from stock.postings import Header
from stock.reservations import ReservedUnits


def tasks(session: Session, node: str) -> list[PutBack]:
    """Return what is still to be put back at `node`, oldest first."""
    open_here = (PutBack.node == node) & (PutBack.done < PutBack.units)
    return list(session.scalars(select(PutBack).where(open_here).order_by(PutBack.id)))


def scan(
    session: Session,
    put_back_id: str,
    *,
    scan_id: str,
    code: str,
    shelf: str | None = None,
    units: int = 1,
    actor: str,
    now: datetime,
) -> PutBack:
    """Count units back on the shelf, where they can be sold again; the same `scan_id` counts once.

    `shelf` is the scanned shelf, checked where the article has one. Raises WrongArticle, WrongShelf, TooMany.
    """
    task = session.get(PutBack, put_back_id, with_for_update=True, populate_existing=True)
    if task is None:
        raise UnknownPutBack(put_back_id)
    line_id = _line_of(session, task)
    earlier = session.get(Scan, scan_id)
    if earlier is not None:
        if (earlier.fulfillment_line_id, earlier.code) != (line_id, code.strip()):
            raise ScanIdReused(scan_id)
        return task
    _check(session, task, code, shelf, units)
    header = Header(kind="put_back", actor=actor, occurred_at=now, reference=task.fulfillment_order_id)
    reservations.put_on_shelf(session, header, [ReservedUnits(task.sku, task.reservation_id, units)])
    task.done += units
    session.add(Scan(id=scan_id, fulfillment_line_id=line_id, code=code.strip(), units=units, actor=actor))
    session.flush()
    return task


def _line_of(session: Session, task: PutBack) -> str:
    """Return the line the units were taken off: scans are kept by line."""
    came_from = (FulfillmentLine.fulfillment_order_id == task.fulfillment_order_id) & (FulfillmentLine.sku == task.sku)
    line_id = session.scalar(select(FulfillmentLine.id).where(came_from).order_by(FulfillmentLine.id).limit(1))
    assert line_id is not None, f"put-back task {task.id} came from no line"
    return line_id


def _check(session: Session, task: PutBack, code: str, shelf: str | None, units: int) -> None:
    article = session.get_one(Article, task.sku)
    if units < 1:
        raise InvalidUnits([f"A scan counts 1 unit or more, not {units}."])
    if not is_article(code, sku=task.sku, gtin=article.gtin):
        raise WrongArticle(code.strip(), f"{article.name} ({article.sku})")
    placement = session.get(Placement, (task.sku, task.node))
    if shelf is not None and placement is not None and shelf.strip().casefold() != placement.shelf.casefold():
        raise WrongShelf(shelf.strip(), placement.shelf)
    if task.done + units > task.units:
        raise TooMany(f"{article.name} ({article.sku})", wanted=task.units, have=task.done, scanned=units)
