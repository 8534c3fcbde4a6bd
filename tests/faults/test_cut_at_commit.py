"""The connection to PostgreSQL is cut before, during or after a commit, or slow: same key, same answer, one effect."""

import random
import time

import pytest

from tests.faults import clients, history
from tests.faults.proxy import AFTER, BEFORE, DURING, Proxy
from tests.faults.tally import counted, often
from tests.journeys.opening import application, house_for

CUTS = often(30, 500)
DELAYS = often(4, 50)
LONGEST_DELAY_S = 0.5
pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return application(tmp_path_factory.mktemp("cut"))


@pytest.fixture
def through_proxy(databases, app, tmp_path):
    """A proxy before a database, the application behind it, a client of that, and what the client remembers."""
    with databases.fresh("postgresql") as url, Proxy(url) as proxy:
        key = clients.stock_up(url)
        house = app.extensions["oms"] = house_for(proxy.url)
        log = history.Log(tmp_path / "history")
        yield url, proxy, clients.InsideClient(app, key, log), log
        house.doors.database.dispose()


def test_a_request_whose_commit_was_cut_off_is_answered_once(through_proxy):
    url, proxy, client, log = through_proxy
    wanted, drawn = clients.requests("cut"), random.Random(2)
    with counted("connection cut at commit", "postgresql") as tally:
        for number in range(CUTS):
            proxy.at_next_commit((BEFORE, DURING, AFTER)[number % 3])
            request, began_at = next(wanted), time.monotonic()
            client.asks(request)
            tally.recoveries_s.append(time.monotonic() - began_at)
            if drawn.random() < 0.5:
                client.asks(request)
        log.close()
        tally.injected = len(proxy.done)
        asked = history.judge(log.path, url, tally)
    assert history.kinds(asked)[history.ORDER, history.OK] > 0
    assert tally.injected >= CUTS - sum(of.refused for of in asked.values())


def test_a_slow_commit_is_waited_for(through_proxy):
    url, proxy, client, log = through_proxy
    wanted, drawn = clients.requests("slow"), random.Random(3)
    with counted("commit delayed", "postgresql") as tally:
        for _ in range(DELAYS):
            proxy.at_next_commit(drawn.uniform(0.01, LONGEST_DELAY_S))
            client.asks(next(wanted))
        log.close()
        tally.injected = len(proxy.done)
        history.judge(log.path, url, tally)


def test_the_answer_that_was_cut_off_is_given_again(through_proxy):
    _, proxy, client, log = through_proxy
    request = next(clients.requests("again"))
    proxy.at_next_commit(AFTER)
    client.asks(request)
    client.asks(request)
    log.close()
    (of,) = history.read(log.path).values()
    assert (proxy.done, len(of.answers), client.replayed) == ([AFTER], 1, True)
