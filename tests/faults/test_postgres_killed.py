"""PostgreSQL is killed under load, with all its processes or one of them: what was acknowledged is there once."""

import random
import time

import pytest

from api.config import SecuritySettings
from tests import factories
from tests.concurrency.servers import serving
from tests.faults import clients, history
from tests.faults.tally import counted, often

SECRETS = SecuritySettings(master_key="11" * 32, session_key="s" * 64)
KILLS = often(3, 50)
LONGEST_AWAY_S = 60
pytestmark = [pytest.mark.slow, pytest.mark.postgres]


def test_what_was_acknowledged_survives_the_server(own_postgres, tmp_path):
    url, log = own_postgres.url("house"), history.Log(tmp_path / "history")
    key, drawn = clients.stock_up(url), random.Random(1)
    with counted("PostgreSQL killed under load", "postgresql") as tally:
        with serving(tmp_path, url, servers=2, now=factories.NOW, secrets=SECRETS) as addresses:
            crowd = clients.Crowd(addresses, key, log, count=4)
            crowd.go_on(seed="kill")
            try:
                for number in range(KILLS):
                    crowd.wait_for_answers(time.monotonic(), LONGEST_AWAY_S)
                    time.sleep(drawn.uniform(0.2, 1.0))
                    tally.recoveries_s.append(away(own_postgres, crowd, whole=number % 3 < 2))
                    tally.injected += 1
            finally:
                crowd.stop()
                log.close()
        asked = history.judge(log.path, url, tally)
    fates = history.kinds(asked)
    assert fates[history.ORDER, history.OK] > KILLS, fates


def away(server, crowd, *, whole):
    """Kill the server or one process of it; return how long, once it takes connections, clients wait for an answer."""
    if whole:
        server.kill()
        server.start()
    else:
        server.kill_a_backend()
        while not server.answers():
            time.sleep(0.02)
    return crowd.wait_for_answers(time.monotonic(), LONGEST_AWAY_S)
