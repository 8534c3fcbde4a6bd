"""A house to measure: the demo's network in a database of its own, the real server on it, and what its processes use.

Called by benchmarks that go through HTTP. Invariant: stock and capacity are enough for every order of a run, so that
the last order costs what the first does.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields, replace
from itertools import islice
from pathlib import Path
from typing import Any

from api import access
from api.config import ClockSettings, Config, DatabaseSettings, SecuritySettings, ServerSettings
from api.house import House, build_house
from api.imports import FAILED, import_file
from demo import BUSINESS_CLOCK, network, orders, stock

ROOT = Path(__file__).resolve().parent.parent
PLENTY = 100
"""The demo's stock and capacity, times this."""
LONGEST_START_S = 120
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
USED_BY_ITSELF_AND_ENDED_CHILDREN = slice(11, 15)
PARENT = 1


@dataclass(frozen=True)
class Place:
    """Where a server is to run: its folder, its settings, and a key that may place orders."""

    folder: Path
    config: Config
    key: str


def two_line_orders(seed: int) -> Iterator[dict[str, Any]]:
    """Yield the demo's orders, each of two lines, one perhaps of the order before, and of nothing scarce."""
    scarce = stock.scarce_articles(seed)
    before: list[dict[str, Any]] = []
    for body in orders.orders(seed, 40_000):
        lines = {line["sku"]: line for line in (*body["lines"], *before) if line["sku"] not in scarce}
        before = body["lines"]
        if len(lines) >= 2:
            yield body | {"lines": list(islice(lines.values(), 2))}


def furnish(url: str, folder: Path, *, seed: int, port: int) -> Place:
    """Load the demo's network into the migrated database at `url`, and make a key."""
    secret = SecuritySettings(master_key=secrets.token_hex(32), session_key=secrets.token_hex(32))
    server, clock = ServerSettings(port=port), ClockSettings(fixed_at=BUSINESS_CLOCK)
    config = Config(database=DatabaseSettings(url=url), server=server, clock=clock, security=secret)
    house = build_house(config)
    try:
        nodes = [replace(node, capacity_minutes=PLENTY * node.capacity_minutes) for node in network.nodes()]
        _load(house, "nodes", _csv(nodes))
        for kind, name in (("articles",) * 2, ("carriers",) * 2, ("postal-codes", "postal_codes"), ("channels",) * 2):
            _load(house, kind, network.FILES[name].read_text(encoding="utf-8").splitlines(keepends=True))
        _load(house, "stock", _csv([replace(row, units=PLENTY * row.units) for row in stock.rows(seed)]))
        key = house.doors.write(lambda session: access.add_key(session, "bench", ["orders:write"]))
    finally:
        house.doors.database.dispose()
    return Place(folder, config, key)


@contextlib.contextmanager
def serving(place: Place, module: Sequence[str]) -> Iterator[int]:
    """Run `python -m MODULE` as a server until the block ends; yields its process."""
    config = place.config
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "OMS__DATABASE__URL": config.database.url,
        "OMS__CLOCK__FIXED_AT": BUSINESS_CLOCK.isoformat(),
        "OMS__SERVER__PORT": str(config.server.port),
        "OMS__SECURITY__MASTER_KEY": config.security.master_key,
        "OMS__SECURITY__SESSION_KEY": config.security.session_key,
    }
    with (place.folder / "server.log").open("ab") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", *module], env=environment, cwd=place.folder, stdout=log, stderr=log
        )
        try:
            _wait_until_ready(place, server)
            yield server.pid
        finally:
            server.terminate()
            server.wait(timeout=60)


def cpu_s(root: int) -> float:
    """Return the processor time that a process and all below it have used, those that have ended included."""
    parents, used = {}, {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        with contextlib.suppress(OSError):
            # The name, in brackets, may hold anything; what follows it is numbers.
            after = (entry / "stat").read_text().rpartition(")")[2].split()
            parents[int(entry.name)] = int(after[PARENT])
            used[int(entry.name)] = sum(map(int, after[USED_BY_ITSELF_AND_ENDED_CHILDREN])) * TICK_S
    return sum(spent for process, spent in used.items() if _is_below(root, process, parents))


def _is_below(root: int, process: int, parents: dict[int, int]) -> bool:
    while process != root and process in parents:
        process = parents[process]
    return process == root


def _load(house: House, kind: str, lines: Iterable[str]) -> None:
    for result in import_file(house, kind, lines, ending=".csv"):
        assert not result.counts[FAILED], f"{kind}: {result.errors[:3]}"


def _csv(rows: Sequence[Any]) -> list[str]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in fields(rows[0])])
    writer.writerows([_cell(value) for value in astuple(row)] for row in rows)
    return text.getvalue().splitlines(keepends=True)


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _wait_until_ready(place: Place, server: subprocess.Popen[bytes]) -> None:
    give_up_at = time.monotonic() + LONGEST_START_S
    while time.monotonic() < give_up_at and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", place.config.server.port)):
            return
        time.sleep(0.2)
    log = (place.folder / "server.log").read_text(encoding="utf-8")
    raise RuntimeError(f"The server did not get ready (status {server.poll()}): {log[-400:]}")
