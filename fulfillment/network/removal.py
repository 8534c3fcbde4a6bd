"""Bands and zones of a carrier service taken away, and what holds in their place.

Called by the doors. Invariants: what is named is there, or nothing is taken away; a service in use keeps a price.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sqlalchemy.orm import Session

from fulfillment.network import edits, offers, report, tariffs
from fulfillment.network.catalog import InvalidRows
from fulfillment.network.models import NETWORK, CarrierService, CarrierZone, Tariff
from fulfillment.network.rows import TariffBand
from fulfillment.network.tariffs import Tariffs
from fulfillment.network.zones import NO_ZONE, Area, ZoneRule, lay_out
from kernel.errors import Conflict, Fault
from stock.revisions import raise_version


class LastBand(Conflict):
    """A service that is in use would be left without any price, so without any offer."""

    code = "last_band"

    def __init__(self, service: str) -> None:
        super().__init__(
            f"Without these bands {service} would have no price, and nothing could leave by it. Write the right bands "
            "first, or take the service out of use (active: false)."
        )
        self.service = service


class BandPlace(NamedTuple):
    """Which band of a service: by zone or distance, weight and volume."""

    zone: str
    max_distance_km: int
    max_weight_g: int
    max_volume_cm3: int

    def __str__(self) -> str:
        """Say it to a person."""
        volume = f" and {self.max_volume_cm3} cm³" if self.max_volume_cm3 else ""
        reach = f"in zone {self.zone}" if self.zone else f"up to {self.max_distance_km} km"
        return f"band {reach} and {self.max_weight_g} g{volume}"


class ZonePlace(NamedTuple):
    """Which pair of places; an empty prefix is the whole country, an empty origin country anywhere."""

    destination_country: str
    destination_prefix: str
    origin_country: str
    origin_prefix: str

    def __str__(self) -> str:
        """Say it to a person."""
        origin = f"{self.origin_country} {self.origin_prefix}".strip() or "anywhere"
        return f"zone to {f'{self.destination_country} {self.destination_prefix}'.strip()} from {origin}"


@dataclass(frozen=True)
class Foreseen:
    """What would go, and what then holds; `last` tells whether it would be refused, since no price would be left.

    bands  with what a package as large as each band then costs in minor units, None where the tariff has nothing for it
    zones  with the zone that the pair of places then has, empty for none: by distance
    """

    bands: dict[BandPlace, int | None]
    zones: dict[ZonePlace, str]
    last: bool


def remove(
    session: Session,
    service_id: str,
    *,
    bands: Collection[BandPlace] = (),
    zones: Collection[ZonePlace] = (),
    version: int,
) -> None:
    """Take bands and zones of a carrier service away. Raises NotFound, ChangedMeanwhile, InvalidRows, LastBand."""
    service = report.carrier_service(session, service_id)
    edits.take(session, CarrierService, CarrierService.id == service_id, version, "these tariffs")
    priced = {place_of(band): band for band in report.tariffs(session, service_id)}
    zoned = {place_of_zone(zone): zone for zone in report.zones(session, service_id)}
    faults = (*_absent("bands", bands, priced), *_absent("zones", zones, zoned))
    if faults or not (bands or zones):
        message = "Some of this is not there; nothing was taken away." if faults else "Name a band or a zone."
        raise InvalidRows(message, faults=faults)
    if _leaves_none(service, bands, priced):
        raise LastBand(service_id)
    for place in set(bands):
        session.delete(priced[place])
    for pair in set(zones):
        session.delete(zoned[pair])
    session.flush()
    raise_version(session, NETWORK)


def foresee(
    session: Session, service_id: str, *, bands: Collection[BandPlace] = (), zones: Collection[ZonePlace] = ()
) -> Foreseen:
    """Tell what a removal would leave in the place of each band and zone. Raises NotFound."""
    service = report.carrier_service(session, service_id)
    standing = {place_of(band): offers.band_of(band) for band in report.tariffs(session, service_id)}
    left = [band for place, band in standing.items() if place not in set(bands)]
    laid_out = tariffs.lay_out(left, service.max_parcel_g) if left else None
    larger_cm3 = 1 + max((place.max_volume_cm3 for place in standing), default=0)
    zoned = report.zones(session, service_id)
    rules = [offers.rule_of(zone) for zone in zoned if place_of_zone(zone) not in set(zones)]
    return Foreseen(
        bands={place: _price(laid_out, place, place.max_volume_cm3 or larger_cm3) for place in bands},
        zones={pair: _zone(rules, laid_out.zones if laid_out else {}, pair) for pair in zones},
        last=_leaves_none(service, bands, standing),
    )


def place_of(band: Tariff | TariffBand) -> BandPlace:
    """Return which band this is."""
    return BandPlace(band.zone, band.max_distance_km, band.max_weight_g, band.max_volume_cm3)


def place_of_zone(zone: CarrierZone) -> ZonePlace:
    """Return which pair of places this is about."""
    return ZonePlace(zone.destination_country, zone.destination_prefix, zone.origin_country, zone.origin_prefix)


def _absent(name: str, asked: Collection[NamedTuple], known: Collection[NamedTuple]) -> Iterator[Fault]:
    for number, place in enumerate(asked):
        if place not in known:
            yield Fault(f"/{name}/{number}", "unknown", f"there is no {place}")


def _leaves_none(service: CarrierService, gone: Collection[BandPlace], standing: Collection[BandPlace]) -> bool:
    return service.active and bool(gone) and set(gone) >= set(standing)


def _price(left: Tariffs | None, place: BandPlace, volume_cm3: int) -> int | None:
    """Return what a package as large as a band costs by the bands that are left."""
    if left is None:
        return None
    if place.zone:
        row = np.array([left.zones.get(place.zone, NO_ZONE)], dtype=np.int64)
        reaches = row >= 0
    else:
        row, reaches = left.reach(np.array([float(place.max_distance_km)]))
    if not reaches[0]:
        return None
    return int(left.price(row, np.array([place.max_weight_g]), np.array([[volume_cm3]]))[0, 0])


def _zone(rules: Sequence[ZoneRule], rows: Mapping[str, int], pair: ZonePlace) -> str:
    """Return the zone of a pair of places by the rules that are left; `rows` are those of the tariff by zone."""
    laid_out = lay_out(rules, [Area(pair.origin_country, "", pair.origin_prefix)], rows)
    found = None if laid_out is None else laid_out.rows(Area(pair.destination_country, "", pair.destination_prefix))
    return "" if found is None else next((name for name, row in rows.items() if row == found[0]), "")
