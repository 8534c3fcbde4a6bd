"""An existing demand as sourcing wants it: what waits, and what it takes along since nobody works on it yet.

Read by `decide_again`, by nightly planning, and by trials of policies. Invariant: a fulfillment order is taken along
only while its node has not accepted it and, for a collection, while none of its transfer legs is under way.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from fulfillment.network.geography import Geocode, Location
from fulfillment.sourcing.proposal import Assumption, Failure, FreedFulfillment, FreedLine, Wanted, WantedLine
from fulfillment.work import setbacks
from fulfillment.work.models import LEFT, NOT_STARTED, OPEN, Demand, FulfillmentOrder, Method, Setback
from kernel.errors import NotFound


class UnknownDemand(NotFound):
    """No demand has this id."""

    code = "demand_unknown"


def read_again(session: Session, demand_id: str, assume: Assumption | None = None) -> Wanted | None:
    """Return a demand to be decided again, None when no unit of it is to be placed. Raises UnknownDemand."""
    found = read_many(session, [demand_id], assume)
    if not found:
        raise UnknownDemand(f"There is no demand {demand_id}.")
    return found[0] if found[0].lines else None


def read_many(session: Session, demand_ids: Sequence[str], assume: Assumption | None = None) -> list[Wanted]:
    """Return demands to be decided again, in the order of their ids; one with nothing to place has no lines."""
    demands = rows_of(session, demand_ids)
    orders = orders_of(session, demand_ids, OPEN | LEFT)
    history = setbacks.of_demands(session, demand_ids)
    return [
        _wanted(demand, orders[demand.id], list(map(_failure, history.get(demand.id, ()))), assume or Assumption())
        for demand in demands
    ]


def rows_of(session: Session, demand_ids: Collection[str]) -> Sequence[Demand]:
    """Return demands with their lines, in the order of their ids."""
    query = select(Demand).where(Demand.id.in_(demand_ids)).order_by(Demand.id)
    return session.scalars(query.options(selectinload(Demand.lines))).all()


def orders_of(
    session: Session, demand_ids: Collection[str], statuses: Collection[str]
) -> Mapping[str, list[FulfillmentOrder]]:
    """Return the fulfillment orders of demands in some states, by demand, in the order of their ids."""
    found: defaultdict[str, list[FulfillmentOrder]] = defaultdict(list)
    in_question = FulfillmentOrder.demand_id.in_(demand_ids), FulfillmentOrder.status.in_(statuses)
    query = select(FulfillmentOrder).where(*in_question).order_by(FulfillmentOrder.id)
    for order in session.scalars(query.options(selectinload(FulfillmentOrder.lines))):
        found[order.demand_id].append(order)
    return found


def as_asked(demand: Demand, units: Mapping[str, int]) -> Wanted:
    """Return a demand that wants so many units of its lines (by id), whatever became of them."""
    return replace(_wanted(demand, (), (), Assumption()), lines=tuple(_lines(demand, Counter(units))))


def as_new(demand: Demand, units: Mapping[str, int]) -> Wanted:
    """Return a demand as it came in, with so many units of its lines: nothing promised and no fence given up."""
    return replace(as_asked(demand, units), promised_by=None, relaxed=(), version=None)


def _wanted(
    demand: Demand, orders: Sequence[FulfillmentOrder], failures: Sequence[Failure], assume: Assumption
) -> Wanted:
    lost = dict(assume.lost)
    freed = _freed(orders, lost)
    units = Counter({line.id: line.waiting for line in demand.lines})
    for order in orders:
        taken_along = order.id in freed and order.method != Method.TRANSFER
        for line in order.lines:
            units[line.demand_line_id] += line.units if taken_along else lost.get(line.id, 0)
    standing = [order for order in orders if order.id not in freed and order.method != Method.TRANSFER]
    return Wanted(
        demand_id=demand.id,
        reference=demand.reference,
        method=demand.method,
        service=demand.service,
        collect_node=demand.collect_node,
        location=Location(demand.latitude, demand.longitude, cast("Geocode", demand.geocode)),
        country=demand.country,
        postal_code=demand.postal_code,
        lines=tuple(_lines(demand, units)),
        value_minor=demand.value_minor,
        placed_at=demand.placed_at,
        policy=demand.policy,
        channel=demand.channel,
        wanted_from=demand.wanted_from,
        wanted_by=demand.wanted_by,
        promised_by=demand.promised_by,
        rank=demand.rank,
        version=demand.version,
        freed=tuple(_freed_order(order) for order in orders if order.id in freed),
        relaxed=tuple(demand.relaxed),
        standing_packages=sum(any(line.units > lost.get(line.id, 0) for line in order.lines) for order in standing),
        failures=(*failures, *assume.failed),
    )


def _failure(setback: Setback) -> Failure:
    return Failure(
        sku=setback.sku, node=setback.node, cause=setback.cause, reason=setback.reason, failed_at=setback.occurred_at,
        attempt=setback.fulfillment_order_id, counts=setback.settled_at is None,
    )  # fmt: skip


def _lines(demand: Demand, units: Counter[str]) -> Iterable[WantedLine]:
    for line in demand.lines:
        if units[line.id] > 0:
            yield WantedLine(
                id=line.id,
                sku=line.sku,
                units=units[line.id],
                unit_value_minor=line.unit_value_minor,
                divisible=line.divisible,
                together=line.together,
                excluded_nodes=tuple(line.excluded_nodes),
            )


def _freed(orders: Sequence[FulfillmentOrder], lost: dict[str, int]) -> set[str]:
    """Return the ids of fulfillment orders that may be taken along."""
    touched = {order.id for order in orders if any(line.id in lost for line in order.lines)}
    stays = {order.id for order in orders if order.status not in NOT_STARTED} | touched
    # A collection and its legs are one: if any of them stays, all do.
    held = {order.supplies for order in orders if order.supplies and order.id in stays} | stays
    return {order.id for order in orders if order.id not in held and order.supplies not in held}


def _freed_order(order: FulfillmentOrder) -> FreedFulfillment:
    lines = tuple(
        FreedLine(line_id=line.demand_line_id, sku=line.sku, units=line.units, reservation_id=line.reservation_id)
        for line in order.lines
        if line.units
    )
    return FreedFulfillment(
        id=order.id,
        version=order.version,
        node=order.node,
        method=order.method,
        carrier_service=order.carrier_service,
        destination_node=order.destination_node,
        supplies=order.supplies,
        work_on=order.work_on,
        work_minutes=order.work_minutes,
        lines=lines,
    )
