from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest

from fulfillment.network.calendar import (
    DELIVERY_ENDS,
    MONDAY_TO_FRIDAY,
    Calendar,
    carrier_days,
    parse_hours,
    parse_time,
    public_holidays,
    read_week,
)
from fulfillment.network.days import NEVER, arrival_days, due_s, following, instants_s, lay_out
from fulfillment.network.nearby import ready_at

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


def test_a_store_that_is_still_open_after_midnight_can_have_it_ready():
    late = calendar(hours={1: ((time(18), time(2)),)})
    half_past_midnight = datetime(2026, 11, 17, 23, 30, tzinfo=UTC)
    assert ready_at(late, 60, half_past_midnight) == half_past_midnight + timedelta(hours=1)
    assert ready_at(late, 120, half_past_midnight) == datetime(2026, 11, 24, 19, 0, tzinfo=UTC)


def test_nobody_works_in_a_break():
    siesta = calendar(hours={1: ((time(10), time(14)), (time(17), time(20, 30)))}).work_day(date(2026, 11, 17))
    two_hours = timedelta(hours=2)

    def utc(hour, minute=0):
        return datetime(2026, 11, 17, hour, minute, tzinfo=UTC)

    # Work that begins at half past one is interrupted at two and done at half past six; in the break it begins at five.
    assert siesta.done_at(utc(12, 30), two_hours) == utc(17, 30)
    assert siesta.done_at(utc(14), two_hours) == utc(18)
    assert siesta.done_at(utc(11), two_hours) == utc(13)
    assert siesta.begun_at(utc(17, 30), two_hours) == utc(12, 30)
    assert siesta.begun_at(utc(18), two_hours) == utc(16)
    assert siesta.begun_at(utc(13), two_hours) == utc(11)


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
    days = set(carrier_days("ES", "", MONDAY_TO_FRIDAY, 2026).tolist())
    assert date(2026, 11, 20).toordinal() in days
    assert not {date(2026, 11, 21).toordinal(), date(2026, 12, 8).toordinal()} & days


def test_what_is_due_in_a_day_is_due_when_deliveries_end():
    placed = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    due = datetime.fromtimestamp(due_s(placed, 1, country="ES", zone="Europe/Madrid"), UTC)
    assert due == datetime(2026, 11, 23, 19, 0, tzinfo=UTC)


def on(year, month, day):
    return date(year, month, day).toordinal()


def arrival(departs, transit, **options):
    found = arrival_days(np.array([departs]), np.array([transit]), country="ES", year=2026, **options)
    return date.fromordinal(int(found[0]))


def evening(day, zone="Europe/Madrid", year=2026):
    return datetime.fromtimestamp(int(instants_s(np.array([day.toordinal()]), zone, DELIVERY_ENDS, year=year)[0]), UTC)


def test_carriers_rest_on_the_holidays_of_the_destinations_region_alone():
    # 11 September is the day of Catalonia.
    assert arrival(on(2026, 9, 10), 1, region="CT") == date(2026, 9, 14)
    assert arrival(on(2026, 9, 10), 1, region="MD") == date(2026, 9, 11)


def test_a_carrier_delivers_on_its_own_weekdays():
    friday = on(2026, 11, 20)
    assert arrival(friday, 1, weekdays=(0, 1, 2, 3, 4, 5)) == date(2026, 11, 21)
    assert arrival(friday, 2, weekdays=(5,)) == date(2026, 11, 28)


def test_a_carrier_that_never_delivers_never_arrives():
    never = arrival_days(np.array([on(2026, 11, 20)]), np.array([1]), country="ES", year=2026, weekdays=())
    assert never.tolist() == [NEVER]


def test_what_travels_no_day_waits_for_the_next_delivery_day():
    assert arrival(on(2026, 11, 20), 0) == date(2026, 11, 20)
    assert arrival(on(2026, 11, 21), 0) == date(2026, 11, 23)
    assert arrival(on(2026, 11, 21), 0, weekdays=tuple(range(7))) == date(2026, 11, 21)


def test_deliveries_end_by_the_clock_of_the_season():
    assert evening(date(2026, 3, 28)) == datetime(2026, 3, 28, 19, 0, tzinfo=UTC)
    assert evening(date(2026, 3, 29)) == datetime(2026, 3, 29, 18, 0, tzinfo=UTC)
    assert evening(date(2026, 10, 24)) == datetime(2026, 10, 24, 18, 0, tzinfo=UTC)
    assert evening(date(2026, 10, 25)) == datetime(2026, 10, 25, 19, 0, tzinfo=UTC)


def test_hours_on_the_night_in_which_clocks_change_are_instants_in_order():
    sunday_nights = {6: ((time(1, 30), time(3, 30)),)}
    spring = calendar(hours=sunday_nights, cut_off="02:30").work_day(date(2026, 3, 29))
    autumn = calendar(hours=sunday_nights, cut_off="02:30").work_day(date(2026, 10, 25))
    # 02:30 does not come in spring, and comes twice in autumn: the first is meant.
    assert [spring.opens_at.hour, spring.cut_off_at.hour, spring.closes_at.hour] == [0, 1, 1]
    assert (spring.closes_at - spring.opens_at, autumn.closes_at - autumn.opens_at) == (
        timedelta(hours=1), timedelta(hours=3),
    )  # fmt: skip
    assert autumn.cut_off_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_the_cut_off_second_counts_on_the_day_after_clocks_change():
    base = date(2026, 3, 30)
    at = datetime(2026, 3, 30, 15, 0, tzinfo=UTC)
    assert cut_offs(base, at)[0] == date(2026, 3, 30)
    assert cut_offs(base, at + timedelta(seconds=1))[0] == date(2026, 3, 31)


def test_a_cut_off_at_midnight_ends_the_day():
    day = calendar(cut_off="24:00").work_day(date(2026, 11, 17))
    assert day.cut_off_at == datetime(2026, 11, 17, 23, 0, tzinfo=UTC)


def test_a_cut_off_after_midnight_belongs_to_the_evening_before():
    night = calendar(hours={1: ((time(18), time(2)),)}, cut_off="01:00").work_day(date(2026, 11, 17))
    assert night.cut_off_at == datetime(2026, 11, 18, 0, 0, tzinfo=UTC)
    early = calendar(cut_off="08:00").work_day(date(2026, 11, 17))
    assert early.cut_off_at == datetime(2026, 11, 17, 7, 0, tzinfo=UTC)


def test_the_leap_day_is_a_day_of_work_and_of_delivery():
    leap_day = date(2028, 2, 29)
    assert calendar().works_on(leap_day)
    arrives = arrival_days(np.array([on(2028, 2, 28)]), np.array([1, 2]), country="ES", year=2028)
    assert [date.fromordinal(day) for day in arrives] == [leap_day, date(2028, 3, 1)]
    assert evening(leap_day, year=2028) == datetime(2028, 2, 29, 19, 0, tzinfo=UTC)


def test_what_is_due_counts_from_the_local_date():
    # In Madrid it is Wednesday already; Thursday is one delivery day on.
    past_midnight = datetime(2026, 11, 17, 23, 30, tzinfo=UTC)
    due = due_s(past_midnight, 1, country="ES", zone="Europe/Madrid")
    assert datetime.fromtimestamp(due, UTC) == datetime(2026, 11, 19, 19, 0, tzinfo=UTC)
    new_year = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    due = due_s(new_year, 1, country="ES", zone="Europe/Madrid")
    assert datetime.fromtimestamp(due, UTC) == datetime(2027, 1, 4, 19, 0, tzinfo=UTC)


def test_hours_that_run_past_midnight_are_the_last_of_their_day():
    with pytest.raises(ValueError, match="overlap"):
        parse_hours({"0": [["20:00", "02:00"], ["21:00", "22:00"]]})


def test_a_week_is_read_from_words():
    assert read_week("mo-fr 10:00-14:00,17:00-20:30; sa 10:00-22:00; su closed") == {
        **{str(day): [["10:00", "14:00"], ["17:00", "20:30"]] for day in range(5)},
        "5": [["10:00", "22:00"]],
    }


@pytest.mark.parametrize("text", ["xx 10:00-12:00", "mo 10:00", "mo 25:00-26:00", "mo 12:00-14:00,13:00-15:00"])
def test_a_week_that_cannot_be_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        read_week(text)
