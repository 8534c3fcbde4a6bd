"""Clocks leap an hour forth and back, the business's and the database's: nothing ends early or loses its order."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, select

from api import slots
from api.clock import Clock
from api.house import EXTENSION
from api.slots import LeaseLost
from kernel.db import database_now
from kernel.events import OutboxEvent, OutboxPosition
from stock import reservations
from stock.models import Posting, Reservation, StockEntry
from stock.postings import Header
from tests import factories
from tests.faults.history import impossible
from tests.faults.tally import counted, often
from tests.journeys.opening import application, close_retailer, open_retailer

LEAPS = often(6, 200)
HOUR = timedelta(hours=1)
# How each database tells the time, and how it tells another one.
AT, BACK = "clock_timestamp()", "(clock_timestamp() {:+d} * interval '1 hour')"
AT_SQLITE, BACK_SQLITE = "'now')", "'now', '{:+d} hours')"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return application(tmp_path_factory.mktemp("clock"))


@pytest.fixture
def database_url(request, databases):
    with databases.fresh(request.param) as url:
        yield url


@pytest.fixture
def retailer(app, database_url):
    retailer = open_retailer(app, database_url)
    retailer.gets("WH", coat=1000)
    yield retailer
    close_retailer(retailer)


@contextmanager
def database_clock_moved(hours):
    """Let the database's clock be wrong by so many hours."""

    def move(_connection, _cursor, statement, parameters, _context, _many):
        moved = statement.replace(AT, BACK.format(hours)).replace(AT_SQLITE, BACK_SQLITE.format(hours))
        return moved, parameters

    event.listen(Engine, "before_cursor_execute", move, retval=True)
    yield
    event.remove(Engine, "before_cursor_execute", move)


def business_clock_moved(retailer, hours):
    clock = Clock(factories.NOW + hours * HOUR)
    retailer.house = retailer.app.extensions[EXTENSION] = replace(retailer.house, clock=clock)


def held(retailer, seconds):
    """Hold a coat for so many seconds of the database's clock."""

    def hold(session):
        now = session.scalar(select(database_now()))
        claim = reservations.Claim(
            sku="coat", node="WH", units=1, reference=f"cart-{now}", purpose="hold",
            expires_at=now + timedelta(seconds=seconds),
        )  # fmt: skip
        header = Header(kind="hold", actor="cart", occurred_at=factories.NOW)
        return reservations.rebind(session, header, claims=[claim])[0]

    return retailer.house.doors.write(hold)


def is_open(retailer, reservation_id):
    query = select(Reservation).where(Reservation.id == reservation_id)
    return retailer.house.doors.read(lambda session: session.scalars(query).one().open_units > 0)


BOTH = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


@BOTH
def test_whatever_the_clocks_say_entries_and_events_keep_their_order(retailer, database_url):
    kind = database_url.partition(":")[0].partition("+")[0]
    with counted("clock moved", kind) as tally:
        orders = [retailer.sells(coat=1)]
        for number in range(LEAPS):
            hours = (1, -1, 0)[number % 3]
            business_clock_moved(retailer, hours)
            with database_clock_moved(-hours if number % 2 else hours):
                orders.append(retailer.sells(coat=1))
                retailer.accepts(orders[-2].part)
                retailer.cancels(orders[-2])
            tally.injected += 1
        business_clock_moved(retailer, 0)
        retailer.runs("place_events")
        tally.findings = len(retailer.findings()) + len(out_of_order(retailer)) + len(entries_out_of_order(retailer))
        ids = retailer.house.doors.read(lambda session: session.scalars(select(Posting.id)).all())
        tally.doubled = len(ids) - len(set(ids))


@BOTH
def test_a_hold_ends_by_the_databases_clock_alone(retailer, database_url):
    short, long = held(retailer, 0), held(retailer, 600)
    business_clock_moved(retailer, 1)
    with database_clock_moved(-1):
        retailer.runs("expire_holds")
    assert (is_open(retailer, short), is_open(retailer, long)) == (True, True)
    business_clock_moved(retailer, -1)
    retailer.runs("expire_holds")
    assert (is_open(retailer, short), is_open(retailer, long)) == (False, True)


@BOTH
def test_a_lease_outlives_a_leap_back_and_is_lost_by_a_leap_forth(retailer, database_url):
    write = retailer.house.doors.write
    take = lambda holder: write(lambda session: slots.take(session, "night", "1", holder=holder, seconds=60))  # noqa: E731
    first = take("first")
    with database_clock_moved(-1):
        assert take("second") is None
        write(lambda session: slots.hold(session, first))
    with database_clock_moved(1):
        second = take("second")
    assert second.fence == first.fence + 1
    with pytest.raises(LeaseLost):
        write(lambda session: slots.hold(session, first))


def out_of_order(retailer):
    """Events that the feed tells before an earlier one of the same aggregate."""
    told = (
        select(OutboxEvent.aggregate_id, OutboxEvent.sequence)
        .join(OutboxPosition, OutboxPosition.event_id == OutboxEvent.id)
        .order_by(OutboxPosition.position)
    )
    seen, found = {}, []
    for aggregate_id, sequence in retailer.house.doors.read(lambda session: session.execute(told).all()):
        if sequence != seen.get(aggregate_id, 0) + 1:
            found.append((aggregate_id, sequence))
        seen[aggregate_id] = sequence
    return found


def entries_out_of_order(retailer):
    return impossible(retailer.house.doors.read(lambda session: session.execute(select(StockEntry)).scalars().all()))
