"""Zones: by which prices a carrier sorts pairs of origin and destination, found by country and postal prefix.

Built by `offers` for the nodes of a snapshot, read when a demand's ways are listed. Invariant: the longest prefix of
the destination wins, then that of the origin; an empty prefix is the whole country.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

NOT_SAID: Final = -1
NO_ZONE: Final = -2


class Area(NamedTuple):
    """Where something lies as carriers and calendars see it; `postal_code` is normalised."""

    country: str
    region: str
    postal_code: str
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class ZoneRule:
    """The zone of a pair of places; an empty origin country is any origin, an empty zone is none: distance decides."""

    origin_country: str
    origin_prefix: str
    destination_country: str
    destination_prefix: str
    zone: str


@dataclass(frozen=True, eq=False)
class Zones:
    """The rows of a tariff that apply from N nodes, by the country and postal prefix of the destination."""

    by_destination: Mapping[tuple[str, str], Integers]

    def rows(self, to: Area) -> Integers | None:
        """Return the tariff's row from each node (N), negative where there is no zone; None where none has one."""
        found: Integers | None = None
        for length in range(len(to.postal_code) + 1):
            said = self.by_destination.get((to.country, to.postal_code[:length]))
            if said is not None:
                found = said if found is None else np.where(said == NOT_SAID, found, said)
        return found


def lay_out(rules: Sequence[ZoneRule], origins: Sequence[Area], rows: Mapping[str, int]) -> Zones | None:
    """Work out zones from N origins; `rows` are those of the tariff by zone. None where there are no rules."""
    by_destination: defaultdict[tuple[str, str], list[ZoneRule]] = defaultdict(list)
    for rule in sorted(rules, key=lambda each: (each.origin_country, each.origin_prefix), reverse=True):
        by_destination[rule.destination_country, rule.destination_prefix].append(rule)
    if not rules:
        return None
    return Zones(
        {
            destination: np.array([_row(those, origin, rows) for origin in origins], dtype=np.int64)
            for destination, those in by_destination.items()
        }
    )


def _row(rules: Sequence[ZoneRule], origin: Area, rows: Mapping[str, int]) -> int:
    """Return the row of the first rule for an origin; of prefixes of one code, the longer come first."""
    for rule in rules:
        anywhere = not rule.origin_country
        if anywhere or (rule.origin_country == origin.country and origin.postal_code.startswith(rule.origin_prefix)):
            return rows.get(rule.zone, NO_ZONE)
    return NOT_SAID
