"""The open nodes around a place, the nearest first, with when each could have an order ready for collection.

Called by the doors for shoppers who look for stock. Invariant: nothing is promised here; a decision may still say no.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from fulfillment.network import snapshot
from fulfillment.network.calendar import Calendar
from fulfillment.network.geography import Location, distances_km

DAYS_AHEAD: Final = 14


@dataclass(frozen=True, kw_only=True)
class Nearby:
    """An open node; `distance_km` is None without a place, `ready_at` is None where nothing can be collected."""

    node: str
    name: str
    kind: str
    ships: bool
    collects: bool
    distance_km: float | None
    ready_at: datetime | None


def nodes(
    session: Session, place: Location, *, excluded: Collection[str] = (), lead_minutes: int, now: datetime
) -> list[Nearby]:
    """Return the open nodes by distance from `place`, or by id where it is not known.

    `lead_minutes` is how long a store needs until a collection is ready.
    """
    net = snapshot.load(session)
    distances = None
    if place.latitude is not None and place.longitude is not None:
        distances = distances_km(place.latitude, place.longitude, net.latitude, net.longitude)
    found = [
        Nearby(
            node=node, name=net.names[row], kind=net.kinds[row], ships=bool(net.ships[row]),
            collects=bool(net.collects[row]),
            distance_km=None if distances is None else round(float(distances[row]), 1),
            ready_at=ready_at(net.calendars[row], lead_minutes, now) if net.collects[row] else None,
        )
        for node, row in net.index.items()
        if net.is_open[row] and node not in excluded
    ]  # fmt: skip
    return sorted(found, key=lambda near: (near.distance_km or 0.0, near.node))


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
