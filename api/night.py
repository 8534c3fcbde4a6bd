"""The door of the night: works out a queued run between transactions, and accepts one in two steps.

Called by the job, the command line and the pages. Invariant: no transaction is open while a solver runs, and a run that
could not be worked out says why.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from fulfillment.optimizer.solve import SolveParams
from fulfillment.planning import night, runs
from fulfillment.planning.runs import Outcome

Value = TypeVar("Value")
Plan = TypeVar("Plan")
log = structlog.get_logger(__name__)


class Ways(Protocol):
    """How a run reaches the database: through the doors, or through a job's lease on them."""

    def read(self, verb: Callable[[Session], Value]) -> Value:
        """Return what `verb` reads."""

    def write(self, commit: Callable[[Session], Value]) -> Value:
        """Commit what `commit` does."""

    def decide_then_commit(self, decide: Callable[[Session], Plan], commit: Callable[[Session, Plan], Value]) -> Value:
        """Decide on a read session, then commit."""


@dataclass(frozen=True)
class _Stages:
    """Tells those who watch how far a run has come."""

    doors: Ways
    run_id: str
    began_at: float

    def done(self, stage: str, *, best: int | None = None, bound: int | None = None) -> None:
        seconds = time.perf_counter() - self.began_at
        self.doors.write(
            lambda session: runs.note(session, self.run_id, stage=stage, seconds=seconds, best=best, bound=bound)
        )


def work_out(doors: Ways, run_id: str, *, now: datetime, time_limit_s: float) -> None:
    """Gather, solve, judge and propose a queued run; one that fails is marked as failed, with the reason."""
    seed = doors.write(lambda session: runs.begin(session, run_id, time_limit_s=time_limit_s))
    try:
        _work_out(doors, run_id, now=now, params=SolveParams(time_limit_s=time_limit_s, seed=seed))
    except DBAPIError:
        raise
    except Exception as error:
        log.exception("run_failed", run=run_id)
        sentence = f"{type(error).__name__}: {error}"
        doors.write(lambda session: runs.fail(session, run_id, message=sentence))
        raise


def accept(
    doors: Ways, run_id: str, demand_ids: Collection[str] | None, *, actor: str, now: Callable[[], datetime]
) -> Outcome:
    """Accept the movements of these demands (None: all): find which still fit, then apply them."""
    return doors.decide_then_commit(
        lambda session: runs.consider(session, run_id, demand_ids, now=now()),
        lambda session, considered: runs.accept(session, run_id, considered, actor=actor, now=now()),
    )


def _work_out(doors: Ways, run_id: str, *, now: datetime, params: SolveParams) -> None:
    stages = _Stages(doors, run_id, time.perf_counter())
    gathered = doors.read(lambda session: night.gather_night(session, night.scope(session), now=now))
    stages.done("gathered")
    plan = night.solve_night(gathered, params)
    stages.done("solved", best=plan.objective, bound=plan.bound)
    movements = doors.write(lambda session: runs.propose(session, run_id, gathered, plan))
    log.info("run_proposed", run=run_id, demands=len(gathered.gathered.wanted), movements=movements)
