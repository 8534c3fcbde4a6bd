"""A long random story: whatever is decided, committed, refused and decided again, each unit and minute is somewhere."""

from collections import Counter
from datetime import date, timedelta
from random import Random

import pytest
from sqlalchemy import select

from fulfillment.network import catalog
from fulfillment.network.models import NodeDay
from fulfillment.sourcing import waiting
from fulfillment.sourcing.commit import StalePlan, commit
from fulfillment.sourcing.decide import decide
from fulfillment.work import orders
from fulfillment.work.models import FulfillmentOrder, Status
from stock.proof import verify
from tests.fulfillment.sourcing.world import (
    BARCELONA,
    MADRID,
    NOW,
    PLACES,
    SKUS,
    collected,
    place,
    place_again,
    prove,
    stock,
    wanted,
)

WORK_TO_DO = (Status.ALLOCATED, Status.AWAITING_TRANSFER, Status.ACCEPTED, Status.PICKING)


class Story:
    """What has been ordered so far, and the next thing that happens."""

    def __init__(self, session, seed):
        self.session, self.draw, self.demands = session, Random(seed), []

    def happen(self):
        step = self.draw.choice(
            (
                self.order,
                self.order,
                self.order,
                self.receive,
                self.again,
                self.accept,
                self.reject,
                self.capacity,
                self.race,
            )
        )
        step()
        prove(self.session)

    def basket(self):
        return [(self.draw.choice(SKUS), self.draw.randint(1, 3)) for _ in range(self.draw.choice((1, 1, 2, 2, 3)))]

    def new(self):
        if self.draw.random() < 0.4:
            return collected(self.basket(), store=self.draw.choice(("MAD-S", "BCN-S")))
        return wanted(self.basket(), location=self.draw.choice((MADRID, BARCELONA)), rank=self.draw.randint(0, 3))

    def order(self):
        drawn = [self.new() for _ in range(self.draw.choice((1, 1, 2)))]
        self.demands += drawn
        place(self.session, *drawn)

    def receive(self):
        stock(self.session, **{self.draw.choice(SKUS): {self.draw.choice(list(PLACES)): self.draw.randint(1, 4)}})
        for demand_id in waiting.due(self.session, now=NOW, limit=2):
            place_again(self.session, next(each for each in self.demands if each.demand_id == demand_id))

    def again(self):
        if self.demands:
            place_again(self.session, self.draw.choice(self.demands))

    def accept(self):
        if order := self.any_order():
            orders.accept(self.session, order.id, actor="clerk", now=NOW)

    def reject(self):
        if order := self.any_order():
            orders.reject(self.session, order.id, reason="no_staff", actor="clerk", now=NOW)

    def any_order(self):
        open_ones = (
            select(FulfillmentOrder).where(FulfillmentOrder.status == Status.ALLOCATED).order_by(FulfillmentOrder.id)
        )
        found = self.session.scalars(open_ones).all()
        return self.draw.choice(found) if found else None

    def capacity(self):
        node, day = self.draw.choice(list(PLACES)), date(2026, 11, 17) + timedelta(days=self.draw.randint(0, 3))
        catalog.set_capacity(self.session, node, day, self.draw.choice((0, 8, 20, None)))

    def race(self):
        """Two plans are made for the same stock; the second one holds or is refused whole."""
        first, second = self.new(), self.new()
        late = decide(self.session, [second], now=NOW, cause="order")
        self.demands.append(first)
        place(self.session, first)
        before = self.session.begin_nested()
        try:
            commit(self.session, late, now=NOW, actor="test")
        except StalePlan:
            before.rollback()
        else:
            self.demands.append(second)


def minutes_claimed(session):
    return {(node, day): units for node, day, units in session.execute(
        select(NodeDay.node, NodeDay.on_date, NodeDay.claimed_minutes).where(NodeDay.claimed_minutes > 0)
    )}  # fmt: skip


def minutes_of_orders(session):
    wanted_minutes = Counter()
    for order in session.scalars(select(FulfillmentOrder).where(FulfillmentOrder.status.in_(WORK_TO_DO))):
        if order.work_minutes:
            wanted_minutes[order.node, order.work_on] += order.work_minutes
    return dict(wanted_minutes)


@pytest.mark.parametrize("seed", range(3))
def test_every_unit_and_minute_is_somewhere(session, seed):
    story = Story(session, seed)
    stock(session, A={"MAD-W": 6, "MAD-S": 2}, B={"BCN-S": 3, "VLC-S": 2}, C={"MAD-W": 2, "BCN-S": 2})
    for _ in range(40):
        story.happen()
    session.flush()
    assert minutes_claimed(session) == minutes_of_orders(session)
    assert list(verify.findings(session)) == []
