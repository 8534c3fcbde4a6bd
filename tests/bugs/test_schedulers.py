"""A job ran once for each process, or not at all."""

import time
from datetime import timedelta

from apscheduler.triggers.interval import IntervalTrigger

from api import jobs
from api.jobs import Job
from stock.reservations import rebind
from tests import factories
from tests.bugs.crowd import together
from tests.stock.shelf import claim, header

SOON = timedelta(minutes=1)
LONG_AGO = factories.NOW - timedelta(days=9_999)


def test_a_job_ran_once_for_each_worker(retailer, sku):
    """https://github.com/agronholm/apscheduler/issues/231, https://github.com/agronholm/apscheduler/issues/655,
    https://github.com/agronholm/apscheduler/issues/160
    """
    house, begun = retailer.house, []

    def run(turn):
        begun.append(turn.lease.fence)
        # Long enough for everybody else to come by.
        time.sleep(0.3)
        return turn.write(lambda session: factories.stock(session, "WH", **{sku: 1}) or 1)

    job = Job("receive_one", "One unit comes in.", run, None)
    done = together(*[lambda: jobs.run_slot(house, job, f"2026-03-10-{sku}")] * 5)
    assert (sorted(done, key=str), begun) == ([1, None, None, None, None], [1])
    assert jobs.run_slot(house, job, f"2026-03-10-{sku}") is None
    assert retailer.stock("WH", sku) == {"on_hand": 1}
    schedules = [jobs.schedule(house).get_jobs() for _ in range(2)]
    assert all(each.max_instances == 1 and each.coalesce for schedule in schedules for each in schedule)


def test_a_sleeping_scheduler_missed_what_was_added_elsewhere(retailer, sku):
    """https://github.com/agronholm/apscheduler/issues/504

    Nobody has to be woken: jobs look for what is due, and none sleeps for long over what shoppers wait for.
    """
    retailer.gets("WH", **{sku: 1})
    scheduler = jobs.schedule(retailer.house)
    elsewhere = claim(sku=sku, node="WH", reference=f"cart-{sku}", purpose="hold", expires_at=LONG_AGO)
    retailer.house.doors.write(lambda session: rebind(session, header("hold"), claims=[elsewhere]))
    (sweeper,) = [each for each in scheduler.get_jobs() if each.id == "expire_holds"]
    sweeper.func()
    assert retailer.stock("WH", sku) == {"on_hand": 1}
    sleeps = {
        each.id: each.trigger.interval for each in scheduler.get_jobs() if isinstance(each.trigger, IntervalTrigger)
    }
    awaited = {"place_events", "place_postings", "expire_holds", "decide_waiting", "work_out_runs"}
    assert {name: sleeps[name] for name in awaited if sleeps[name] > SOON} == {}
