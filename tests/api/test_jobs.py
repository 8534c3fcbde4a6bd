"""Jobs: one run at a time, once a night, and a run that was taken over writes nothing."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from api import jobs, slots
from api.config import Config, NightSettings
from api.jobs import Job, run_slot


def job(run, name="test"):
    return Job(name, "A job of the tests.", run, lambda _jobs: 1)


def expire_lease(house, name):
    moment = "datetime('now', '-1 hour')" if house.doors.database.is_sqlite else "now() - interval '1 hour'"
    house.doors.write(
        lambda session: session.execute(text(f"UPDATE job_slot SET lease_until = {moment} WHERE job = '{name}'"))
    )


def test_a_continuous_job_runs_again_and_again(house):
    runs = []
    again = job(lambda turn: runs.append(turn.lease.fence) or 1, "again")
    assert [run_slot(house, again), run_slot(house, again)] == [1, 1]
    assert runs == [1, 2]


def test_a_slot_of_the_night_runs_once(house):
    night = job(lambda _turn: 7, "night")
    assert run_slot(house, night, "2026-11-17") == 7
    assert run_slot(house, night, "2026-11-17") is None
    assert run_slot(house, night, "2026-11-18") == 7


def test_while_one_runs_nobody_else_does(house):
    inner = []
    busy = job(lambda _turn: inner.append(run_slot(house, job(lambda _turn: 1, "busy"))) or 1, "busy")
    assert run_slot(house, busy) == 1
    assert inner == [None]


def test_a_dead_run_is_taken_over_and_if_it_was_only_slow_writes_nothing(house):
    written = []

    def slow(turn):
        expire_lease(house, "slow")
        assert run_slot(house, job(lambda _turn: 2, "slow")) == 2
        turn.write(written.append)
        return 1

    assert run_slot(house, job(slow, "slow")) is None
    assert written == []


def test_a_failure_leaves_the_slot_to_be_taken_again(house):
    def fail(_turn):
        raise RuntimeError("no")

    assert run_slot(house, job(fail, "failing"), "2026-11-17") is None
    expire_lease(house, "failing")
    assert run_slot(house, job(lambda _turn: 3, "failing"), "2026-11-17") == 3


def test_events_get_their_places(house):
    assert run_slot(house, next(job for job in jobs.JOBS if job.name == "place_events")) == 0


def test_old_slots_are_forgotten(house):
    run_slot(house, job(lambda _turn: 1, "old"), "2020-01-01")
    house.doors.write(lambda session: slots.forget(session, before=datetime(2100, 1, 1, tzinfo=UTC)))
    assert run_slot(house, job(lambda _turn: 1, "old"), "2020-01-01") == 1


@pytest.mark.parametrize(
    ("now", "slot"),
    [
        (datetime(2026, 11, 17, 2, 0, tzinfo=UTC), "2026-11-17"),
        (datetime(2026, 11, 17, 4, 55, tzinfo=UTC), "2026-11-17"),
        (datetime(2026, 11, 18, 2, 0, tzinfo=UTC), "2026-11-18"),
    ],
)
def test_the_slot_of_a_night_is_its_date_in_the_local_zone(now, slot):
    config = Config(night=NightSettings(hour=3))
    _trigger, slot_of = jobs._trigger(config, Job("night", "", lambda _turn: 0, None))
    assert slot_of(now) == slot
