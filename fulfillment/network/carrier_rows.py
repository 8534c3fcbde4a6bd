"""The rows of carriers and boxes as they are given, and what makes one impossible, by place, field and reason.

Pure; called by the catalog before it writes. Invariant: all faults of all rows are found, each with the pointer
/row/field.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from fulfillment.network.calendar import parse_time
from fulfillment.network.rows import MOST, Carrier, CarrierName, TariffBand, check_country, outside
from fulfillment.network.surcharges import WHOLE_BP
from fulfillment.network.transit import parse_weekdays
from kernel.errors import Fault

_LIMITS: Final = ("dimensional_divisor", "max_parcel_g", "max_length_mm", "max_girth_mm")
_AMOUNTS: Final = ("percent_bp", "package_minor", "kg_minor")


@dataclass(frozen=True, kw_only=True)
class Zone:
    """The zone of a pair of places for one carrier service; see CarrierZone."""

    carrier_service: str
    destination_country: str
    destination_prefix: str = ""
    origin_country: str = ""
    origin_prefix: str = ""
    zone: str = ""


@dataclass(frozen=True, kw_only=True)
class SurchargeRow:
    """What a carrier service asks beyond its prices, and when; see CarrierSurcharge. Amounts in minor units."""

    carrier_service: str
    code: str
    name: str
    percent_bp: int = 0
    package_minor: int = 0
    kg_minor: int = 0
    country: str = ""
    prefixes: str = ""
    over_length_mm: int | None = None
    over_weight_g: int | None = None
    delivered_on: str = ""
    from_on: date | None = None
    until_on: date | None = None
    active: bool = True


@dataclass(frozen=True, kw_only=True)
class BoxRow:
    """A box of a node, or of all that have none; sides inside in millimetres, cost in minor units."""

    id: str
    name: str
    length_mm: int
    width_mm: int
    height_mm: int
    max_weight_g: int
    tare_g: int = 0
    cost_minor: int = 0
    node: str | None = None
    active: bool = True


def faults_of_carriers(rows: Sequence[CarrierName]) -> list[Fault]:
    """Find what is wrong with carrier services."""
    faults: list[Fault] = []
    for number, row in enumerate(rows):
        where = f"/{number}"
        faults += _empty(where, row, ("id", "carrier", "carrier_name", "service"))
        if isinstance(row, Carrier):
            faults += outside(where, row, _LIMITS, 1, MOST)
            faults += _unread(where, "delivers_on", row.delivers_on, parse_weekdays)
            if row.cut_off is not None:
                faults += _unread(where, "cut_off", row.cut_off, _time_of_day)
    return faults


def faults_of_tariffs(rows: Sequence[TariffBand], known: Collection[str]) -> list[Fault]:
    """Find what is wrong with tariffs; `known` are the carrier services there are."""
    faults: list[Fault] = []
    for number, row in enumerate(rows):
        where = f"/{number}"
        faults += _unknown_service(where, row, known)
        faults += outside(where, row, ("max_weight_g",), 1, MOST)
        faults += outside(where, row, ("price_minor", "transit_days", "max_volume_cm3", "further_kg_minor"), 0, MOST)
        if not row.zone:
            faults += outside(where, row, ("max_distance_km",), 1, MOST)
        elif row.max_distance_km:
            message = "a band of a zone has no distance: leave max_distance_km out"
            faults.append(Fault(f"{where}/max_distance_km", "invalid", message))
    return faults


def faults_of_zones(rows: Sequence[Zone], known: Collection[str]) -> list[Fault]:
    """Find what is wrong with zones; `known` are the carrier services there are."""
    faults: list[Fault] = []
    for number, row in enumerate(rows):
        where = f"/{number}"
        faults += _unknown_service(where, row, known)
        faults += _country_at(where, "destination_country", row.destination_country)
        if row.origin_country:
            faults += _country_at(where, "origin_country", row.origin_country)
        elif row.origin_prefix:
            faults.append(Fault(f"{where}/origin_country", "required", "a prefix belongs to a country"))
    return faults


def faults_of_surcharges(rows: Sequence[SurchargeRow], known: Collection[str]) -> list[Fault]:
    """Find what is wrong with surcharges; `known` are the carrier services there are."""
    faults: list[Fault] = []
    for number, row in enumerate(rows):
        where = f"/{number}"
        faults += _unknown_service(where, row, known)
        faults += _empty(where, row, ("code", "name"))
        faults += outside(where, row, ("percent_bp",), 0, 10 * WHOLE_BP)
        faults += outside(where, row, ("package_minor", "kg_minor", "over_length_mm", "over_weight_g"), 0, MOST)
        if not any(getattr(row, name) for name in _AMOUNTS):
            faults.append(Fault(f"{where}/percent", "required", "give a percentage, or an amount by package or kg"))
        if row.country:
            faults += _country_at(where, "country", row.country)
        elif row.prefixes:
            faults.append(Fault(f"{where}/country", "required", "a prefix belongs to a country"))
        faults += _unread(where, "delivered_on", row.delivered_on, parse_weekdays)
        if row.from_on is not None and row.until_on is not None and row.until_on < row.from_on:
            faults.append(Fault(f"{where}/until_on", "invalid", "until_on must not lie before from_on"))
    return faults


def faults_of_boxes(rows: Sequence[BoxRow], known: Collection[str]) -> list[Fault]:
    """Find what is wrong with boxes; `known` are the nodes there are."""
    faults: list[Fault] = []
    for number, row in enumerate(rows):
        where = f"/{number}"
        faults += _empty(where, row, ("id", "name"))
        faults += outside(where, row, ("length_mm", "width_mm", "height_mm"), 1, 100_000)
        faults += outside(where, row, ("max_weight_g",), 1, MOST)
        faults += outside(where, row, ("tare_g", "cost_minor"), 0, MOST)
        if row.node is not None and row.node not in known:
            faults.append(Fault(f"{where}/node", "unknown", f"there is no node {row.node}"))
    return faults


def _unknown_service(where: str, row: TariffBand | Zone | SurchargeRow, known: Collection[str]) -> Iterator[Fault]:
    if row.carrier_service not in known:
        message = f"there is no carrier service {row.carrier_service}"
        yield Fault(f"{where}/carrier_service", "unknown", message)


def _empty(where: str, row: Any, names: Sequence[str]) -> Iterator[Fault]:
    for name in names:
        if not getattr(row, name).strip():
            yield Fault(f"{where}/{name}", "required", f"{name} must not be empty")


def _country_at(where: str, name: str, country: str) -> Iterator[Fault]:
    for fault in check_country(where, country):
        yield Fault(f"{where}/{name}", fault.code, fault.message)


def _unread(where: str, name: str, text: str, parse: Callable[[str], object]) -> Iterator[Fault]:
    try:
        parse(text)
    except ValueError as error:
        yield Fault(f"{where}/{name}", "invalid", str(error))


def _time_of_day(text: str) -> object:
    if text == "24:00":
        raise ValueError("nobody collects at the end of a day that has begun: write 23:59")
    return parse_time(text)
