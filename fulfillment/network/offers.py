"""What carriers offer, as sourcing reads it: prices, zones, surcharges, cut-offs, weekdays and limits of each service.

Read from the rows by `snapshot`, kept and dropped with it. Invariant: a service without prices is not offered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from fulfillment.network import tariffs as carrier_tariffs
from fulfillment.network import zones
from fulfillment.network.calendar import MONDAY_TO_FRIDAY, Weekdays, parse_time
from fulfillment.network.models import CarrierService, CarrierSurcharge, CarrierZone, Tariff
from fulfillment.network.surcharges import Surcharge
from fulfillment.network.tariffs import Band, Tariffs
from fulfillment.network.transit import parse_weekdays
from fulfillment.network.zones import Area, ZoneRule, Zones

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Limits(NamedTuple):
    """What a carrier takes, None is anything: a parcel's grams, its longest side, and that with the girth around it."""

    parcel_g: int | None = None
    length_mm: int | None = None
    girth_mm: int | None = None


ANYTHING: Final = Limits()


@dataclass(frozen=True, eq=False)
class CarrierOffer:
    """What a carrier asks for one service, and when it collects and delivers.

    `cut_off` None is the node's; `dimensional_divisor` is in cubic centimetres
    a kilogram, None where only weight counts.
    """

    id: str
    carrier_name: str
    service: str
    tariffs: Tariffs
    zones: Zones | None = None
    surcharges: tuple[Surcharge, ...] = ()
    delivers_on: Weekdays = MONDAY_TO_FRIDAY
    cut_off: time | None = None
    dimensional_divisor: int | None = None
    limits: Limits = ANYTHING

    @property
    def measured(self) -> bool:
        """Whether more counts than the weight of an order: volume, size, surcharges."""
        sized = self.dimensional_divisor is not None or self.tariffs.by_volume
        return self.limits != ANYTHING or bool(self.surcharges) or sized

    def reach(self, distance_km: NDArray[np.float64], to: Area) -> tuple[Integers, Flags]:
        """Return the row of the tariff from each node (N), by zone or else by distance, and whether there is one."""
        band, reaches = self.tariffs.reach(distance_km)
        zone = None if self.zones is None else self.zones.rows(to)
        if zone is None:
            return band, reaches
        return np.where(zone >= 0, zone, band), reaches | (zone >= 0)


def read(session: Session, origins: Sequence[Area]) -> tuple[CarrierOffer, ...]:
    """Read the active services that have prices, by id; `origins` are where the nodes lie."""
    bands, rules, surcharges = _bands(session), _rules(session), _surcharges(session)
    services = session.execute(
        select(*CarrierService.__table__.columns).where(CarrierService.active).order_by(CarrierService.id)
    )
    return tuple(
        _offer(row, bands[row.id], rules[row.id], tuple(surcharges[row.id]), origins)
        for row in services
        if bands[row.id]
    )


def _offer(
    row: Row[Any],
    bands: Sequence[Band],
    rules: Sequence[ZoneRule],
    surcharges: tuple[Surcharge, ...],
    origins: Sequence[Area],
) -> CarrierOffer:
    laid_out = carrier_tariffs.lay_out(bands, row.max_parcel_g)
    return CarrierOffer(
        id=row.id,
        carrier_name=row.carrier_name,
        service=row.service,
        tariffs=laid_out,
        zones=zones.lay_out(rules, origins, laid_out.zones),
        surcharges=surcharges,
        delivers_on=parse_weekdays(row.delivers_on) or MONDAY_TO_FRIDAY,
        cut_off=parse_time(row.cut_off) if row.cut_off else None,
        dimensional_divisor=row.dimensional_divisor,
        limits=Limits(row.max_parcel_g, row.max_length_mm, row.max_girth_mm),
    )


def band_of(row: Row[Any] | Tariff) -> Band:
    """Return a band as prices are laid out from it."""
    return Band(
        row.max_distance_km, row.max_weight_g, row.price_minor, row.transit_days, row.zone, row.max_volume_cm3,
        row.further_kg_minor,
    )  # fmt: skip


def rule_of(row: Row[Any] | CarrierZone) -> ZoneRule:
    """Return the zone of a pair of places as it is looked up."""
    places = (row.origin_country, row.origin_prefix, row.destination_country, row.destination_prefix)
    return ZoneRule(*places, row.zone)


def _bands(session: Session) -> defaultdict[str, list[Band]]:
    found: defaultdict[str, list[Band]] = defaultdict(list)
    for row in session.execute(select(*Tariff.__table__.columns)):
        found[row.carrier_service].append(band_of(row))
    return found


def _rules(session: Session) -> defaultdict[str, list[ZoneRule]]:
    found: defaultdict[str, list[ZoneRule]] = defaultdict(list)
    for row in session.execute(select(*CarrierZone.__table__.columns)):
        found[row.carrier_service].append(rule_of(row))
    return found


def _surcharges(session: Session) -> defaultdict[str, list[Surcharge]]:
    found: defaultdict[str, list[Surcharge]] = defaultdict(list)
    rows = select(*CarrierSurcharge.__table__.columns).where(CarrierSurcharge.active).order_by(CarrierSurcharge.code)
    for row in session.execute(rows):
        found[row.carrier_service].append(
            Surcharge(
                code=row.code,
                percent_bp=row.percent_bp,
                package_minor=row.package_minor,
                kg_minor=row.kg_minor,
                country=row.country,
                prefixes=tuple(row.prefixes.split()),
                over_length_mm=row.over_length_mm,
                over_weight_g=row.over_weight_g,
                delivered_on=parse_weekdays(row.delivered_on),
                from_on=row.from_on,
                until_on=row.until_on,
            )
        )
    return found
