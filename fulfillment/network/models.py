"""The tables of the network: what nodes can do, when, at which cost, and what carriers ask.

Written by imports and planners, read by sourcing and planning through `network.snapshot`. Each change raises the
network's revision, by which cached copies are found out of date. Costs are in minor units of the network's currency.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, text
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
    """A day of work at a node: minutes claimed by orders and for holds, and what a planner changed for that day.

    Claimed may exceed capacity when a planner lowers it; then nothing more is claimed, and nothing is taken away.
    """

    __tablename__ = "node_day"
    __table_args__ = (CheckConstraint("claimed_minutes >= 0", name="claimed"),)

    node: Mapped[Code] = mapped_column(ForeignKey("node.id"), primary_key=True)
    on_date: Mapped[date] = mapped_column(primary_key=True)
    capacity_minutes: Mapped[int | None]
    claimed_minutes: Mapped[int] = mapped_column(default=0)


class HeldMinutes(Base):
    """Minutes of a node's day that are claimed for a reference, for as long as units are held for it."""

    __tablename__ = "held_minutes"
    __table_args__ = (CheckConstraint("minutes > 0", name="minutes_positive"),)

    reference: Mapped[Code] = mapped_column(primary_key=True)
    node: Mapped[Code] = mapped_column(ForeignKey("node.id"), primary_key=True)
    on_date: Mapped[date] = mapped_column(primary_key=True)
    minutes: Mapped[int]


class Closure(Base):
    """A date on which a node is closed beyond its weekly hours and public holidays, or open in spite of a holiday."""

    __tablename__ = "closure"

    node: Mapped[Code] = mapped_column(ForeignKey("node.id"), primary_key=True)
    on_date: Mapped[date] = mapped_column(primary_key=True)
    is_open: Mapped[bool] = mapped_column(default=False)


class CarrierService(Base):
    """What a carrier offers: `service` is what shoppers choose (standard, express).

    `delivers_on` are weekdays such as "mo-sa", empty for Monday to Friday; `cut_off` is when it collects ("HH:MM" on
    the node's clock), None where the node's own binds; `dimensional_divisor` is in cubic centimetres a kilogram, None
    where only weight is billed; the others limit one parcel. `max_girth_mm` is the longest side and the way around it.
    """

    __tablename__ = "carrier_service"

    id: Mapped[Code] = mapped_column(primary_key=True)
    carrier: Mapped[Code]
    carrier_name: Mapped[Name]
    service: Mapped[Code]
    active: Mapped[bool] = mapped_column(default=True)
    delivers_on: Mapped[Code] = mapped_column(default="", server_default="")
    cut_off: Mapped[str | None]
    dimensional_divisor: Mapped[int | None]
    max_parcel_g: Mapped[int | None]
    max_length_mm: Mapped[int | None]
    max_girth_mm: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)


class Tariff(Base):
    """The price of a package up to a distance, or in a zone, and up to a weight, and the working days it travels.

    A band of a zone has no distance (0). `max_volume_cm3` 0 is any volume. `further_kg_minor` is what each kilogram
    above the heaviest band costs; None where what is heavier goes as several packages.
    """

    __tablename__ = "tariff"
    __table_args__ = (CheckConstraint("price_minor >= 0 AND transit_days >= 0", name="counters"),)

    carrier_service: Mapped[Code] = mapped_column(ForeignKey("carrier_service.id"), primary_key=True)
    max_distance_km: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    max_weight_g: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    zone: Mapped[Code] = mapped_column(primary_key=True, default="", server_default="")
    max_volume_cm3: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=0, server_default="0")
    price_minor: Mapped[int]
    transit_days: Mapped[int]
    further_kg_minor: Mapped[int | None]


class CarrierZone(Base):
    """The zone in which a carrier's service sees a pair of places; the longest prefixes win, see `network.zones`.

    An empty prefix is the whole country, an empty origin country anywhere; an empty zone sends back to distances.
    """

    __tablename__ = "carrier_zone"

    carrier_service: Mapped[Code] = mapped_column(ForeignKey("carrier_service.id"), primary_key=True)
    destination_country: Mapped[Code] = mapped_column(primary_key=True)
    destination_prefix: Mapped[Code] = mapped_column(primary_key=True)
    origin_country: Mapped[Code] = mapped_column(primary_key=True)
    origin_prefix: Mapped[Code] = mapped_column(primary_key=True)
    zone: Mapped[Code]


class CarrierSurcharge(Base):
    """What a carrier's service asks beyond its prices, and the conditions for it, see `network.surcharges`.

    `prefixes` are postal prefixes with spaces between them, `delivered_on` weekdays such as "sa-su".
    """

    __tablename__ = "carrier_surcharge"
    __table_args__ = (CheckConstraint("percent_bp >= 0 AND package_minor >= 0 AND kg_minor >= 0", name="amounts"),)

    carrier_service: Mapped[Code] = mapped_column(ForeignKey("carrier_service.id"), primary_key=True)
    code: Mapped[Code] = mapped_column(primary_key=True)
    name: Mapped[Name]
    percent_bp: Mapped[int]
    package_minor: Mapped[int]
    kg_minor: Mapped[int]
    country: Mapped[Code]
    prefixes: Mapped[str]
    over_length_mm: Mapped[int | None]
    over_weight_g: Mapped[int | None]
    delivered_on: Mapped[Code]
    from_on: Mapped[date | None]
    until_on: Mapped[date | None]
    active: Mapped[bool]


class NodeBox(Base):
    """A box that a node packs in, or, without a node, every node that has none of its own; sides are inside."""

    __tablename__ = "box"
    __table_args__ = (
        CheckConstraint("length_mm > 0 AND width_mm > 0 AND height_mm > 0 AND max_weight_g > 0", name="measures"),
        CheckConstraint("tare_g >= 0 AND cost_minor >= 0", name="counters"),
    )

    id: Mapped[Code] = mapped_column(primary_key=True)
    node: Mapped[Code | None] = mapped_column(ForeignKey("node.id"))
    name: Mapped[Name]
    length_mm: Mapped[int]
    width_mm: Mapped[int]
    height_mm: Mapped[int]
    tare_g: Mapped[int]
    max_weight_g: Mapped[int]
    cost_minor: Mapped[int]
    active: Mapped[bool]


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
    """Rules and weights of sourcing, versioned: at most one version of a policy is active.

    `revision` rises with each change of the row. A draft with `shadow_after` runs beside the active version: decisions
    up to that id are compared.
    """

    __tablename__ = "policy"
    __table_args__ = (
        Index(
            "ix_policy_active", "id", unique=True,
            postgresql_where=text("status = 'active'"), sqlite_where=text("status = 'active'"),
        ),
    )  # fmt: skip

    id: Mapped[Code] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[Code]
    settings: Mapped[dict[str, Any]] = mapped_column(Document)
    note: Mapped[Name] = mapped_column(default="", server_default="")
    author: Mapped[Code] = mapped_column(default="", server_default="")
    revision: Mapped[int] = mapped_column(default=1, server_default="1")
    activated_at: Mapped[datetime | None]
    shadow_after: Mapped[str | None]
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())
