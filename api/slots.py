"""Slots of jobs: one run at a time, however many schedulers there are, by a row with a lease and a fence.

Called by `api/jobs.py`. Invariant: of all who believe they hold a slot, only the one with its newest fence can commit,
so that a run that was thought dead and was only slow writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from api.models import JobSlot
from kernel.db import database_now, insert_into
from kernel.errors import Conflict


class LeaseLost(Conflict):
    """Another process has taken this run over."""

    code = "lease_lost"


@dataclass(frozen=True)
class Lease:
    """The right to run one slot of one job until another fence is raised."""

    job: str
    slot: str
    fence: int
    seconds: int


def take(session: Session, job: str, slot: str, *, holder: str, seconds: int) -> Lease | None:
    """Take a slot that nobody holds and nobody has finished; return None when there is nothing to take."""
    now = _now(session)
    free = {"job": job, "slot": slot, "holder": "", "fence": 0, "lease_until": now}
    session.execute(insert_into(session, JobSlot).values(free).on_conflict_do_nothing())
    taken = (
        update(JobSlot)
        .where(JobSlot.job == job, JobSlot.slot == slot, JobSlot.finished_at.is_(None), JobSlot.lease_until <= now)
        .values(holder=holder, fence=JobSlot.fence + 1, lease_until=now + timedelta(seconds=seconds))
        .returning(JobSlot.fence)
    )
    fence = session.scalar(taken)
    return None if fence is None else Lease(job, slot, fence, seconds)


def hold(session: Session, lease: Lease) -> None:
    """Extend the lease in the transaction of what is written under it. Raises LeaseLost."""
    _change(session, lease, lease_until=_now(session) + timedelta(seconds=lease.seconds))


def release(session: Session, lease: Lease, *, result: str) -> None:
    """Give the slot back, to be taken again. Raises LeaseLost."""
    _change(session, lease, lease_until=_now(session), result=result)


def finish(session: Session, lease: Lease, *, result: str) -> None:
    """Close the slot for good. Raises LeaseLost."""
    _change(session, lease, finished_at=_now(session), result=result)


def forget(session: Session, *, before: datetime) -> None:
    """Delete slots that were finished before an instant."""
    session.execute(delete(JobSlot).where(JobSlot.finished_at < before))


def _change(session: Session, lease: Lease, **values: object) -> None:
    mine = (JobSlot.job == lease.job) & (JobSlot.slot == lease.slot) & (JobSlot.fence == lease.fence)
    held = session.scalar(
        update(JobSlot).where(mine, JobSlot.finished_at.is_(None)).values(values).returning(JobSlot.job)
    )
    if held is None:
        raise LeaseLost(f"The run of {lease.job} for {lease.slot} was taken over by another process.")


def _now(session: Session) -> datetime:
    now: datetime | None = session.scalar(select(database_now()))
    assert now is not None, "the database has a clock"
    return now
