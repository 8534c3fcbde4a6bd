"""Reads the CSV files of the demo network into frozen rows.

The demo's own code calls it to draw stock and orders; whoever loads the network into the product takes the paths from
FILES. Its invariant: one field per column, in the columns' order, so that a file and its class cannot disagree.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import cache
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Any, TypeVar

FOLDER = Path(__file__).parent
FILES: dict[str, Path] = {
    name: FOLDER / f"{name}.csv" for name in ("nodes", "articles", "carriers", "postal_codes", "channels", "cities")
}
EARTH_RADIUS_KM = 6371.0

Row = TypeVar("Row")


@dataclass(frozen=True)
class Node:
    """A warehouse or store: where it is, what it offers, what its work costs and when it works."""

    id: str
    name: str
    kind: str
    time_zone: str
    country: str
    region: str
    city: str
    line1: str
    postal_code: str
    latitude: float
    longitude: float
    ships: bool
    collects: bool
    takes_returns: bool
    capacity_minutes: int
    package_cost: Decimal
    line_cost: Decimal
    unit_cost: Decimal
    currency: str
    package_minutes: int
    line_minutes: int
    pick_success: float
    opening_hours: str
    cut_off: str


@dataclass(frozen=True)
class Article:
    """What has a SKU: one size and colour of one model."""

    sku: str
    name: str
    gtin: str
    family: str
    size: str
    colour: str
    weight_g: int
    length_mm: int
    width_mm: int
    height_mm: int
    unit_cost: Decimal
    price: Decimal
    currency: str


@dataclass(frozen=True)
class Tariff:
    """What one carrier service asks for a package up to this distance and weight."""

    carrier: str
    carrier_name: str
    carrier_service: str
    service: str
    max_distance_km: int
    max_weight_g: int
    price: Decimal
    currency: str
    transit_days: int


@dataclass(frozen=True)
class PostalCode:
    """Where a postal code lies; a code shorter than its country's full length stands for all that begin with it."""

    country: str
    postal_code: str
    city: str
    region: str
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Channel:
    """Where orders come from, and whether its orders wait or are refused when stock is short."""

    id: str
    name: str
    kind: str
    currency: str
    shortage: str


@dataclass(frozen=True)
class City:
    """Where customers live: a town, or one district of a large city."""

    city: str
    country: str
    region: str
    postal_code: str
    population: int
    latitude: float
    longitude: float


@cache
def nodes() -> tuple[Node, ...]:
    """Return the 2 warehouses, then the 40 stores."""
    return _read("nodes", Node)


@cache
def articles() -> tuple[Article, ...]:
    """Return the 400 articles, family by family."""
    return _read("articles", Article)


@cache
def carriers() -> tuple[Tariff, ...]:
    """Return every band of every carrier service."""
    return _read("carriers", Tariff)


@cache
def postal_codes() -> tuple[PostalCode, ...]:
    """Return prefixes and full codes of Spain, then of Portugal."""
    return _read("postal_codes", PostalCode)


@cache
def channels() -> tuple[Channel, ...]:
    """Return the five channels."""
    return _read("channels", Channel)


@cache
def cities() -> tuple[City, ...]:
    """Return the places customers are drawn from."""
    return _read("cities", City)


def distance_km(here: Node | City, there: Node | City) -> float:
    """Return the great-circle distance between two places (haversine)."""
    north = radians(there.latitude - here.latitude)
    east = radians(there.longitude - here.longitude)
    chord = sin(north / 2) ** 2 + cos(radians(here.latitude)) * cos(radians(there.latitude)) * sin(east / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(chord))


_PARSERS: dict[Any, Callable[[str], Any]] = {
    str: str,
    int: int,
    float: float,
    Decimal: Decimal,
    bool: {"true": True, "false": False}.__getitem__,
}


def _read(name: str, row_type: type[Row]) -> tuple[Row, ...]:
    columns = fields(row_type)  # type: ignore[arg-type]
    with FILES[name].open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        header = next(lines)
        assert header == [column.name for column in columns], f"{FILES[name]}: the header is not that of {row_type}"
        return tuple(
            row_type(*(_PARSERS[column.type](cell) for column, cell in zip(columns, line, strict=True)))
            for line in lines
        )
