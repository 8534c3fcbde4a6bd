"""Bulk writing of the network: profiles, carriers and what they ask, boxes, postal codes, and a planner's single edits.

Called by imports and by the doors. Invariant: a call with a faulty row writes nothing and names every fault, by the
row's place; an unchanged row is not written; whatever is written raises the network's revision.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.network.carrier_rows import (
    BoxRow,
    SurchargeRow,
    Zone,
    faults_of_boxes,
    faults_of_carriers,
    faults_of_surcharges,
    faults_of_tariffs,
    faults_of_zones,
)
from fulfillment.network.geography import normalised
from fulfillment.network.models import (
    NETWORK,
    CarrierService,
    CarrierSurcharge,
    CarrierZone,
    Closure,
    NodeBox,
    NodeDay,
    NodeProfile,
    PostalCode,
    Tariff,
)
from fulfillment.network.rows import (
    CarrierName,
    OpeningHours,
    Place,
    Profile,
    TariffBand,
    check_hours,
    faults_of_codes,
    faults_of_profiles,
)
from kernel.db import insert_into
from kernel.errors import Fault, NotFound, Rejected
from stock.models import Node
from stock.revisions import raise_version
from stock.upsert import Outcome, upsert


class InvalidRows(Rejected):
    """Rows that the network cannot take; every fault is named."""

    code = "rows_invalid"


class UnknownNode(NotFound):
    """No node has this id."""

    code = "node_unknown"


def put_profiles(session: Session, rows: Sequence[Profile]) -> list[Outcome]:
    """Write node profiles and tell for each whether it was created, updated or unchanged. Raises InvalidRows."""
    known = _known(session, Node.id, (row.node for row in rows))
    return _put(session, NodeProfile, rows, key=("node",), faults=faults_of_profiles(rows, known))


def put_carriers(session: Session, rows: Sequence[CarrierName]) -> list[Outcome]:
    """Write carrier services; rows that only name them leave the rest of a known one as it is. Raises InvalidRows."""
    return _put(session, CarrierService, rows, key=("id",), faults=faults_of_carriers(rows))


def put_tariffs(session: Session, rows: Sequence[TariffBand]) -> list[Outcome]:
    """Write bands of tariffs. Raises InvalidRows."""
    key = ("carrier_service", "zone", "max_distance_km", "max_weight_g", "max_volume_cm3")
    return _put(session, Tariff, rows, key=key, faults=faults_of_tariffs(rows, _services(session, rows)))


def put_zones(session: Session, rows: Sequence[Zone]) -> list[Outcome]:
    """Write the zones of pairs of places. Raises InvalidRows."""
    faults = faults_of_zones(rows, _services(session, rows))
    prefixes = ("destination_prefix", "origin_prefix")
    written = [replace(row, **{name: normalised(getattr(row, name)) for name in prefixes}) for row in rows]
    key = ("carrier_service", "destination_country", "destination_prefix", "origin_country", "origin_prefix")
    return _put(session, CarrierZone, written, key=key, faults=faults)


def put_surcharges(session: Session, rows: Sequence[SurchargeRow]) -> list[Outcome]:
    """Write surcharges. Raises InvalidRows."""
    faults = faults_of_surcharges(rows, _services(session, rows))
    written = [replace(row, prefixes=" ".join(map(normalised, row.prefixes.split()))) for row in rows]
    return _put(session, CarrierSurcharge, written, key=("carrier_service", "code"), faults=faults)


def put_boxes(session: Session, rows: Sequence[BoxRow]) -> list[Outcome]:
    """Write boxes. Raises InvalidRows."""
    known = _known(session, Node.id, (row.node for row in rows))
    return _put(session, NodeBox, rows, key=("id",), faults=faults_of_boxes(rows, known))


def put_postal_codes(session: Session, rows: Sequence[Place]) -> list[Outcome]:
    """Write where postal codes lie; a short code stands for all that begin with it. Raises InvalidRows."""
    faults = faults_of_codes(rows)
    if faults:
        raise InvalidRows(_SENTENCE, faults=tuple(faults))
    values = [vars(row) | {"postal_code": normalised(row.postal_code)} for row in rows]
    # Destinations are looked up row by row, never from a cached copy, so no revision rises.
    return upsert(session, PostalCode, values, key=("country", "postal_code"))


def set_capacity(session: Session, node: str, on_date: date, minutes: int | None) -> None:
    """Set the minutes a node works on one date; None goes back to its usual ones. Raises UnknownNode, InvalidRows."""
    _profile(session, node)
    if minutes is not None and minutes < 0:
        raise InvalidRows("Minutes cannot be negative.", faults=(Fault("/minutes", "invalid", "must be 0 or more"),))
    row = {"node": node, "on_date": on_date, "capacity_minutes": minutes, "claimed_minutes": 0}
    written = insert_into(session, NodeDay).values(row)
    session.execute(
        written.on_conflict_do_update(index_elements=["node", "on_date"], set_={"capacity_minutes": minutes})
    )


def set_hours(session: Session, node: str, opening_hours: OpeningHours, *, cut_off: str | None = None) -> None:
    """Change a node's weekly hours, and its cut-off when one is given. Raises UnknownNode, InvalidRows."""
    profile = _profile(session, node)
    faults = check_hours("", opening_hours, cut_off or profile.cut_off)
    if faults:
        raise InvalidRows("The hours cannot be.", faults=tuple(faults))
    profile.opening_hours = opening_hours
    profile.cut_off = cut_off or profile.cut_off
    _changed(session, profile)


def set_closure(session: Session, node: str, on_date: date, *, is_open: bool | None) -> None:
    """Close a node on a date, open it in spite of a holiday, or (None) leave it to its hours. Raises UnknownNode."""
    _profile(session, node)
    exception = session.get(Closure, (node, on_date))
    if is_open is None:
        if exception is not None:
            session.delete(exception)
    else:
        session.merge(Closure(node=node, on_date=on_date, is_open=is_open))
    session.flush()
    raise_version(session, NETWORK)


def _put(
    session: Session, model: type[Any], rows: Sequence[Any], *, key: Sequence[str], faults: list[Fault]
) -> list[Outcome]:
    if faults:
        raise InvalidRows(_SENTENCE, faults=tuple(faults))
    outcomes = upsert(session, model, [dict(vars(row)) for row in rows], key=key)
    if any(outcome != "unchanged" for outcome in outcomes):
        raise_version(session, NETWORK)
    return outcomes


def _services(session: Session, rows: Sequence[TariffBand | Zone | SurchargeRow]) -> set[str]:
    return _known(session, CarrierService.id, (row.carrier_service for row in rows))


def _known(session: Session, column: Any, ids: Iterable[str | None]) -> set[str]:
    """Return which of the ids there are."""
    return set(session.scalars(select(column).where(column.in_({each for each in ids if each is not None}))))


_SENTENCE: Final = "Some rows cannot be taken; nothing was written."


def _profile(session: Session, node: str) -> NodeProfile:
    profile = session.get(NodeProfile, node, with_for_update=True)
    if profile is None:
        raise UnknownNode(f"There is no node {node} with a profile.")
    return profile


def _changed(session: Session, profile: NodeProfile) -> None:
    profile.version += 1
    session.flush()
    raise_version(session, NETWORK)
