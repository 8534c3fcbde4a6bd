"""Many clients with many postings in one statement: what is scarce goes out once, and nobody waits in a circle."""

import random
from collections import Counter

import pytest
from sqlalchemy import func, select

from kernel.ids import new_id
from stock import ledger
from stock.ledger import OWN_SAFETY_STOCK
from stock.models import Reservation
from stock.postings import Draft, NewReservation
from tests.concurrency.clients import CLIENTS, ROUNDS, SOLD_OUT, WON, balance, counted, fresh_article
from tests.stock.shelf import header

BATCH = 8
pytestmark = pytest.mark.usefixtures("proven")


def draft(*skus, units=1):
    """An order of one or more articles, claimed whole or not at all."""
    claims = [
        NewReservation(id=new_id(), sku=sku, node="MAD", reference=new_id(), purpose="order", units=units)
        for sku in skus
    ]
    return Draft(header=header("claim"), claims=claims, floors=OWN_SAFETY_STOCK)


def orders(*skus):
    """As many orders as go into one bulk, each of an article."""
    return [draft(sku) for sku in (skus * BATCH)[:BATCH]]


def write(session, drafts):
    """Write drafts in one go; return how many were written and how many were refused."""
    return Counter(WON if isinstance(each, str) else SOLD_OUT for each in ledger.post_many(session, drafts))


def added_up(outcomes):
    """Add up what the clients got; an error that nobody expected fails the test with itself."""
    counted(outcomes)
    total = sum(outcomes, Counter())
    return total[WON], total[SOLD_OUT]


def test_few_units_go_to_as_many_of_the_orders_that_come_in_bulk(clients):
    units = BATCH * 3 + 1
    for _ in range(ROUNDS // 4 if clients.is_sqlite else ROUNDS):
        sku = fresh_article(clients, units)
        outcomes = clients.all_at_once(lambda session, _, sku=sku: write(session, orders(sku)))
        assert added_up(outcomes) == (units, CLIENTS * BATCH - units)
        assert balance(clients, sku) == (units, units)


def test_one_shortage_refuses_nobody_else_in_a_bulk(clients):
    scarce, plenty = fresh_article(clients, CLIENTS // 2), fresh_article(clients, 10_000)

    def order(session, _number):
        return write(session, [draft(plenty), draft(scarce), draft(plenty, scarce), draft(plenty)])

    won, lost = added_up(clients.all_at_once(order))
    assert won == 2 * CLIENTS + CLIENTS // 2, (
        "a scarce unit makes one order possible, with the other article or without"
    )
    assert won + lost == 4 * CLIENTS
    assert balance(clients, scarce) == (CLIENTS // 2, CLIENTS // 2)


def test_single_orders_and_bulks_meet_at_the_last_units(clients):
    sku = fresh_article(clients, 3 * CLIENTS)

    def order(session, number):
        return write(session, [draft(sku)] if number % 2 else orders(sku))

    won, lost = added_up(clients.all_at_once(order))
    assert (won, won + lost) == (3 * CLIENTS, CLIENTS // 2 * (BATCH + 1))
    claimed = select(func.sum(Reservation.units)).where(Reservation.sku == sku)
    assert clients.alone(lambda session: session.scalar(claimed)) == 3 * CLIENTS


def test_shuffled_overlapping_carts_in_bulks_never_wait_in_a_circle(clients):
    """PostgreSQL would tell a circle as an error (40P01), which nobody catches here."""
    skus = [fresh_article(clients, 100_000) for _ in range(20)]
    bulks = ROUNDS // 10 if clients.is_sqlite else ROUNDS // 2

    def order(number):
        drawn = random.Random(number)
        for _ in range(bulks):
            carts = [draft(*drawn.sample(skus, 5)) for _ in range(BATCH)]
            outcome = clients.attempt(number, lambda session, _, carts=carts: write(session, carts))
            if isinstance(outcome, Exception):
                return outcome
        return WON

    assert counted(list(clients.pool.map(order, range(CLIENTS)))) == (CLIENTS, 0)
    assert sum(balance(clients, sku)[1] for sku in skus) == CLIENTS * bulks * BATCH * 5


def test_bulks_longer_than_one_statement_never_wait_in_a_circle(clients):
    """Each is written by several statements of one transaction, which must lock as one would."""
    skus = [fresh_article(clients, 100_000) for _ in range(6)]
    several, long = CLIENTS // 4, ledger.LANE + 20

    def order(number):
        # Each statement of one touches the articles that the other statement of another touches.
        halves = [skus[:3], skus[3:]] if number % 2 else [skus[3:], skus[:3]]
        carts = [draft(*random.Random(number + place).sample(halves[place >= ledger.LANE], 2)) for place in range(long)]
        return clients.attempt(number, lambda session, _: write(session, carts))

    assert added_up(list(clients.pool.map(order, range(several)))) == (several * long, 0)
