"""People who do things at the same moment, and what became of each."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.exc import DBAPIError

from kernel.errors import DomainError
from tests.journeys.order import Order, Refused

LONGEST_WAIT_S = 60
DONE = "done"


def together(*deeds):
    """Do all deeds at once, each in a thread; return what each returned, or how it was refused or disturbed."""
    barrier = threading.Barrier(len(deeds), timeout=LONGEST_WAIT_S)

    def do(deed):
        barrier.wait()
        try:
            return deed()
        except (Refused, DomainError, DBAPIError) as error:
            return error

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(do, deeds))


def fates(outcomes):
    """Count the outcomes: done, or the code of the refusal; what a database said is told as it came."""
    return Counter(map(_fate, outcomes))


def orders(outcomes):
    """The orders among the outcomes."""
    return [outcome for outcome in outcomes if isinstance(outcome, Order)]


def once(database, verb):
    """Write in one transaction, as the doors do, but for their trying again."""
    with database.turn(), database.write() as session:
        value = verb(session)
        session.commit()
        return value


def _fate(outcome):
    if isinstance(outcome, DBAPIError):
        return f"disturbed: {outcome.orig}"
    return outcome.code if isinstance(outcome, (Refused, DomainError)) else DONE
