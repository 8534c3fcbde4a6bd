"""Clients that do not give up: each request has a key, and is sent again with it until somebody answers.

They place orders, receive goods and sell at a till over HTTP, and write down what they asked and what was answered.
Invariant: a request is repeated unchanged; whatever is answered is in the log before the next one is sent.
"""

import http.client
import itertools
import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from api import access
from fulfillment.network import catalog
from kernel.db import connect
from tests import factories
from tests.faults.history import BROKEN, FAIL, INFO, OK, ORDER, RECEIPT, SALE

PLENTY, SCARCE = 900_000, 60
HOME = {"name": "Ana Carvalho", "line1": "Calle del Pez 7", "city": "Madrid", "postal_code": "28001", "country": "ES"}
# Minutes of work a day at each node, so that no order waits for hands.
ENOUGH = 1_000_000_000
PATIENCE_S = 60
PAUSE_S = 0.1
LONGEST_ANSWER_S = 30
CREATED = 201
# What a client may take for an answer that will change when it asks again.
TRY_AGAIN = {"idempotency_key_in_use", "stale_plan", "balances_moved", "claims_changed"}


@dataclass(frozen=True)
class Request:
    """One thing a client wants, under one key."""

    key: str
    kind: str
    path: str
    units: int
    body: Any


def stock_up(url):
    """Lay out the small retailer with plenty of coats and hats, and few boots; return a key for its clients."""
    database = connect(url)
    with database.write() as session:
        factories.lay_out(session)
        never_tire(session)
        factories.stock(session, "WH", coat=PLENTY, boots=SCARCE)
        factories.stock(session, "MAD", hat=PLENTY)
        key = access.add_key(session, "clients", ["admin"])
        session.commit()
    database.dispose()
    return key


def never_tire(session):
    """Let every node work without end, so that whatever waits does so for want of units."""
    tireless = [replace(factories.profile(node), capacity_minutes=ENOUGH) for node in factories.PLACES]
    catalog.put_profiles(session, tireless)


def requests(seed):
    """Yield requests without end: two of five are orders, half of them for what is scarce."""
    drawn, numbers = random.Random(seed), itertools.count(1)
    makers = {ORDER: _order, RECEIPT: _receipt, SALE: _sale}
    while True:
        kind = drawn.choice((ORDER, ORDER, RECEIPT, SALE, SALE))
        yield makers[kind](f"{seed}-{next(numbers)}", drawn)


def _order(key, drawn):
    sku, channel, units = drawn.choice((("coat", "web", drawn.randint(1, 3)), ("boots", "market", 1)))
    line = {"sku": sku, "quantity": units, "unit_price": {"amount": "20.00", "currency": "EUR"}}
    body = {
        "channel": channel, "external_id": key, "currency": "EUR", "ship_to": HOME, "lines": [line],
        "customer": {"name": "Ana Carvalho", "email": "ana@example.org"},
    }  # fmt: skip
    return Request(key, ORDER, "/orders", units, body)


def _receipt(key, drawn):
    units = drawn.randint(1, 5)
    lines = [{"node": "BCN", "sku": "scarf", "units": units}]
    return Request(key, RECEIPT, "/stock/receipts", units, {"reference": key, "lines": lines})


def _sale(key, drawn):
    units = drawn.randint(1, 2)
    sold = {"node": "MAD", "reference": key, "lines": [{"sku": "hat", "units": units}]}
    return Request(key, SALE, "/stock/sales", units, sold)


class Client:
    """One who asks one thing after the other, at whichever address answers."""

    def __init__(self, addresses, key, log, *, longest_answer_s=LONGEST_ANSWER_S):
        self.addresses = itertools.cycle(urlsplit(address).netloc for address in addresses)
        self.key, self.log, self.longest_answer_s = key, log, longest_answer_s
        self.connection = None

    def asks(self, request):
        """Send a request until it is answered for good; return the instant of the answer, or None when none came."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            phase, answer = self._asks_once(request)
            self.log.write(request.key, phase, answer=answer)
            if phase != INFO:
                return time.monotonic()
            time.sleep(PAUSE_S)
        return None

    def _asks_once(self, request):
        self.log.write(request.key, "invoke", kind=request.kind, units=request.units)
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": request.key,
                   "Content-Type": "application/json"}  # fmt: skip
        try:
            status, answer = self._send(f"/api/v1{request.path}", json.dumps(request.body), headers)
        except (OSError, http.client.HTTPException) as error:
            self.leaves()
            return INFO, type(error).__name__
        return _understood(request, status, answer)

    def _send(self, path, body, headers):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(next(self.addresses), timeout=self.longest_answer_s)
        self.connection.request("POST", path, body, headers)
        response = self.connection.getresponse()
        assert response.status != 503 or response.headers["Retry-After"], "who is sent away is told when to come back"
        return response.status, json.loads(response.read())

    def leaves(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class InsideClient(Client):
    """A client that needs no network of its own, for faults between the application and its database."""

    def __init__(self, app, key, log):
        super().__init__([], key, log)
        self.app, self.replayed = app, False

    def _send(self, path, body, headers):
        response = self.app.test_client().post(path, data=body, headers=headers)
        self.replayed = "Idempotency-Replayed" in response.headers
        return response.status_code, response.get_json()


def _understood(request, status, answer):
    if status in (200, CREATED):
        return OK, answer["id" if request.kind == ORDER else "posting_id"]
    if status == 503 or answer["code"] in TRY_AGAIN:
        return INFO, answer["code"]
    expected = status == 409 and answer["code"] == "out_of_stock"
    return (FAIL if expected else BROKEN), f"{status} {answer['code']}: {answer['detail']}"


class Crowd:
    """So many clients in threads of their own."""

    def __init__(self, addresses, key, log, *, count, longest_answer_s=LONGEST_ANSWER_S):
        self.clients = [Client(addresses, key, log, longest_answer_s=longest_answer_s) for _ in range(count)]
        self.answered_at = 0.0
        self._closing = threading.Event()
        self._pool = ThreadPoolExecutor(count)
        self._running = []

    def go_on(self, seed):
        """Let each client ask one thing after the other, until told to stop."""
        for number, client in enumerate(self.clients):
            self._running.append(self._pool.submit(self._keep_asking, client, requests(f"{seed}{number}")))

    def _keep_asking(self, client, wanted):
        while not self._closing.is_set():
            answered_at = client.asks(next(wanted))
            self.answered_at = max(self.answered_at, answered_at or 0.0)
        client.leaves()

    def ask(self, wanted):
        """Let the clients share these requests, and return when all have their answers."""
        queue, lock = iter(wanted), threading.Lock()

        def take():
            with lock:
                return next(queue, None)

        def work(client):
            while (request := take()) is not None:
                client.asks(request)

        for done in [self._pool.submit(work, client) for client in self.clients]:
            done.result()

    def wait_for_answers(self, since, seconds):
        """Wait for the first answer after an instant; return how long it took, or fail."""
        end = time.monotonic() + seconds
        while self.answered_at <= since:
            assert time.monotonic() < end, f"nobody was answered for {seconds} s"
            time.sleep(0.01)
        return self.answered_at - since

    def stop(self):
        """Let each client finish what it asked for."""
        self._closing.set()
        self._pool.shutdown()
        for done in self._running:
            done.result()
        for client in self.clients:
            client.leaves()
