"""Carriers: what each service asks for a package and when it travels, the boxes, and the planner's changes of prices.

Invariant: a change names the version it was made on; packages already decided keep their carrier and price.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from api.pages import i18n
from api.pages.export import Columns, amount, csv_file
from api.pages.planner import forms
from api.pages.visit import config, doors
from fulfillment.network import edits, report
from fulfillment.network.models import CarrierService, CarrierSurcharge, CarrierZone, Tariff
from fulfillment.network.rows import TariffBand
from fulfillment.work import report as work_report


@dataclass(frozen=True)
class Service:
    """A carrier service with its bands, zones and surcharges, and how many packages are to leave by it."""

    service: CarrierService
    bands: list[Tariff]
    unsent: int
    zones: list[CarrierZone] = field(default_factory=list)
    surcharges: list[CarrierSurcharge] = field(default_factory=list)

    @property
    def rows(self) -> list[tuple[str, int]]:
        """The rows of the table: by distance, near first, then by zone; a zone's distance is 0."""
        return sorted({(band.zone, band.max_distance_km) for band in self.bands})

    @property
    def columns(self) -> list[tuple[int, int]]:
        """The columns of the table, weight and volume, light and small first; a volume of 0 is any."""
        sizes = {(band.max_weight_g, band.max_volume_cm3) for band in self.bands}
        return sorted(sizes, key=lambda size: (size[0], size[1] or math.inf))

    def band(self, row: tuple[str, int], column: tuple[int, int]) -> Tariff | None:
        """Return the band of a row and a column, if it is offered."""
        wanted = (*row, *column)
        return next((band for band in self.bands if _place(band) == wanted), None)

    def field(self, band: Tariff) -> str:
        """Return by which name the form has a band."""
        return field_of(band)


def listing() -> ResponseReturnValue:
    """Show all carrier services, or give all tariffs as one file."""
    services = doors().read(_services)
    currency = config().network.currency
    if request.args.get("format") == "csv":
        return csv_file("tariffs", band_columns(currency), (band for service in services for band in service.bands))
    boxes = doors().read(report.boxes)
    return render_template("planner/carriers.html", services=services, boxes=boxes, currency=currency)


def page(service_id: str) -> ResponseReturnValue:
    """Show the tariff table of a service, or give it as a file."""
    service = doors().read(lambda session: gather(session, service_id))
    currency = config().network.currency
    if request.args.get("format") == "csv":
        return csv_file(f"tariffs-{service_id}", band_columns(currency), service.bands)
    return render_template("planner/carrier.html", carrier=service, currency=currency)


def set_tariffs(service_id: str) -> ResponseReturnValue:
    """Change prices and travel times of bands that are there."""
    currency = config().network.currency
    version = forms.whole(request.form, "version")

    def change(session: Session) -> list[tuple[int, TariffBand]]:
        standing = report.tariffs(session, service_id)
        before = {_place(band): band.price_minor for band in standing}
        typed = [_typed(request.form, service_id, band, currency) for band in standing]
        changed = edits.change_tariffs(session, service_id, typed, version=version)
        return [(before[_place(band)], band) for band in changed]

    _say(doors().write(change), currency)
    return redirect(url_for("pages.planner.carrier", service_id=service_id), code=303)


def gather(session: Session, service_id: str) -> Service:
    """Read one service. Raises NotFound."""
    unsent = work_report.unsent_by_carrier_service(session)
    service = report.carrier_service(session, service_id)
    return Service(
        service,
        report.tariffs(session, service_id),
        unsent.get(service_id, 0),
        report.zones(session, service_id),
        report.surcharges(session, service_id),
    )


def field_of(band: Tariff | TariffBand) -> str:
    """Return by which name a form has a band."""
    parts: list[str | int] = [band.max_distance_km, band.max_weight_g]
    if band.zone or band.max_volume_cm3:
        parts += [band.max_volume_cm3, band.zone]
    return "-".join(map(str, parts))


def _services(session: Session) -> list[Service]:
    unsent = work_report.unsent_by_carrier_service(session)
    return [
        Service(service, report.tariffs(session, service.id), unsent.get(service.id, 0))
        for service in report.carrier_services(session)
    ]


def _typed(form: Mapping[str, str], service_id: str, band: Tariff, currency: str) -> TariffBand:
    place = field_of(band)
    return TariffBand(
        carrier_service=service_id,
        max_distance_km=band.max_distance_km,
        zone=band.zone,
        max_weight_g=band.max_weight_g,
        max_volume_cm3=band.max_volume_cm3,
        price_minor=forms.money(form, f"price-{place}", currency),
        transit_days=forms.whole(form, f"days-{place}"),
        further_kg_minor=band.further_kg_minor,
    )


def _place(band: Tariff | TariffBand) -> tuple[str, int, int, int]:
    return band.zone, band.max_distance_km, band.max_weight_g, band.max_volume_cm3


def _say(changed: list[tuple[int, TariffBand]], currency: str) -> None:
    if not changed:
        flash(gettext("Nothing was different, so nothing was changed."), "calm")
        return
    saved = ngettext("%(num)d band is saved.", "%(num)d bands are saved.", len(changed))
    first = ", ".join(
        gettext(
            "%(place)s and %(weight)s from %(before)s to %(after)s",
            place=_where(band),
            weight=i18n.kilos(band.max_weight_g),
            before=i18n.money(before, currency),
            after=i18n.money(band.price_minor, currency),
        )
        for before, band in changed[:3]
    )
    stands = gettext("Decisions from now on use it; packages already decided keep their carrier.")
    flash(f"{saved} ({first}{' …' if len(changed) > 3 else ''}) {stands}", "good")


def _where(band: TariffBand) -> str:
    if band.zone:
        return gettext("zone %(zone)s", zone=band.zone)
    return gettext("to %(km)d km", km=band.max_distance_km)


def band_columns(currency: str) -> Columns[Tariff]:
    """Return the columns of tariffs as a file has them; the import of carriers reads the same names."""
    return {
        "carrier_service": lambda band: band.carrier_service,
        "max_distance_km": lambda band: band.max_distance_km,
        "zone": lambda band: band.zone,
        "max_weight_g": lambda band: band.max_weight_g,
        "max_volume_cm3": lambda band: band.max_volume_cm3,
        "price": lambda band: amount(band.price_minor, currency),
        "further_kg": lambda band: "" if band.further_kg_minor is None else amount(band.further_kg_minor, currency),
        "currency": lambda _band: currency,
        "transit_days": lambda band: band.transit_days,
    }
