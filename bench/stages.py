"""Where the processor time of one `POST /orders` goes: stage by stage, inside one process, on SQLite.

Called by `bench.orders`. Each stage is a function of the real path; its time is its own, without that of a stage inside
it. Invariant: the stages add up to the whole, for what belongs to none is the first.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pkgutil import resolve_name
from statistics import mean
from time import thread_time
from typing import Any
from unittest.mock import patch

from sqlalchemy import event

from api.app import create_app
from api.config import LogSettings
from api.house import build_house
from api.log import configure
from bench.house import Place

HTTP = "HTTP, and what belongs to no stage"
STAGES = {
    "authenticate": ("api.rest.requests.authenticate",),
    "decode": ("api.rest.requests.body", "api.rest.requests.idempotency_key"),
    "look up the key": ("kernel.idempotency.lookup",),
    "validate": ("oms.orders.prepare",),
    "gather": ("fulfillment.sourcing.decide.gather",),
    "solve": ("fulfillment.sourcing.decide.solve",),
    "check": ("fulfillment.sourcing.decide.check",),
    "explain": ("fulfillment.sourcing.decide.changes_of",),
    "commit": ("api.transaction.Doors._write",),
    "encode": ("api.showing.placed", "api.rest.operation.Operation._dump", "api.rest.operation._respond"),
}


@dataclass
class Watch:
    """Gives each moment to the innermost stage that is running."""

    spent: Counter[str] = field(default_factory=Counter)
    running: list[str] = field(default_factory=lambda: [HTTP])
    since: float = 0.0

    def timed(self, stage: str, verb: Callable[..., Any]) -> Callable[..., Any]:
        """Return `verb` so that its time is the stage's."""

        def run(*args: Any, **named: Any) -> Any:
            self.turn()
            self.running.append(stage)
            try:
                return verb(*args, **named)
            finally:
                self.turn()
                self.running.pop()

        return run

    def turn(self) -> None:
        """Give the time since the last turn to the stage that was running."""
        moment = thread_time()
        self.spent[self.running[-1]] += moment - self.since
        self.since = moment


@dataclass(frozen=True)
class Profile:
    """What one order took on average."""

    cpu_ms: dict[str, float]
    statements: float


def profile(place: Place, bodies: Iterable[dict[str, Any]], *, warm_up: int, orders: int) -> Profile:
    """Place orders with Flask's test client; return the milliseconds of each stage and the SQL statements."""
    house = build_house(place.config)
    configure(LogSettings(level="warning"))
    watch, statements = Watch(), []
    with _timing(watch):
        client = create_app(place.config, house).test_client()
        for number, body in zip(range(warm_up + orders), bodies, strict=False):
            if number == warm_up:
                watch.spent.clear()
            data, headers = json.dumps(body), {"Authorization": f"Bearer {place.key}", "Idempotency-Key": f"P-{number}"}
            with _counting(house.doors.database) as counted:
                watch.since = thread_time()
                answer = client.post("/api/v1/orders", data=data, headers=headers, content_type="application/json")
                watch.turn()
            assert answer.status_code == 201, answer.get_data(as_text=True)
            statements.append(counted.total())
    house.doors.database.dispose()
    spent = {stage: watch.spent[stage] / orders * 1e3 for stage in (HTTP, *STAGES)}
    return Profile(spent, mean(statements[warm_up:]))


@contextmanager
def _timing(watch: Watch) -> Iterator[None]:
    with ExitStack() as stack:
        for stage, names in STAGES.items():
            for name in names:
                stack.enter_context(patch(name, watch.timed(stage, resolve_name(name))))
        yield


@contextmanager
def _counting(database: Any) -> Iterator[Counter[str]]:
    counted: Counter[str] = Counter()

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            counted[statement] += 1

    engines = {database.reader, database.writer}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", count)
    try:
        yield counted
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", count)
