"""Each request comes one to three times, in any order, from several clients: it has one effect and one answer."""

import random
from contextlib import closing
from itertools import islice

import pytest

from api.config import SecuritySettings
from tests import factories
from tests.concurrency.servers import serving
from tests.faults import clients, history
from tests.faults.tally import counted, often

SECRETS = SecuritySettings(master_key="11" * 32, session_key="s" * 64)
REQUESTS = often(240, 50_000)
WINDOW, CLIENTS = 60, 8
SERVERS = {"sqlite": 1, "postgresql": 2}
pytestmark = pytest.mark.slow


def test_a_request_sent_again_and_out_of_order_has_one_effect(database_url, tmp_path):
    kind = database_url.partition(":")[0].partition("+")[0]
    key, drawn = clients.stock_up(database_url), random.Random(7)
    wanted = clients.requests("again")
    with counted("request duplicated and reordered", kind) as tally:
        log, where = history.Log(tmp_path / "history"), {"servers": SERVERS[kind], "now": factories.NOW}
        with closing(log), serving(tmp_path, database_url, **where, secrets=SECRETS) as addresses:
            crowd = clients.Crowd(addresses, key, log, count=CLIENTS)
            while tally.injected < REQUESTS:
                copies = [one for one in islice(wanted, WINDOW) for _ in range(drawn.randint(1, 3))]
                drawn.shuffle(copies)
                crowd.ask(copies)
                tally.injected += len(copies)
            crowd.stop()
        asked = history.judge(log.path, database_url, tally)
    fates = history.kinds(asked)
    assert not any(fate == history.INFO for _, fate in fates), fates
