"""Clients of one ledger, each with a connection of its own, and what the tests of this folder do with them.

OMS_TEST_ROUNDS says how often they meet. On SQLite every client has an engine of its own, so that they meet at the
file's lock as processes do.
"""

import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.exc import DBAPIError

from kernel.db import connect
from kernel.errors import DomainError
from stock.ledger import post
from stock.models import Account, Article, StockBalance
from stock.postings import Movement, Side
from tests.stock.shelf import SUPPLIER, header

ROUNDS = int(os.environ.get("OMS_TEST_ROUNDS", "20"))
CLIENTS = 16
SOLD_OUT, WON = "sold out", "won"


class Clients:
    """So many clients, each with a connection of its own, that start at the same moment."""

    def __init__(self, url):
        self.url = url
        self.databases = [connect(url, pool_size=1) for _ in range(CLIENTS)]
        self.pool = ThreadPoolExecutor(CLIENTS)

    @property
    def is_sqlite(self):
        return self.databases[0].is_sqlite

    def all_at_once(self, deed):
        """Let each client call `deed(session, its number)` in a transaction; return what they got, errors included."""
        barrier = threading.Barrier(CLIENTS)

        def run(number):
            barrier.wait()
            return self.attempt(number, deed)

        return list(self.pool.map(run, range(CLIENTS)))

    def attempt(self, number, deed):
        with self.databases[number].write() as session:
            try:
                outcome = deed(session, number)
                session.commit()
            except (DomainError, DBAPIError) as error:
                return error
            return outcome

    def alone(self, deed):
        outcome = self.attempt(0, lambda session, _: deed(session))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def close(self):
        self.pool.shutdown()
        for database in self.databases:
            database.dispose()


def fresh_article(clients, units, *, node="MAD"):
    """Create an article of its own for a test, with units on hand."""
    sku = f"sku-{random.getrandbits(48):x}"

    def create(session):
        session.add(Article(sku=sku, name=sku, currency="EUR"))
        session.flush()
        post(session, header("receipt"), [Movement(sku, units, SUPPLIER, Side(Account.ON_HAND, node))])

    clients.alone(create)
    return sku


def balance(clients, sku, node="MAD"):
    def read(session):
        row = session.get(StockBalance, (sku, node))
        return row.on_hand, row.reserved

    return clients.alone(read)


def counted(outcomes):
    """Count the outcomes; an error that nobody expected fails the test with itself."""
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    return outcomes.count(WON), outcomes.count(SOLD_OUT)
