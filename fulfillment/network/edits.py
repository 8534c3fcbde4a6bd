"""A planner's edits of what is already there, guarded against overwriting somebody else's.

Called by pages. Whoever edits names the version they saw; the edit takes it by one conditional update, so that of two
people who saw the same version one is told to look again. Invariant: an edit that is refused changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from fulfillment.network import catalog
from fulfillment.network.models import CarrierService, NodeProfile
from fulfillment.network.report import carrier_service, profile_of
from fulfillment.network.rows import Profile, TariffBand
from kernel.errors import Conflict


class ChangedMeanwhile(Conflict):
    """Somebody else changed what is being edited."""

    code = "changed_meanwhile"

    def __init__(self, what: str) -> None:
        super().__init__(f"Somebody changed {what} while you were editing; nothing was saved. Reload and look again.")
        self.what = what


def change_profile(session: Session, node: str, changes: Mapping[str, Any], *, version: int) -> None:
    """Change some fields of a node's profile. Raises NotFound, ChangedMeanwhile, InvalidRows."""
    present = profile_of(session, node)
    take(session, NodeProfile, NodeProfile.node == node, version, "this node")
    values = {each.name: getattr(present, each.name) for each in fields(Profile)}
    catalog.put_profiles(session, [Profile(**{**values, **changes})])


def change_days(session: Session, node: str, minutes: Mapping[date, int | None], *, version: int) -> None:
    """Set the minutes of some dates of a node; None goes back to the usual. Raises NotFound, ChangedMeanwhile."""
    profile_of(session, node)
    take(session, NodeProfile, NodeProfile.node == node, version, "this node")
    for on_date, wanted in sorted(minutes.items()):
        catalog.set_capacity(session, node, on_date, wanted)


def change_tariffs(session: Session, service_id: str, bands: Sequence[TariffBand], *, version: int) -> list[TariffBand]:
    """Change prices and travel times of a service's bands; returns those that differed.

    Raises NotFound, ChangedMeanwhile, InvalidRows.
    """
    carrier_service(session, service_id)
    take(session, CarrierService, CarrierService.id == service_id, version, "these tariffs")
    outcomes = catalog.put_tariffs(session, bands)
    return [band for band, outcome in zip(bands, outcomes, strict=True) if outcome != "unchanged"]


def take(session: Session, model: type[Any], which: ColumnElement[bool], version: int, what: str) -> None:
    """Raise the version that the editor saw. Raises ChangedMeanwhile where somebody else did."""
    seen = which & (model.version == version)
    raised = session.execute(update(model).where(seen).values(version=model.version + 1))
    if raised.rowcount == 0:  # type: ignore[attr-defined]
        raise ChangedMeanwhile(what)
