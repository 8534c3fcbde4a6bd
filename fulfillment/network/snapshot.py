"""The network as arrays: nodes, what they offer and cost, when they work, and what carriers ask.

Loaded by sourcing and planning, kept for all sessions of the process until a revision says that rows changed.
Invariant: a snapshot is frozen; its arrays are never written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from fulfillment.network import offers, transit
from fulfillment.network.article_models import NodeEvidence
from fulfillment.network.boxes import Box, BoxKinds, kinds_of
from fulfillment.network.calendar import Calendar, parse_hours, parse_time
from fulfillment.network.days import Days, lay_out
from fulfillment.network.geography import normalised
from fulfillment.network.models import NETWORK, Closure, NodeBox, NodeProfile
from fulfillment.network.offers import CarrierOffer
from fulfillment.network.settings import Group
from fulfillment.network.zones import Area
from kernel.db import caches
from stock.models import Node, NodeStatus
from stock.revisions import NODES, may_cache, versions

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Version = tuple[int, int]

_CACHE: Final = "network_snapshot"
_DATES_KEPT: Final = 4
_GROUPS_KEPT: Final = 256
_CUT_OFFS_KEPT: Final = 64


@dataclass(frozen=True, eq=False)
class Snapshot:
    """N nodes in the order of their ids, every array N long, and the carrier services."""

    version: Version
    nodes: tuple[str, ...]
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    countries: tuple[str, ...]
    regions: tuple[str, ...]
    tags: tuple[str, ...]
    statuses: tuple[str, ...]
    calendars: tuple[Calendar, ...]
    index: Mapping[str, int]
    is_open: Flags
    ships: Flags
    collects: Flags
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    pick_success: NDArray[np.float64]
    lines_found: NDArray[np.float64]
    lines_missed: NDArray[np.float64]
    capacity_minutes: Integers
    package_cost_minor: Integers
    line_cost_minor: Integers
    unit_cost_minor: Integers
    package_minutes: Integers
    line_minutes: Integers
    services: tuple[CarrierOffer, ...]
    areas: tuple[Area, ...]
    boxes: tuple[BoxKinds, ...]
    box_group: Integers
    _days: dict[date, Days] = field(default_factory=dict, repr=False)
    _groups: dict[Group, Flags] = field(default_factory=dict, repr=False)
    _cut_offs: dict[tuple[date, time], Integers] = field(default_factory=dict, repr=False)

    @cached_property
    def measured(self) -> bool:
        """Whether anything depends on more than the weight of an order: boxes, volumes, sizes, surcharges."""
        return any(kinds.boxes for kinds in self.boxes) or any(offer.measured for offer in self.services)

    def days(self, on: date) -> Days:
        """Return the working days from the day before `on`; worked out once for each date."""
        known = self._days.get(on)
        if known is None:
            known = lay_out(self.calendars, on)
            if len(self._days) >= _DATES_KEPT:
                self._days.clear()
            self._days[on] = known
        return known

    def within(self, group: Group) -> Flags:
        """Tell which nodes belong to a group (N); worked out once."""
        known = self._groups.get(group)
        if known is None:
            known = self._members(group)
            if len(self._groups) >= _GROUPS_KEPT:
                self._groups.clear()
            self._groups[group] = known
        return known

    def _members(self, group: Group) -> Flags:
        listed = np.isin(np.array(self.nodes, dtype=object), group.nodes)
        asked = [
            ([kind in group.kinds for kind in self.kinds], group.kinds),
            ([country in group.countries for country in self.countries], group.countries),
            ([region in group.regions for region in self.regions], group.regions),
            ([tag in group.tags for tag in self.tags], group.tags),
        ]
        said = [flags for flags, names in asked if names]
        return listed | np.array(said, dtype=np.bool_).all(axis=0) if said else listed

    def cut_offs(self, days: Days, offer: CarrierOffer) -> Integers:
        """Return until when a day's departures with a service are worked on (N,D): the node's cut-off or an earlier."""
        if offer.cut_off is None:
            return days.cut_off_s
        place = (days.base_on, offer.cut_off)
        known = self._cut_offs.get(place)
        if known is None:
            known = transit.cut_offs(days, offer.cut_off)
            if len(self._cut_offs) >= _CUT_OFFS_KEPT:
                self._cut_offs.clear()
            self._cut_offs[place] = known
        return known

    def offers(self, service: str) -> list[CarrierOffer]:
        """Return what carriers offer for a service that shoppers choose."""
        return [offer for offer in self.services if offer.service == service]


def load(session: Session, known_versions: Mapping[str, int] | None = None) -> Snapshot:
    """Return the network as it is now, from memory when nothing has changed."""
    present = versions(session) if known_versions is None else known_versions
    version = (present.get(NETWORK, 0), present[NODES])
    kept: Snapshot | None = caches(session).get(_CACHE)
    if kept is not None and kept.version == version and may_cache(session):
        return kept
    fresh = _read(session, version)
    if may_cache(session):
        caches(session)[_CACHE] = fresh
    return fresh


def _read(session: Session, version: Version) -> Snapshot:
    rows = session.execute(
        select(
            Node.id, Node.name, Node.kind, Node.status, Node.group, Node.time_zone, *NodeProfile.__table__.columns,
            NodeEvidence.found, NodeEvidence.missed,
        )
        .join(NodeProfile, NodeProfile.node == Node.id)
        .outerjoin(NodeEvidence, NodeEvidence.node == Node.id)
        .order_by(Node.id)
    ).all()  # fmt: skip
    exceptions = _exceptions(session)
    nodes = tuple(row.id for row in rows)
    areas = tuple(_area(row) for row in rows)
    boxes, box_group = _boxes(session, nodes)
    return Snapshot(
        version=version,
        nodes=nodes,
        names=tuple(row.name for row in rows),
        kinds=tuple(row.kind for row in rows),
        countries=tuple(row.country for row in rows),
        regions=tuple(f"{row.country}-{row.region}" for row in rows),
        tags=tuple(row.group for row in rows),
        statuses=tuple(row.status for row in rows),
        calendars=tuple(_calendar(row, exceptions[row.id]) for row in rows),
        index={node: number for number, node in enumerate(nodes)},
        is_open=_flags([row.status == NodeStatus.OPEN for row in rows]),
        ships=_flags([row.ships for row in rows]),
        collects=_flags([row.collects for row in rows]),
        latitude=np.array([row.latitude for row in rows], dtype=np.float64),
        longitude=np.array([row.longitude for row in rows], dtype=np.float64),
        pick_success=np.array([row.pick_success for row in rows], dtype=np.float64),
        lines_found=np.array([row.found or 0.0 for row in rows], dtype=np.float64),
        lines_missed=np.array([row.missed or 0.0 for row in rows], dtype=np.float64),
        services=offers.read(session, areas),
        areas=areas,
        boxes=boxes,
        box_group=box_group,
        capacity_minutes=_integers([row.capacity_minutes for row in rows]),
        package_cost_minor=_integers([row.package_cost_minor for row in rows]),
        line_cost_minor=_integers([row.line_cost_minor for row in rows]),
        unit_cost_minor=_integers([row.unit_cost_minor for row in rows]),
        package_minutes=_integers([row.package_minutes for row in rows]),
        line_minutes=_integers([row.line_minutes for row in rows]),
    )


def _flags(values: Sequence[bool]) -> Flags:
    return np.array(values, dtype=np.bool_)


def _integers(values: Sequence[int]) -> Integers:
    return np.array(values, dtype=np.int64)


def _calendar(row: Row[Any], exceptions: Mapping[date, bool]) -> Calendar:
    return Calendar(
        time_zone=row.time_zone,
        country=row.country,
        region=row.region,
        hours=parse_hours(row.opening_hours),
        cut_off=parse_time(row.cut_off),
        exceptions=exceptions,
    )


def _exceptions(session: Session) -> defaultdict[str, dict[date, bool]]:
    found: defaultdict[str, dict[date, bool]] = defaultdict(dict)
    for node, on_date, is_open in session.execute(select(Closure.node, Closure.on_date, Closure.is_open)):
        found[node][on_date] = is_open
    return found


def _area(row: Row[Any]) -> Area:
    return Area(row.country, row.region, normalised(row.postal_code), row.time_zone)


def _boxes(session: Session, nodes: Sequence[str]) -> tuple[tuple[BoxKinds, ...], Integers]:
    """Return the kinds of boxes of groups of nodes, and the group of each node: those of all nodes, then own ones."""
    found: defaultdict[str | None, list[Box]] = defaultdict(list)
    for row in session.execute(select(*NodeBox.__table__.columns).where(NodeBox.active)):
        found[row.node].append(
            Box(
                row.id, row.length_mm, row.width_mm, row.height_mm, row.tare_g, row.max_weight_g, row.cost_minor,
                row.name,
            )
        )  # fmt: skip
    own = [node for node in nodes if node in found]
    kinds = tuple(kinds_of(found[owner]) for owner in (None, *own))
    return kinds, _integers([own.index(node) + 1 if node in found else 0 for node in nodes])
