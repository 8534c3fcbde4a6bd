"""Weekdays, holidays at the destination and cut-offs of carriers, to the second."""

from datetime import UTC, date, datetime, time

import numpy as np
import pytest

from fulfillment.network import transit
from fulfillment.network.calendar import MONDAY_TO_FRIDAY, Calendar
from fulfillment.network.days import NEVER, arrival_days, following, lay_out

MO_SA = transit.parse_weekdays("mo-sa")


def arrives(departs, days, region="MD", weekdays=MO_SA):
    ordinal = np.array([[departs.toordinal()]])
    found = arrival_days(ordinal, np.array([[days]]), country="ES", region=region, weekdays=weekdays, year=departs.year)
    return date.fromordinal(int(found[0, 0]))


@pytest.mark.parametrize(
    ("text", "days"), [("", set()), ("mo-fr", {0, 1, 2, 3, 4}), ("Mo-We, SA", {0, 1, 2, 5}), ("fr-mo", {4, 5, 6, 0})]
)
def test_weekdays_are_read(text, days):
    assert transit.parse_weekdays(text) == tuple(sorted(days))


def test_what_is_no_weekday_is_told():
    with pytest.raises(ValueError, match="'sat' is no range of weekdays"):
        transit.parse_weekdays("mo-fr,sat")


def test_a_carrier_that_delivers_on_saturdays_is_a_weekend_faster():
    friday = date(2026, 11, 20)
    assert arrives(friday, 1) == date(2026, 11, 21)
    assert arrives(friday, 1, weekdays=MONDAY_TO_FRIDAY) == date(2026, 11, 23)


def test_carriers_rest_on_the_holidays_of_the_destination_and_of_no_other_region():
    before_sant_esteve = date(2025, 12, 25)
    assert arrives(before_sant_esteve, 1, region="CT") == date(2025, 12, 27)
    assert arrives(before_sant_esteve, 1) == date(2025, 12, 26)


def test_what_arrives_the_same_day_waits_for_a_day_of_delivery():
    sunday = date(2026, 11, 22)
    assert arrives(sunday, 0) == date(2026, 11, 23)
    assert arrives(date(2026, 11, 21), 0) == date(2026, 11, 21)
    assert arrives(date(2026, 11, 21), 0, weekdays=MONDAY_TO_FRIDAY) == date(2026, 11, 23)


def test_a_year_ends_and_a_leap_day_counts():
    assert arrives(date(2027, 12, 31), 1) == date(2028, 1, 3)
    assert arrives(date(2028, 2, 28), 1) == date(2028, 2, 29)


def node_days(on, *, cut_off=time(18, 0), opens=time(9, 0)):
    hours = dict.fromkeys(range(7), ((opens, time(21, 0)),))
    return lay_out([Calendar("Europe/Madrid", "ES", "MD", hours, cut_off, {})], on)


def first_departure(days, cut_offs, instant):
    (column,) = following(cut_offs, int(instant.timestamp()), 1)[0]
    return date.fromordinal(int(days.ordinal[0, column])), datetime.fromtimestamp(int(cut_offs[0, column]), UTC)


def test_the_carriers_earlier_cut_off_binds_to_the_second():
    days = node_days(date(2026, 11, 17))
    cut_offs = transit.cut_offs(days, time(16, 30))
    at = datetime(2026, 11, 17, 15, 30, 0, tzinfo=UTC)
    assert first_departure(days, cut_offs, at) == (date(2026, 11, 17), at)
    assert first_departure(days, cut_offs, at.replace(second=1))[0] == date(2026, 11, 18)


def test_the_nodes_earlier_cut_off_binds():
    days = node_days(date(2026, 11, 17), cut_off=time(12, 0))
    assert (transit.cut_offs(days, time(16, 30)) == days.cut_off_s).all()


def test_a_cut_off_is_local_on_the_day_clocks_change():
    days = node_days(date(2026, 3, 28), cut_off=time(20, 0))
    cut_offs = transit.cut_offs(days, time(17, 0))
    saturday, sunday = (datetime.fromtimestamp(int(at), UTC).hour for at in cut_offs[0, 1:3])
    assert (saturday, sunday) == (16, 15)


def test_there_is_no_cut_off_beyond_the_last_day():
    days = node_days(date(2026, 11, 17))
    assert (transit.cut_offs(days, time(16, 30))[days.ordinal == NEVER] == NEVER).all()


def test_a_carrier_that_collects_at_midnight_comes_when_the_day_ends():
    days = node_days(date(2026, 11, 17), cut_off=time(0, 0))
    at = datetime(2026, 11, 17, 23, 0, tzinfo=UTC)
    assert first_departure(days, transit.cut_offs(days, time(0, 0)), at) == (date(2026, 11, 17), at)
