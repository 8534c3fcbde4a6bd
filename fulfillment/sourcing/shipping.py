"""The ways to ship a demand to its address.

Built from the network's arrays for `gather`; pure. Invariant: a package leaves at the cut-off of its node's working day
and arrives when deliveries end on a day on which carriers work in its country.
"""

from __future__ import annotations

import numpy as np

from fulfillment.network.days import due_s, evening_s
from fulfillment.network.geography import distances_km
from fulfillment.sourcing.fences import fences_of
from fulfillment.sourcing.options import Options, listed
from fulfillment.sourcing.proposal import Wanted
from fulfillment.sourcing.scene import Integers, Scene, days_ahead
from fulfillment.sourcing.ways import carried, kept, reached


def to_ship(scene: Scene, wanted: Wanted) -> Options:
    """List the ways to ship a demand."""
    net, place = scene.net, wanted.location
    fences = fences_of(scene)
    fences.keep("does_not_ship", net.ships)
    latitude, longitude = place.latitude, place.longitude
    if latitude is None or longitude is None:
        fences.keep("no_address", np.zeros(len(net.nodes), dtype=np.bool_))
        latitude = longitude = 0.0
    distance = distances_km(latitude, longitude, net.latitude, net.longitude)
    offers = net.offers(wanted.service)
    fences.keep("out_of_reach", reached(offers, distance))
    reachable = fences.inside
    fences.keep("no_stock", scene.may_serve.any(axis=0))
    country = wanted.country or ""
    days = days_ahead(scene, wanted)

    def when(nodes: Integers, arrives: Integers) -> Integers:
        return _evenings(scene, nodes, arrives)

    ways = carried(scene, offers, fences.inside, distance, country=country, days=days, when=when)
    legs = kept(scene, wanted, ways, fences)
    due = _due_s(scene, wanted, country=country, distance=distance)
    return listed(scene, legs, fences, reachable, due_s=due)


def _evenings(scene: Scene, nodes: Integers, arrives: Integers) -> Integers:
    """Return when deliveries end on these dates, by the clock of the sending node."""
    zones = [scene.days.zones[node] for node in nodes.tolist()]
    found = np.empty_like(arrives)
    for zone in set(zones):
        rows = np.array([each == zone for each in zones])
        found[rows] = evening_s(arrives[rows], zone, year=scene.now.year)
    return found


def _due_s(scene: Scene, wanted: Wanted, *, country: str, distance: np.ndarray) -> int:
    """Return when the demand should arrive at the latest: as promised, as asked for, or as its service usually does."""
    asked = wanted.promised_by or wanted.wanted_by
    if asked is not None:
        return int(asked.timestamp())
    zone = scene.days.zones[int(distance.argmin())] if len(distance) else "UTC"
    days = scene.settings.service_days.get(wanted.service, 3)
    return due_s(wanted.placed_at, days, country=country, zone=zone)
