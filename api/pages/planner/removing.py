"""Bands and zones of a carrier service taken away: what is ticked stands in the address, with what would then hold.

Invariant: nothing goes before the page has said what comes in its place; the change names the version it was made on.
"""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from api.pages.planner import forms
from api.pages.planner.carriers import Service, field_of, gather
from api.pages.visit import config, doors
from fulfillment.network import removal
from fulfillment.network.edits import ChangedMeanwhile
from fulfillment.network.models import CarrierZone
from fulfillment.network.removal import BandPlace, Foreseen, ZonePlace, place_of, place_of_zone


def page(service_id: str) -> ResponseReturnValue:
    """Show all bands and zones to tick, and of those that are ticked what would hold in their place."""
    carrier, foreseen = doors().read(lambda session: _foreseen(session, service_id))
    return render_template(
        "planner/removal.html", carrier=carrier, foreseen=foreseen, currency=config().network.currency,
        band_field=field_of, zone_field=zone_field, place_of=place_of, place_of_zone=place_of_zone,
    )  # fmt: skip


def remove(service_id: str) -> ResponseReturnValue:
    """Take away what was confirmed."""
    version = forms.whole(request.form, "version")

    def write(session: Session) -> None:
        bands, zones = _ticked(gather(session, service_id), request.form)
        removal.remove(session, service_id, bands=bands, zones=zones, version=version)

    doors().write(write)
    stands = gettext("Taken away. Decisions from now on do without it; packages already decided keep their carrier.")
    flash(stands, "good")
    return redirect(url_for("pages.planner.carrier", service_id=service_id), code=303)


def zone_field(zone: CarrierZone) -> str:
    """Return by which name a form has a zone; postal prefixes have no hyphens."""
    return "-".join(place_of_zone(zone))


def _foreseen(session: Session, service_id: str) -> tuple[Service, Foreseen]:
    carrier = gather(session, service_id)
    bands, zones = _ticked(carrier, request.args)
    return carrier, removal.foresee(session, service_id, bands=bands, zones=zones)


def _ticked(carrier: Service, ticks: MultiDict[str, str]) -> tuple[list[BandPlace], list[ZonePlace]]:
    """Return what is ticked. Raises ChangedMeanwhile where it is not there any more."""
    bands = {field_of(band): place_of(band) for band in carrier.bands}
    zones = {zone_field(zone): place_of_zone(zone) for zone in carrier.zones}
    asked = ticks.getlist("band"), ticks.getlist("zone")
    if not (bands.keys() >= set(asked[0]) and zones.keys() >= set(asked[1])):
        raise ChangedMeanwhile("these tariffs")
    return [bands[name] for name in asked[0]], [zones[name] for name in asked[1]]
