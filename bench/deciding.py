"""The whole of `sourcing.decide` on the demo's network, as decisions a second and core: with the database, and without.

Called by `bench.decide`. An order goes from what is wanted to a proposal with the cost by term of every candidate,
which is written down as it is stored; what is read from the database has a stage of its own. Invariant: nothing is
committed, so that every order finds the stock that the first one found.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pkgutil import resolve_name
from statistics import median
from time import thread_time
from typing import Any
from unittest.mock import patch

import numpy as np
from sqlalchemy.orm import Session

from api.app import create_app
from api.config import LogSettings
from api.house import House, build_house
from api.log import configure
from bench.house import Place, furnish
from bench.report import Row
from bench.stages import Watch
from demo import BUSINESS_CLOCK, orders
from fulfillment.sourcing.decide import decide
from fulfillment.sourcing.proposal import Wanted
from fulfillment.work.candidates import rows
from tests.databases import Databases, open_scratch

SEED = 7
REPEATS, WARM_UP = 3, 20
DECIDE = "oms.deciding.decide.decide"
READS = tuple(
    f"fulfillment.sourcing.gather.{verb}"
    for verb in ("revisions.versions", "snapshot.load", "policies.active", "read_stock", "minutes.days_between")
)
REST, DATABASE = "gather, solve, check, explain and write down", "read from the database"


@dataclass(frozen=True)
class Decided:
    """Processor time of each decision in milliseconds, and of that what was reading."""

    all_ms: np.ndarray
    reading_ms: np.ndarray
    candidates: float


def rates(*, decisions: int) -> list[Row]:
    """Decide orders of the demo's mix on its network, on SQLite: decisions a second and core."""
    databases = Databases(open_scratch())
    try:
        with databases.fresh("sqlite") as url:
            place = furnish(url, databases.scratch, seed=SEED, port=0)
            house = build_house(place.config)
            configure(LogSettings(level="warning"))
            try:
                baskets = _baskets(house, place, decisions)
                found = house.doors.read(lambda session: _decided(session, baskets))
            finally:
                house.doors.database.dispose()
    finally:
        databases.close()
    return _rows(found)


def _baskets(house: House, place: Place, count: int) -> list[Sequence[Wanted]]:
    """Return what the doors ask of sourcing for the demo's orders."""
    seen: list[Sequence[Wanted]] = []

    def noted(session: Session, wanted: Sequence[Wanted], **named: Any) -> Any:
        seen.append(wanted)
        return decide(session, wanted, **named)

    client = create_app(place.config, house).test_client()
    with patch(DECIDE, noted):
        for body in islice(orders.orders(SEED, 10 * count), count):
            headers = {"Authorization": f"Bearer {place.key}", "Idempotency-Key": body["external_id"]}
            client.post("/api/v1/orders", json=body, headers=headers)
    return seen


def _decided(session: Session, baskets: Sequence[Sequence[Wanted]]) -> Decided:
    watch = Watch(running=[REST])
    times, reading, candidates = [], [], 0
    with _reading(watch):
        for number, wanted in enumerate([*baskets[:WARM_UP], *baskets * REPEATS]):
            watch.spent.clear()
            watch.since = began = thread_time()
            proposal = decide(session, wanted, now=BUSINESS_CLOCK, cause="order")
            for change in proposal.changes:
                json.dumps(change.rationale.candidates)
            watch.turn()
            if number >= WARM_UP:
                times.append((thread_time() - began) * 1e3)
                reading.append(watch.spent[DATABASE] * 1e3)
                told = (each for change in proposal.changes for each in rows(change.rationale.candidates))
                candidates += sum("total" in each for each in told)
    return Decided(np.array(times), np.array(reading), candidates / len(times))


@contextmanager
def _reading(watch: Watch) -> Any:
    with ExitStack() as stack:
        for name in READS:
            stack.enter_context(patch(name, watch.timed(DATABASE, resolve_name(name))))
        yield


def _rows(found: Decided) -> list[Row]:
    alone = found.all_ms - found.reading_ms
    name = f"sourcing.decide, 42 nodes, {found.candidates:.0f} candidates explained and written"
    (p50, p95), (all_p50, all_p95) = (np.percentile(each, [50, 95]) for each in (alone, found.all_ms))
    rate, whole_rate = (1e3 / float(each.mean()) for each in (alone, found.all_ms))
    return [
        Row(f"{name}, decisions a second and core; baseline with what is read", rate, "1/s", whole_rate),
        Row(f"{name}, p50 of processor time; baseline with what is read", float(p50), "ms", float(all_p50)),
        Row(f"{name}, p95 of processor time; baseline with what is read", float(p95), "ms", float(all_p95)),
        Row("of that, reading from SQLite, p50 of processor time", median(found.reading_ms.tolist()), "ms"),
    ]
