"""/carriers, /carrier-services, /carrier-zones, /surcharges, /boxes: what a parcel costs, and when it travels."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from api import bulk, carriers
from api.openapi import PREFIX
from api.rest.operation import Call, Resource, anywhere
from api.schemas import carriers as schemas
from api.schemas.base import BulkAnswerSchema
from fulfillment.network import report

resource = Resource(
    "carriers", __name__, url_prefix=PREFIX, description="Carriers: tariffs, zones, surcharges, cut-offs; and boxes."
)

EXAMPLE_BAND = {
    "carrier": "MESETA", "carrier_name": "Meseta", "carrier_service": "MESETA-24", "service": "standard",
    "max_distance_km": 50, "max_weight_g": 1000, "price": {"amount": "3.25", "currency": "EUR"}, "transit_days": 1,
}  # fmt: skip
EXAMPLE_SERVICE = {
    "id": "MESETA-24", "carrier": "MESETA", "carrier_name": "Meseta", "service": "standard", "delivers_on": "mo-sa",
    "cut_off": "17:30", "dimensional_divisor": 5000, "max_parcel_g": 30000, "max_length_mm": 1200,
    "max_girth_mm": 3000,
}  # fmt: skip
EXAMPLE_ZONE = {
    "carrier_service": "MESETA-24", "destination_country": "ES", "destination_prefix": "07", "origin_country": "ES",
    "zone": "islands",
}  # fmt: skip
EXAMPLE_SURCHARGE = {"carrier_service": "MESETA-24", "code": "fuel", "name": "Fuel", "percent": 12.5}
EXAMPLE_BOX = {
    "id": "M", "name": "Medium", "length_mm": 300, "width_mm": 200, "height_mm": 150, "tare_g": 120,
    "max_weight_g": 8000, "cost": {"amount": "0.35", "currency": "EUR"},
}  # fmt: skip


def _version(session: Session, service_id: str) -> int:
    return report.carrier_service(session, service_id).version


@resource.operation(
    "POST", "/carriers", scope="catalog:write", body=schemas.BandRowSchema(many=True), answer=BulkAnswerSchema,
    example=[EXAMPLE_BAND],
)  # fmt: skip
def put_carriers(session: Session, call: Call) -> Any:
    """Create or update bands of tariffs with their carrier services; each row has its own result."""
    write = partial(carriers.put_bands, currency=call.config.network.currency)
    return bulk.or_refuse(bulk.put(session, call.body, write, name=lambda row: str(row["carrier_service"])))


@resource.operation("GET", "/carriers", scope="stock:read", answer=schemas.CarriersSchema, at=anywhere)
def list_carriers(session: Session, _call: Call) -> Any:
    """List what carriers offer."""
    return report.carrier_services(session)


@resource.operation(
    "GET", "/carriers/<service_id>", scope="stock:read", answer=schemas.CarrierDetailSchema, version=_version
)
def show_carrier(session: Session, _call: Call, service_id: str) -> Any:
    """Show a carrier service with its zones and surcharges."""
    return carriers.carrier(session, service_id)


@resource.operation(
    "GET", "/carriers/<service_id>/tariff", scope="stock:read", answer=schemas.TariffSchema, version=_version
)
def show_tariff(session: Session, _call: Call, service_id: str) -> Any:
    """Show what a carrier service asks."""
    return {"bands": report.tariffs(session, service_id)}


@resource.operation(
    "PUT", "/carriers/<service_id>/tariff", scope="plan:write", body=schemas.TariffSchema, answer=schemas.TariffSchema,
    version=_version, example={"bands": [{name: EXAMPLE_BAND[name] for name in schemas.BAND if name in EXAMPLE_BAND}]},
)  # fmt: skip
def change_tariff(session: Session, call: Call, service_id: str) -> Any:
    """Change prices and travel times of some bands; a band is written whole."""
    carriers.change_tariff(session, service_id, call.body["bands"], currency=call.config.network.currency)
    return {"bands": report.tariffs(session, service_id)}


@resource.operation(
    "POST", "/carriers/<service_id>/remove", scope="plan:write", body=schemas.RemovalSchema, answer=schemas.LeftSchema,
    version=_version,
    example={"bands": [{"max_distance_km": 50, "max_weight_g": 1000}],
             "zones": [{"destination_country": "ES", "destination_prefix": "07", "origin_country": "ES"}]},
)  # fmt: skip
def remove_prices(session: Session, call: Call, service_id: str) -> Any:
    """Take wrong bands and zones away, all that are named or none; a service in use keeps at least one band."""
    return carriers.remove(session, service_id, **call.body)


@resource.operation(
    "POST", "/carrier-services", scope="catalog:write", body=schemas.CarrierRowSchema(many=True),
    answer=BulkAnswerSchema, example=[EXAMPLE_SERVICE],
)  # fmt: skip
def put_services(session: Session, call: Call) -> Any:
    """Create or update carrier services; each row has its own result."""
    return bulk.or_refuse(bulk.put(session, call.body, carriers.put_services, name=lambda row: str(row["id"])))


@resource.operation(
    "POST", "/carrier-zones", scope="catalog:write", body=schemas.ZoneRowSchema(many=True), answer=BulkAnswerSchema,
    example=[EXAMPLE_ZONE],
)  # fmt: skip
def put_zones(session: Session, call: Call) -> Any:
    """Say in which zones a carrier service sees places; each row has its own result."""
    answers = bulk.put(session, call.body, carriers.put_zones, name=lambda row: str(row["carrier_service"]))
    return bulk.or_refuse(answers)


@resource.operation(
    "POST", "/surcharges", scope="catalog:write", body=schemas.SurchargeRowSchema(many=True),
    answer=BulkAnswerSchema, example=[EXAMPLE_SURCHARGE],
)  # fmt: skip
def put_surcharges(session: Session, call: Call) -> Any:
    """Create or update surcharges of carrier services; each row has its own result."""
    write = partial(carriers.put_surcharges, currency=call.config.network.currency)
    return bulk.or_refuse(bulk.put(session, call.body, write, name=lambda row: str(row["code"])))


@resource.operation(
    "POST", "/boxes", scope="catalog:write", body=schemas.BoxRowSchema(many=True), answer=BulkAnswerSchema,
    example=[EXAMPLE_BOX],
)  # fmt: skip
def put_boxes(session: Session, call: Call) -> Any:
    """Create or update boxes; each row has its own result."""
    write = partial(carriers.put_boxes, currency=call.config.network.currency)
    return bulk.or_refuse(bulk.put(session, call.body, write, name=lambda row: str(row["id"])))


@resource.operation("GET", "/boxes", scope="stock:read", answer=schemas.BoxesSchema, at=anywhere)
def list_boxes(session: Session, _call: Call) -> Any:
    """List the boxes of all nodes, then those of each, small before large."""
    return {"items": report.boxes(session)}
