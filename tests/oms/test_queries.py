"""Orders are found across all channels by what people have at hand, and paged without gaps."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from kernel.db import database_now
from oms import orders, queries
from oms.queries import InvalidCursor, Wanted
from tests.factories import BY, VAULT, customer, place, ship_to


def found(session, **wanted):
    return [order.external_id for order in queries.find(session, VAULT, Wanted(**wanted)).orders]


@pytest.fixture
def placed(session):
    """Two orders of Ana in two channels, one of Rui."""
    rui = customer(name="Rui Mata", email="rui@example.org", phone="0034 699 000 111")
    return [
        place(session, external_id="W-1"),
        place(session, external_id="A-1", channel="till"),
        place(session, external_id="W-2", customer=rui, ship_to=ship_to(name="Rui Mata")),
    ]


@pytest.mark.parametrize(
    ("known", "orders_found"),
    [
        ({"external_id": "W-1"}, ["W-1"]),
        ({"email": "ANA@example.org"}, ["A-1", "W-1"]),
        ({"phone": "600111222"}, ["A-1", "W-1"]),
        ({"name": "rui mata"}, ["W-2"]),
        ({"channel": "till"}, ["A-1"]),
        ({"channel": "web", "email": "ana@example.org"}, ["W-1"]),
        ({"status": "approved"}, ["W-2", "A-1", "W-1"]),
        ({"status": "cancelled"}, []),
        ({"name": "Nobody"}, []),
        ({"text": "W-2"}, ["W-2"]),
        ({"text": "ana carvalho"}, ["A-1", "W-1"]),
        ({"text": "rui@example.org"}, ["W-2"]),
        ({"text": "+34 699 000 111"}, ["W-2"]),
        ({"text": "we\0b"}, []),
    ],
)
def test_orders_are_found_newest_first(session, placed, known, orders_found):
    assert found(session, **known) == orders_found


def test_a_number_is_found_however_it_is_typed(session, placed):
    assert found(session, number=f" {placed[0].number.lower()} ") == ["W-1"]
    assert found(session, text=placed[0].number) == ["W-1"]


def test_pages_go_on_where_the_last_one_ended(session, placed):
    first = queries.find(session, VAULT, Wanted(), limit=2)
    place(session, external_id="W-9")
    second = queries.find(session, VAULT, Wanted(), limit=2, cursor=first.cursor)
    assert [order.external_id for order in (*first.orders, *second.orders)] == ["W-2", "A-1", "W-1"]
    assert second.cursor is None


def test_what_changed_since_comes_in_the_order_of_change(session, placed):
    since = session.scalar(select(database_now())) - timedelta(minutes=1)
    orders.cancel(session, placed[0].id, None, reason="changed_mind", **BY)
    session.flush()
    first = queries.find(session, VAULT, Wanted(updated_since=since), limit=2)
    second = queries.find(session, VAULT, Wanted(updated_since=since), limit=2, cursor=first.cursor)
    assert [order.external_id for order in (*first.orders, *second.orders)] == ["A-1", "W-2", "W-1"]


def test_what_has_not_changed_since_is_left_out(session, placed):
    assert found(session, updated_since=session.scalar(select(database_now())) + timedelta(minutes=1)) == []


@pytest.mark.parametrize("cursor", ["x", "e30=", "WzFd", "WyJhIiwiYiJd", "é"])
def test_a_cursor_that_no_page_gave_is_refused(session, cursor):
    since = session.scalar(select(database_now()))
    with pytest.raises(InvalidCursor):
        queries.find(session, VAULT, Wanted(updated_since=since), cursor=cursor)
