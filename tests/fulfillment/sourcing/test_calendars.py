"""When what is decided arrives: by whose clock, on whose holidays, in which window."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from fulfillment.network import catalog, policies
from fulfillment.network.geography import Location
from fulfillment.sourcing.decide import decide
from stock.models import Node
from tests.fulfillment.sourcing.world import BARCELONA, NOW, bands, carrier, collected, profile, stock, wanted

LISBON = Location(38.72, -9.14, "order")
EVE_OF_CATALONIA = datetime(2026, 9, 10, 8, 0, tzinfo=UTC)


def packages(session, demand, *, now=NOW):
    return decide(session, [demand], now=now, cause="order").changes[0].packages


def package(session, demand, *, now=NOW):
    """The one package of a demand."""
    [found] = packages(session, demand, now=now)
    return found


def follow(session, **settings):
    policies.activate(session, "default", policies.put(session, "default", settings))


def open_in_lisbon(session):
    session.add(Node(id="LIS-S", name="Node LIS-S", kind="store", status="open", time_zone="Europe/Lisbon"))
    session.flush()
    here = {"node": "LIS-S", "country": "PT", "region": "11", "latitude": 38.71, "longitude": -9.14}
    catalog.put_profiles(session, [replace(profile("MAD-S"), **here)])


def put_cut_off(session, node, cut_off):
    catalog.put_profiles(session, [profile(node, cut_off=cut_off)])


def test_the_evening_of_a_delivery_is_the_destinations(session):
    open_in_lisbon(session)
    stock(session, A={"MAD-W": 5})
    there = package(session, wanted(location=LISBON, country="PT", postal_code="1000-001"))
    # Winter in Lisbon is UTC, and the day is told by its calendar.
    assert (there.arrives_at, there.arrives_on) == (datetime(2026, 11, 19, 20, 0, tzinfo=UTC), date(2026, 11, 19))


def test_without_a_node_in_a_country_its_own_holidays_count(session):
    stock(session, A={"MAD-W": 5})
    restoration = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
    demand = wanted(location=LISBON, country="PT", postal_code="1000-001", placed_at=restoration)
    # 1 December is a holiday in Portugal alone; two days of travel end on the 3rd.
    assert package(session, demand, now=restoration).arrives_on == date(2026, 12, 3)


def test_nothing_is_delivered_on_a_holiday_of_the_destinations_region(session):
    stock(session, A={"MAD-W": 5})
    to_madrid = package(session, wanted(placed_at=EVE_OF_CATALONIA), now=EVE_OF_CATALONIA)
    to_barcelona = package(
        session, wanted(placed_at=EVE_OF_CATALONIA, location=BARCELONA, service="express"), now=EVE_OF_CATALONIA
    )
    assert to_madrid.arrives_on == date(2026, 9, 11)
    # One day of travel: the 11th is the day of Catalonia, a Friday.
    assert to_barcelona.arrives_on == date(2026, 9, 14)


def test_what_leaves_after_deliveries_have_ended_arrives_on_the_next_day(session):
    put_cut_off(session, "MAD-S", "20:30")
    stock(session, A={"MAD-S": 5})
    late = package(session, wanted(service="express"))
    assert (late.work_on, late.arrives_on) == (date(2026, 11, 17), date(2026, 11, 18))


def test_a_cut_off_at_midnight_leaves_the_whole_evening(session):
    put_cut_off(session, "MAD-S", "24:00")
    stock(session, A={"MAD-S": 5})
    before_midnight = datetime(2026, 11, 17, 22, 59, 59, tzinfo=UTC)
    demand = wanted(placed_at=before_midnight)
    assert package(session, demand, now=before_midnight).work_on == date(2026, 11, 17)
    after_midnight = before_midnight + timedelta(seconds=2)
    assert package(session, demand, now=after_midnight).work_on == date(2026, 11, 18)


def test_an_order_of_new_years_eve_leaves_and_arrives_in_the_new_year(session):
    stock(session, A={"MAD-W": 5})
    evening = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    found = package(session, wanted(placed_at=evening), now=evening)
    assert (found.work_on, found.arrives_on) == (date(2027, 1, 4), date(2027, 1, 5))


def test_a_day_late_over_the_end_of_summer_time_costs_one_day(session):
    stock(session, A={"MAD-W": 5})
    # The due evening is the last of summer time; deliveries go on after the weekend, three evenings later.
    saturday, due = datetime(2026, 10, 23, 18, 0, tzinfo=UTC), datetime(2026, 10, 25, 18, 0, tzinfo=UTC)
    [change] = decide(session, [wanted(placed_at=saturday, wanted_by=due)], now=saturday, cause="order").changes
    [found] = change.packages
    # From the evening of the 25th, by the clock of summer, to that of the 27th: two days and an hour.
    assert found.arrives_on == date(2026, 10, 27)
    assert change.rationale.by_term["lateness"] == 600


def test_a_collection_waits_at_the_counter_for_its_window(session):
    stock(session, A={"MAD-S": 5})
    morning = datetime(2026, 11, 19, 9, 30, tzinfo=UTC)
    found = package(session, collected(wanted_from=morning, wanted_by=morning + timedelta(minutes=30)))
    # The store opens at 9:00 and needs two hours: the work is done the day before, and the promise is not early.
    assert (found.work_on, found.arrives_at) == (date(2026, 11, 18), morning)


def test_a_window_on_a_day_on_which_the_store_is_closed_begins_when_it_opens(session):
    stock(session, A={"MAD-S": 5})
    sunday = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
    found = package(session, collected(wanted_from=sunday, wanted_by=sunday + timedelta(days=1)))
    assert found.arrives_at == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def test_a_transfer_is_ready_before_the_window_it_is_wanted_in(session):
    stock(session, A={"BCN-S": 5})
    friday = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
    found = package(session, collected(wanted_from=friday, wanted_by=friday + timedelta(hours=2)))
    assert (found.transfer, found.arrives_at) == (True, friday)


@pytest.mark.parametrize("policy", [{"lateness_day_minor": 1000}, {"fences": [{"rule": "in_time"}]}])
def test_a_transfer_makes_the_date_where_the_policy_forbids_lateness_or_makes_it_dear(session, policy):
    stock(session, A={"MAD-W": 5})
    catalog.set_capacity(session, "MAD-W", date(2026, 11, 17), 0)
    due = datetime(2026, 11, 18, 20, 0, tzinfo=UTC)
    # A day late by the standard service costs 300 and its 400, less than the express service asks.
    assert package(session, collected(wanted_by=due)).carrier_service == "STD"
    follow(session, **policy)
    in_time = package(session, collected(wanted_by=due))
    assert (in_time.carrier_service, in_time.arrives_at <= due) == ("EXP", True)


def test_what_cannot_arrive_in_time_waits_where_that_is_a_fence(session):
    stock(session, A={"MAD-W": 5})
    follow(session, fences=[{"rule": "in_time"}])
    [change] = decide(session, [wanted(wanted_by=NOW + timedelta(hours=1))], now=NOW, cause="order").changes
    assert [missing.reason for missing in change.missing] == ["not_in_time"]
    assert package(session, wanted()).node == "MAD-W"


def test_the_same_day_may_be_one_to_come(session):
    stock(session, A={"MAD-W": 5})
    follow(session, fences=[{"rule": "same_day"}])
    friday = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    found = package(session, wanted(service="express", wanted_from=friday, wanted_by=friday + timedelta(hours=12)))
    assert found.arrives_on == date(2026, 11, 20)


def test_a_store_without_minutes_left_has_it_ready_tomorrow(session):
    catalog.set_capacity(session, "MAD-S", date(2026, 11, 17), 0)
    stock(session, A={"MAD-S": 5})
    found = package(session, collected())
    # It opens at 10:00 in Madrid, and needs two hours.
    assert found.arrives_at == datetime(2026, 11, 18, 11, 0, tzinfo=UTC)


def test_a_store_that_closes_too_soon_has_it_ready_tomorrow(session):
    stock(session, A={"MAD-S": 5})
    closing = datetime(2026, 11, 17, 18, 0, tzinfo=UTC)
    assert package(session, collected(), now=closing).arrives_at == datetime(2026, 11, 17, 20, 0, tzinfo=UTC)
    assert package(session, collected(), now=closing + timedelta(seconds=1)).arrives_at.day == 18


def test_a_store_works_on_a_collection_after_its_break(session):
    siesta = {str(day): [["10:00", "14:00"], ["17:00", "20:30"]] for day in range(6)}
    catalog.put_profiles(session, [profile("MAD-S", opening_hours=siesta)])
    stock(session, A={"MAD-S": 5})
    half_past_one = datetime(2026, 11, 17, 12, 30, tzinfo=UTC)
    assert package(session, collected(), now=half_past_one).arrives_at == datetime(2026, 11, 17, 17, 30, tzinfo=UTC)
    follow(session, collect_lead_minutes=270)
    # Half an hour before the break and three and a half after it are not enough.
    assert package(session, collected(), now=half_past_one).arrives_at == datetime(2026, 11, 18, 16, 30, tzinfo=UTC)


def test_a_collection_after_midnight_is_due_by_the_stores_date(session):
    follow(session, collect_days=1)
    stock(session, A={"MAD-W": 5})
    past_midnight = datetime(2026, 11, 17, 23, 30, tzinfo=UTC)
    [change] = decide(session, [collected(placed_at=past_midnight)], now=past_midnight, cause="order").changes
    # Due on Wednesday, by the store's clock; the transfer arrives on Thursday, a day late.
    assert change.packages[0].arrives_on == date(2026, 11, 19)
    assert change.rationale.by_term["lateness"] == 300


def test_a_carrier_of_the_same_day_arrives_that_day_or_is_later(session):
    catalog.put_carriers(session, [carrier("RUN", "today")])
    catalog.put_tariffs(session, bands("RUN", 700, transit=0))
    stock(session, A={"MAD-S": 5})
    assert package(session, wanted(service="today")).arrives_on == date(2026, 11, 17)


def test_a_window_that_has_passed_waits_because_of_its_date(session):
    stock(session, A={"MAD-W": 5})
    follow(session, lateness_day_minor=10_000)
    passed = NOW - timedelta(days=60)
    [change] = decide(session, [wanted(wanted_from=passed, wanted_by=passed)], now=NOW, cause="order").changes
    assert [missing.reason for missing in change.missing] == ["not_in_time"]


def test_what_costs_too_much_on_any_day_says_so(session):
    follow(session, unfilled_minor=0, lateness_day_minor=10_000)
    stock(session, A={"MAD-W": 5})
    cheap = wanted(wanted_by=NOW - timedelta(days=60))
    cheap = replace(cheap, lines=tuple(replace(line, unit_value_minor=0) for line in cheap.lines))
    [change] = decide(session, [cheap], now=NOW, cause="order").changes
    assert [missing.reason for missing in change.missing] == ["cost"]
