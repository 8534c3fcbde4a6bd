"""Whatever people do on the shop floor, in whatever order, every unit is accounted for after every step."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import select

from fulfillment.work import (
    cancelling,
    collecting,
    completion,
    displacement,
    orders,
    packing,
    picking,
    putting_back,
    shipping,
    transfers,
)
from fulfillment.work.models import DemandLine, FulfillmentOrder, Method, PutBack, Status
from fulfillment.work.withdrawal import WORK_TO_DO
from kernel.db import connect
from kernel.errors import DomainError
from kernel.events import HANDLERS
from kernel.ids import new_id
from stock import adjustments, feeds
from stock.displacement import BEFORE_DISPLACEMENT
from stock.documents import Transfer
from stock.events import ReservationsDisplaced
from tests.fulfillment.work.floor import BY, GTINS, NODES, NOW, collected_by_transfer, in_order, lay_out, ordered, stock

STEPS = 60
SKUS = sorted(GTINS)


@pytest.fixture
def session(sqlite_url):
    opened = connect(sqlite_url)
    opened.info[HANDLERS] = {ReservationsDisplaced: (displacement.on_reservations_displaced,)}
    opened.info[BEFORE_DISPLACEMENT] = displacement.before_displacement
    with opened.write() as session:
        lay_out(session)
        yield session
    opened.dispose()


class Floor:
    """People who pick a verb and its object at random."""

    def __init__(self, session, draw):
        self.session, self.draw = session, draw

    def any(self, model):
        found = self.session.scalars(select(model).order_by(*model.__table__.primary_key)).all()
        return self.draw.choice(found) if found else None

    def order(self, *statuses):
        """An order for which the next verb makes sense, or now and then any."""
        if self.draw.random() < 0.1:
            return self.any(FulfillmentOrder)
        fitting = select(FulfillmentOrder).where(FulfillmentOrder.status.in_(statuses))
        found = self.session.scalars(fitting.order_by(FulfillmentOrder.id)).all()
        return self.draw.choice(found) if found else None

    def step(self):
        """Do one thing; a refusal changes nothing. Returns whether it was done."""
        verbs = [verb for name, verb in vars(Floor).items() if name.startswith("do_")]
        verb = self.draw.choices(verbs, [1 if verb in RARE else 4 for verb in verbs])[0]
        try:
            with self.session.begin_nested():
                verb(self)
        except DomainError:
            self.session.expire_all()
            return False
        return True

    def do_order(self):
        method = self.draw.choice([Method.SHIP, Method.COLLECT])
        ordered(self.session, self.draw.choice(sorted(NODES)), method, **self.basket())

    def do_order_by_transfer(self):
        collected_by_transfer(self.session, **self.basket())

    def basket(self):
        return {sku: self.draw.randint(1, 3) for sku in self.draw.sample(SKUS, self.draw.randint(1, 2))}

    def do_pick(self):
        made = picking.propose(self.session, self.draw.choice(sorted(NODES)), max_orders=2, **BY)
        for stop in picking.lines(self.session, made.id):
            units = self.draw.randint(0, stop.to_pick)
            if units:
                picking.scan(
                    self.session, made.id, scan_id=new_id(), code=stop.sku, units=units, line_id=stop.line_id, **BY
                )

    def do_scan(self):
        fo = self.order(Status.PICKING)
        if fo:
            for line in fo.lines:
                units = line.units - self.draw.randint(0, line.units) // 2
                picking.scan(self.session, fo.id, scan_id=new_id(), code=line.sku, units=units, **BY)

    def do_short(self):
        fo = self.order(Status.PICKING)
        if fo:
            line = self.draw.choice(fo.lines)
            reason = self.draw.choice(["not_found", "damaged", "no_variance"])
            found = self.draw.randint(0, line.units)
            picking.short(self.session, fo.id, line_id=line.id, found=found, reason=reason, **BY)

    def do_reject(self):
        fo = self.order(*WORK_TO_DO)
        if fo:
            chosen = self.draw.choice([None, [fo.lines[0].id]])
            reason, collateral = self.draw.choice(["not_found", "no_staff"]), self.draw.random() < 0.3
            orders.reject(self.session, fo.id, reason=reason, lines=chosen, collateral=collateral, **BY)

    def do_pack(self):
        fo = self.order(Status.PICKED)
        if fo:
            packing.pack(self.session, fo.id, **BY)

    def do_leave(self):
        fo = self.order(Status.PICKED, Status.PACKED)
        if fo and fo.method == Method.SHIP:
            shipping.ship(self.session, fo.id, **BY)
        elif fo and fo.method == Method.TRANSFER:
            transfers.dispatch(self.session, fo.id, **BY)
        elif fo:
            collecting.ready(self.session, fo.id, shelf="R-1", **BY)

    def do_hand_over(self):
        fo = self.order(Status.READY)
        if fo:
            taken = {line.id: self.draw.randint(0, line.units) for line in fo.lines if line.units}
            collecting.hand_over(self.session, fo.id, identified_by="passport", accepted=taken, **BY)

    def do_receive(self):
        transfer = self.any(Transfer)
        if transfer and transfer.status == "in_transit":
            came = {line.line: self.draw.randint(0, line.dispatched) for line in transfer.lines}
            transfers.receive(self.session, transfer.id, came, complete=self.draw.random() < 0.6, **BY)

    def do_call_off(self):
        transfer = self.any(Transfer)
        if transfer and self.draw.random() < 0.3:
            transfers.cancel(self.session, transfer.id, choice=self.draw.choice(["write_back", "write_off"]), **BY)

    def do_cancel(self):
        line = self.any(DemandLine)
        if line and line.units:
            units = self.draw.randint(1, line.units)
            cancelling.cancel_units(self.session, lines={line.id: units}, reason="changed_mind", **BY)

    def do_put_back(self):
        task = self.any(PutBack)
        if task:
            putting_back.scan(self.session, task.id, scan_id=new_id(), code=task.sku, **BY)

    def do_lose(self):
        node, sku = self.draw.choice(sorted(NODES)), self.draw.choice(SKUS)
        adjustments.adjust(self.session, node=node, sku=sku, units=-1, reason="theft", actor="ana", now=NOW)

    def do_feed(self):
        node, sku = self.draw.choice(sorted(NODES)), self.draw.choice(SKUS)
        rows = [(sku, self.draw.randint(0, 8))]
        feeds.absolute(self.session, node=node, rows=rows, as_of=NOW, reference="pos", actor="feed", now=NOW)

    def do_expire(self):
        collecting.expire(self.session, now=NOW + timedelta(days=8), limit=1)

    def do_restock(self):
        stock(self.session, self.draw.choice(sorted(NODES)), **{self.draw.choice(SKUS): 2})


RARE = {
    Floor.do_expire,
    Floor.do_call_off,
    Floor.do_lose,
    Floor.do_feed,
    Floor.do_reject,
    Floor.do_restock,
    Floor.do_cancel,
}


@pytest.mark.parametrize("seed", range(10))
def test_every_unit_is_accounted_for_after_every_step(session, seed):
    floor = Floor(session, random.Random(seed))
    done = sum(_checked(session, floor) for _ in range(STEPS))
    assert done > STEPS / 4
    assert all(
        not completion.awaits(fo) for fo in session.scalars(select(FulfillmentOrder)) if fo.status == "allocated"
    )


def _checked(session, floor):
    done = floor.step()
    if done:
        in_order(session)
    return done
