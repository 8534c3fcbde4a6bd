"""The same key gives the same answer and has one effect."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from kernel.db import connect, database_now
from kernel.idempotency import Answer, IdempotencyKey, KeyReused, claim, forget, lookup, remember
from kernel.ids import new_id

SAME, OTHER = b"s" * 32, b"o" * 32


def answer_once(database, key, body):
    with database.write() as session:
        assert claim(session, "shop", key, SAME) is None
        remember(session, "shop", key, Answer(201, body))
        session.commit()


def test_a_new_key_is_taken_and_its_answer_returned_the_second_time(database):
    key = new_id()
    answer_once(database, key, {"id": "o1"})
    with database.write() as session:
        assert claim(session, "shop", key, SAME) == Answer(201, {"id": "o1"})
    with database.read() as session:
        assert lookup(session, "shop", key, SAME) == Answer(201, {"id": "o1"})


def test_a_new_key_is_taken_by_one_statement(database):
    seen = []
    note = lambda *arguments: seen.append(arguments[2])  # noqa: E731
    event.listen(database.writer, "before_cursor_execute", note)
    with database.write() as session:
        assert claim(session, "shop", new_id(), SAME) is None
    event.remove(database.writer, "before_cursor_execute", note)
    assert [statement.split()[0] for statement in seen if not statement.startswith("BEGIN")] == ["INSERT"]


def test_the_same_key_with_another_request_is_refused(database):
    key = new_id()
    answer_once(database, key, None)
    with database.write() as session, pytest.raises(KeyReused, match=key):
        claim(session, "shop", key, OTHER)


def test_keys_of_two_callers_do_not_meet(database):
    key = new_id()
    answer_once(database, key, None)
    with database.write() as session:
        assert claim(session, "app", key, OTHER) is None


def test_a_refusal_leaves_no_key_and_may_be_tried_again(database):
    key = new_id()
    with database.write() as session:
        assert claim(session, "shop", key, SAME) is None
        session.rollback()
    answer_once(database, key, "now it worked")


def test_an_unknown_key_has_no_answer(database):
    with database.read() as session:
        assert lookup(session, "shop", new_id(), SAME) is None


def test_old_keys_are_forgotten_a_few_at_a_time(database):
    for _ in range(3):
        answer_once(database, new_id(), None)
    with database.write() as session:
        soon = session.scalar(select(database_now())) + timedelta(minutes=1)
        assert forget(session, before=soon - timedelta(hours=1), limit=2) == 0
        assert forget(session, before=soon, limit=2) == 2
        session.rollback()
        assert session.scalar(select(IdempotencyKey).limit(1)) is not None


def wait_for_the_other(database, key, *, first_commits):
    """Let a second session claim a key that a first one holds; return what the second was told."""
    told = []
    with database.write() as first:
        assert claim(first, "shop", key, SAME) is None

        def second():
            with database.write() as session:
                told.append(claim(session, "shop", key, SAME))

        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.3)
        assert told == [], "the second waits while the first is at work"
        remember(first, "shop", key, Answer(200, "first"))
        first.commit() if first_commits else first.rollback()
        thread.join(10)
    return told


@pytest.mark.postgres
@pytest.mark.parametrize(("commits", "answer"), [(True, Answer(200, "first")), (False, None)])
def test_a_key_at_work_in_another_session_is_waited_for(postgresql_url, commits, answer):
    database = connect(postgresql_url)
    assert wait_for_the_other(database, new_id(), first_commits=commits) == [answer]
    database.dispose()
