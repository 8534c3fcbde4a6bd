"""When carriers collect and deliver: their own cut-offs, and the weekdays on which they deliver.

Pure. Read through the snapshot by sourcing. Invariant: a cut-off is read on the clock of the node where it is; the
earlier of the node's and the carrier's binds.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from fulfillment.network.calendar import MIDNIGHT, WEEKDAYS, Weekdays
from fulfillment.network.days import NEVER, Days

Integers = NDArray[np.int64]


def parse_weekdays(text: str) -> Weekdays:
    """Read "mo-fr,su" as weekdays, 0 is Monday; nothing is none. Raises ValueError with a sentence."""
    found: set[int] = set()
    for part in filter(None, (part.strip().lower() for part in text.split(","))):
        first, _, last = part.partition("-")
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
            raise ValueError(f"{part!r} is no range of weekdays: write as in mo-fr,su")
        begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        found |= {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}
    return tuple(sorted(found))


def cut_offs(days: Days, cut_off: time) -> Integers:
    """Return until when N nodes work on a day's departures with a carrier that collects at `cut_off`, in seconds (N,D).

    A day on which the carrier comes before the node opens has one before its opening: nothing can be worked on for it.
    """
    first = date(days.base_on.year - 1, 1, 1).toordinal()
    collected = np.empty_like(days.ordinal)
    for row, zone in enumerate(days.zones):
        table = _collections(zone, days.base_on.year, cut_off)
        collected[row] = table[np.clip(days.ordinal[row] - first, 0, len(table) - 1)]
    return np.minimum(days.cut_off_s, np.where(days.ordinal == NEVER, NEVER, collected))


@cache
def _collections(time_zone: str, year: int, cut_off: time) -> Integers:
    """Return the instant, in seconds, of a local time on each date from 1 January of `year` - 1 on, 3 years.

    Midnight is the end of a date.
    """
    zone, first = ZoneInfo(time_zone), date(year - 1, 1, 1)
    count, late = (date(year + 2, 1, 1) - first).days, cut_off == MIDNIGHT
    days = (first + timedelta(days=number + late) for number in range(count))
    return np.array([int(datetime.combine(day, cut_off, tzinfo=zone).timestamp()) for day in days], dtype=np.int64)
