"""Counting posts differences, whatever moved between the counting and the posting."""

from itertools import product

import pytest
from sqlalchemy import select

from kernel import states
from kernel.events import OutboxEvent
from kernel.states import IllegalTransition
from stock import count_opening, count_sessions, counts, reservations, sales
from stock.count_documents import COUNT_TRANSITIONS, CountStatus, CountTally
from stock.count_errors import CountIncomplete, NotInReview
from stock.errors import InvalidUnits, UnknownDocument, UnknownReason, UnknownStock
from stock.reservations import ReservedUnits, rebind
from tests.stock.shelf import NOW, claim, counters, header, reservation, stock

BY = {"actor": "counter", "now": NOW}


def counted(session, **results):
    """Count the shelf in Madrid and hand the count in."""
    count = count_opening.open_count(session, node="MAD", skus=list(results), **BY)
    for sku, units in results.items():
        counts.record(session, count.id, sku=sku, units=units, **BY)
    return counts.submit(session, count.id, **BY)


def test_a_count_posts_the_differences(session):
    stock(session, coat_MAD=5, hat_MAD=2, scarf_MAD=1)
    count = counted(session, coat=4, hat=3, scarf=1)
    assert counts.post(session, count.id, **BY) is not None
    assert counters(session, "coat", "MAD") == {"on_hand": 4}
    assert counters(session, "hat", "MAD") == {"on_hand": 3}
    told = session.scalar(select(OutboxEvent.payload).where(OutboxEvent.type == "count.differences_posted"))
    assert told["differences"] == [["coat", -1], ["hat", 1]]


def test_a_count_that_was_right_posts_nothing(session):
    stock(session, coat_MAD=5)
    count = counted(session, coat=5)
    assert counts.post(session, count.id, **BY) is None
    assert count.status == "posted"


def test_units_in_totes_are_not_expected_on_the_shelf(session):
    stock(session, coat_MAD=5)
    (id_,) = rebind(session, header(), claims=[claim(units=2)])
    reservations.pick(session, header(), [ReservedUnits("coat", id_, 2)])
    count = counted(session, coat=3)
    assert session.get(CountTally, (count.id, "coat", 1)).expected == 3
    counts.post(session, count.id, **BY)
    assert counters(session, "coat", "MAD") == {"on_hand": 5, "reserved": 2, "picked": 2}


def test_what_moves_between_counting_and_posting_stays(session):
    stock(session, coat_MAD=5)
    count = counted(session, coat=4)
    sales.sell(session, node="MAD", lines=[("coat", 2)], reference="t", actor="till", occurred_at=NOW)
    counts.post(session, count.id, **BY)
    assert counters(session, "coat", "MAD") == {"on_hand": 2}


def test_no_more_goes_than_the_shelf_still_holds(session):
    stock(session, coat_MAD=5)
    count = counted(session, coat=0)
    sales.sell(session, node="MAD", lines=[("coat", 3)], reference="t", actor="till", occurred_at=NOW)
    counts.post(session, count.id, **BY)
    assert counters(session, "coat", "MAD") == {}


def test_a_count_displaces_reservations(session):
    stock(session, coat_MAD=2)
    (id_,) = rebind(session, header(), claims=[claim(units=2)])
    counts.post(session, counted(session, coat=1).id, **BY)
    assert reservation(session, id_) == (2, 0, 0, 1)


def test_counting_again_replaces_the_first_result(session):
    stock(session, coat_MAD=5)
    count = counted(session, coat=1)
    counts.review(session, count.id, recount=["coat"], **BY)
    assert count.status == "counting"
    own = count_sessions.begin(session, count.id, alone=True, **BY)
    count_sessions.record(session, own.id, sku="coat", units=1, **BY)
    count_sessions.record(session, own.id, sku="coat", units=5, **BY)
    counts.submit(session, count.id, **BY)
    counts.review(session, count.id, accept={"coat": 2}, **BY)
    assert counts.post(session, count.id, **BY) is None


def test_an_article_that_nobody_asked_for_is_counted_too(session):
    count = count_opening.open_count(session, node="MAD", skus=["coat"], **BY)
    counts.record(session, count.id, sku="hat", units=2, **BY)
    with pytest.raises(CountIncomplete) as refused:
        counts.submit(session, count.id, **BY)
    assert [fault.pointer for fault in refused.value.faults] == ["/lines/coat"]
    counts.record(session, count.id, sku="coat", units=0, **BY)
    counts.submit(session, count.id, **BY)
    counts.post(session, count.id, **BY)
    assert counters(session, "hat", "MAD") == {"on_hand": 2}


def test_a_count_names_what_exists(session):
    with pytest.raises(UnknownStock):
        count_opening.open_count(session, node="MAD", skus=["unicorn"], **BY)
    with pytest.raises(UnknownReason):
        count_opening.open_count(session, node="MAD", skus=["coat"], reason="mood", **BY)
    count = count_opening.open_count(session, node="MAD", skus=["coat"], **BY)
    with pytest.raises(InvalidUnits):
        counts.record(session, count.id, sku="coat", units=-1, **BY)
    with pytest.raises(UnknownStock):
        counts.record(session, count.id, sku="unicorn", units=1, **BY)
    with pytest.raises(UnknownDocument):
        counts.void(session, "none", **BY)


def test_a_count_is_posted_once(session):
    count = counted(session, coat=1)
    counts.post(session, count.id, **BY)
    with pytest.raises(NotInReview):
        counts.post(session, count.id, **BY)
    with pytest.raises(IllegalTransition):
        counts.void(session, count.id, **BY)


@pytest.mark.parametrize(("current", "target"), list(product(CountStatus, repeat=2)))
def test_only_steps_in_the_table_are_taken(current, target):
    allowed = target in COUNT_TRANSITIONS[current]
    try:
        states.advance(COUNT_TRANSITIONS, current, target, what="Count")
    except IllegalTransition:
        assert not allowed
    else:
        assert allowed
