"""The tables of the network: what nodes can do, when, at which cost, and what carriers ask.

Written by imports and planners, read by sourcing and planning through `network.snapshot`. Each change raises the
network's revision, by which cached copies are found out of date. Costs are in minor units of the network's currency.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import CheckConstraint, Float, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Code, Document, Name, database_now

NETWORK: Final = "network"
POLICIES: Final = "policies"
"""The sets of rows whose changes are counted, see `stock.revisions`."""


class NodeProfile(Base):
    """What a node does for orders: address, services, costs, capacity, hours and cut-off.

    `opening_hours` maps weekdays "0" (Monday) to "6" to a list of ["HH:MM", "HH:MM"]; absent means closed.
    """

    __tablename__ = "node_profile"
    __table_args__ = (
        CheckConstraint("pick_success > 0 AND pick_success <= 1", name="pick_success"),
        CheckConstraint("capacity_minutes >= 0", name="capacity"),
    )

    node: Mapped[Code] = mapped_column(ForeignKey("node.id"), primary_key=True)
    line1: Mapped[Name]
    city: Mapped[Name]
    region: Mapped[Code]
    postal_code: Mapped[Code]
    country: Mapped[Code]
    latitude: Mapped[float] = mapped_column(Float)
    longitude: Mapped[float] = mapped_column(Float)
    ships: Mapped[bool]
    collects: Mapped[bool]
    takes_returns: Mapped[bool]
    capacity_minutes: Mapped[int]
    package_cost_minor: Mapped[int]
    line_cost_minor: Mapped[int]
    unit_cost_minor: Mapped[int]
    package_minutes: Mapped[int]
    line_minutes: Mapped[int]
    pick_success: Mapped[float] = mapped_column(Float)
    opening_hours: Mapped[dict[str, Any]] = mapped_column(Document)
    cut_off: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)


class NodeDay(Base):
    """A day of work at a node: minutes claimed by fulfillment orders, and what a planner changed for that day.

    Claimed may exceed capacity when a planner lowers it; then nothing more is claimed, and nothing is taken away.
    """

    __tablename__ = "node_day"
    __table_args__ = (CheckConstraint("claimed_minutes >= 0", name="claimed"),)

    node: Mapped[Code] = mapped_column(ForeignKey("node.id"), primary_key=True)
    on_date: Mapped[date] = mapped_column(primary_key=True)
    capacity_minutes: Mapped[int | None]
    claimed_minutes: Mapped[int] = mapped_column(default=0)


class Closure(Base):
    """A date on which a node is closed beyond its weekly hours and public holidays, or open in spite of a holiday."""

    __tablename__ = "closure"

    node: Mapped[Code] = mapped_column(ForeignKey("node.id"), primary_key=True)
    on_date: Mapped[date] = mapped_column(primary_key=True)
    is_open: Mapped[bool] = mapped_column(default=False)


class CarrierService(Base):
    """What a carrier offers: `service` is what shoppers choose (standard, express)."""

    __tablename__ = "carrier_service"

    id: Mapped[Code] = mapped_column(primary_key=True)
    carrier: Mapped[Code]
    carrier_name: Mapped[Name]
    service: Mapped[Code]
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)


class Tariff(Base):
    """The price of a package up to a distance and a weight, and the working days it travels."""

    __tablename__ = "tariff"
    __table_args__ = (CheckConstraint("price_minor >= 0 AND transit_days >= 0", name="counters"),)

    carrier_service: Mapped[Code] = mapped_column(ForeignKey("carrier_service.id"), primary_key=True)
    max_distance_km: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    max_weight_g: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    price_minor: Mapped[int]
    transit_days: Mapped[int]


class PostalCode(Base):
    """Where a postal code lies; a code shorter than its country's full length stands for all that begin with it."""

    __tablename__ = "postal_code"

    country: Mapped[Code] = mapped_column(primary_key=True)
    postal_code: Mapped[Code] = mapped_column(primary_key=True)
    city: Mapped[Name]
    region: Mapped[Code]
    latitude: Mapped[float] = mapped_column(Float)
    longitude: Mapped[float] = mapped_column(Float)


class Policy(Base):
    """Weights and limits of sourcing, versioned: exactly one version of a policy is active."""

    __tablename__ = "policy"

    id: Mapped[Code] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[Code]
    settings: Mapped[dict[str, Any]] = mapped_column(Document)
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())
