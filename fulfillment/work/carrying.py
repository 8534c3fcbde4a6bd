"""Carry-out: goods sold over the counter of a node, which have left before anybody could decide.

Called by the order service for sales at a till. Invariant: the sale is the truth; what the ledger lacks is posted as a
difference, and what was reserved beyond what is left is displaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from fulfillment.work import states
from fulfillment.work.models import Demand, DemandLine, FulfillmentLine, FulfillmentOrder, Method, Status
from kernel.ids import new_id, short_code
from stock import sales

NUMBER_LENGTH = 10


@dataclass(frozen=True)
class CarriedLine:
    """Units of a demand line that were carried out of a node."""

    line_id: str
    node: str
    sku: str
    units: int


def carry_out(
    session: Session, reference: str, lines: Sequence[CarriedLine], *, occurred_at: datetime, actor: str, now: datetime
) -> FulfillmentOrder:
    """Sell lines of one node over its counter: a demand that is fulfilled, and an order that is handed over."""
    assert len({line.node for line in lines}) == 1, "a customer leaves by one door"
    node = lines[0].node
    demand = _demand(reference, node, lines, occurred_at=occurred_at)
    fo = FulfillmentOrder(
        id=new_id(), number=short_code(NUMBER_LENGTH), demand_id=demand.id, reference=reference, node=node,
        method=Method.CARRY_OUT, status=Status.HANDED_OVER, service=Method.CARRY_OUT, work_on=now.date(),
        work_minutes=0, ship_by=occurred_at, promised_by=occurred_at,
    )  # fmt: skip
    fo.lines = [
        FulfillmentLine(id=new_id(), demand_line_id=line.line_id, sku=line.sku, units=line.units, picked=line.units)
        for line in lines
    ]
    session.add(demand)
    session.flush()
    session.add(fo)
    session.flush()
    sold = [(line.sku, line.units) for line in lines]
    sales.sell(session, node=node, lines=sold, reference=reference, actor=actor, occurred_at=occurred_at)
    states.begin(session, fo, actor=actor, now=now)
    return fo


def _demand(reference: str, node: str, lines: Sequence[CarriedLine], *, occurred_at: datetime) -> Demand:
    demand = Demand(
        id=new_id(), reference=reference, method=Method.CARRY_OUT, service=Method.CARRY_OUT, collect_node=node,
        geocode="none", value_minor=0, policy="default", placed_at=occurred_at,
    )  # fmt: skip
    demand.lines = [
        DemandLine(id=line.line_id, position=number, sku=line.sku, units=line.units, fulfilled=line.units)
        for number, line in enumerate(lines, start=1)
    ]
    return demand
