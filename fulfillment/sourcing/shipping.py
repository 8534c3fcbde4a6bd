"""The ways to ship a demand to its address.

Built from the network's arrays for `gather`; pure. Invariant: a package leaves at the cut-off of its node's working day
and arrives when deliveries end, by the destination's clock, on a day on which carriers work there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fulfillment.network.calendar import DELIVERY_ENDS
from fulfillment.network.days import due_s, instants_s
from fulfillment.network.geography import distances_km, normalised
from fulfillment.network.zones import Area
from fulfillment.sourcing.fences import Site, fences_of
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
    to = _destination(scene, wanted, distance)
    fences.keep("out_of_reach", reached(offers, distance, to))
    fences.keep_policy(Site(scene, distance, to.country, to.time_zone))
    reachable = fences.inside
    fences.keep("no_stock", scene.may_serve.any(axis=0))

    def when(_nodes: Integers, arrives: Integers) -> Integers:
        return instants_s(arrives, to.time_zone, DELIVERY_ENDS, year=scene.now.year)

    days = days_ahead(scene, wanted)
    ways = carried(scene, offers, fences.inside, distance, to=to, days=days, when=when)
    legs = kept(scene, wanted, ways, fences)
    return listed(scene, legs, fences, reachable, due_s=_due_s(scene, wanted, to), zone=to.time_zone)


def _destination(scene: Scene, wanted: Wanted, distance: NDArray[np.float64]) -> Area:
    """Return what is known of where a demand goes: the nearest node of its country tells its clock and its holidays.

    Without a node in that country, its own public holidays count, and the clock is that of the nearest node.
    """
    net, country, postal_code = scene.net, wanted.country or "", normalised(wanted.postal_code or "")
    if not len(distance):
        return Area(country, "", postal_code)
    at_home = np.array([each == country for each in net.countries])
    nearest = net.calendars[int(np.where(at_home, distance, np.inf).argmin() if at_home.any() else distance.argmin())]
    return Area(country, nearest.region if at_home.any() else "", postal_code, nearest.time_zone)


def _due_s(scene: Scene, wanted: Wanted, to: Area) -> int:
    """Return when the demand should arrive at the latest: as promised, as asked for, or as its service usually does."""
    asked = wanted.promised_by or wanted.wanted_by
    if asked is not None:
        return int(asked.timestamp())
    days = scene.settings.service_days.get(wanted.service, 3)
    return due_s(wanted.placed_at, days, country=to.country, zone=to.time_zone, region=to.region)
