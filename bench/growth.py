"""What an order and a look at the past cost as history grows: `python -m bench.growth [--quick] [--json]`.

Ledgers of every size stand side by side and are asked in turn, so that whatever else the machine does meets all of
them. Each figure is processor time, this process's and the database's, since waiting depends on the neighbours; of that
the lower quartile, since neighbours only ever add; its baseline is that of the smallest ledger. One
row of sizes grows in entries on a few hundred balances of the demo's network, where whole orders are placed as well;
one grows in balances. The past is asked at random places.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from random import Random
from statistics import quantiles
from time import thread_time

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

import migrations
from api import proof
from api.config import DatabaseSettings
from bench import grown
from bench.house import Place, furnish, two_line_orders
from bench.report import Row, arguments, report
from bench.stages import profile
from kernel.db import Database, connect
from kernel.ids import new_id
from stock import ledger
from stock.models import Purpose, StockBalance
from stock.past import history, positions
from stock.past.chronicle import PlacedBalance
from stock.postings import Header, Key, NewReservation
from tests.databases import Databases, open_scratch

SEED = 11
REACH = 1.2
NODES = 40
ENTRIES = (10_000, 100_000, 1_000_000, 10_000_000)
BALANCES = (1_000, 10_000, 100_000, 1_000_000)
ENTRIES_OF_ONE = 4
"""Entries of each balance, where ledgers differ in balances."""
GROWING = 12
"""Articles whose balances grow, where ledgers differ in entries: enough for every one to have some history."""
PROVEN = 100_000
"""Ledgers of up to so many entries are proven before they are measured."""
STATISTICS_S = 1.5
"""Until the server has counted what a connection that is closed has done."""
UPDATES = text("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'stock_balance'")
STEPS, WARM_UP = 25, 30
LINES, ARTICLES = 3, 10
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
STATEMENT, PAST = f"a posting of {LINES} lines", f"balances of {ARTICLES} articles at a position"
ABOUT, ORDER = f"balances of {ARTICLES} articles about a time", "POST /orders, processor time of the server"


@dataclass
class Ledger:
    """A ledger of one size, and the milliseconds that each question took."""

    size: str
    url: str
    database: Database
    keys: Sequence[Key]
    last: int
    latest: datetime
    updates: tuple[int, int] = (0, 0)
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @cached_property
    def skus(self) -> list[str]:
        """The articles that have a history."""
        return sorted({sku for sku, _ in self.keys})

    def ask(self, random: Random) -> None:
        """Post some times, and look at the past in random places."""
        with self.database.turn(), self.database.write() as session:
            server = _server(session)
            for _ in range(STEPS):
                keys = random.sample(self.keys, LINES)
                self._timed(STATEMENT, lambda keys=keys: _claim(session, keys), server)  # type: ignore[misc]
        with self.database.read() as session:
            server = _server(session)
            for _ in range(STEPS):
                skus = random.sample(self.skus, ARTICLES)
                known, at = random.randint(1, self.last), self.latest - grown.LASTING * random.random()
                self._timed(PAST, lambda: history.as_of(session, skus, position=known), server)  # noqa: B023 (called at once)
                self._timed(ABOUT, lambda: history.as_of(session, skus, position=self.last, at=at), server)  # noqa: B023

    def order(self, place: Place, orders: int) -> None:
        """Place whole orders, inside this process."""
        here = replace(place, config=replace(place.config, database=DatabaseSettings(url=self.url)))
        spent = profile(here, two_line_orders(SEED), warm_up=WARM_UP, orders=orders).cpu_ms
        self.took[ORDER].append(sum(spent.values()))

    def _timed(self, what: str, question: Callable[[], object], server: int | None) -> None:
        began = _processor_s(server)
        question()
        self.took[what].append((_processor_s(server) - began) * 1e3)


def _server(session: Session) -> int | None:
    """Return the process of the database that serves a session; on SQLite it is this one."""
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    return session.scalar(text("SELECT pg_backend_pid()")) if on_postgresql else None


def _processor_s(server: int | None) -> float:
    if server is None:
        return thread_time()
    nanoseconds = int(Path(f"/proc/{server}/schedstat").read_text().split()[0])
    return thread_time() + nanoseconds / 1e9


def _claim(session: Session, keys: Sequence[Key]) -> None:
    """Reserve a unit of each, as an order does, and commit."""
    header = Header(kind="order", actor="bench", occurred_at=datetime.now(UTC))
    claims = [
        NewReservation(id=new_id(), sku=sku, node=node, reference=new_id(), purpose=Purpose.ORDER, units=1)
        for sku, node in keys
    ]
    ledger.post(session, header, (), claims=claims)
    session.commit()


@dataclass(frozen=True)
class Length:
    """How long a run is: sizes looked at, rounds of questions, whole orders on each ledger."""

    sizes: int = len(ENTRIES)
    rounds: int = 9
    orders: int = 60


SHORT = Length(sizes=2, rounds=3, orders=20)


def by_entries(kind: str, length: Length) -> Iterator[Row]:
    """Measure ledgers that differ in entries, on the demo's network, with whole orders."""
    scratch = open_scratch()
    places: dict[str, Place] = {}

    def prepare(url: str) -> None:
        migrations.upgrade(url)
        places[kind] = furnish(url, scratch, seed=SEED, port=0)

    databases = Databases(scratch, prepare=prepare)
    try:
        with ExitStack() as stack:
            ledgers = [
                _grown(stack, databases, kind, entries, f"{entries:,} entries") for entries in ENTRIES[: length.sizes]
            ]
            _ask_all(ledgers, length.rounds)
            if kind == "postgresql":
                yield from map(_hot, ledgers)
            for each in ledgers:
                each.order(places[kind], length.orders)
            yield from _rows(kind, ledgers, (STATEMENT, ORDER, PAST, ABOUT))
    finally:
        databases.close()


def by_balances(kind: str, length: Length) -> Iterator[Row]:
    """Measure ledgers that differ in balances."""
    databases = Databases(open_scratch())
    try:
        with ExitStack() as stack:
            ledgers = [
                _grown(stack, databases, kind, ENTRIES_OF_ONE * size, f"{size:,} balances", skus=size // NODES)
                for size in BALANCES[: length.sizes]
            ]
            _ask_all(ledgers, length.rounds)
            yield from _rows(kind, ledgers, (STATEMENT, PAST, ABOUT))
    finally:
        databases.close()


def _grown(
    stack: ExitStack, databases: Databases, kind: str, entries: int, size: str, *, skus: int | None = None
) -> Ledger:
    url = stack.enter_context(databases.fresh(kind))
    database = connect(url)
    stack.callback(database.dispose)
    if skus is not None:
        grown.lay_out(database, skus=skus, nodes=NODES)
    grown.grow(database, entries, skus=skus or GROWING)
    with database.read() as session:
        if entries <= PROVEN and (wrong := next(proof.findings(session), None)):
            raise RuntimeError(f"the history that was written does not prove itself: {wrong}")
    with database.read() as session:
        keys = session.execute(
            select(StockBalance.sku, StockBalance.node).where(StockBalance.version >= ENTRIES_OF_ONE)
        )
        latest = session.scalar(select(func.max(PlacedBalance.latest_occurred_at)))
        assert latest is not None, "history was written"
        made = Ledger(size, url, database, [(sku, node) for sku, node in keys], positions.newest(session), latest)
    if kind == "postgresql":
        database.dispose()
        time.sleep(STATISTICS_S)
        with database.read() as session:
            updated, hot = session.execute(UPDATES).one()
        made.updates = (updated, hot)
    return made


def _ask_all(ledgers: Sequence[Ledger], rounds: int) -> None:
    """Ask all in turn; what the first round took, with cold caches, is forgotten."""
    random = Random(SEED)
    for number in range(rounds + 1):
        for each in random.sample(ledgers, len(ledgers)):
            each.ask(random)
            if number == 0:
                each.took.clear()


def _hot(grown_to: Ledger) -> Row:
    """Return which share of the updates that postings made to balances stayed off the indexes."""
    grown_to.database.dispose()
    time.sleep(STATISTICS_S)
    with grown_to.database.read() as session:
        updated, hot = (
            after - before for after, before in zip(session.execute(UPDATES).one(), grown_to.updates, strict=True)
        )
    share = 100 * hot / updated
    return Row(f"PostgreSQL, {grown_to.size}: hot updates of balances", share, "%", None, "", ">= 90", share >= 90)


def _rows(kind: str, ledgers: Sequence[Ledger], questions: Sequence[str]) -> Iterator[Row]:
    for question in questions:
        base = _quartiles(ledgers[0].took[question])[0]
        for each in ledgers:
            value, _, high = _quartiles(each.took[question])
            spread = f"{value:.3g} - {high:.3g}"
            name = f"{TITLES[kind]}, {each.size}: {question}"
            yield Row(name, value, "ms", base, spread, f"<= {REACH:g} x", value <= REACH * base)


def _quartiles(took: Sequence[float]) -> list[float]:
    return quantiles(took, n=4) if len(took) > 1 else [*took] * 3


def main() -> None:
    """Run the benchmark."""
    parts = {
        f"{kind}-{what}": partial(measured, kind)
        for what, measured in {"entries": by_entries, "balances": by_balances}.items()
        for kind in TITLES
    }
    options = arguments("Measure the cost of an order and of the past as the ledger grows.", parts=tuple(parts))
    length = SHORT if options.quick else Length()
    rows = [row for part in options.part or parts for row in parts[part](length)]
    report("growth", rows, seeds=(SEED,), as_json=options.json)


if __name__ == "__main__":
    main()
