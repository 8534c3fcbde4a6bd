"""When nodes and carriers work: weekly hours, public holidays, closures and cut-offs, turned into instants.

Pure. Called by `network.days`, which lays the results out as arrays, and by the catalog, which checks hours given by
people. Invariant: local times are read in the node's own zone, on the date they stand on, so that a day on which clocks
change has the right instants.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

import holidays
import numpy as np
from numpy.typing import NDArray

Hours = tuple[tuple[time, time], ...]
Weekdays = tuple[int, ...]
WEEKDAYS: Final = ("mo", "tu", "we", "th", "fr", "sa", "su")
MONDAY_TO_FRIDAY: Final[Weekdays] = (0, 1, 2, 3, 4)
"""The weekdays on which a carrier delivers unless it says otherwise."""
DELIVERY_ENDS: Final = time(20, 0)
"""Local time by which a carrier has delivered on the day it promises."""
MIDNIGHT: Final = time(0, 0)
_DAY: Final = timedelta(days=1)
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


@dataclass(frozen=True, slots=True)
class WorkDay:
    """A day on which a node works, as instants: its first opening, its last closing, its cut-off, its breaks."""

    on: date
    opens_at: datetime
    cut_off_at: datetime
    closes_at: datetime
    breaks: tuple[tuple[datetime, datetime], ...] = ()

    def done_at(self, begins: datetime, needs: timedelta) -> datetime:
        """Return when work is done that begins then and `needs` so long; nobody works in a break."""
        done = begins + needs
        for closes, opens in self.breaks:
            if begins < opens and done > closes:
                done += opens - max(begins, closes)
        return done

    def begun_at(self, done: datetime, needs: timedelta) -> datetime:
        """Return when work that `needs` so long has begun at the latest to be done then."""
        begins = done - needs
        for closes, opens in reversed(self.breaks):
            if begins < opens <= done:
                begins -= opens - closes
        return begins


@dataclass(frozen=True)
class Calendar:
    """When a node works: `hours` by weekday (0 is Monday), `exceptions` maps dates to open or closed."""

    time_zone: str
    country: str
    region: str
    hours: Mapping[int, Hours]
    cut_off: time
    exceptions: Mapping[date, bool]

    def works_on(self, on: date) -> bool:
        """Tell whether the node works on this date: an exception wins over holidays, holidays over weekly hours."""
        if on in self.exceptions:
            return self.exceptions[on] and bool(self.hours)
        return on.weekday() in self.hours and on not in public_holidays(self.country, self.region, on.year)

    @property
    def has_breaks(self) -> bool:
        """Tell whether the node closes and opens again on any day."""
        return any(len(intervals) > 1 for intervals in self.hours.values())

    def work_day(self, on: date) -> WorkDay:
        """Return the instants of a day on which the node works; a date it opens by exception has its fullest hours."""
        intervals = self.hours.get(on.weekday()) or max(self.hours.values(), key=_minutes_open)
        opening, closing = intervals[0][0], intervals[-1][1]
        closes_on = on + _DAY if closing <= opening else on
        # Midnight is the end of a day, and a cut-off in the hours after it belongs to the evening before.
        late = self.cut_off == MIDNIGHT or (closes_on > on and self.cut_off <= closing)
        cut_off_on = on + _DAY if late else on
        zone = ZoneInfo(self.time_zone)
        breaks = tuple((_at(on, one[1], zone), _at(on, other[0], zone)) for one, other in pairwise(intervals))
        return WorkDay(
            on, _at(on, opening, zone), _at(cut_off_on, self.cut_off, zone), _at(closes_on, closing, zone), breaks
        )


def parse_hours(document: Mapping[str, Any]) -> dict[int, Hours]:
    """Read {"0": [["10:00", "14:00"], ["17:00", "20:30"]], ...}; an interval that ends at or before it begins ends on
    the next day. Raises ValueError with a sentence.
    """
    hours: dict[int, Hours] = {}
    for weekday, intervals in document.items():
        if weekday not in {"0", "1", "2", "3", "4", "5", "6"}:
            raise ValueError(f"{weekday!r} is no weekday: use 0 (Monday) to 6 (Sunday)")
        parsed = tuple((parse_time(opening), parse_time(closing)) for opening, closing in intervals)
        if any(later[0] < earlier[1] or earlier[1] <= earlier[0] for earlier, later in pairwise(parsed)):
            raise ValueError(f"the hours of weekday {weekday} overlap or are not in order")
        if parsed:
            hours[int(weekday)] = parsed
    return hours


def parse_time(text: str) -> time:
    """Read HH:MM; 24:00 is midnight at the end of the day. Raises ValueError with a sentence."""
    if not _TIME.fullmatch(text):
        raise ValueError(f"{text!r} is no time of day: write HH:MM, as in 09:30")
    return MIDNIGHT if text == "24:00" else time.fromisoformat(text)


def read_week(text: str) -> dict[str, list[list[str]]]:
    """Turn "mo-fr 10:00-14:00,17:00-20:30; sa 10:00-22:00; su closed" into the document that `parse_hours` reads.

    Raises ValueError with a sentence.
    """
    document: dict[str, list[list[str]]] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        days, _, times = part.partition(" ")
        first, _, last = days.lower().partition("-")
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
            raise ValueError(f"{days!r} is no range of weekdays: write as in mo-fr")
        numbers = range(WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1)
        spans = [] if times.strip() == "closed" else [span.strip().split("-") for span in times.split(",")]
        if any(len(span) != 2 for span in spans):
            raise ValueError(f"{times!r} are no hours: write as in 10:00-14:00,17:00-20:30, or closed")
        document |= {str(number): spans for number in numbers if spans}
    parse_hours(document)
    return document


@cache
def public_holidays(country: str, region: str, year: int) -> frozenset[date]:
    """Return the public holidays of a region, or of its whole country where the region has none of its own."""
    try:
        found = holidays.country_holidays(country, subdiv=region or None, years=year)
    except NotImplementedError:
        try:
            found = holidays.country_holidays(country, years=year)
        except NotImplementedError:
            return frozenset()
    return frozenset(found)


@cache
def carrier_days(country: str, region: str, weekdays: Weekdays, year: int) -> NDArray[np.int64]:
    """Return the ordinals of the days on which a carrier delivers in a region: last, this and next year's.

    `weekdays` are those on which it drives (0 is Monday). It rests on the public holidays of the region, or of the
    whole country where `region` is empty or has none of its own. One array is kept for each set of arguments.
    """
    years = (year - 1, year, year + 1)
    closed = {day.toordinal() for each in years for day in public_holidays(country, region, each)}
    first, after = date(year - 1, 1, 1).toordinal(), date(year + 2, 1, 1).toordinal()
    # Ordinal 1 was a Monday.
    days = [ordinal for ordinal in range(first, after) if (ordinal - 1) % 7 in weekdays and ordinal not in closed]
    return np.array(days, dtype=np.int64)


@cache
def instants_of(time_zone: str, local: time, year: int) -> NDArray[np.int64]:
    """Return the instant, in seconds, of a local time on each date from 1 January of `year` - 1 on, 3 years.

    Midnight is the end of a date.
    """
    zone, first = ZoneInfo(time_zone), date(year - 1, 1, 1)
    count, late = (date(year + 2, 1, 1) - first).days, local == MIDNIGHT
    days = (first + timedelta(days=number + late) for number in range(count))
    return np.array([_seconds(_at(day, local, zone)) for day in days], dtype=np.int64)


def _at(on: date, local: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(on, local, tzinfo=zone).astimezone(UTC)


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())


def _minutes_open(intervals: Hours) -> int:
    spans = (closing.hour * 60 + closing.minute - opening.hour * 60 - opening.minute for opening, closing in intervals)
    return sum(minutes % (24 * 60) or 24 * 60 for minutes in spans)
