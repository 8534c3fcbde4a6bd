"""What planners see of the network: profiles, the work of a day, carriers, what they ask, and boxes.

Called by pages above; reads and writes nothing. Invariant: a node's day is the date on its own clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.network import held_minutes, snapshot
from fulfillment.network.calendar import Calendar
from fulfillment.network.models import (
    CarrierService,
    CarrierSurcharge,
    CarrierZone,
    NodeBox,
    NodeDay,
    NodeProfile,
    Tariff,
)
from kernel.errors import NotFound


@dataclass(frozen=True)
class WorkDay:
    """The minutes of a node on one date. `usual_minutes` is what the profile gives; a planner may have set another.

    `held_minutes` are those of the claimed ones that are held for promises.
    """

    on_date: date
    usual_minutes: int
    set_minutes: int | None = None
    claimed_minutes: int = 0
    held_minutes: int = 0
    closed: bool = False

    @property
    def capacity_minutes(self) -> int:
        """Minutes that may be claimed on this date."""
        return self.usual_minutes if self.set_minutes is None else self.set_minutes

    @property
    def stopped(self) -> bool:
        """Whether a planner took all work from this date."""
        return self.set_minutes == 0

    @property
    def load(self) -> float:
        """Claimed minutes as a share of capacity; a day without capacity is full once anything is claimed."""
        if self.capacity_minutes:
            return self.claimed_minutes / self.capacity_minutes
        return 1.0 if self.claimed_minutes else 0.0


def profiles(session: Session) -> dict[str, NodeProfile]:
    """Return the profile of every node that has one."""
    return {profile.node: profile for profile in session.scalars(select(NodeProfile))}


def today(session: Session, *, now: datetime) -> dict[str, WorkDay]:
    """Return the present day of each node that has a profile."""
    network = snapshot.load(session)
    dates = {
        node: now.astimezone(ZoneInfo(network.calendars[row].time_zone)).date() for node, row in network.index.items()
    }
    rows = session.scalars(select(NodeDay).where(NodeDay.on_date.in_(set(dates.values()))))
    changed = {row.node: row for row in rows if dates.get(row.node) == row.on_date}
    return {
        node: _work_day(profile, network.calendars[network.index[node]], dates[node], changed.get(node))
        for node, profile in profiles(session).items()
        if node in dates
    }


def days(session: Session, node: str, count: int, *, now: datetime) -> list[WorkDay]:
    """Return `count` dates of a node from its today on. Raises NotFound when the node has no profile."""
    profile = profile_of(session, node)
    network = snapshot.load(session)
    calendar = network.calendars[network.index[node]]
    first = now.astimezone(ZoneInfo(calendar.time_zone)).date()
    dates = [first + timedelta(days=number) for number in range(count)]
    rows = session.scalars(select(NodeDay).where(NodeDay.node == node, NodeDay.on_date.in_(dates)))
    changed = {row.on_date: row for row in rows}
    held = held_minutes.by_day(session, node, dates)
    shown = (_work_day(profile, calendar, on_date, changed.get(on_date)) for on_date in dates)
    return [replace(day, held_minutes=held.get(day.on_date, 0)) for day in shown]


def profile_of(session: Session, node: str) -> NodeProfile:
    """Return the profile of a node. Raises NotFound."""
    profile = session.get(NodeProfile, node)
    if profile is None:
        raise NotFound(f"There is no node {node!r} with a profile; import it first.")
    return profile


def carrier_services(session: Session) -> list[CarrierService]:
    """Return what carriers offer, by carrier."""
    return list(session.scalars(select(CarrierService).order_by(CarrierService.carrier_name, CarrierService.id)))


def carrier_service(session: Session, service_id: str) -> CarrierService:
    """Return one service of a carrier. Raises NotFound."""
    service = session.get(CarrierService, service_id)
    if service is None:
        raise NotFound(f"There is no carrier service {service_id!r}.")
    return service


def tariffs(session: Session, service_id: str) -> list[Tariff]:
    """Return the bands of a service: by distance, then by zone, the near and light first."""
    bands = select(Tariff).where(Tariff.carrier_service == service_id)
    return list(
        session.scalars(bands.order_by(Tariff.zone, Tariff.max_distance_km, Tariff.max_weight_g, Tariff.max_volume_cm3))
    )


def zones(session: Session, service_id: str) -> list[CarrierZone]:
    """Return in which zone a service sees which places, by destination and origin."""
    places = (CarrierZone.destination_country, CarrierZone.destination_prefix)
    origins = (CarrierZone.origin_country, CarrierZone.origin_prefix)
    found = select(CarrierZone).where(CarrierZone.carrier_service == service_id).order_by(*places, *origins)
    return list(session.scalars(found))


def surcharges(session: Session, service_id: str) -> list[CarrierSurcharge]:
    """Return what a service asks beyond its prices, by code."""
    found = select(CarrierSurcharge).where(CarrierSurcharge.carrier_service == service_id)
    return list(session.scalars(found.order_by(CarrierSurcharge.code)))


def boxes(session: Session) -> list[NodeBox]:
    """Return all boxes: those of every node, then the own ones of nodes, small before large."""
    found = session.scalars(select(NodeBox))
    return sorted(found, key=lambda box: (box.node or "", box.length_mm * box.width_mm * box.height_mm, box.id))


def _work_day(profile: NodeProfile, calendar: Calendar, on_date: date, row: NodeDay | None) -> WorkDay:
    # A day without hours has no work of its own; a planner's figure for the date still holds.
    works = calendar.works_on(on_date)
    usual = profile.capacity_minutes if works else 0
    if row is None:
        return WorkDay(on_date, usual, closed=not works)
    return WorkDay(on_date, usual, row.capacity_minutes, row.claimed_minutes, closed=not works)
