"""The planner's view of the network: a node's day is the date on its own clock."""

from datetime import UTC, date, datetime

import pytest

from fulfillment.network import report
from fulfillment.network.models import CarrierService, Closure, HeldMinutes, NodeDay, NodeProfile, Tariff
from kernel.db import connect
from kernel.errors import NotFound
from stock.models import Node

# A Tuesday, 23:30 in London and already Wednesday in Madrid.
NOW = datetime(2026, 3, 17, 23, 30, tzinfo=UTC)
WEDNESDAY = date(2026, 3, 18)


def profile(node):
    return NodeProfile(
        node=node, line1="", city="", region="", postal_code="", country="ES", latitude=40, longitude=-3, ships=True,
        collects=True, takes_returns=True, capacity_minutes=240, package_cost_minor=1, line_cost_minor=1,
        unit_cost_minor=1, package_minutes=3, line_minutes=1, pick_success=0.9, cut_off="18:00",
        opening_hours={str(day): [["10:00", "20:00"]] for day in range(6)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def session(database_url):
    database = connect(database_url)
    with database.write() as session:
        session.add_all(Node(id=name, name=name, kind="store", time_zone="Europe/Madrid") for name in ("a", "b", "c"))
        session.add(Node(id="d", name="d", kind="store", time_zone="Europe/London"))
        session.add(CarrierService(id="S", carrier="C", carrier_name="Carrier", service="standard"))
        session.flush()
        session.add_all([profile("a"), profile("b"), profile("d")])
        session.add(NodeDay(node="a", on_date=WEDNESDAY, capacity_minutes=0, claimed_minutes=30))
        session.add(Closure(node="b", on_date=WEDNESDAY))
        for kilometres, grams in ((100, 2000), (50, 2000), (50, 1000)):
            session.add(
                Tariff(
                    carrier_service="S", max_distance_km=kilometres, max_weight_g=grams, price_minor=1, transit_days=1
                )
            )
        session.flush()
        yield session
    database.dispose()


def test_today_is_the_date_on_the_clock_of_the_node(session):
    days = report.today(session, now=NOW)
    assert (days["a"].on_date, days["a"].stopped, days["a"].claimed_minutes) == (WEDNESDAY, True, 30)
    assert (days["d"].on_date, days["d"].stopped, days["d"].capacity_minutes) == (date(2026, 3, 17), False, 240)


def test_what_is_held_of_a_day_is_told_of_each_date(session):
    rows = [("x", date(2026, 3, 20), 3), ("y", date(2026, 3, 20), 4), ("x", WEDNESDAY, 5)]
    session.add_all(HeldMinutes(reference=by, node="a", on_date=on, minutes=count) for by, on, count in rows)
    days = report.days(session, "a", 4, now=NOW)
    assert [day.held_minutes for day in days] == [5, 0, 7, 0]


def test_a_node_without_a_profile_has_no_day(session):
    assert set(report.today(session, now=NOW)) == {"a", "b", "d"}


def test_a_closure_takes_the_work_of_its_date(session):
    day = report.today(session, now=NOW)["b"]
    assert (day.closed, day.capacity_minutes, day.stopped) == (True, 0, False)


def test_days_follow_each_other_and_weekdays_without_hours_are_closed(session):
    days = report.days(session, "d", 6, now=NOW)
    assert [day.on_date.day for day in days] == [17, 18, 19, 20, 21, 22]
    assert [day.closed for day in days] == [False, False, False, False, False, True]


def test_public_holidays_are_closed(session):
    new_year = datetime(2027, 1, 1, 10, tzinfo=UTC)
    assert report.days(session, "a", 1, now=new_year)[0].closed


@pytest.mark.parametrize(("capacity", "claimed", "load"), [(200, 50, 0.25), (0, 0, 0.0), (0, 10, 1.0)])
def test_load_is_the_share_of_capacity(capacity, claimed, load):
    assert report.WorkDay(WEDNESDAY, capacity, claimed_minutes=claimed).load == load


def test_tariffs_come_near_and_light_first(session):
    bands = [(band.max_distance_km, band.max_weight_g) for band in report.tariffs(session, "S")]
    assert bands == [(50, 1000), (50, 2000), (100, 2000)]
    assert [service.id for service in report.carrier_services(session)] == ["S"]


def test_what_does_not_exist_is_not_found(session):
    with pytest.raises(NotFound, match="profile"):
        report.days(session, "c", 1, now=NOW)
    with pytest.raises(NotFound, match="carrier service"):
        report.carrier_service(session, "none")
