from datetime import UTC, date, datetime, time

import numpy as np
import pytest

from fulfillment.network.calendar import Calendar, carrier_days, parse_hours, parse_time, public_holidays, read_week
from fulfillment.network.days import NEVER, arrival_days, due_s, following, lay_out

WEEK = {day: ((time(10), time(21)),) for day in range(6)}


def calendar(region="MD", *, cut_off="17:00", hours=WEEK, exceptions=None, country="ES", zone="Europe/Madrid"):
    return Calendar(zone, country, region, hours, parse_time(cut_off), exceptions or {})


def cut_offs(base_on, now, **options):
    days = lay_out([calendar(**options)], base_on)
    columns = following(days.cut_off_s, int(now.timestamp()), 2)
    return [date.fromordinal(ordinal) for ordinal in days.ordinal[0, columns[0]]]


def test_a_regional_holiday_closes_only_its_region():
    almudena = date(2026, 11, 9)
    assert calendar(region="CT").works_on(almudena)
    sant_jordi_of_catalonia = date(2026, 9, 11)
    assert not calendar(region="CT").works_on(sant_jordi_of_catalonia)
    assert calendar(region="MD").works_on(sant_jordi_of_catalonia)


def test_a_national_holiday_closes_every_region():
    immaculate = date(2026, 12, 8)
    assert not calendar(region="MD").works_on(immaculate)
    assert not calendar(region="CT").works_on(immaculate)


def test_an_exception_wins_over_a_holiday_and_over_the_weekly_hours():
    immaculate, sunday, monday = date(2026, 12, 8), date(2026, 11, 22), date(2026, 11, 23)
    exceptions = {immaculate: True, sunday: True, monday: False}
    opened = calendar(exceptions=exceptions)
    assert [opened.works_on(day) for day in (immaculate, sunday, monday)] == [True, True, False]
    assert opened.work_day(sunday).opens_at == datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def test_a_node_without_hours_never_works():
    assert not calendar(hours={}, exceptions={date(2026, 11, 17): True}).works_on(date(2026, 11, 17))


def test_an_unknown_region_has_the_holidays_of_its_country():
    assert public_holidays("PT", "no such", 2026) == public_holidays("PT", "", 2026)
    assert public_holidays("XX", "", 2026) == frozenset()


def test_the_cut_off_second_itself_still_counts():
    base = date(2026, 11, 17)
    at, after = datetime(2026, 11, 17, 16, 0, tzinfo=UTC), datetime(2026, 11, 17, 16, 0, 1, tzinfo=UTC)
    assert cut_offs(base, at) == [date(2026, 11, 17), date(2026, 11, 18)]
    assert cut_offs(base, after) == [date(2026, 11, 18), date(2026, 11, 19)]


def test_saturday_evening_goes_to_monday():
    assert cut_offs(date(2026, 11, 21), datetime(2026, 11, 21, 20, 0, tzinfo=UTC))[0] == date(2026, 11, 23)


def test_the_cut_off_is_local_on_both_sides_of_the_clock_change():
    before, after = calendar().work_day(date(2026, 10, 24)), calendar().work_day(date(2026, 10, 26))
    assert before.cut_off_at == datetime(2026, 10, 24, 15, 0, tzinfo=UTC)
    assert after.cut_off_at == datetime(2026, 10, 26, 16, 0, tzinfo=UTC)


def test_hours_that_end_at_midnight_end_on_the_next_day():
    hours = parse_hours({"1": [["10:00", "24:00"]]})
    day = calendar(hours=hours).work_day(date(2026, 11, 17))
    assert day.closes_at == datetime(2026, 11, 17, 23, 0, tzinfo=UTC)


def test_after_midnight_the_night_before_is_still_open():
    late = calendar(hours={1: ((time(18), time(2)),)}, cut_off="20:00")
    days = lay_out([late], date(2026, 11, 18))
    half_past_midnight = int(datetime(2026, 11, 17, 23, 30, tzinfo=UTC).timestamp())
    column = following(days.closes_s, half_past_midnight, 1)[0, 0]
    assert date.fromordinal(days.ordinal[0, column]) == date(2026, 11, 17)


def test_days_that_do_not_come_are_never():
    days = lay_out([calendar(hours={})], date(2026, 11, 17))
    assert (days.ordinal == NEVER).all()


def test_packages_travel_on_the_days_of_carriers():
    friday, before_immaculate = date(2026, 11, 20).toordinal(), date(2026, 12, 7).toordinal()
    arrives = arrival_days(np.array([friday, friday, before_immaculate]), np.array([1, 0, 1]), country="ES", year=2026)
    assert [date.fromordinal(day) for day in arrives] == [date(2026, 11, 23), date(2026, 11, 20), date(2026, 12, 9)]


def test_an_order_of_december_arrives_in_january():
    new_years_eve = date(2026, 12, 31).toordinal()
    arrives = arrival_days(np.array([new_years_eve]), np.array([1]), country="ES", year=2026)
    assert date.fromordinal(arrives[0]) == date(2027, 1, 4)


def test_carriers_rest_on_weekends_and_holidays():
    days = set(carrier_days("ES", 2026).tolist())
    assert date(2026, 11, 20).toordinal() in days
    assert not {date(2026, 11, 21).toordinal(), date(2026, 12, 8).toordinal()} & days


def test_what_is_due_in_a_day_is_due_when_deliveries_end():
    placed = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    due = datetime.fromtimestamp(due_s(placed, 1, country="ES", zone="Europe/Madrid"), UTC)
    assert due == datetime(2026, 11, 23, 19, 0, tzinfo=UTC)


def test_a_week_is_read_from_words():
    assert read_week("mo-fr 10:00-14:00,17:00-20:30; sa 10:00-22:00; su closed") == {
        **{str(day): [["10:00", "14:00"], ["17:00", "20:30"]] for day in range(5)},
        "5": [["10:00", "22:00"]],
    }


@pytest.mark.parametrize("text", ["xx 10:00-12:00", "mo 10:00", "mo 25:00-26:00", "mo 12:00-14:00,13:00-15:00"])
def test_a_week_that_cannot_be_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        read_week(text)
