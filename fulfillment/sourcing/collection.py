"""The ways to have a demand ready at its store: from the store's own shelves, or by a transfer leg.

Built from the network's arrays for `gather`; pure. Invariant: a transfer arrives on a day on which the store works, and
is ready when that day ends; a leg costs the work at both ends.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from fulfillment.network.days import NEVER, following
from fulfillment.network.geography import distances_km
from fulfillment.sourcing.fences import Fences, fences_of
from fulfillment.sourcing.options import Options, listed
from fulfillment.sourcing.proposal import Wanted
from fulfillment.sourcing.scene import Integers, Scene, days_ahead
from fulfillment.sourcing.ways import DIRECT, Legs, carried, kept, reached, uncharged


def to_collect(scene: Scene, wanted: Wanted) -> Options:
    """List the ways to have a demand ready at its store; none when the store does not work now."""
    net = scene.net
    store = net.index.get(wanted.collect_node or "", 0)
    here = np.arange(len(net.nodes)) == store
    fences = fences_of(scene)
    works = wanted.collect_node in net.index and net.is_open[store] and net.collects[store]
    fences.keep("store_not_open", np.full(len(net.nodes), works))
    fences.keep("does_not_ship", net.ships | here)
    if not scene.settings.transfers:
        fences.keep("no_transfers", here)
    distance = distances_km(net.latitude[store], net.longitude[store], net.latitude, net.longitude)
    to = net.areas[store]
    fences.keep("out_of_reach", reached(net.services, distance, to) | here)
    reachable = fences.inside
    fences.keep("no_stock", scene.may_serve.any(axis=0))

    def when(_nodes: Integers, arrives: Integers) -> Integers:
        return _ready_s(scene, store, arrives)

    days = days_ahead(scene, wanted)
    sent = carried(scene, net.services, fences.inside & ~here, distance, to=to, days=days, when=when)
    legs = kept(scene, wanted, [*_direct(scene, wanted, store, fences), *sent], fences)
    return listed(scene, legs, fences, reachable, due_s=_due_s(scene, wanted, store), store=store)


def _direct(scene: Scene, wanted: Wanted, store: int, fences: Fences) -> list[Legs]:
    if not fences.inside[store]:
        return []
    days, lead_s, count = scene.days, scene.settings.collect_lead_minutes * 60, days_ahead(scene, wanted)
    columns = following(days.closes_s[store : store + 1], scene.now_s + lead_s, count)[0]
    ready = np.maximum(days.opens_s[store, columns], scene.now_s) + lead_s
    ready = np.minimum(ready, days.closes_s[store, columns])
    legs = Legs(
        node=np.full(count, store),
        offer=np.full(count, DIRECT),
        put_off=np.arange(count),
        ordinal=days.ordinal[store, columns],
        leaves_s=ready,
        arrives_s=ready,
        **uncharged(scene, count)._asdict(),
    )
    return [legs]


def _ready_s(scene: Scene, store: int, arrives: Integers) -> Integers:
    """Return when units that arrive on these dates are ready: at the end of the store's first working day from then."""
    ordinals, closes = scene.days.ordinal[store], scene.days.closes_s[store]
    column = np.minimum(np.searchsorted(ordinals, arrives, side="left"), len(ordinals) - 1)
    return np.where(arrives == NEVER, NEVER, closes[column])


def _due_s(scene: Scene, wanted: Wanted, store: int) -> int:
    """Return when the collection should be ready at the latest, in seconds."""
    asked = wanted.promised_by or wanted.wanted_by
    if asked is not None:
        return int(asked.timestamp())
    calendar, on, left = scene.net.calendars[store], wanted.placed_at.date(), scene.settings.collect_days
    for _ in range(60):
        left -= calendar.works_on(on)
        if left <= 0:
            return int(calendar.work_day(on).closes_at.timestamp())
        on += timedelta(days=1)
    return NEVER
