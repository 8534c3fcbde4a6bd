"""The open nodes around a place, the nearest first, with when each could have an order ready for collection.

Called by the doors for shoppers who look for stock, and by sourcing for stores that might serve instead. Invariant:
nothing is promised here; a decision may still say no.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy.orm import Session

from fulfillment.network import snapshot
from fulfillment.network.calendar import Calendar
from fulfillment.network.geography import Location, distances_km
from fulfillment.network.snapshot import Snapshot

DAYS_AHEAD: Final = 14
STORES: Final = 5
"""Stores that are looked at where it is not said how many."""


@dataclass(frozen=True, kw_only=True)
class Store:
    """An open node that may hand over orders; `distance_km` is None without a place."""

    node: str
    name: str
    distance_km: float | None


@dataclass(frozen=True, kw_only=True)
class Nearby(Store):
    """An open node; `ready_at` is None where nothing can be collected."""

    kind: str
    ships: bool
    collects: bool
    ready_at: datetime | None


def nodes(
    session: Session, place: Location, *, excluded: Collection[str] = (), lead_minutes: int, now: datetime
) -> list[Nearby]:
    """Return the open nodes by distance from `place`, or by id where it is not known.

    `lead_minutes` is how long a store needs until a collection is ready.
    """
    net = snapshot.load(session)
    return [
        Nearby(
            node=net.nodes[row], name=net.names[row], distance_km=distance, kind=net.kinds[row],
            ships=bool(net.ships[row]), collects=bool(net.collects[row]),
            ready_at=ready_at(net.calendars[row], lead_minutes, now) if net.collects[row] else None,
        )
        for row, distance in _around(net, place)
        if net.nodes[row] not in excluded
    ]  # fmt: skip


def stores(session: Session, place: Location, count: int, *, but: str | None = None) -> list[Store]:
    """Return up to `count` open nodes that hand over orders, the nearest to `place` first, without one of them."""
    net = snapshot.load(session)
    found = (
        Store(node=net.nodes[row], name=net.names[row], distance_km=distance)
        for row, distance in _around(net, place)
        if net.collects[row] and net.nodes[row] != but
    )
    return list(islice(found, count))


def place_of(session: Session, node: str) -> Location:
    """Return where a node is."""
    net = snapshot.load(session)
    row = net.index[node]
    return Location(float(net.latitude[row]), float(net.longitude[row]), "order")


def _around(net: Snapshot, place: Location) -> list[tuple[int, float | None]]:
    """Return the rows of the open nodes, the nearest first, each with its distance in km where `place` is known."""
    rows = np.flatnonzero(net.is_open).tolist()
    if place.latitude is None or place.longitude is None:
        return [(row, None) for row in sorted(rows, key=lambda row: net.nodes[row])]
    distances = distances_km(place.latitude, place.longitude, net.latitude, net.longitude)
    nearest = sorted(rows, key=lambda row: (distances[row], net.nodes[row]))
    return [(row, round(float(distances[row]), 1)) for row in nearest]


def ready_at(calendar: Calendar, lead_minutes: int, now: datetime) -> datetime | None:
    """Return when work begun at the next moment the node is open would be done before it closes.

    After midnight a node may still be open that opened the evening before.
    """
    lead, today = timedelta(minutes=lead_minutes), now.astimezone(ZoneInfo(calendar.time_zone)).date()
    for day in (today + timedelta(days=number) for number in range(-1, DAYS_AHEAD)):
        if not calendar.works_on(day):
            continue
        hours = calendar.work_day(day)
        ready = hours.done_at(max(now, hours.opens_at), lead)
        if ready <= hours.closes_at:
            return ready
    return None
