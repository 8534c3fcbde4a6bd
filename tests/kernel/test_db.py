"""Column types and transactions behave alike on both databases."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import exc, insert, select, text

from kernel.db import connect, database_now, retryable
from kernel.ids import new_id
from kernel.vault import Subject

NOON_IN_LISBON = datetime(2026, 7, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=1)))


def test_an_instant_comes_back_as_the_same_moment_in_utc(database):
    subject_id = new_id()
    with database.write() as session:
        session.add(Subject(id=subject_id, wrapped_key=None, erased_at=NOON_IN_LISBON))
        session.commit()
    with database.read() as session:
        stored = session.get_one(Subject, subject_id)
        assert stored.erased_at == NOON_IN_LISBON
        assert stored.erased_at.tzinfo is UTC


def test_a_naive_instant_is_refused(database):
    with database.write() as session, pytest.raises((AssertionError, exc.StatementError)):
        session.execute(insert(Subject).values(id=new_id(), erased_at=datetime(2026, 7, 1)))  # noqa: DTZ001


def test_the_databases_clock_is_aware_and_moves_within_a_transaction(database):
    with database.write() as session:
        first = session.scalar(select(database_now()))
        session.execute(text("SELECT 1"))
        threading.Event().wait(0.01)
        second = session.scalar(select(database_now()))
    assert first.tzinfo is UTC
    assert second > first


def test_a_server_default_takes_the_databases_clock(database):
    subject_id = new_id()
    with database.write() as session:
        before = session.scalar(select(database_now()))
        session.add(Subject(id=subject_id, wrapped_key=b""))
        session.commit()
        recorded_at = session.get_one(Subject, subject_id).recorded_at
    assert before <= recorded_at <= before + timedelta(minutes=1)


def test_stored_instants_compare_with_the_databases_clock(database):
    past, future = new_id(), new_id()
    with database.write() as session:
        now = session.scalar(select(database_now()))
        session.add(Subject(id=past, erased_at=now - timedelta(seconds=1)))
        session.add(Subject(id=future, erased_at=now + timedelta(hours=1)))
        session.flush()
        due = set(session.scalars(select(Subject.id).where(Subject.erased_at <= database_now())))
    assert past in due
    assert future not in due


def test_every_session_carries_what_the_doors_wired(database):
    database.info["colour"] = "green"
    with database.read() as reading, database.write() as writing:
        assert reading.info["colour"] == writing.info["colour"] == "green"


def test_a_reader_is_not_stopped_by_a_writer(database):
    subject_id = new_id()
    with database.write() as writing:
        writing.add(Subject(id=subject_id))
        writing.flush()
        with database.read() as reading:
            assert reading.get(Subject, subject_id) is None


def test_some_hundreds_of_statements_stay_prepared(postgresql_url):
    database = connect(postgresql_url)
    with database.read() as session:
        for number in [*range(200)] * 6:
            session.execute(text(f"SELECT {number}"))
        assert session.scalar(text("SELECT count(*) FROM pg_prepared_statements")) == 200
    database.dispose()


def test_writers_take_turns(database):
    inside, overlaps = threading.Event(), []

    def work():
        with database.turn(), database.write() as session:
            overlaps.append(inside.is_set())
            inside.set()
            session.add(Subject(id=new_id()))
            session.commit()
            inside.clear()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(overlaps) == 8
    assert not (database.is_sqlite and any(overlaps))


def test_a_second_writer_on_sqlite_fails_at_its_first_statement_and_may_try_again(sqlite_url, monkeypatch):
    from kernel.db import connect

    monkeypatch.setattr("kernel.db.SQLITE_BUSY_MS", 200)
    first, second = connect(sqlite_url), connect(sqlite_url)
    with first.write() as holding, second.write() as waiting:
        holding.execute(text("SELECT 1"))
        with pytest.raises(exc.OperationalError) as refused:
            waiting.connection().exec_driver_sql("PRAGMA busy_timeout=1")
        assert retryable(refused.value)
    first.dispose()
    second.dispose()


def test_a_deadlock_may_be_tried_again_and_a_broken_rule_may_not():
    class Deadlock(Exception):
        sqlstate = "40P01"

    class Duplicate(Exception):
        sqlstate = "23505"

    assert retryable(exc.OperationalError("", {}, Deadlock()))
    assert not retryable(exc.IntegrityError("", {}, Duplicate()))
    assert not retryable(ValueError())
