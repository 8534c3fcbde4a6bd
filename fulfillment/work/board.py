"""What a node's people see first: the board of fulfillment orders, the tasks, and a pick list line by line.

Read by store pages and by REST; writes nothing. The most urgent comes first, so that what is late is on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from fulfillment.work import picking, putting_back
from fulfillment.work.completion import LIST_DONE
from fulfillment.work.errors import UnknownPickList
from fulfillment.work.models import (
    FulfillmentHistory,
    FulfillmentLine,
    FulfillmentOrder,
    PickList,
    PutBack,
    Status,
)
from fulfillment.work.walking import Stop
from stock.documents import Transfer, TransferStatus

S = Status
COLUMNS: dict[str, tuple[Status, ...]] = {
    "to_pick": (S.ALLOCATED, S.ACCEPTED),
    "in_progress": (S.PICKING, S.PICKED),
    "packed": (S.PACKED,),
    "ready": (S.READY,),
    "awaiting_transfer": (S.AWAITING_TRANSFER,),
    "done": (S.SHIPPED, S.DELIVERED, S.HANDED_OVER),
}
# What is done for longer than a day is history.
DONE_FOR = timedelta(days=1)
CARDS = 200


@dataclass(frozen=True, kw_only=True)
class Card:
    """A fulfillment order as the board shows it."""

    id: str
    number: str
    reference: str
    method: str
    status: str
    service: str
    carrier_service: str | None
    destination_node: str | None
    lines: int
    units: int
    picked: int
    ship_by: datetime
    promised_by: datetime
    expires_at: datetime | None
    shelf: str | None
    pick_list_id: str | None
    due_at: datetime
    late: bool


@dataclass(frozen=True)
class Board:
    """The columns of a node's board, each with its most urgent cards, and how many there are in all."""

    columns: dict[str, list[Card]]
    counts: dict[str, int]
    late: int


@dataclass(frozen=True)
class Tasks:
    """What else there is to do at a node."""

    put_back: list[PutBack]
    to_receive: list[Transfer]
    pick_lists: list[PickList]


@dataclass(frozen=True)
class Walk:
    """A pick list as one walks it: its stops, the one to go to now, and the progress in units."""

    pick_list: PickList
    stops: list[Stop]
    current: Stop | None
    picked: int
    units: int


def board(session: Session, node: str, *, now: datetime, cards: int = CARDS) -> Board:
    """Return the board of `node` as it stands at `now`."""
    columns = {name: _cards(session, node, statuses, now=now, limit=cards) for name, statuses in COLUMNS.items()}
    counts = _counts(session, node, now=now)
    return Board(columns, counts, late=_late(session, node, now=now))


def tasks(session: Session, node: str) -> Tasks:
    """Return what is to be put back, received and picked on at `node`."""
    coming = Transfer.status.in_((TransferStatus.IN_TRANSIT, TransferStatus.PARTLY_RECEIVED))
    transfers = select(Transfer).where(Transfer.destination == node, coming).order_by(Transfer.expected_at, Transfer.id)
    lists = select(PickList).where(PickList.node == node, PickList.status != LIST_DONE).order_by(PickList.id)
    return Tasks(
        put_back=putting_back.tasks(session, node),
        to_receive=list(session.scalars(transfers)),
        pick_lists=list(session.scalars(lists)),
    )


def walk(session: Session, pick_list_id: str) -> Walk:
    """Return a pick list with its stops in walking order. Raises UnknownPickList."""
    pick_list = session.get(PickList, pick_list_id)
    if pick_list is None:
        raise UnknownPickList(pick_list_id)
    stops = picking.lines(session, pick_list_id)
    current = next((stop for stop in stops if stop.to_pick and stop.status == S.PICKING), None)
    return Walk(
        pick_list, stops, current, picked=sum(stop.picked for stop in stops), units=sum(stop.units for stop in stops)
    )


def history(session: Session, fo_ids: Sequence[str]) -> list[FulfillmentHistory]:
    """Return what happened to these fulfillment orders, oldest first."""
    rows = select(FulfillmentHistory).where(FulfillmentHistory.fulfillment_order_id.in_(fo_ids))
    return list(session.scalars(rows.order_by(FulfillmentHistory.occurred_at, FulfillmentHistory.id)))


def _cards(session: Session, node: str, statuses: Sequence[Status], *, now: datetime, limit: int) -> list[Card]:
    rows = session.execute(
        select(FulfillmentOrder, func.count(), func.sum(FulfillmentLine.units), func.sum(FulfillmentLine.picked))
        .join(FulfillmentLine, FulfillmentLine.fulfillment_order_id == FulfillmentOrder.id)
        .where(FulfillmentLine.units > 0, *_standing(node, statuses, now))
        .group_by(FulfillmentOrder.id)
        .order_by(FulfillmentOrder.ship_by, FulfillmentOrder.promised_by, FulfillmentOrder.id)
        .limit(limit)
    )
    return [_card(fo, lines, units, picked, now) for fo, lines, units, picked in rows]


def _counts(session: Session, node: str, *, now: datetime) -> dict[str, int]:
    return {
        name: session.scalar(select(func.count()).select_from(FulfillmentOrder).where(*_standing(node, statuses, now)))
        or 0
        for name, statuses in COLUMNS.items()
    }


def _standing(node: str, statuses: Sequence[Status], now: datetime) -> list[ColumnElement[bool]]:
    standing = [FulfillmentOrder.node == node, FulfillmentOrder.status.in_(statuses)]
    if statuses == COLUMNS["done"]:
        standing.append(FulfillmentOrder.ended_at > now - DONE_FOR)
    return standing


def _late(session: Session, node: str, *, now: datetime) -> int:
    to_do = (*COLUMNS["to_pick"], *COLUMNS["in_progress"], *COLUMNS["packed"])
    overdue = (FulfillmentOrder.node == node) & FulfillmentOrder.status.in_(to_do) & (FulfillmentOrder.ship_by < now)
    return session.scalar(select(func.count()).select_from(FulfillmentOrder).where(overdue)) or 0


def _card(fo: FulfillmentOrder, lines: int, units: int, picked: int, now: datetime) -> Card:
    due_at = fo.expires_at if fo.status == S.READY and fo.expires_at else fo.ship_by
    return Card(
        id=fo.id, number=fo.number, reference=fo.reference, method=fo.method, status=fo.status, service=fo.service,
        carrier_service=fo.carrier_service, destination_node=fo.destination_node, lines=lines, units=int(units),
        picked=int(picked), ship_by=fo.ship_by, promised_by=fo.promised_by, expires_at=fo.expires_at, shelf=fo.shelf,
        pick_list_id=fo.pick_list_id, due_at=due_at, late=due_at < now and fo.status not in COLUMNS["done"],
    )  # fmt: skip
