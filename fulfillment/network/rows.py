"""The rows of the network as they are given, and what makes one impossible, by place, field and reason.

Pure; called by the catalog before it writes. Invariant: all faults of all rows are found, each with the pointer
/row/field.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fulfillment.network.calendar import parse_hours, parse_time
from kernel.errors import Fault

OpeningHours = dict[str, list[list[str]]]
MOST: Final = 10**9
_COUNTERS: Final = (
    "capacity_minutes", "package_cost_minor", "line_cost_minor", "unit_cost_minor", "package_minutes", "line_minutes",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What a node does for orders; see NodeProfile. Costs in minor units, capacity and work in minutes."""

    node: str
    line1: str
    city: str
    region: str
    postal_code: str
    country: str
    latitude: float
    longitude: float
    ships: bool
    collects: bool
    takes_returns: bool
    capacity_minutes: int
    package_cost_minor: int
    line_cost_minor: int
    unit_cost_minor: int
    package_minutes: int
    line_minutes: int
    pick_success: float
    opening_hours: OpeningHours
    cut_off: str


@dataclass(frozen=True, kw_only=True)
class CarrierName:
    """A carrier service as tariffs name it: `service` is what shoppers choose. What else is known of it stays."""

    id: str
    carrier: str
    carrier_name: str
    service: str


@dataclass(frozen=True, kw_only=True)
class Carrier(CarrierName):
    """A carrier service with when it collects and delivers, and what it takes; see CarrierService."""

    delivers_on: str = ""
    cut_off: str | None = None
    dimensional_divisor: int | None = None
    max_parcel_g: int | None = None
    max_length_mm: int | None = None
    max_girth_mm: int | None = None
    active: bool = True


@dataclass(frozen=True, kw_only=True)
class TariffBand:
    """The price of a package up to a distance, or in a zone (then 0), and a weight, and the working days it travels."""

    carrier_service: str
    max_distance_km: int
    max_weight_g: int
    price_minor: int
    transit_days: int
    zone: str = ""
    max_volume_cm3: int = 0
    further_kg_minor: int | None = None


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a postal code, or all that begin with it, lies."""

    country: str
    postal_code: str
    city: str
    region: str
    latitude: float
    longitude: float


def faults_of_profiles(rows: Sequence[Profile], known: Collection[str]) -> list[Fault]:
    """Find what is wrong with profiles; `known` are the nodes there are."""
    return [fault for number, row in enumerate(rows) for fault in _profile(f"/{number}", row, known)]


def faults_of_codes(rows: Sequence[Place]) -> list[Fault]:
    """Find what is wrong with postal codes."""
    faults: list[Fault] = []
    for number, row in enumerate(rows):
        where = f"/{number}"
        faults += check_country(where, row.country)
        if not row.postal_code.strip():
            faults.append(Fault(f"{where}/postal_code", "required", "postal_code must not be empty"))
        faults += _coordinates(where, row)
    return faults


def check_hours(where: str, opening_hours: Any, cut_off: str) -> list[Fault]:
    """Find what is wrong with opening hours and a cut-off."""
    faults: list[Fault] = []
    try:
        parse_hours(opening_hours)
    except (ValueError, TypeError, AttributeError) as error:
        faults.append(Fault(f"{where}/opening_hours", "invalid", str(error)))
    try:
        parse_time(cut_off)
    except ValueError as error:
        faults.append(Fault(f"{where}/cut_off", "invalid", str(error)))
    return faults


def _profile(where: str, row: Profile, known: Collection[str]) -> Iterator[Fault]:
    if row.node not in known:
        yield Fault(f"{where}/node", "unknown", f"there is no node {row.node}: import nodes first")
    yield from check_country(where, row.country)
    yield from _coordinates(where, row)
    yield from outside(where, row, _COUNTERS, 0, MOST)
    if not 0 < row.pick_success <= 1:
        yield Fault(f"{where}/pick_success", "invalid", "pick_success must be above 0 and at most 1")
    yield from check_hours(where, row.opening_hours, row.cut_off)


def check_country(where: str, country: str) -> Iterator[Fault]:
    """Find what is wrong with a country's code; `where` points at the row."""
    if not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
        yield Fault(f"{where}/country", "invalid", f"{country!r} is no ISO 3166-1 code such as ES")


def _coordinates(where: str, row: Profile | Place) -> Iterator[Fault]:
    if not -90 <= row.latitude <= 90:
        yield Fault(f"{where}/latitude", "invalid", "latitude must lie between -90 and 90")
    if not -180 <= row.longitude <= 180:
        yield Fault(f"{where}/longitude", "invalid", "longitude must lie between -180 and 180")


def outside(where: str, row: Any, names: Iterable[str], least: int, most: int) -> Iterator[Fault]:
    """Find the numbers of a row that lie outside a range; None is no number."""
    for name in names:
        number = getattr(row, name)
        if number is not None and not least <= number <= most:
            yield Fault(f"{where}/{name}", "invalid", f"{name} must lie between {least} and {most}")
