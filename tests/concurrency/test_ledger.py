"""Many clients at one ledger: each unit is promised once, nobody waits for ever, and it proves itself afterwards.

Many postings at once are tested beside it, in `test_lane.py`.
"""

import random
import threading

import pytest
from sqlalchemy import func, select

from kernel.db import retryable
from stock import reservations, sales
from stock.errors import ClaimsChanged, InsufficientStock
from stock.ledger import post
from stock.models import Account, OpenDemand, Reservation
from stock.postings import DemandChange, Movement, Side
from stock.reservations import ReservedUnits, rebind
from tests.concurrency.clients import CLIENTS, ROUNDS, SOLD_OUT, WON, balance, counted, fresh_article
from tests.stock.shelf import NOW, SUPPLIER, claim, header

pytestmark = pytest.mark.usefixtures("proven")


def buy(session, sku, reference):
    try:
        rebind(session, header("claim"), claims=[claim(sku=sku, reference=reference)])
    except InsufficientStock:
        return SOLD_OUT
    return WON


def test_the_last_unit_is_promised_once(clients):
    for _ in range(ROUNDS // 2 if clients.is_sqlite else 2 * ROUNDS):
        sku = fresh_article(clients, 1)
        outcomes = clients.all_at_once(lambda session, number, sku=sku: buy(session, sku, f"line-{number}"))
        assert counted(outcomes) == (1, CLIENTS - 1)
        assert balance(clients, sku) == (1, 1)


def test_fifty_units_for_two_hundred_buyers(clients):
    sku = fresh_article(clients, 50)
    rounds = 200 // CLIENTS + 1
    shoppers = iter(range(200))
    lock = threading.Lock()

    def shop(_session, number):
        got = []
        for _ in range(rounds):
            with lock:
                shopper = next(shoppers, None)
            if shopper is not None:
                got.append(clients.attempt(number, lambda session, _, who=shopper: buy(session, sku, f"buyer-{who}")))
        return got

    outcomes = [outcome for some in clients.pool.map(lambda n: shop(None, n), range(CLIENTS)) for outcome in some]
    assert counted(outcomes) == (50, 150)
    assert balance(clients, sku) == (50, 50)


def test_shuffled_overlapping_carts_never_wait_in_a_circle(clients):
    skus = [fresh_article(clients, 100_000) for _ in range(20)]
    orders = ROUNDS // 4 if clients.is_sqlite else 3 * ROUNDS // 2

    def order(number):
        draw = random.Random(number)
        for place in range(orders):
            cart = draw.sample(skus, 5)
            lines = [claim(sku=sku, reference=f"cart-{number}-{place}-{line}") for line, sku in enumerate(cart)]
            outcome = clients.attempt(
                number, lambda session, _, lines=lines: rebind(session, header("claim"), claims=lines)
            )  # fmt: skip
            if isinstance(outcome, Exception):
                return outcome
        return WON

    assert counted(list(clients.pool.map(order, range(CLIENTS)))) == (CLIENTS, 0)
    assert sum(balance(clients, sku)[1] for sku in skus) == CLIENTS * orders * 5


def test_balances_made_at_the_same_moment_are_made_once(clients):
    sku = fresh_article(clients, 1, node="LIS")
    move = [Movement(sku, 1, SUPPLIER, Side(Account.ON_HAND, "BCN"))]

    def receive(session, _number):
        post(session, header("receipt"), move)
        return WON

    assert counted(clients.all_at_once(receive)) == (CLIENTS, 0)
    assert balance(clients, sku, "BCN") == (CLIENTS, 0)


def test_a_reservation_is_ended_by_one_of_many(clients):
    sku = fresh_article(clients, 3)
    (id_,) = clients.alone(lambda session: rebind(session, header(), claims=[claim(sku=sku, units=2)]))

    def end(session, number):
        units = [ReservedUnits(sku, id_, 2)]
        try:
            if number % 2:
                rebind(session, header(), release=units)
            else:
                reservations.consume(session, header(), units)
        except ClaimsChanged:
            return SOLD_OUT
        return WON

    assert counted(clients.all_at_once(end)) == (1, CLIENTS - 1)


def test_a_waiting_unit_is_given_a_node_by_one_of_many(clients):
    sku = fresh_article(clients, CLIENTS)
    clients.alone(lambda session: rebind(session, header(), demand=[DemandChange(sku, "waits", 1)]))

    def allocate(session, number):
        try:
            rebind(
                session, header(), claims=[claim(sku=sku, reference="waits")], demand=[DemandChange(sku, "waits", -1)]
            )  # fmt: skip
        except ClaimsChanged:
            return SOLD_OUT
        return WON

    assert counted(clients.all_at_once(allocate)) == (1, CLIENTS - 1)
    assert balance(clients, sku) == (CLIENTS, 1)


def test_an_exchange_under_way_gives_nobody_else_the_unit(clients):
    sku = fresh_article(clients, 1)
    (first,) = clients.alone(lambda session: rebind(session, header(), claims=[claim(sku=sku, reference="held")]))
    held = [first]

    def exchange_or_buy(session, number):
        if number:
            return buy(session, sku, f"line-{number}")
        for _ in range(5):
            held.extend(
                rebind(
                    session, header(), release=[ReservedUnits(sku, held[-1], 1)],
                    claims=[claim(sku=sku, reference="held")],
                )
            )  # fmt: skip
        return WON

    assert counted(clients.all_at_once(exchange_or_buy)) == (1, CLIENTS - 1)


def test_the_till_and_the_shoppers_meet_at_the_last_units(clients):
    sku = fresh_article(clients, CLIENTS)

    def sell_or_buy(session, number):
        if number % 2:
            return buy(session, sku, f"line-{number}")
        sales.sell(session, node="MAD", lines=[(sku, 2)], reference=f"t{number}", actor="till", occurred_at=NOW)
        return WON

    def persistent(number):
        for _ in range(20):
            outcome = clients.attempt(number, sell_or_buy)
            if not (isinstance(outcome, Exception) and retryable(outcome)):
                return outcome
        return outcome

    outcomes = list(clients.pool.map(persistent, range(CLIENTS)))
    assert all(outcome == WON for outcome in outcomes[::2]), outcomes
    assert balance(clients, sku) == (0, 0)
    winners = outcomes[1::2].count(WON)
    assert winners + outcomes[1::2].count(SOLD_OUT) == CLIENTS // 2

    def displaced(session):
        waiting = select(func.coalesce(func.sum(OpenDemand.units), 0)).where(OpenDemand.sku == sku)
        released = select(func.coalesce(func.sum(Reservation.released), 0)).where(Reservation.sku == sku)
        return session.scalar(waiting), session.scalar(released)

    assert clients.alone(displaced) == (winners, winners)
