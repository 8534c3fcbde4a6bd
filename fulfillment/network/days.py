"""The working days of all nodes as arrays, so that a decision reads them without a loop.

Built by the snapshot once for each date; read by sourcing and planning. Invariant: row n, column d is the d-th working
day of node n from the day before `base_on`; columns past the end hold NEVER.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from fulfillment.network.calendar import DELIVERY_ENDS, MONDAY_TO_FRIDAY, Calendar, Weekdays, carrier_days, instants_of

Integers = NDArray[np.int64]

SPAN_DAYS: Final = 60
"""How many dates are looked at; a promise never lies further ahead."""
NEVER: Final = 1 << 40
"""An instant or an ordinal that does not come."""


@dataclass(frozen=True, eq=False)
class Days:
    """Working days of N nodes: dates as ordinals, instants in whole seconds since 1970.

    ordinal, opens_s, cut_off_s, closes_s   N,D
    """

    base_on: date
    zones: tuple[str, ...]
    ordinal: Integers
    opens_s: Integers
    cut_off_s: Integers
    closes_s: Integers


def lay_out(calendars: Sequence[Calendar], base_on: date) -> Days:
    """Work out the next working days of every node, from the day before `base_on`."""
    shape = (len(calendars), SPAN_DAYS + 1)
    ordinal, opens, cut_off, closes = (np.full(shape, NEVER, dtype=np.int64) for _ in range(4))
    for row, calendar in enumerate(calendars):
        dates = (base_on + timedelta(days=step) for step in range(-1, SPAN_DAYS))
        for column, day in enumerate(calendar.work_day(on) for on in dates if calendar.works_on(on)):
            ordinal[row, column] = day.on.toordinal()
            opens[row, column] = day.opens_at.timestamp()
            cut_off[row, column] = day.cut_off_at.timestamp()
            closes[row, column] = day.closes_at.timestamp()
    return Days(base_on, tuple(calendar.time_zone for calendar in calendars), ordinal, opens, cut_off, closes)


def following(ends_s: Integers, from_s: int, count: int) -> Integers:
    """Return, for each row, the columns of the first `count` days that end (by `ends_s`) at `from_s` or later."""
    first = (ends_s < from_s).sum(axis=1)
    columns: Integers = np.minimum(first[:, None] + np.arange(count), ends_s.shape[1] - 1)
    return columns


def arrival_days(
    departs: Integers,
    transit_days: Integers,
    *,
    country: str,
    year: int,
    region: str = "",
    weekdays: Weekdays = MONDAY_TO_FRIDAY,
) -> Integers:
    """Return the ordinals on which packages arrive that leave on `departs` and travel so many delivery days.

    Country and region are those of the destination; delivery days are those of `carrier_days`. What travels no day
    arrives on the day it leaves, or on the next delivery day if that is none; without delivery days it never does.
    """
    calendar = carrier_days(country, region, weekdays, year)
    if not len(calendar):
        return np.full(np.broadcast_shapes(departs.shape, transit_days.shape), NEVER, dtype=np.int64)
    place = np.searchsorted(calendar, departs, side="right") + transit_days - 1
    at_once = np.searchsorted(calendar, departs, side="left")
    arrives = calendar[np.clip(np.where(transit_days == 0, at_once, place), 0, len(calendar) - 1)]
    return np.where(departs == NEVER, NEVER, arrives)


def instants_s(ordinals: Integers, zone: str, local: time, *, year: int) -> Integers:
    """Return the instants of a local time, in seconds, on dates of last, this and next year; midnight ends a date."""
    table = instants_of(zone, local, year)
    place = ordinals - date(year - 1, 1, 1).toordinal()
    known = table[np.clip(place, 0, len(table) - 1)]
    return np.where(ordinals == NEVER, NEVER, known)


def due_s(placed_at: datetime, days: int, *, country: str, zone: str, region: str = "") -> int:
    """Return the end of deliveries on the n-th delivery day after `placed_at`, by the clock of `zone`, in seconds."""
    placed_on = placed_at.astimezone(ZoneInfo(zone)).date()
    leaves, travels = np.array([placed_on.toordinal()]), np.array([max(1, days)])
    arrives = arrival_days(leaves, travels, country=country, region=region, year=placed_on.year)
    return int(instants_s(arrives, zone, DELIVERY_ENDS, year=placed_on.year)[0])
