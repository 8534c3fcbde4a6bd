"""Documents of carriers, tariffs, zones, surcharges and boxes, turned into the rows that the network takes.

Called by REST resources and by imports, which read them with the same schemas. Invariant: amounts are in the network's
currency, or the row is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from api.catalog import Document, check_currency, minor
from fulfillment.network import catalog as network
from fulfillment.network import edits, removal, report
from fulfillment.network.carrier_rows import BoxRow, SurchargeRow, Zone
from fulfillment.network.geography import normalised
from fulfillment.network.removal import BandPlace, ZonePlace
from fulfillment.network.rows import Carrier, CarrierName, TariffBand

BAND = ("price", "further_kg")
SURCHARGE = ("per_package", "per_kg")
PREFIXES = ("destination_prefix", "origin_prefix")


def put_bands(session: Session, rows: Sequence[Document], *, currency: str) -> list[str]:
    """Write bands of tariffs with the carrier services they belong to. Raises Rejected with every fault, by row."""
    check_currency(rows, BAND, currency)
    names = ("carrier", "carrier_name", "service")
    services = [CarrierName(id=row["carrier_service"], **{name: row[name] for name in names}) for row in rows]
    network.put_carriers(session, services)
    return list(network.put_tariffs(session, [_band(row["carrier_service"], row) for row in rows]))


def change_tariff(session: Session, service: str, bands: Sequence[Document], *, currency: str) -> None:
    """Change prices and travel times of a carrier service. Raises NotFound, and Rejected with every fault."""
    check_currency(bands, BAND, currency)
    version = report.carrier_service(session, service).version
    edits.change_tariffs(session, service, [_band(service, band) for band in bands], version=version)


def remove(session: Session, service: str, bands: Sequence[Document], zones: Sequence[Document]) -> dict[str, Any]:
    """Take bands and zones away and return what is left. Raises NotFound, LastBand, and Rejected with every fault."""
    removal.remove(
        session, service,
        bands=[BandPlace(**band) for band in bands],
        zones=[ZonePlace(**{**zone, **{name: normalised(zone[name]) for name in PREFIXES}}) for zone in zones],
        version=report.carrier_service(session, service).version,
    )  # fmt: skip
    return {"bands": report.tariffs(session, service), "zones": report.zones(session, service)}


def put_services(session: Session, rows: Sequence[Document]) -> list[str]:
    """Write carrier services. Raises Rejected with every fault, by row."""
    return list(network.put_carriers(session, [Carrier(**row) for row in rows]))


def put_zones(session: Session, rows: Sequence[Document]) -> list[str]:
    """Write the zones of pairs of places. Raises Rejected with every fault, by row."""
    return list(network.put_zones(session, [Zone(**row) for row in rows]))


def put_surcharges(session: Session, rows: Sequence[Document], *, currency: str) -> list[str]:
    """Write surcharges. Raises Rejected with every fault, by row."""
    check_currency(rows, SURCHARGE, currency)
    return list(network.put_surcharges(session, [_surcharge(row) for row in rows]))


def put_boxes(session: Session, rows: Sequence[Document], *, currency: str) -> list[str]:
    """Write boxes. Raises Rejected with every fault, by row."""
    check_currency(rows, ("cost",), currency)
    return list(network.put_boxes(session, [_box(row) for row in rows]))


def carrier(session: Session, service: str) -> dict[str, Any]:
    """Return a carrier service with its zones and surcharges. Raises NotFound."""
    row = report.carrier_service(session, service)
    shown = {column.name: getattr(row, column.name) for column in row.__table__.columns}
    return shown | {"zones": report.zones(session, service), "surcharges": report.surcharges(session, service)}


def _band(service: str, row: Document) -> TariffBand:
    names = ("max_distance_km", "zone", "max_weight_g", "max_volume_cm3", "transit_days", *BAND)
    return TariffBand(carrier_service=service, **minor({name: row[name] for name in names}, BAND))


def _surcharge(row: Document) -> SurchargeRow:
    plain = {name: value for name, value in row.items() if name not in {"percent", *SURCHARGE}}
    per_package, per_kg = (row[name].minor if row[name] else 0 for name in SURCHARGE)
    return SurchargeRow(
        **plain, percent_bp=round(row["percent"] * 100), package_minor=per_package, kg_minor=per_kg
    )  # fmt: skip


def _box(row: Document) -> BoxRow:
    plain = {name: value for name, value in row.items() if name != "cost"}
    return BoxRow(**plain, cost_minor=row["cost"].minor if row["cost"] else 0)
