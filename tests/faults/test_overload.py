"""More is asked than the server can answer: clients wait, leave without an answer and come back with their keys.

A client that left does not know whether it was served. Still each request has one effect and one answer, the server is
not worn down by what nobody waits for any more, and once the crowd has gone a new client is served like before.
"""

import json
import time
from contextlib import closing
from itertools import islice

import pytest

from api.config import SecuritySettings
from tests import factories
from tests.concurrency.servers import serving
from tests.faults import clients, history
from tests.faults.tally import counted, often

SECRETS = SecuritySettings(master_key="11" * 32, session_key="s" * 64)
REQUESTS = often(100, 5_000)
THREADS, CROWD = 2, 48
# Less than it takes to serve the crowd once, so that many leave each time round.
IMPATIENCE_S = 0.25
LONGEST_RECOVERY_S = 30
pytestmark = pytest.mark.slow


def test_a_crowd_that_is_too_large_is_served_once_and_then_it_is_quiet(database_url, tmp_path):
    kind = database_url.partition(":")[0].partition("+")[0]
    key = clients.stock_up(database_url)
    with counted("server overloaded", kind) as tally:
        log, where = history.Log(tmp_path / "history"), {"servers": 1, "threads": THREADS, "now": factories.NOW}
        with closing(log), serving(tmp_path, database_url, **where, secrets=SECRETS) as addresses:
            crowd = clients.Crowd(addresses, key, log, count=CROWD, longest_answer_s=IMPATIENCE_S)
            crowd.ask(islice(clients.requests("crowd"), REQUESTS))
            crowd.stop()
            tally.recoveries_s.append(served_after(addresses, key, log))
        tally.injected = sent_away(log.path)
        asked = history.judge(log.path, database_url, tally)
    fates = history.kinds(asked)
    assert sum(fates.values()) == REQUESTS + 1
    assert not any(fate == history.INFO for _, fate in fates), fates
    assert tally.recoveries_s[0] < LONGEST_RECOVERY_S


def served_after(addresses, key, log):
    """Return how long a client who comes after the crowd waits for an answer."""
    newcomer, began_at = clients.Client(addresses, key, log), time.monotonic()
    answered_at = newcomer.asks(next(clients.requests("newcomer")))
    newcomer.leaves()
    assert answered_at is not None, "nobody is served any more"
    return answered_at - began_at


def sent_away(path):
    """How often a client left without an answer, or was told to come back."""
    return sum(json.loads(line)["phase"] == history.INFO for line in path.read_text().splitlines())
