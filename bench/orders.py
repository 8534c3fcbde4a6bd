"""What one order costs, end to end: `python -m bench.orders [--quick] [--json]`.

The server runs as an operator would start it, on SQLite and on PostgreSQL with two processes, with the demo's network
of 42 nodes; on SQLite its jobs run in it and are counted. Two-line orders are sent over HTTP from this process, on the
same machine. The same load on a route that does nothing, served with the same settings, is the baseline.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from bench.house import Place, cpu_s, furnish, serving, two_line_orders
from bench.report import Row, arguments, report
from bench.stages import profile
from tests.databases import Databases, open_scratch

SEED = 7
CLIENTS = (1, 4, 16)
WARM_UP = 40
REACH_P95_MS = 25.0
REACH_CPU_MS = {"sqlite": 6.0, "postgresql": 12.0}
REACH_OF_EMPTY = 0.05
REAL, EMPTY = ("api.cli", "serve"), ("bench.empty",)
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL, two processes"}


@dataclass(frozen=True)
class Load:
    """What so many clients got, each sending the next order when the one before was answered."""

    latencies_ms: np.ndarray
    seconds: float
    cpu_ms: float
    database_cpu_ms: float

    @property
    def per_s(self) -> float:
        """Orders a second."""
        return len(self.latencies_ms) / self.seconds


@dataclass(frozen=True)
class Target:
    """A running server, and the bodies it is to be sent; `database` is PostgreSQL's first process, or None."""

    place: Place
    server: int
    database: int | None
    bodies: Iterator[dict[str, Any]]

    def load(self, clients: int, orders: int) -> Load:
        """Send orders from so many clients at once."""
        shares = [[next(self.bodies) for _ in range(orders // clients)] for _ in range(clients)]
        latencies: list[float] = []
        threads = [threading.Thread(target=self._send, args=(share, latencies.append)) for share in shares]
        before, database_before, began = cpu_s(self.server), self._database_s(), perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = perf_counter() - began
        spent = cpu_s(self.server) - before, self._database_s() - database_before
        sent = sum(map(len, shares))
        if len(latencies) != sent:
            raise RuntimeError(f"{sent - len(latencies)} of {sent} orders were not taken")
        return Load(np.array(latencies), seconds, *(each / sent * 1e3 for each in spent))

    def _send(self, bodies: Sequence[dict[str, Any]], took: Callable[[float], None]) -> None:
        connection = HTTPConnection("127.0.0.1", self.place.config.server.port, timeout=60)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for body in bodies:
            headers = {
                "Authorization": f"Bearer {self.place.key}",
                "Content-Type": "application/json",
                "Idempotency-Key": body["external_id"],
            }
            data = json.dumps(body).encode()
            began = perf_counter()
            connection.request("POST", "/api/v1/orders", data, headers)
            answer = connection.getresponse()
            told = answer.read()
            took((perf_counter() - began) * 1e3)
            if answer.status != 201:
                raise RuntimeError(f"{answer.status}: {told[:400]!r}")
        connection.close()

    def _database_s(self) -> float:
        return 0.0 if self.database is None else cpu_s(self.database)


def measured(databases: Databases, kind: str, *, orders: int) -> list[Row]:
    """Measure the server on one kind of database, and the route that does nothing beside it."""
    with databases.fresh(kind) as url:
        place = furnish(url, databases.scratch, seed=SEED, port=_free_port())
        database = _postmaster(databases.scratch) if kind == "postgresql" else None
        rows = [*_stages(place)] if kind == "sqlite" else []
        real = _loads(place, REAL, database, orders=orders)
        empty = _loads(place, EMPTY, None, orders=4 * orders)
    return [*_rows(kind, real, empty), *rows]


def _loads(place: Place, module: Sequence[str], database: int | None, *, orders: int) -> dict[int, Load]:
    with serving(place, module) as server:
        target = Target(place, server, database, two_line_orders(SEED))
        target.load(1, WARM_UP)
        target.load(4, WARM_UP)
        return {clients: target.load(clients, orders) for clients in CLIENTS}


def _rows(kind: str, real: dict[int, Load], empty: dict[int, Load]) -> Iterator[Row]:
    title, alone, idle = TITLES[kind], real[1], empty[1]
    p50, p95 = np.percentile(alone.latencies_ms, [50, 95])
    idle_p50, idle_p95 = np.percentile(idle.latencies_ms, [50, 95])
    on_sqlite = kind == "sqlite"
    yield Row(f"{title}: p50 at one client", float(p50), "ms", float(idle_p50))
    reach, reached = (f"<= {REACH_P95_MS:g}", bool(p95 <= REACH_P95_MS)) if on_sqlite else ("", None)
    yield Row(f"{title}: p95 at one client", float(p95), "ms", float(idle_p95), "", reach, reached)
    for clients in CLIENTS:
        per_s, baseline = real[clients].per_s, empty[clients].per_s
        goal = not on_sqlite and clients == max(CLIENTS)
        reach = f">= {REACH_OF_EMPTY:.0%} of baseline" if goal else ""
        reached = per_s >= REACH_OF_EMPTY * baseline if goal else None
        yield Row(f"{title}: clients: {clients}", per_s, "orders/s", baseline, "", reach, reached)
    yield Row(f"{title}: server's processor time", alone.cpu_ms, "ms/order", idle.cpu_ms, _between(real))
    if not on_sqlite:
        yield Row(f"{title}: database's processor time", alone.database_cpu_ms, "ms/order")
    both, most = alone.cpu_ms + alone.database_cpu_ms, REACH_CPU_MS[kind]
    yield Row(f"{title}: processor time in all", both, "ms/order", None, "", f"<= {most:g}", both <= most)


def _between(loads: dict[int, Load]) -> str:
    spent = [load.cpu_ms for load in loads.values()]
    return f"{min(spent):.3g} - {max(spent):.3g}"


def _stages(place: Place) -> Iterator[Row]:
    own = ({**body, "external_id": f"stage-{body['external_id']}"} for body in two_line_orders(SEED))
    found = profile(place, own, warm_up=WARM_UP, orders=100)
    total = sum(found.cpu_ms.values())
    for stage, spent in found.cpu_ms.items():
        yield Row(f"SQLite, in one process: {stage}", spent, "ms/order", total)
    yield Row("SQLite, in one process: all stages", total, "ms/order")
    yield Row("SQLite: SQL statements", found.statements, "per order")


def _postmaster(scratch: Path) -> int:
    return int((scratch / "postgresql" / "postmaster.pid").read_text().splitlines()[0])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    """Run the benchmark."""
    options = arguments("Measure POST /orders end to end.")
    databases = Databases(open_scratch())
    try:
        orders = 96 if options.quick else 960
        rows = [row for kind in TITLES for row in measured(databases, kind, orders=orders)]
    finally:
        databases.close()
    report("orders", rows, seeds=(SEED,), as_json=options.json)


if __name__ == "__main__":
    main()
