"""When carriers collect and deliver: their own cut-offs, and the weekdays on which they deliver.

Pure. Read through the snapshot by sourcing. Invariant: a cut-off is read on the clock of the node where it is; the
earlier of the node's and the carrier's binds.
"""

from __future__ import annotations

from datetime import time

import numpy as np
from numpy.typing import NDArray

from fulfillment.network.calendar import WEEKDAYS, Weekdays
from fulfillment.network.days import Days, instants_s

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
    year = days.base_on.year
    rows = zip(days.zones, days.ordinal, strict=True)
    collected = [instants_s(ordinals, zone, cut_off, year=year) for zone, ordinals in rows]
    return np.minimum(days.cut_off_s, np.reshape(collected, days.cut_off_s.shape))
