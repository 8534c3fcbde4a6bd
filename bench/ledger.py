"""What a posting costs: `python -m bench.ledger [--quick] [--json]`.

Orders of three lines are written through the ledger by 1, 4 and 16 processes, one posting a transaction and 64 in one
(the lane, as orders in bulk take it), with SKUs drawn uniformly and with one hot SKU. Beside each, in turns, pgbench
runs the same statements in the same transaction on the same server; on SQLite, the bare driver runs the same statements
with parameters made beforehand. Each ratio is the median over the turns. Orders are drawn before the clock starts, as
doors hand the ledger orders that are there, and the collector passes over them and the modules, as in a server.
"""

from __future__ import annotations

import gc
import multiprocessing
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from statistics import median

from sqlalchemy.engine import make_url

from bench import pgbench, workload
from bench.report import Row, arguments, report
from bench.workload import HOT, UNIFORM, Pattern
from kernel.db import Database, connect
from tests.databases import Databases, open_scratch

SEED = 11
CLIENTS = (1, 4, 16)
REACH = {1: 0.65, 4: 0.5}
REACH_LANE = 5.0
IDS_A_TURN = 10_000_000
SQLITE_ORDERS = 400
HEAD_START_S = 0.5
DRAWN_PER_S = 12_000
"""Orders that are drawn for a second of all clients; should more be written, they are drawn meanwhile."""


@dataclass(frozen=True)
class Variant:
    """A way to write orders: so many in a transaction."""

    name: str
    orders: int


ONE, LANE = Variant("one posting", 1), Variant("lane of 64", 64)
VARIANTS = (ONE, LANE)


@dataclass(frozen=True)
class Server:
    """A filled database, and the scripts by which pgbench writes the same orders."""

    url: str
    scripts: Mapping[Pattern, Path]


@dataclass(frozen=True)
class Turn:
    """How long the turns are, and how many of them."""

    seconds: int
    times: int


def on_postgresql(databases: Databases, turn: Turn) -> Iterator[Row]:
    """Yield what our code and pgbench write a second, side by side."""
    with databases.fresh("postgresql") as url, tempfile.TemporaryDirectory() as folder:
        server = Server(url, _scripts(url, Path(folder)))
        for clients in CLIENTS:
            with ProcessPoolExecutor(clients, mp_context=multiprocessing.get_context("spawn")) as pool:
                for pattern in (UNIFORM, HOT):
                    yield from _compared(server, pool, clients, pattern, turn)


def on_sqlite(databases: Databases, turn: Turn) -> Iterator[Row]:
    """Yield what our code and the bare driver write a second, side by side."""
    with databases.fresh("sqlite") as url:
        database = connect(url)
        workload.fill(database)
        database.dispose()
        for pattern in (UNIFORM, HOT):
            rates = [_sqlite_turn(url, pattern, number) for number in range(turn.times)]
            for variant in VARIANTS:
                yield _row(f"SQLite: {variant.name}, {pattern.name}", [rate[variant] for rate in rates])


def _compared(server: Server, pool: ProcessPoolExecutor, clients: int, pattern: Pattern, turn: Turn) -> Iterator[Row]:
    def task(variant: Variant, seconds: float) -> Task:
        return Task(server.url, variant, pattern, seconds, ahead=int(DRAWN_PER_S * seconds / clients))

    for variant in VARIANTS:
        pool_per_s(pool, task(variant, 0.5), clients, SEED)
    seen: dict[Variant, list[tuple[float, float]]] = {variant: [] for variant in VARIANTS}
    for number in range(1, turn.times + 1):
        script = server.scripts[pattern]
        baseline = pgbench.per_s(server.url, script, clients=clients, seconds=turn.seconds, first=_first_id())
        for variant, pairs in seen.items():
            rate = pool_per_s(pool, task(variant, turn.seconds), clients, SEED + 1_000 * number)
            pairs.append((rate, baseline))
    for variant, pairs in seen.items():
        reach = REACH_LANE if variant == LANE else REACH.get(clients) if not pattern.hot else None
        yield _row(f"PostgreSQL: {variant.name}, {pattern.name}, clients: {clients}", pairs, reach)


@dataclass(frozen=True)
class Task:
    """What one client does: where, in which way, which SKUs, and for how long."""

    url: str
    variant: Variant
    pattern: Pattern
    seconds: float
    ahead: int

    def per_s(self, begin_at: float, seed: int) -> float:
        """Write orders from an instant on that all clients share; return how many a second."""
        database, drawing = _opened(self.url), self.pattern.orders(seed)
        orders = chain(list(islice(drawing, self.ahead)), drawing)
        gc.collect()
        gc.freeze()
        time.sleep(max(0.0, begin_at - time.monotonic()))
        began, written = time.monotonic(), 0
        while time.monotonic() - began < self.seconds:
            workload.write(database, list(islice(orders, self.variant.orders)))
            written += self.variant.orders
        return written / (time.monotonic() - began)


def pool_per_s(pool: ProcessPoolExecutor, task: Task, clients: int, seed: int) -> float:
    """Return the orders a second of so many clients, each in a process of its own, that begin together."""
    begin_at = time.monotonic() + HEAD_START_S
    return sum(pool.map(partial(task.per_s, begin_at), range(seed, seed + clients)))


_DATABASES: dict[str, Database] = {}


def _opened(url: str) -> Database:
    """Open the database once a process."""
    if url not in _DATABASES:
        _DATABASES[url] = connect(url)
    return _DATABASES[url]


def _scripts(url: str, folder: Path) -> dict[Pattern, Path]:
    """Fill the shelf, write one order, and return the scripts that write such orders with pgbench."""
    database = connect(url)
    workload.fill(database)
    claims = next(UNIFORM.orders(SEED))
    workload.write(database, [next(UNIFORM.orders(SEED + 1))])
    sent = pgbench.taken_down(database, lambda: workload.write(database, [claims]))
    database.dispose()
    files = {}
    for pattern in (UNIFORM, HOT):
        files[pattern] = folder / f"{pattern.hot}.sql"
        files[pattern].write_text(pgbench.script(sent, [claim.sku for claim in claims], pattern))
    return files


def _first_id() -> int:
    return (time.monotonic_ns() // 1_000_000_000) * IDS_A_TURN % 10**12


def _sqlite_turn(url: str, pattern: Pattern, number: int) -> dict[Variant, tuple[float, float]]:
    """Return the orders a second of each variant beside those of the bare driver, each on a copy of its own."""
    orders = list(islice(pattern.orders(SEED + number), SQLITE_ORDERS))
    sent: list[list[pgbench.Sent]] = []
    with _copied(url) as database:
        sent.extend(pgbench.taken_down(database, partial(workload.write, database, [claims])) for claims in orders)
    with _copied(url) as database:
        baseline = _bare(database.url, sent)
    found = {}
    for variant in VARIANTS:
        with _copied(url) as database:
            began = time.monotonic()
            for start in range(0, len(orders), variant.orders):
                workload.write(database, orders[start : start + variant.orders])
            found[variant] = len(orders) / (time.monotonic() - began), baseline
    return found


def _bare(url: str, orders: Sequence[Sequence[pgbench.Sent]]) -> float:
    """Return the orders a second of the driver alone, with everything worked out beforehand."""
    connection = sqlite3.connect(make_url(url).database or "", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
    began = time.monotonic()
    for sent in orders:
        connection.execute("BEGIN IMMEDIATE")
        for statement in sent:
            connection.execute(statement.text, statement.parameters).fetchall()
        connection.execute("COMMIT")
    rate = len(orders) / (time.monotonic() - began)
    connection.close()
    return rate


@contextmanager
def _copied(url: str) -> Iterator[Database]:
    """Open a copy of a filled database, and remove it afterwards."""
    source = Path(make_url(url).database or "")
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        copy = Path(folder) / "copy.sqlite"
        shutil.copyfile(source, copy)
        database = connect(make_url(url).set(database=str(copy)).render_as_string())
        yield database
        database.dispose()


def _row(name: str, pairs: Sequence[tuple[float, float]], reach: float | None = None) -> Row:
    """Return the row of a variant: rates beside baselines, its ratio the median over the turns."""
    ratios = sorted(rate / baseline for rate, baseline in pairs)
    value, ratio = median(rate for rate, _ in pairs), median(ratios)
    return Row(
        name, value, "orders/s", value / ratio, f"{ratios[0]:.2f} - {ratios[-1]:.2f}",
        f">= {reach:g} x pgbench" if reach else "", ratio >= reach if reach else None,
    )  # fmt: skip


def main() -> None:
    """Run the benchmark."""
    options = arguments("Measure postings of the ledger beside pgbench and the bare driver.")
    turn = Turn(seconds=1, times=3) if options.quick else Turn(seconds=2, times=5)
    databases = Databases(open_scratch())
    try:
        rows = [*on_postgresql(databases, turn), *on_sqlite(databases, turn)]
    finally:
        databases.close()
    report("ledger", rows, seeds=(SEED,), as_json=options.json)


if __name__ == "__main__":
    main()
