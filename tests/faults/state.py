"""What a database says in the end: its rows counted, its balances, and what does not add up.

Used by the tests of faults to compare a history with a fault in it with one that had none. Invariant: two databases
that hold the same facts have the same state, whatever identifiers and times they gave them.
"""

import functools
from collections import Counter

from sqlalchemy import func, literal, select, union_all

from api import proof
from kernel.db import Base, connect
from stock.models import StockBalance

# Whose rows come and go with each try, whether or not anything was done; a decision in vain is one row more, too.
BOOKKEEPING = {"decision", "job_slot", "outbox_queue"}
COUNTED = [table for name, table in sorted(Base.metadata.tables.items()) if name not in BOOKKEEPING]
ROWS = union_all(*(select(literal(table.name), func.count()).select_from(table) for table in COUNTED))


def state_of(url):
    """Return what the database at `url` says, and the findings of its proof."""
    database = _database(url)
    try:
        with database.read() as session:
            state = Counter(dict(session.execute(ROWS).all()))
            for balance in session.scalars(select(StockBalance)):
                where = f"{balance.sku} at {balance.node}"
                state.update({f"{counter} of {where}": units for counter, units in _counters(balance)})
            return state, list(proof.findings(session))
    finally:
        database.dispose()


def findings_of(url):
    """Return what does not add up in a database that is looked at once."""
    database = connect(url)
    with database.read() as session:
        found = list(proof.findings(session))
    database.dispose()
    return found


@functools.cache
def _database(url):
    """Open a database once, since what takes time is to compile the statements of the proof."""
    return connect(url)


def _counters(balance):
    columns = [column.key for column in StockBalance.__table__.columns if column.type.python_type is int]
    return [(column, getattr(balance, column)) for column in columns]
