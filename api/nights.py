"""Nightly runs from the doors' side: queued in one transaction, worked out between transactions, proposed in another.

Called by jobs, by `oms plan` and by REST. Invariant: a run is worked out by one process at a time, under the lease of
its job; whatever goes wrong is written on the run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol, TypeVar

import structlog
from sqlalchemy.orm import Session

from api.house import House
from fulfillment.optimizer.solve import SolveParams
from fulfillment.planning import night, runs
from fulfillment.planning.errors import RunUnderWay
from fulfillment.planning.models import Run
from fulfillment.planning.night import Night
from fulfillment.planning.runs import Outcome
from kernel.errors import DomainError

Value = TypeVar("Value")
log = structlog.get_logger(__name__)


class Writer(Protocol):
    """Whoever may write: a job under its lease."""

    def write(self, verb: Callable[[Session], Value]) -> Value:
        """Run `verb` in one write transaction."""


@dataclass(frozen=True)
class Stage:
    """A stage of a run that is done, after so many seconds."""

    name: str
    seconds: float


def start(house: House, *, cause: str, actor: str) -> str:
    """Queue a run and return its id. Raises RunUnderWay."""
    now, seed = house.clock.now(), house.config.night.seed
    return house.doors.write(lambda session: runs.start(session, cause=cause, seed=seed, actor=actor, now=now).id)


def start_unless_under_way(house: House, writer: Writer, *, actor: str) -> int:
    """Queue the run of this night, unless one is being worked out already; return how many were queued."""
    now, seed = house.clock.now(), house.config.night.seed
    try:
        writer.write(lambda session: runs.start(session, cause=runs.CAUSE, seed=seed, actor=actor, now=now))
    except RunUnderWay:
        return 0
    return 1


def work_out_queued(house: House, writer: Writer) -> int:
    """Work out the runs that are queued, one after the other; return how many."""
    done = 0
    while (run_id := house.doors.read(runs.next_queued)) is not None:
        work_out(house, writer, run_id)
        done += 1
    return done


def work_out(house: House, writer: Writer, run_id: str) -> None:
    """Gather, solve and propose a run; what goes wrong is written on it."""
    try:
        _work_out(house, writer, run_id)
    except DomainError as error:
        message = error.message
        writer.write(lambda session: runs.fail(session, run_id, message=message))
    except Exception:
        log.exception("run_failed", run=run_id)
        writer.write(lambda session: runs.fail(session, run_id, message="Something went wrong; it has been logged."))


def accept(house: House, run_id: str, demand_ids: list[str] | None, *, actor: str) -> Outcome:
    """Apply all movements of a run, or those of some demands. Raises RunNotFound, IllegalTransition, StalePlan."""
    now = house.clock.now()
    return house.doors.decide_then_commit(
        lambda session: runs.consider(session, run_id, demand_ids, now=now),
        lambda session, considered: runs.accept(session, run_id, considered, actor=actor, now=now),
    )


def reject(house: House, run_id: str, *, actor: str) -> None:
    """Decline a run. Raises RunNotFound, IllegalTransition."""
    now = house.clock.now()
    house.doors.write(lambda session: runs.reject(session, run_id, actor=actor, now=now))


def view(house: House, run_id: str, show: Callable[[Run], Value]) -> Value:
    """Return what `show` makes of a run. Raises RunNotFound."""
    return house.doors.read(lambda session: show(runs.view(session, run_id)))


def _work_out(house: House, writer: Writer, run_id: str) -> None:
    limit, began_at = float(house.config.night.time_limit_s), perf_counter()
    seed = writer.write(lambda session: runs.begin(session, run_id, time_limit_s=limit))
    gathered = house.doors.read(lambda session: _gather(session, house))
    _note(writer, run_id, Stage("gathered", perf_counter() - began_at))
    plan = night.solve_night(gathered, SolveParams(time_limit_s=limit, seed=seed))
    _note(writer, run_id, Stage("solved", perf_counter() - began_at), best=plan.objective, bound=plan.bound)
    writer.write(lambda session: runs.propose(session, run_id, gathered, plan))


def _gather(session: Session, house: House) -> Night:
    return night.gather_night(session, night.scope(session), now=house.clock.now())


def _note(writer: Writer, run_id: str, stage: Stage, *, best: int | None = None, bound: int | None = None) -> None:
    writer.write(
        lambda session: runs.note(session, run_id, stage=stage.name, seconds=stage.seconds, best=best, bound=bound)
    )
