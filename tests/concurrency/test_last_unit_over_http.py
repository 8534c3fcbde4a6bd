"""Shoppers who want the last unit at the same moment, over HTTP: on SQLite of one server, on PostgreSQL of two.

OMS_TEST_ROUNDS says how often they meet; the figures are printed.
"""

import itertools
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from api import access, proof
from api.config import SecuritySettings
from fulfillment.network import catalog
from kernel.db import connect
from stock import catalog as stock_catalog
from tests import factories
from tests.concurrency.clients import ROUNDS
from tests.concurrency.servers import serving

SHOPPERS, CROWD, PILE = 16, 200, 50
BULK, FEW = 4, 10
SECRETS = SecuritySettings(master_key="11" * 32, session_key="s" * 64)
LONGEST_ANSWER_S = 120
HOME = {"name": "Ana Carvalho", "line1": "Calle del Pez 7", "city": "Madrid", "postal_code": "28001", "country": "ES"}
SOLD, WAITS, REFUSED = "sold", "waits", "refused"
numbers = itertools.count(1)
pytestmark = pytest.mark.slow


class Crowd:
    """So many shoppers, each with a connection of their own to one of the servers, who press the button together."""

    def __init__(self, shop, count):
        headers = {"Authorization": f"Bearer {shop.key}"}
        addresses = itertools.islice(itertools.cycle(shop.addresses), count)
        self.clients = [httpx.Client(base_url=at, headers=headers, timeout=LONGEST_ANSWER_S) for at in addresses]
        self.pool = ThreadPoolExecutor(count)

    def __enter__(self):
        # They meet at the button, not at the door.
        list(self.pool.map(lambda client: client.get("/healthz"), self.clients))
        return self

    def __exit__(self, *_):
        self.pool.shutdown()
        for client in self.clients:
            client.close()

    def buy(self, sku, *channels):
        """Let every shopper buy one unit in one of the channels, in turn; return how many fared how."""
        barrier = threading.Barrier(len(self.clients), timeout=LONGEST_ANSWER_S)

        def press(client, channel):
            body = order(sku, channel)
            barrier.wait()
            return client.post("/api/v1/orders", json=body, headers={"Idempotency-Key": body["external_id"]})

        return Counter(map(fate, self.pool.map(press, self.clients, itertools.cycle(channels))))

    def buy_in_bulk(self, sku, channel):
        """Let every shopper send several orders of one unit in one request; return how many orders fared how."""
        barrier = threading.Barrier(len(self.clients), timeout=LONGEST_ANSWER_S)

        def press(client):
            body = [order(sku, channel) for _ in range(BULK)]
            barrier.wait()
            return client.post("/api/v1/orders/bulk", json=body)

        return Counter(itertools.chain.from_iterable(map(fates_in_bulk, self.pool.map(press, self.clients))))


class Shop:
    """Servers on one database, with the last unit of many articles, and a pile of one."""

    def __init__(self, addresses, database, key):
        self.addresses, self.database, self.key = addresses, database, key

    def prove(self):
        with self.database.read() as session:
            assert list(proof.findings(session)) == []

    def tell(self, capsys, story, began_at):
        """Print a figure for whoever runs this, also where output is caught."""
        kind, servers = "SQLite" if self.database.is_sqlite else "PostgreSQL", len(self.addresses)
        seconds = time.perf_counter() - began_at
        with capsys.disabled():
            print(f"\n{story}: {seconds:.1f} s on {kind}, server processes: {servers}")  # noqa: T201 (as it says)


def lay_out(session):
    """Put one unit of an article for each round into the warehouse, and a pile of another, and enough hands."""
    factories.lay_out(session)
    catalog.put_profiles(session, [replace(factories.profile("WH"), capacity_minutes=100_000)])
    units = {f"last-{number}": 1 for number in range(ROUNDS)} | {"pile": PILE}
    units |= {f"few-{number}": FEW for number in range(ROUNDS // 4)}
    row = replace(factories.article("coat"), gtin=None)
    stock_catalog.put_articles(session, [replace(row, sku=sku, name=sku) for sku in units])
    factories.stock(session, "WH", **units)
    return access.add_key(session, "shoppers", ["orders:write"])


def order(sku, channel):
    line = {"sku": sku, "quantity": 1, "unit_price": {"amount": "20.00", "currency": "EUR"}}
    return {
        "channel": channel, "external_id": f"S-{next(numbers)}", "currency": "EUR", "ship_to": HOME, "lines": [line],
        "customer": {"name": "Ana Carvalho", "email": "ana@example.org"},
    }  # fmt: skip


def fate(answer):
    """What became of a shopper; anything but these three is told as it came."""
    if answer.status_code == 201:
        (line,) = answer.json()["lines"]
        return SOLD if (line["allocated"], line["waiting"]) == (1, 0) else WAITS
    refused = answer.status_code == 409 and answer.json()["code"] == "out_of_stock"
    return REFUSED if refused else f"{answer.status_code} {answer.text}"


def fates_in_bulk(answer):
    """What became of each order of a bulk."""
    if answer.status_code != 200:
        return [f"{answer.status_code} {answer.text}"]
    return [_fate_of_row(row) for row in answer.json()["results"]]


def _fate_of_row(row):
    if row["result"] == "created":
        (line,) = row["order"]["lines"]
        return SOLD if (line["allocated"], line["waiting"]) == (1, 0) else WAITS
    refused = row["problem"] and row["problem"]["code"] == "out_of_stock"
    return REFUSED if refused else str(row)


@pytest.fixture(scope="module")
def shop(database_url, tmp_path_factory):
    database = connect(database_url)
    with database.write() as session:
        key = lay_out(session)
        session.commit()
    folder, servers = tmp_path_factory.mktemp("servers"), 1 if database.is_sqlite else 2
    with serving(folder, database_url, servers=servers, now=factories.NOW, secrets=SECRETS) as addresses:
        yield Shop(addresses, database, key)
    database.dispose()


def test_one_of_sixteen_gets_the_last_unit_every_time(shop, capsys):
    began_at = time.perf_counter()
    with Crowd(shop, SHOPPERS) as crowd:
        for number in range(ROUNDS):
            channel, loses = ("market", REFUSED) if number % 2 else ("web", WAITS)
            assert crowd.buy(f"last-{number}", channel) == {SOLD: 1, loses: SHOPPERS - 1}, f"round {number}"
    shop.prove()
    shop.tell(capsys, f"{ROUNDS} rounds of {SHOPPERS} shoppers and one unit", began_at)


def test_ten_units_go_to_ten_of_the_orders_that_come_in_bulks(shop, capsys):
    began_at = time.perf_counter()
    with Crowd(shop, SHOPPERS) as crowd:
        for number in range(ROUNDS // 4):
            channel, loses = ("market", REFUSED) if number % 2 else ("web", WAITS)
            fates = crowd.buy_in_bulk(f"few-{number}", channel)
            assert fates == {SOLD: FEW, loses: SHOPPERS * BULK - FEW}, f"round {number}"
    shop.prove()
    shop.tell(capsys, f"{ROUNDS // 4} rounds of {SHOPPERS} bulks of {BULK} orders and {FEW} units", began_at)


def test_two_hundred_shoppers_buy_fifty_units(shop, capsys):
    began_at = time.perf_counter()
    with Crowd(shop, CROWD) as crowd:
        fates = crowd.buy("pile", "web", "market")
    assert fates == {SOLD: PILE, WAITS: fates[WAITS], REFUSED: CROWD - PILE - fates[WAITS]}
    shop.prove()
    shop.tell(capsys, f"{CROWD} shoppers and {PILE} units", began_at)
