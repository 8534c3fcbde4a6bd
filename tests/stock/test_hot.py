"""Balances move all the time; nearly all of their updates stay off the indexes, in the room that each page keeps."""

import time

import pytest
from sqlalchemy import text

from kernel.db import connect
from stock.ledger import post
from stock.models import Account
from stock.postings import Movement, Side
from tests.stock.shelf import NODES, SKUS, SUPPLIER, header, lay_out

UPDATES = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'stock_balance'"
POSTINGS = 400


@pytest.mark.postgres
def test_updates_of_balances_stay_off_the_indexes(databases):
    with databases.fresh("postgresql") as url:
        database = connect(url)
        with database.write() as session:
            lay_out(session)
            session.commit()
            for number in range(POSTINGS):
                here = Side(Account.ON_HAND, sorted(NODES)[number % len(NODES)])
                post(session, header(), [Movement(sku, 1, SUPPLIER, here) for sku in SKUS])
                session.commit()
        database.dispose()
        updated, hot = counted(url)
        assert updated >= POSTINGS * len(SKUS) - len(SKUS) * len(NODES)
        assert hot / updated > 0.8, f"{hot} of {updated}"


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
