"""Carriers: what each service asks for a package by distance and weight, and the planner's changes to it.

Invariant: a change names the version it was made on; packages already decided keep their carrier and price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from api.pages import i18n
from api.pages.export import Columns, amount, csv_file
from api.pages.planner import forms
from api.pages.visit import config, doors
from fulfillment.network import edits, report
from fulfillment.network.models import CarrierService, Tariff
from fulfillment.network.rows import TariffBand
from fulfillment.work import report as work_report


@dataclass(frozen=True)
class Service:
    """A carrier service with its bands, and how many packages are to leave by it."""

    service: CarrierService
    bands: list[Tariff]
    unsent: int

    @property
    def distances_km(self) -> list[int]:
        """The distance bands, near first."""
        return sorted({band.max_distance_km for band in self.bands})

    @property
    def weights_g(self) -> list[int]:
        """The weight bands, light first."""
        return sorted({band.max_weight_g for band in self.bands})

    def band(self, distance_km: int, weight_g: int) -> Tariff | None:
        """Return the band of a distance and a weight, if it is offered."""
        return next((b for b in self.bands if (b.max_distance_km, b.max_weight_g) == (distance_km, weight_g)), None)


def listing() -> ResponseReturnValue:
    """Show all carrier services, or give all tariffs as one file."""
    services = doors().read(_services)
    currency = config().network.currency
    if request.args.get("format") == "csv":
        return csv_file("tariffs", band_columns(currency), (band for service in services for band in service.bands))
    return render_template("planner/carriers.html", services=services, currency=currency)


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
        before = {(band.max_distance_km, band.max_weight_g): band.price_minor for band in standing}
        typed = [_typed(request.form, service_id, band, currency) for band in standing]
        changed = edits.change_tariffs(session, service_id, typed, version=version)
        return [(before[band.max_distance_km, band.max_weight_g], band) for band in changed]

    _say(doors().write(change), currency)
    return redirect(url_for("pages.planner.carrier", service_id=service_id), code=303)


def gather(session: Session, service_id: str) -> Service:
    """Read one service. Raises NotFound."""
    unsent = work_report.unsent_by_carrier_service(session)
    service = report.carrier_service(session, service_id)
    return Service(service, report.tariffs(session, service_id), unsent.get(service_id, 0))


def _services(session: Session) -> list[Service]:
    unsent = work_report.unsent_by_carrier_service(session)
    return [
        Service(service, report.tariffs(session, service.id), unsent.get(service.id, 0))
        for service in report.carrier_services(session)
    ]


def _typed(form: Mapping[str, str], service_id: str, band: Tariff, currency: str) -> TariffBand:
    place = f"{band.max_distance_km}-{band.max_weight_g}"
    return TariffBand(
        carrier_service=service_id,
        max_distance_km=band.max_distance_km,
        max_weight_g=band.max_weight_g,
        price_minor=forms.money(form, f"price-{place}", currency),
        transit_days=forms.whole(form, f"days-{place}"),
    )


def _say(changed: list[tuple[int, TariffBand]], currency: str) -> None:
    if not changed:
        flash(gettext("Nothing was different, so nothing was changed."), "calm")
        return
    saved = ngettext("%(num)d band is saved.", "%(num)d bands are saved.", len(changed))
    first = ", ".join(
        gettext(
            "to %(km)d km and %(weight)s from %(before)s to %(after)s",
            km=band.max_distance_km,
            weight=i18n.kilos(band.max_weight_g),
            before=i18n.money(before, currency),
            after=i18n.money(band.price_minor, currency),
        )
        for before, band in changed[:3]
    )
    stands = gettext("Decisions from now on use it; packages already decided keep their carrier.")
    flash(f"{saved} ({first}{' …' if len(changed) > 3 else ''}) {stands}", "good")


def band_columns(currency: str) -> Columns[Tariff]:
    """Return the columns of tariffs as a file has them; the import of carriers reads the same names."""
    return {
        "carrier_service": lambda band: band.carrier_service,
        "max_distance_km": lambda band: band.max_distance_km,
        "max_weight_g": lambda band: band.max_weight_g,
        "price": lambda band: amount(band.price_minor, currency),
        "currency": lambda _band: currency,
        "transit_days": lambda band: band.transit_days,
    }
