"""An article that everybody wants keeps nobody waiting who wants another one."""

import statistics
import threading
import time

import pytest

from stock.reservations import rebind
from tests.concurrency.clients import CLIENTS, ROUNDS, fresh_article
from tests.stock.shelf import claim, header

COLD = 4
# How long a slow order keeps the article that everybody wants; a queue of them is many times as long.
HELD_S = 0.05
# Nobody is alone on this machine. Whoever had to wait for the queue would take dozens of times as long.
MOST_RATIO = 4
pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("proven")]


# On SQLite one transaction writes at a time.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True, scope="module")
def test_orders_of_cold_articles_do_not_wait_for_the_hot_one(clients):
    hot, *cold = (fresh_article(clients, 1_000_000) for _ in range(COLD + 1))
    cold_s(clients, cold)
    alone = cold_s(clients, cold)
    done = threading.Event()
    crowd = [clients.pool.submit(keep_busy, clients, number, hot, done) for number in range(COLD, CLIENTS)]
    time.sleep(2 * HELD_S)
    beside = cold_s(clients, cold)
    done.set()
    assert sum(each.result() for each in crowd) > 0, "nobody wanted the hot article"
    assert statistics.median(beside) <= MOST_RATIO * statistics.median(alone)


def cold_s(clients, skus):
    """Return the seconds that orders took, of clients who want an article each."""

    def order(number):
        took = []
        for _ in range(ROUNDS):
            began_at = time.perf_counter()
            clients.attempt(number, lambda session, _: claimed(session, skus[number]))
            took.append(time.perf_counter() - began_at)
        return took

    return [seconds for took in clients.pool.map(order, range(len(skus))) for seconds in took]


def keep_busy(clients, number, sku, done):
    """Let a client order the hot article again and again, slowly; return how often."""
    orders = 0

    def slowly(session, _):
        claimed(session, sku)
        time.sleep(HELD_S)

    while not done.is_set():
        clients.attempt(number, slowly)
        orders += 1
    return orders


def claimed(session, sku):
    return rebind(session, header("claim"), claims=[claim(sku=sku, reference=sku)])
