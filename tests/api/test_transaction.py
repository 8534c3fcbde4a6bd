"""One transaction: decide then commit, once for each key, again when others were faster."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from api.transaction import Doors, RequestKey
from kernel.db import connect
from kernel.errors import Conflict
from kernel.idempotency import Answer, KeyReused
from kernel.vault import Vault

HASH = b"h" * 32


class Overtaken(Conflict):
    code = "overtaken"


@pytest.fixture
def doors(databases, request):
    with databases.fresh(request.param) as url:
        database = connect(url)
        yield Doors(database, stale=(Overtaken,), tries=3)
        database.dispose()


both = pytest.mark.parametrize("doors", ["sqlite", "postgresql"], indirect=True)


def open_subject(session):
    Vault(b"m" * 32).open_subject(session)


def subjects(doors):
    return doors.read(lambda session: session.scalar(text("SELECT count(*) FROM subject")))


def effect(session, _plan):
    open_subject(session)
    return Answer(201, {"made": 1})


def nothing(_session):
    return None


@both
def test_the_same_key_has_one_effect_and_one_answer(doors):
    key = RequestKey("key:1", "k", HASH)
    assert doors.answer(key, nothing, effect) == (Answer(201, {"made": 1}), False)
    assert doors.answer(key, nothing, effect) == (Answer(201, {"made": 1}), True)
    assert subjects(doors) == 1


@both
def test_the_same_key_with_another_request_is_refused(doors):
    doors.answer(RequestKey("key:1", "k", HASH), nothing, effect)
    with pytest.raises(KeyReused):
        doors.answer(RequestKey("key:1", "k", b"o" * 32), nothing, effect)
    assert subjects(doors) == 1


@both
def test_the_key_of_another_caller_is_another_key(doors):
    doors.answer(RequestKey("key:1", "k", HASH), nothing, effect)
    assert doors.answer(RequestKey("key:2", "k", HASH), nothing, effect)[1] is False


@both
def test_many_with_the_same_key_at_the_same_moment_have_one_effect(doors):
    start = threading.Barrier(8)

    def send(_number):
        start.wait()
        return doors.answer(RequestKey("key:1", "k", HASH), nothing, effect)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert {answer.status for answer, _ in answers} == {201}
    assert sum(not replayed for _, replayed in answers) == 1
    assert subjects(doors) == 1


@both
def test_a_refusal_is_not_stored_and_may_be_tried_again(doors):
    key = RequestKey("key:1", "k", HASH)

    def refuse(session, _plan):
        open_subject(session)
        raise Conflict("not now")

    with pytest.raises(Conflict):
        doors.answer(key, nothing, refuse)
    assert subjects(doors) == 0
    assert doors.answer(key, nothing, effect)[1] is False


@both
def test_what_was_overtaken_is_decided_again_and_leaves_nothing(doors):
    plans = iter([1, 2, 3])

    def commit(session, plan):
        open_subject(session)
        if plan < 3:
            raise Overtaken("others were faster")
        return plan

    assert doors.decide_then_commit(lambda _session: next(plans), commit) == 3
    assert subjects(doors) == 1


@both
def test_being_overtaken_too_often_is_told(doors):
    tries = []

    def commit(_session, _plan):
        tries.append(1)
        raise Overtaken("others were faster")

    with pytest.raises(Overtaken):
        doors.decide_then_commit(nothing, commit)
    assert len(tries) == 3


@both
def test_a_statement_that_is_wrong_is_not_repeated(doors):
    tries = []

    def commit(session):
        tries.append(1)
        session.execute(text("SELECT nonsense FROM nowhere"))

    with pytest.raises(Exception, match="nowhere"):
        doors.write(commit)
    assert len(tries) == 1


@pytest.mark.parametrize("doors", ["postgresql"], indirect=True)
def test_a_deadlock_is_done_again(doors):
    tries = []

    def commit(session):
        tries.append(1)
        if len(tries) == 1:
            session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$"))
        open_subject(session)

    doors.write(commit)
    assert len(tries) == 2
    assert subjects(doors) == 1


@pytest.mark.parametrize("doors", ["postgresql"], indirect=True)
def test_a_connection_lost_before_the_commit_is_done_again_with_its_key(doors):
    tries = []

    def commit(session, _plan):
        open_subject(session)
        session.flush()
        tries.append(1)
        if len(tries) == 1:
            backend = session.scalar(text("SELECT pg_backend_pid()"))
            doors.write(lambda other: other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend}))
        return Answer(201, {})

    assert doors.answer(RequestKey("key:1", "k", HASH), nothing, commit)[0].status == 201
    assert subjects(doors) == 1


def test_a_database_that_is_away_is_told_at_once():
    doors = Doors(connect("postgresql://nobody@127.0.0.1:1/nowhere"))
    with pytest.raises(OperationalError):
        doors.read(lambda session: session.execute(text("SELECT 1")))
