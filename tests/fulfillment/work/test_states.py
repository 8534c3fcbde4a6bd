"""Every pair of states: what the table allows happens with its history and its news, everything else is refused."""

import itertools

import pytest

from fulfillment.work import states
from fulfillment.work.errors import INSTEAD, AlreadyShipped, NotPossibleNow
from fulfillment.work.models import CLOSED, LEFT, OPEN, TRANSITIONS, Demand, Status
from kernel.states import IllegalTransition
from tests.fulfillment.work.floor import BY, NOW, allocate, demand, news, statuses, stock

ALLOWED = [(source, target) for source, target in itertools.product(Status, Status) if target in TRANSITIONS[source]]


@pytest.fixture
def order(session):
    stock(session, coat=1)
    return allocate(session, demand(session, coat=1))


@pytest.mark.parametrize(("source", "target"), ALLOWED, ids=["-".join(pair) for pair in ALLOWED])
def test_an_allowed_step_writes_status_history_and_news_together(session, order, source, target):
    order.status = source
    states.move(session, order, target, **BY, reason="because")
    session.flush()
    assert order.status == target
    assert statuses(session, order) == [target]
    assert news(session, order.id) == [f"fulfillment_order.{target}"]


@pytest.mark.parametrize("source", Status)
def test_any_other_step_is_refused_and_writes_nothing(session, order, source):
    for target in set(Status) - TRANSITIONS[source]:
        order.status = source
        with pytest.raises(IllegalTransition, match=order.number):
            states.move(session, order, target, **BY)
        assert order.status == source
    assert statuses(session, order) == news(session, order.id) == []


def test_a_move_raises_the_version_and_says_when_the_order_ended(session, order):
    before = order.version
    states.move(session, order, Status.ACCEPTED, **BY)
    assert (order.version, order.ended_at) == (before + 1, None)
    states.move(session, order, Status.CANCELLED, **BY)
    assert order.ended_at == NOW


def test_leaving_the_state_in_which_it_can_be_sourced_anew_changes_the_demand(session, order):
    wanted = session.get_one(Demand, order.demand_id)
    before = wanted.version
    states.move(session, order, Status.ACCEPTED, **BY)
    assert wanted.version == before + 1
    states.move(session, order, Status.PICKING, **BY)
    assert wanted.version == before + 1


@pytest.mark.parametrize("status", Status)
def test_each_status_says_what_to_do_instead(session, order, status):
    order.status = status
    with pytest.raises(AlreadyShipped if status in LEFT else NotPossibleNow, match=INSTEAD[status]):
        states.require(order, set())


def test_open_and_closed_are_all_there_is():
    assert set(Status) == OPEN | CLOSED
    assert not OPEN & CLOSED
    assert all(not TRANSITIONS[status] & OPEN for status in CLOSED)
