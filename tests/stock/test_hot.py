"""Balances move all the time; nearly all of their updates stay off the indexes, in the room that each page keeps."""

import time
from random import Random

import pytest
from sqlalchemy import text

from kernel.db import connect
from stock.ledger import post
from stock.models import Account, Article, Node
from stock.postings import Movement, Side
from tests.stock.shelf import SUPPLIER, header

UPDATES = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'stock_balance'"
HERE = [f"store-{number}" for number in range(10)]
RANGE = [f"article-{number:02}" for number in range(40)]
POSTINGS, LINES = 400, 4
"""Four updates for each balance, all of them while somebody reads on in one snapshot."""


@pytest.mark.postgres
def test_nine_of_ten_updates_stay_off_the_indexes_while_others_read_the_past(databases):
    with databases.fresh("postgresql") as url:
        furnish(url)
        before = counted(url)
        move(url)
        updated, hot = (after - earlier for after, earlier in zip(counted(url), before, strict=True))
        assert updated == POSTINGS * LINES
        assert hot / updated > 0.9, f"{hot} of {updated}"


def furnish(url):
    database = connect(url)
    with database.write() as session:
        session.add_all(
            Node(id=node, name=node, kind="store", status="open", time_zone="Europe/Madrid", version=1) for node in HERE
        )
        session.add_all(Article(sku=sku, name=sku, currency="EUR") for sku in RANGE)
        session.flush()
        for sku in RANGE:
            post(session, header(), [Movement(sku, 1, SUPPLIER, Side(Account.ON_HAND, node)) for node in HERE])
        session.commit()
    # What other databases of the server write meanwhile makes the reader's snapshot older than it looks.
    with database.writer.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM stock_balance"))
    database.dispose()


def move(url):
    """Receive articles at random, while a reader stays in a snapshot as a report or an analysis does."""
    database, draw = connect(url), Random(3)
    reader = database.reader.execution_options(isolation_level="REPEATABLE READ")
    with reader.connect() as snapshot, database.write() as session:
        for _ in range(POSTINGS):
            snapshot.execute(text("SELECT count(*) FROM stock_balance"))
            there = Side(Account.ON_HAND, draw.choice(HERE))
            post(session, header(), [Movement(sku, 1, SUPPLIER, there) for sku in draw.sample(RANGE, LINES)])
            session.commit()
    database.dispose()


def counted(url):
    """Return the updates of balances and how many were hot; the server counts those of a connection when it ends."""
    database = connect(url)
    seen = (0, 0)
    for _ in range(50):
        with database.read() as session:
            now = tuple(session.execute(text(UPDATES)).one())
        if now == seen and now[0]:
            break
        seen = now
        time.sleep(0.2)
    database.dispose()
    return seen
