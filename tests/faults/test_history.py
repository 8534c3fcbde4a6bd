"""The judge finds what it is there to find: each kind of fault, planted in a history."""

from collections import namedtuple

import pytest

from tests.faults import clients, history, tally
from tests.faults.history import Asked, Kept, Log
from tests.faults.tally import Tally

Entry = namedtuple("Entry", "sku posting_id from_node from_version to_node to_version")  # noqa: PYI024 (as a row is)


@pytest.fixture
def judged(sqlite_url, tmp_path):
    """A stocked database, the log of what clients know of it, and the tally after the judge looked at both."""
    clients.stock_up(sqlite_url)
    log, found = Log(tmp_path / "history"), Tally("planted", "sqlite")

    def judge():
        log.close()
        history.judge(log.path, sqlite_url, found)
        return found.faults_found

    return log, judge


def test_what_was_acknowledged_and_is_not_there_is_lost(judged):
    log, judge = judged
    log.write("key-1", "invoke", kind="receipt", units=2)
    log.write("key-1", "ok", answer="posting-1")
    assert judge() == {"lost": 1}


def test_an_unknown_answer_may_be_there_or_not(judged):
    log, judge = judged
    log.write("key-1", "invoke", kind="receipt", units=2)
    log.write("key-1", "info", answer="ConnectionResetError")
    assert judge() == {}


def test_two_answers_to_one_request_are_found(judged):
    log, judge = judged
    log.write("key-1", "invoke", kind="receipt", units=2)
    log.write("key-1", "ok", answer="posting-1")
    log.write("key-1", "ok", answer="posting-2")
    assert judge() == {"lost": 1, "doubled": 1}


def test_an_answer_that_nobody_should_get_is_a_finding(judged):
    log, judge = judged
    log.write("key-1", "invoke", kind="receipt", units=2)
    log.write("key-1", "broken", answer="500 internal_error: Something went wrong.")
    assert judge() == {"findings": 1}


@pytest.mark.parametrize(
    ("kept", "lost", "doubled"),
    [
        (None, True, False),
        (Kept(["a"], 1), True, False),
        (Kept(["a"], 2), False, False),
        (Kept(["a"], 3), False, True),
        (Kept(["a", "b"], 2), False, True),
    ],
)
def test_units_are_compared_with_those_asked_for(kept, lost, doubled):
    asked = Asked("receipt", units=2, answers={"a"})
    assert (history.lost(asked, kept), history.doubled(asked, kept)) == (lost, doubled)


def test_what_was_refused_and_done_contradicts_itself():
    assert history.contradicts(Asked(refused=True), Kept(["a"], 1))
    assert not history.contradicts(Asked(refused=True), None)


def test_a_circle_of_postings_is_impossible():
    coat, hat = ("coat", None, None, "MAD"), ("hat", None, None, "MAD")
    in_order = [entry(coat, "a", 1), entry(coat, "b", 2), entry(hat, "a", 1), entry(hat, "b", 2)]
    assert history.impossible(in_order) == []
    assert set(history.impossible([*in_order[:2], entry(hat, "b", 1), entry(hat, "a", 2)])) == {"a", "b"}


def test_what_was_acknowledged_first_is_written_first():
    asked = {"one": Asked(invoked_at=1, acknowledged_at=2), "two": Asked(invoked_at=3, acknowledged_at=4)}
    kept, coat = {"one": Kept(["a"], 1), "two": Kept(["b"], 1)}, ("coat", None, None, "MAD")
    assert history.before_its_time([entry(coat, "a", 1), entry(coat, "b", 2)], asked, kept) == []
    assert history.before_its_time([entry(coat, "b", 1), entry(coat, "a", 2)], asked, kept) == ["a"]


@pytest.mark.parametrize("counts", [{}, {"injected": 1, "lost": 1}, {"injected": 1, "oversold": 2}])
def test_a_fault_passes_only_if_it_was_injected_and_all_zeros_are_there(counts, monkeypatch):
    # What is planted here is not to stand in the report.
    monkeypatch.setattr(tally, "FIGURES", None)
    with pytest.raises(AssertionError):
        count(counts)


def count(counts):
    with tally.counted("planted", "sqlite") as planted:
        for name, number in counts.items():
            setattr(planted, name, number)


def entry(balance, posting_id, version):
    sku, from_node, from_version, to_node = balance
    return Entry(sku, posting_id, from_node, from_version, to_node, version)
