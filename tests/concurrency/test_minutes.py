"""Eight clients work the days of a few nodes: no minute is lost, none is too many, nobody waits in a circle."""

import random
import threading
from collections import Counter
from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from api import deciding
from fulfillment.network import catalog, minutes
from fulfillment.network.minutes import NoMinutesLeft
from fulfillment.network.models import NodeDay
from fulfillment.sourcing.commit import StalePlan, commit
from fulfillment.sourcing.decide import decide
from fulfillment.work import cancelling, orders
from fulfillment.work.models import FulfillmentOrder, Status
from fulfillment.work.withdrawal import WORK_TO_DO
from kernel.errors import Conflict
from stock.proof import verify as stock_verify
from tests.concurrency.clients import ROUNDS, Clients
from tests.fulfillment.sourcing import world
from tests.fulfillment.sourcing.world import NOW, PLACES, profile, wanted

WORKERS = 8
NODES = sorted(PLACES)
DAYS = [date(2027, 3, 1) + timedelta(days=day) for day in range(2)]
CAPACITY = 100


@pytest.fixture(scope="module")
def clients(postgresql_url):
    clients = Clients(postgresql_url)

    def furnish(session):
        world.lay_out(session)
        catalog.put_profiles(session, [profile(node, capacity_minutes=100_000) for node in NODES])
        for day in DAYS:
            for node in NODES:
                catalog.set_capacity(session, node, day, CAPACITY)
        world.stock(session, A=dict.fromkeys(NODES, 10_000), B={"MAD-W": 10_000}, C={"BCN-S": 10_000})

    clients.alone(furnish)
    yield clients
    clients.close()


def claimed(session):
    rows = session.execute(select(NodeDay.node, NodeDay.on_date, NodeDay.claimed_minutes)).all()
    return {(row.node, row.on_date): row.claimed_minutes for row in rows if row.claimed_minutes}


@pytest.mark.postgres
def test_claims_and_releases_of_overlapping_days_are_neither_lost_nor_too_many(clients):
    def work(number):
        draw, held = random.Random(number), Counter()
        errors = []
        for _ in range(ROUNDS * 2):
            asked = {(draw.choice(NODES), draw.choice(DAYS)): draw.randint(-20, 30) for _ in range(3)}
            change = {key: max(count, -held[key]) for key, count in asked.items()}
            in_any_order = [(*key, change[key]) for key in draw.sample(sorted(change), len(change))]
            told = clients.attempt(number, partial(_change, in_any_order))
            if told is None:
                held.update(change)
            elif not isinstance(told, NoMinutesLeft):
                errors.append(told)
        return held, errors

    done = list(clients.pool.map(work, range(WORKERS)))
    assert [error for _, errors in done for error in errors] == []
    held = sum((held for held, _ in done), Counter())
    assert clients.alone(claimed) == {key: count for key, count in held.items() if count}
    assert max(held.values()) <= CAPACITY


@pytest.mark.postgres
def test_two_that_move_work_the_other_way_round_do_not_wait_for_each_other(clients):
    days = [("BCN-S", DAYS[0]), ("VLC-S", DAYS[0])]
    clients.alone(lambda session: session.query(NodeDay).update({"claimed_minutes": 10}))
    both_have_released = threading.Barrier(2)

    def move(number):
        given, taken = days if number else reversed(days)

        def deed(session, _number):
            with minutes.held_back(session):
                minutes.release(session, [(*given, 3)])
                both_have_released.wait(timeout=20)
                minutes.claim(session, [(*taken, 4)])

        return clients.attempt(number, deed)

    assert list(clients.pool.map(move, range(2))) == [None, None]
    after = clients.alone(claimed)
    assert [after[day] for day in days] == [11, 11]


@pytest.mark.postgres
def test_orders_that_are_placed_cancelled_and_refused_at_once_claim_what_is_to_be_done(clients):
    clients.alone(lambda session: session.query(NodeDay).update({"claimed_minutes": 0}))

    def place(number, draw):
        lines = draw.choice([[("A", 1)], [("A", 2)], [("B", 1), ("C", 1)], [("C", 1), ("B", 2), ("A", 1)]])
        demand = wanted(lines)
        clients.attempt(number, lambda session, _: _decided(session, demand))
        return demand

    def give_up(number, demand):
        units = {line.id: line.units for line in demand.lines}
        return clients.attempt(
            number, lambda session, _: cancelling.cancel_units(session, lines=units, reason="late", actor="t", now=NOW)
        )

    def refuse(number, demand):
        return clients.attempt(number, lambda session, _: _refused(session, demand))

    def work(number):
        draw, told = random.Random(number), []
        for _ in range(ROUNDS // 4):
            demand = place(number, draw)
            told.append(draw.choice([give_up, refuse, lambda *_: None])(number, demand))
        return told

    told = [each for some in clients.pool.map(work, range(WORKERS)) for each in some]
    assert [error for error in told if isinstance(error, DBAPIError)] == []
    assert all(isinstance(error, Conflict) for error in told if isinstance(error, Exception))

    def standing(session):
        to_do = select(FulfillmentOrder).where(FulfillmentOrder.status.in_(WORK_TO_DO))
        found = Counter()
        for order in session.scalars(to_do):
            found[order.node, order.work_on] += order.work_minutes
        return {key: count for key, count in found.items() if count}, claimed(session)

    wanted_minutes, present = clients.alone(standing)
    assert len(wanted_minutes) > 1
    assert present == wanted_minutes
    assert clients.alone(lambda session: list(stock_verify.findings(session))) == []


def _change(asked, session, _number):
    minutes.change(session, asked)


def _decided(session, demand):
    try:
        return commit(session, decide(session, [demand], now=NOW, cause="order"), now=NOW, actor="t")
    except StalePlan:
        session.rollback()
        return None


def _refused(session, demand):
    """Refuse the first order of a demand and place its units anew, as the doors do."""
    mine = select(FulfillmentOrder).where(FulfillmentOrder.demand_id == demand.demand_id)
    order = next((fo for fo in session.scalars(mine) if fo.status == Status.ALLOCATED), None)
    if order is None:
        return
    proposal = deciding.if_rejected(session, order.id, lines=None, reason="no_staff", now=NOW)
    with minutes.held_back(session):
        orders.reject(session, order.id, reason="no_staff", actor="t", now=NOW)
        commit(session, proposal, now=NOW, actor="t")
