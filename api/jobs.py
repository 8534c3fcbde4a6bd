"""What runs without being asked: a table of jobs, each bounded, safe to run twice, run by one process at a time.

Started by `serve` on SQLite and by `worker` on PostgreSQL. Invariant: whatever a job commits, it commits under its
lease.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from api import deciding, nights, proof, slots
from api.config import Config, JobSettings
from api.house import House
from api.metrics import JOB_RUNS, JOB_SECONDS
from api.slots import Lease, LeaseLost
from fulfillment.network import held_minutes, pick_success
from fulfillment.sourcing import shadow
from fulfillment.work import collecting
from kernel import events, idempotency
from oms import carts, quotes
from stock import holds
from stock.counting import tasks
from stock.past import positions, seals
from stock.proof import partitions

Value = TypeVar("Value")
Plan = TypeVar("Plan")
BATCH = 500
NO_SHOWS = 20
SHADOWED = 100
PROVING_S = 1.0
CONTINUOUS = "continuous"
# Hours after the wanted one in which a night that was missed, or died, is made up for.
CATCH_UP_HOURS = 3
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Turn:
    """One run of a job: the house, and the lease under which it commits."""

    house: House
    lease: Lease

    @property
    def actor(self) -> str:
        """The name under which history is written."""
        return f"job:{self.lease.job}"

    @property
    def now(self) -> datetime:
        """The business time."""
        return self.house.clock.now()

    def read(self, verb: Callable[[Session], Value]) -> Value:
        """Return what is read."""
        return self.house.doors.read(verb)

    def write(self, verb: Callable[[Session], Value]) -> Value:
        """Commit under the lease."""
        return self.house.doors.write(lambda session: self._held(session, lambda: verb(session)))

    def decide_then_commit(self, decide: Callable[[Session], Plan], commit: Callable[[Session, Plan], Value]) -> Value:
        """Decide, then commit under the lease."""
        return self.house.doors.decide_then_commit(
            decide, lambda session, plan: self._held(session, lambda: commit(session, plan))
        )

    def _held(self, session: Session, verb: Callable[[], Value]) -> Value:
        slots.hold(session, self.lease)
        return verb()


@dataclass(frozen=True)
class Job:
    """What runs, how often, and in a sentence why. `run` returns how much it did; `every` is null for once a night."""

    name: str
    sentence: str
    run: Callable[[Turn], int]
    every: Callable[[JobSettings], int] | None


def place_events(turn: Turn) -> int:
    """Give committed events their place in the feed."""
    return _until_done(lambda: turn.write(lambda session: events.place(session, limit=BATCH)))


def place_postings(turn: Turn) -> int:
    """Give postings whose events have their place the next positions of the ledger."""
    return _until_done(lambda: turn.write(lambda session: positions.place(session, limit=BATCH)))


def seal_ledger(turn: Turn) -> int:
    """Seal the positions that are not sealed yet."""
    return _until_done(lambda: turn.write(seals.seal), batch=seals.BLOCK)


def forget_keys(turn: Turn) -> int:
    """Forget idempotency keys and finished slots of some days ago."""
    before = turn.house.clock.real_time() - idempotency.RETENTION
    turn.write(lambda session: slots.forget(session, before=before - idempotency.RETENTION))
    return _until_done(lambda: turn.write(lambda session: idempotency.forget(session, before=before, limit=BATCH)))


def forget_quotes(turn: Turn) -> int:
    """Forget what was quoted a day ago."""
    return _until_done(lambda: turn.write(lambda session: quotes.forget(session, limit=BATCH)))


def prove_ledger(turn: Turn) -> int:
    """Prove the ledger a little further; the result is how many findings there are."""
    proof.advance_for(turn, seconds=PROVING_S)
    return turn.read(proof.still_there)


def make_partitions(turn: Turn) -> int:
    """Make the ledger's next months."""
    return turn.write(lambda session: partitions.make_ahead(session, now=turn.house.clock.real_time()))


def expire_holds(turn: Turn) -> int:
    """Release holds whose time is over, and then the minutes of work whose units are no longer held."""
    expired = _until_done(lambda: turn.write(lambda session: holds.expire(session, limit=BATCH)))
    _until_done(lambda: turn.write(lambda session: held_minutes.sweep(session, limit=BATCH)))
    return expired


def expire_no_shows(turn: Turn) -> int:
    """Give up orders at the counter that nobody came for; their units go back to the shelf."""
    step = lambda session: collecting.expire(session, now=turn.now, limit=NO_SHOWS)  # noqa: E731
    return _until_done(lambda: turn.write(step), batch=NO_SHOWS)


def propose_counts(turn: Turn) -> int:
    """Propose at each node what was not counted for longest, for its value."""
    nodes = turn.house.doors.read(tasks.counted_nodes)
    return sum(
        turn.write(lambda session, node=node: tasks.propose_by_age(session, node, now=turn.now))  # type: ignore[misc]
        for node in nodes
    )


def learn_picks(turn: Turn) -> int:
    """Sum up what each node found, as the evidence for articles that it never looked for."""
    return turn.write(lambda session: pick_success.sum_up(session, now=turn.now))


def abandon_carts(turn: Turn) -> int:
    """Give up carts that nobody came back to; what they held is free, and whoever shopped with them is erased."""
    idle = timedelta(hours=turn.house.config.carts.abandon_after_hours)
    return _until_done(
        lambda: turn.write(
            lambda session: carts.abandon_idle(session, idle=idle, limit=BATCH, actor=turn.actor, now=turn.now)
        )
    )


def decide_waiting(turn: Turn) -> int:
    """Decide again what waits and may be served by now."""
    return deciding.due(turn.house, actor=turn.actor)


def shadow_policies(turn: Turn) -> int:
    """Decide what was decided again under drafts that run as shadow, without effect."""
    return _until_done(lambda: _shadow_pass(turn), batch=SHADOWED)


def _shadow_pass(turn: Turn) -> int:
    found = turn.read(lambda session: shadow.work_out(session, limit=SHADOWED))
    for each in found:
        turn.write(lambda session, each=each: shadow.keep(session, each))  # type: ignore[misc]
    return sum(each.seen for each in found)


def take_back_unstarted(turn: Turn) -> int:
    """Decide anew what closed nodes, or those that let a departure pass, have not begun."""
    return deciding.unstarted(turn.house, turn.write, actor=turn.actor)


def plan_night(turn: Turn) -> int:
    """Queue the run of the night."""
    return nights.start_unless_under_way(turn.house, turn, actor=turn.actor)


def work_out_runs(turn: Turn) -> int:
    """Work out the runs that are queued."""
    return nights.work_out_queued(turn.house, turn)


RUNS = Job("work_out_runs", "Runs that were started are worked out.", work_out_runs, lambda jobs: jobs.work_out_runs_s)
JOBS = (
    Job(
        "place_events", "Committed events get their place in the feed.", place_events, lambda jobs: jobs.place_events_s
    ),
    Job(
        "place_postings",
        "Postings get their position in the ledger.",
        place_postings,
        lambda jobs: jobs.place_postings_s,
    ),
    Job("seal_ledger", "What has a position is sealed.", seal_ledger, lambda jobs: jobs.seal_ledger_s),
    Job("expire_holds", "Holds end when their time is over.", expire_holds, lambda jobs: jobs.expire_holds_s),
    Job("expire_no_shows", "Orders nobody came for end.", expire_no_shows, lambda jobs: jobs.expire_no_shows_s),
    Job("abandon_carts", "Carts nobody came back to end.", abandon_carts, lambda jobs: jobs.abandon_carts_s),
    Job("decide_waiting", "What waits is decided again.", decide_waiting, lambda jobs: jobs.decide_waiting_s),
    Job(
        "shadow_policies",
        "Drafts that run as shadow decide what was decided.",
        shadow_policies,
        lambda jobs: jobs.shadow_policies_s,
    ),
    Job(
        "take_back_unstarted",
        "What was not begun in time, or at a node that closed, is decided again.",
        take_back_unstarted,
        lambda jobs: jobs.take_back_unstarted_s,
    ),
    Job("plan_night", "Each night a run is started.", plan_night, None),
    Job("learn_picks", "Each night what nodes found is summed up.", learn_picks, None),
    Job("propose_counts", "Each night some articles are proposed to be counted.", propose_counts, None),
    RUNS,
    Job("prove_ledger", "The ledger is proven, again and again.", prove_ledger, lambda jobs: jobs.prove_ledger_s),
    Job("make_partitions", "The ledger's next months are made.", make_partitions, lambda jobs: jobs.make_partitions_s),
    Job(
        "forget_keys", "Idempotency keys are forgotten after three days.", forget_keys, lambda jobs: jobs.forget_keys_s
    ),
    Job("forget_quotes", "Quotes are forgotten after a day.", forget_quotes, lambda jobs: jobs.forget_quotes_s),
)


def run_slot(house: House, job: Job, slot: str = CONTINUOUS) -> int | None:
    """Run one slot of a job unless another process does or did; return how much it did, or None.

    A failure is logged and counted and leaves the slot to be taken again; nothing that was committed is lost.
    """
    began_at = time.perf_counter()
    try:
        done = attempt(house, job, slot)
    except LeaseLost:
        JOB_RUNS.labels(job.name, "taken_over").inc()
        return None
    except DBAPIError as error:
        JOB_RUNS.labels(job.name, "unavailable").inc()
        log.error("job_found_no_database", job=job.name, reason=str(error.orig).splitlines()[0])  # noqa: TRY400 (one line)
        return None
    except Exception:
        JOB_RUNS.labels(job.name, "failed").inc()
        log.exception("job_failed", job=job.name)
        return None
    if done is not None:
        JOB_RUNS.labels(job.name, "done").inc()
        JOB_SECONDS.labels(job.name).observe(time.perf_counter() - began_at)
    return done


def attempt(house: House, job: Job, slot: str = CONTINUOUS) -> int | None:
    """Run one slot of a job as `run_slot` does, and let whatever goes wrong through; the slot is given back."""
    # A run may be silent for as long as its solver thinks.
    seconds = house.config.jobs.lease_s + (house.config.night.time_limit_s if job is RUNS else 0)
    lease = house.doors.write(lambda session: slots.take(session, job.name, slot, holder=_holder(), seconds=seconds))
    if lease is None:
        return None
    try:
        done = job.run(Turn(house, lease))
    except Exception:
        with contextlib.suppress(LeaseLost, DBAPIError):
            house.doors.write(lambda session: slots.release(session, lease, result="failed"))
        raise
    close = slots.release if slot == CONTINUOUS else slots.finish
    house.doors.write(lambda session: close(session, lease, result=str(done)))
    return done


def schedule(house: House, scheduler: BaseScheduler | None = None) -> BaseScheduler:
    """Return a scheduler with every job of the table, not yet started; it keeps nothing in the database."""
    made = scheduler or BackgroundScheduler(timezone="UTC")
    for job in JOBS:
        trigger, slot_of = _trigger(house.config, job)
        if trigger is not None:
            made.add_job(
                lambda job=job, slot_of=slot_of: run_slot(house, job, slot_of(house.clock.real_time())),
                trigger, id=job.name, name=job.sentence, coalesce=True, max_instances=1, misfire_grace_time=60,
            )  # fmt: skip
    return made


def _trigger(config: Config, job: Job) -> tuple[Any, Callable[[datetime], str]]:
    if job.every is not None:
        return IntervalTrigger(seconds=job.every(config.jobs)), lambda _now: CONTINUOUS
    if not config.night.enabled:
        return None, lambda _now: CONTINUOUS
    zone = ZoneInfo(config.night.time_zone)
    hours = ",".join(str((config.night.hour + later) % 24) for later in range(CATCH_UP_HOURS))
    # It is asked for again every few minutes; the slot of the night, once finished, is not taken twice.
    asked = CronTrigger(hour=hours, minute="*/5", timezone=zone)
    return asked, lambda now: (now.astimezone(zone) - timedelta(hours=config.night.hour)).date().isoformat()


def _until_done(step: Callable[[], int], *, batch: int = BATCH) -> int:
    done = 0
    while True:
        count = step()
        done += count
        if count < batch:
            return done


def _holder() -> str:
    return f"{socket.gethostname()[:30]}:{os.getpid()}:{threading.get_ident()}"
