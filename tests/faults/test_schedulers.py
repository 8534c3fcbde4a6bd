"""Five schedulers fire at the same instants on one database; some die, some fall asleep: each slot has one effect.

A dead one's slot is taken over once its lease has run out; one that only slept finds its fence raised, and writes
nothing.
"""

import random
import time

import pytest
from sqlalchemy import func, select

from api.models import JobSlot
from kernel.db import connect
from stock.models import Posting
from tests import factories
from tests.faults.forks import LEASE_S, forking, kill
from tests.faults.state import findings_of
from tests.faults.tally import SOAK, counted, often

SCHEDULERS = 5
SLOTS = often(40, 1000)
KILLS = often(2, 40)
LONGEST_S = 300
# On an idle machine, as the soak has it; elsewhere somebody must only come.
LATEST_TAKE_OVER_S = LEASE_S + 5 if SOAK else LONGEST_S
pytestmark = pytest.mark.slow


class Watch:
    """What the database says of the slots."""

    def __init__(self, url):
        self.database = connect(url)

    def read(self, query):
        with self.database.read() as session:
            return session.execute(query).all()

    def finished(self):
        return self.read(select(func.count()).where(JobSlot.finished_at.is_not(None)))[0][0]

    def held_by(self, worker):
        """The slot that a process holds, if it holds one."""
        held = select(JobSlot.slot).where(JobSlot.finished_at.is_(None), JobSlot.holder.contains(f":{worker.pid}:"))
        return next((row.slot for row in self.read(held)), None)

    def is_finished(self, slot):
        return bool(self.read(select(JobSlot.slot).where(JobSlot.slot == slot, JobSlot.finished_at.is_not(None))))

    def take_overs(self):
        """How often a slot had to be taken again, since its holder was dead or asleep."""
        return self.read(select(func.sum(JobSlot.fence) - func.count()))[0][0]

    def effects(self):
        """How often each slot had its effect."""
        return dict(map(tuple, self.read(select(Posting.reference, func.count()).group_by(Posting.reference))))


@pytest.fixture
def watch(databases, database_url):
    database = connect(database_url)
    with database.write() as session:
        factories.lay_out(session)
        session.commit()
    database.dispose()
    watch = Watch(database_url)
    yield watch
    watch.database.dispose()


def test_each_slot_has_one_effect_whoever_dies_or_sleeps(watch, database_url, tmp_path):
    kind = database_url.partition(":")[0].partition("+")[0]
    drawn = random.Random(8)
    with counted("scheduler of five dead or asleep", kind) as tally, forking(tmp_path / "forks.log") as start:
        hire = lambda number: start("scheduler", url=database_url, slots=SLOTS, seed=number)  # noqa: E731 (one expression)
        workers = [hire(number) for number in range(SCHEDULERS)]
        for number in range(KILLS):
            wait_until(lambda number=number: watch.finished() >= SLOTS * number // (2 * KILLS))
            wait_until(lambda: any(map(watch.held_by, workers)))
            place = drawn.choice([place for place, worker in enumerate(workers) if watch.held_by(worker)] or [0])
            kill(workers[place])
            if slot := watch.held_by(workers[place]):
                tally.recoveries_s.append(taken_over(watch, slot))
            workers[place] = hire(100 + number)
        wait_until(lambda: watch.finished() == SLOTS)
        effects = watch.effects()
        tally.injected = watch.take_overs()
        tally.lost = SLOTS - len(effects)
        tally.doubled = sum(count > 1 for count in effects.values())
        tally.findings = len(findings_of(database_url))
        assert max(tally.recoveries_s, default=0) < LATEST_TAKE_OVER_S


def taken_over(watch, slot):
    """Wait until somebody else has finished the slot of a dead holder; return how long it took."""
    began_at = time.monotonic()
    wait_until(lambda: watch.is_finished(slot))
    return time.monotonic() - began_at


def wait_until(condition):
    end = time.monotonic() + LONGEST_S
    while not condition():
        assert time.monotonic() < end, f"not so after {LONGEST_S} s"
        time.sleep(0.05)
