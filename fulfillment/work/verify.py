"""I5, proved again: what was promised is somewhere, and nothing is held that nobody wants.

Walked by the doors beside the ledger's own checks. Each check returns only what is wrong in a stretch of keys:
a demand line's units are its open demand, its allocated and its fulfilled units; what is allocated is what its open
orders hold; an open order's line holds exactly one reservation's units, or as many are on their way; no reservation
stays open for a closed order; and the minutes claimed of a node's day are those of its work and of holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, case, cast, func, select
from sqlalchemy.orm import Session

from fulfillment.work import minutes_proof
from fulfillment.work.models import LEFT, OPEN, DemandLine, FulfillmentLine, FulfillmentOrder, Method, PutBack
from kernel.proofs import WHOLE, Finding, Part, Stretch, everything
from stock.documents import Transfer, TransferLine
from stock.models import OpenDemand, Purpose, Reservation

INVARIANT = "I5"


def by_demand_line(session: Session, stretch: Stretch) -> Iterator[Finding]:
    """Yield what breaks I5 in a stretch of demand lines."""
    yield from _waiting(session, stretch)
    yield from _counted(session, stretch)


def by_fulfillment_order(session: Session, stretch: Stretch) -> Iterator[Finding]:
    """Yield what breaks I5 in a stretch of fulfillment orders."""
    yield from _held(session, stretch)
    yield from _awaited(session, stretch)


def findings(session: Session) -> Iterator[Finding]:
    """Yield everything that breaks I5."""
    return everything(session, PARTS)


def _finding(table: str, key: str, message: str, place: str) -> Finding:
    return Finding(INVARIANT, table, key, message, place)


def _waiting(session: Session, stretch: Stretch) -> Iterator[Finding]:
    """Waiting units are the open demand of the line, and the other way round."""
    waiting = DemandLine.units - DemandLine.allocated - DemandLine.fulfilled
    of_line = (OpenDemand.reference == DemandLine.id) & (OpenDemand.sku == DemandLine.sku)
    opened = func.coalesce(OpenDemand.units, 0)
    lines = (
        select(DemandLine.id, waiting, opened)
        .outerjoin(OpenDemand, of_line)
        .where(stretch.over(DemandLine.id), waiting != opened)
    )
    for line_id, wanted, units in session.execute(lines):
        yield _finding("demand_line", line_id, f"{wanted} units wait, {units} are open demand", line_id)
    for _sku, reference, units in session.execute(of_nothing(stretch)):
        message = f"{units} units of open demand belong to no demand line"
        yield _finding("open_demand", reference, message, reference)


def of_nothing(stretch: Stretch) -> Select[str, str, int]:
    """Select SKU, reference and units of the open demand that belongs to no demand line."""
    of_line = (OpenDemand.reference == DemandLine.id) & (OpenDemand.sku == DemandLine.sku)
    return (
        select(OpenDemand.sku, OpenDemand.reference, OpenDemand.units)
        .outerjoin(DemandLine, of_line)
        .where(stretch.over(OpenDemand.reference), DemandLine.id.is_(None))
    )


def _counted(session: Session, stretch: Stretch) -> Iterator[Finding]:
    """Allocated and fulfilled units are those of the line's open orders and of those that left."""
    allocated, fulfilled = (
        _units_where(FulfillmentOrder.status.in_(OPEN)),
        _units_where(FulfillmentOrder.status.in_(LEFT)),
    )
    held = (
        select(FulfillmentLine.demand_line_id, allocated.label("allocated"), fulfilled.label("fulfilled"))
        .join(FulfillmentOrder, FulfillmentOrder.id == FulfillmentLine.fulfillment_order_id)
        .where(FulfillmentOrder.method != Method.TRANSFER, stretch.over(FulfillmentLine.demand_line_id))
        .group_by(FulfillmentLine.demand_line_id)
        .subquery()
    )
    open_units, left_units = func.coalesce(held.c.allocated, 0), func.coalesce(held.c.fulfilled, 0)
    wrong = (DemandLine.allocated != open_units) | (DemandLine.fulfilled != left_units)
    lines = (
        select(DemandLine.id, DemandLine.allocated, open_units, DemandLine.fulfilled, left_units)
        .outerjoin(held, held.c.demand_line_id == DemandLine.id)
        .where(stretch.over(DemandLine.id), wrong)
    )
    for line_id, allocated_units, in_open, fulfilled_units, in_left in session.execute(lines):
        yield _finding(
            "demand_line",
            line_id,
            f"{allocated_units} units are allocated and open orders hold {in_open}; "
            f"{fulfilled_units} are fulfilled and {in_left} have left",
            line_id,
        )


def _units_where(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.sum(case((condition, FulfillmentLine.units), else_=0)), Integer)


def _held(session: Session, stretch: Stretch) -> Iterator[Finding]:
    """A line of an open order holds what its reservation holds, at the order's node."""
    still_open = Reservation.units - Reservation.consumed - Reservation.released
    same = (
        (still_open == FulfillmentLine.units)
        & (Reservation.picked == FulfillmentLine.picked)
        & (Reservation.node == FulfillmentOrder.node)
        & (Reservation.reference == FulfillmentLine.demand_line_id)
    )
    told = (FulfillmentLine.units, FulfillmentLine.picked, still_open, Reservation.picked)
    lines = (
        _open_lines(stretch, FulfillmentOrder.id, FulfillmentLine.id, *told)
        .outerjoin(Reservation, _reserved)
        .where(FulfillmentLine.reservation_id.is_not(None), Reservation.id.is_(None) | ~same)
    )
    for fo_id, line_id, units, picked, reserved, reserved_picked in session.execute(lines):
        message = f"{units} units, {picked} picked; its reservation has {reserved or 0}, {reserved_picked or 0} picked"
        yield _finding("fulfillment_line", line_id, message, fo_id)


def _awaited(session: Session, stretch: Stretch) -> Iterator[Finding]:
    """What an order awaits is held for it at the sources or on its way."""
    coming: dict[tuple[str, str], int] = {}
    for statement in (_at_sources(stretch), _in_transit(stretch)):
        for fo_id, demand_line_id, units in session.execute(statement):
            coming[fo_id, demand_line_id] = coming.get((fo_id, demand_line_id), 0) + units
    of_line = (FulfillmentOrder.id, FulfillmentLine.demand_line_id)
    awaited = _open_lines(stretch, *of_line, func.sum(FulfillmentLine.units)).where(
        FulfillmentLine.reservation_id.is_(None), FulfillmentOrder.method != Method.TRANSFER
    )
    for fo_id, demand_line_id, units in session.execute(awaited.group_by(*of_line)):
        if units > (there := coming.get((fo_id, demand_line_id), 0)):
            message = f"{units} units of demand line {demand_line_id} are awaited and {there} are coming"
            yield _finding("fulfillment_order", fo_id, message, fo_id)


def _at_sources(stretch: Stretch) -> Select[*tuple[Any, ...]]:
    of_line = (FulfillmentOrder.supplies, FulfillmentLine.demand_line_id)
    legs = _open_lines(WHOLE, *of_line, func.sum(FulfillmentLine.units)).where(
        FulfillmentOrder.method == Method.TRANSFER, stretch.over(_supplied)
    )
    return legs.group_by(*of_line)


def _in_transit(stretch: Stretch) -> Select[*tuple[Any, ...]]:
    of_line = (FulfillmentOrder.supplies, TransferLine.reference)
    on_its_way = TransferLine.dispatched - TransferLine.received - TransferLine.written_off
    return (
        select(*of_line, func.sum(on_its_way))
        .join(Transfer, Transfer.reference == FulfillmentOrder.id)
        .join(TransferLine, TransferLine.transfer_id == Transfer.id)
        .where(FulfillmentOrder.method == Method.TRANSFER, on_its_way > 0, stretch.over(_supplied))
        .group_by(*of_line)
    )


def _held_for_nobody(session: Session, stretch: Stretch) -> Iterator[Finding]:
    """Open reservations of orders and transfers belong to a line of an open order."""
    for stray in session.scalars(strays(stretch)):
        message = f"open for {stray.reference}, which no open order holds"
        yield _finding("reservation", stray.id, message, stray.sku)


def strays(stretch: Stretch) -> Select[Reservation]:
    """Select the open reservations in a stretch of SKUs that are for orders or transfers and that none holds."""
    open_lines = (
        select(FulfillmentLine.reservation_id)
        .join(FulfillmentOrder, FulfillmentOrder.id == FulfillmentLine.fulfillment_order_id)
        .where(FulfillmentOrder.status.in_(OPEN), FulfillmentLine.reservation_id == Reservation.id)
        .where(FulfillmentLine.demand_line_id == Reservation.reference)
    )
    return select(Reservation).where(
        stretch.over(Reservation.sku),
        Reservation.purpose.in_((Purpose.ORDER, Purpose.TRANSFER)),
        Reservation.consumed + Reservation.released < Reservation.units,
        ~open_lines.exists(),
    )


def _put_back(session: Session, stretch: Stretch) -> Iterator[Finding]:
    """A put-back task holds what is still to be put back."""
    still_open = func.coalesce(Reservation.units - Reservation.consumed - Reservation.released, 0)
    tasks = (
        select(PutBack.id, PutBack.units - PutBack.done, still_open)
        .outerjoin(Reservation, (Reservation.id == PutBack.reservation_id) & (Reservation.sku == PutBack.sku))
        .where(stretch.over(PutBack.id), PutBack.units - PutBack.done != still_open)
    )
    for task_id, left, reserved in session.execute(tasks):
        message = f"{left} units are to be put back and {reserved} are reserved for it"
        yield _finding("put_back", task_id, message, task_id)


# The order that a transfer leg supplies; legs themselves are asked for by it.
_supplied = func.coalesce(FulfillmentOrder.supplies, "")
_reserved = (Reservation.id == FulfillmentLine.reservation_id) & (Reservation.sku == FulfillmentLine.sku)


def _open_lines(stretch: Stretch, *columns: Any) -> Select[*tuple[Any, ...]]:
    return (
        select(*columns)
        .select_from(FulfillmentLine)
        .join(FulfillmentOrder, FulfillmentOrder.id == FulfillmentLine.fulfillment_order_id)
        .where(stretch.over(FulfillmentOrder.id), FulfillmentOrder.status.in_(OPEN), FulfillmentLine.units > 0)
    )


PARTS = (
    Part("demand lines", (DemandLine.id,), by_demand_line),
    Part("fulfillment orders", (FulfillmentOrder.id,), by_fulfillment_order),
    Part("reservations", (Reservation.sku,), _held_for_nobody),
    Part("put-backs", (PutBack.id,), _put_back),
    *minutes_proof.PARTS,
)
