"""Lists of physical work, a page at a time, and the node that each piece of it belongs to.

Called by the doors; reads and writes nothing. Invariant: a page goes on exactly where the last one ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, selectinload

from fulfillment.work.errors import UnknownFulfillmentOrder, UnknownPickList, UnknownPutBack
from fulfillment.work.models import FulfillmentOrder, PickList, PutBack
from kernel.pages import Page, page

After = Sequence[Any] | None


def fulfillment_orders(
    session: Session, *, node: str | None, status: str | None, method: str | None, after: After, limit: int
) -> Page:
    """Return fulfillment orders with their lines by id, the oldest first."""
    query = select(FulfillmentOrder).options(selectinload(FulfillmentOrder.lines))
    columns = {FulfillmentOrder.node: node, FulfillmentOrder.status: status, FulfillmentOrder.method: method}
    return page(session, query.where(*_same(columns)), [FulfillmentOrder.id], after=after, limit=limit)


def fulfillment_order(session: Session, fo_id: str) -> FulfillmentOrder:
    """Return one fulfillment order with its lines. Raises UnknownFulfillmentOrder."""
    found = session.get(FulfillmentOrder, fo_id)
    if found is None:
        raise UnknownFulfillmentOrder([fo_id])
    return found


def pick_lists(session: Session, *, node: str | None, status: str | None, after: After, limit: int) -> Page:
    """Return pick lists by id, the oldest first."""
    query = select(PickList).where(*_same({PickList.node: node, PickList.status: status}))
    return page(session, query, [PickList.id], after=after, limit=limit)


def put_backs(session: Session, *, node: str | None, after: After, limit: int) -> Page:
    """Return what is still to be put back, by id, the oldest first."""
    query = select(PutBack).where(PutBack.done < PutBack.units, *_same({PutBack.node: node}))
    return page(session, query, [PutBack.id], after=after, limit=limit)


def node_of_pick_list(session: Session, pick_list_id: str) -> str:
    """Return the node of a pick list. Raises UnknownPickList."""
    found = session.get(PickList, pick_list_id)
    if found is None:
        raise UnknownPickList(pick_list_id)
    return found.node


def node_of_put_back(session: Session, put_back_id: str) -> str:
    """Return the node of a put-back task. Raises UnknownPutBack."""
    found = session.get(PutBack, put_back_id)
    if found is None:
        raise UnknownPutBack(put_back_id)
    return found.node


def _same(columns: dict[Any, str | None]) -> list[ColumnElement[bool]]:
    return [column == value for column, value in columns.items() if value is not None]
