"""The ways to have a demand ready at its store: from the store's own shelves, or by a transfer leg.

Built from the network's arrays for `gather`; pure. Invariant: a transfer arrives on a day on which the store works, and
is ready when that day ends; a leg costs the work at both ends.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from fulfillment.network.days import NEVER, following
from fulfillment.network.geography import distances_km
from fulfillment.sourcing.fences import Fences, Site, fences_of
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
    fences.keep_policy(Site(scene, distance, net.countries[store], scene.days.zones[store]))
    reachable = fences.inside
    fences.keep("no_stock", scene.may_serve.any(axis=0))

    def when(_nodes: Integers, arrives: Integers) -> Integers:
        return _ready_s(scene, store, arrives)

    days, calendar = days_ahead(scene, wanted), net.calendars[store]
    sent = carried(scene, net.services, fences.inside & ~here, distance, to=to, days=days, when=when)
    ways = [_in_window(scene, wanted, store, each) for each in (*_direct(scene, wanted, store, fences), *sent)]
    legs = kept(scene, wanted, ways, fences)
    due = _due_s(scene, wanted, store)
    return listed(scene, legs, fences, reachable, due_s=due, zone=calendar.time_zone, store=store)


def _direct(scene: Scene, wanted: Wanted, store: int, fences: Fences) -> list[Legs]:
    if not fences.inside[store]:
        return []
    days, lead_s, count = scene.days, scene.settings.collect_lead_minutes * 60, days_ahead(scene, wanted)
    begins = scene.now_s + wanted.grace_minutes * 60
    columns = following(days.closes_s[store : store + 1], begins + lead_s, count)[0]
    ready = np.maximum(days.opens_s[store, columns], begins) + lead_s
    if scene.net.calendars[store].has_breaks:
        ready = _around_breaks(scene, store, columns, ready, lead_s)
    ready = np.where(ready == NEVER, NEVER, np.minimum(ready, days.closes_s[store, columns]))
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


def _around_breaks(scene: Scene, store: int, columns: Integers, ready: Integers, lead_s: int) -> Integers:
    """Return when work is done that would be `ready` then if the store had no breaks; NEVER if not before it closes."""
    calendar, lead, found = scene.net.calendars[store], timedelta(seconds=lead_s), ready.copy()
    for place, ordinal in enumerate(scene.days.ordinal[store, columns].tolist()):
        if ordinal == NEVER:
            continue
        day = calendar.work_day(date.fromordinal(ordinal))
        begins = datetime.fromtimestamp(int(ready[place]) - lead_s, UTC)
        done = day.done_at(begins, lead)
        too_late = done > day.closes_at and begins > day.opens_at
        found[place] = NEVER if too_late else done.timestamp()
    return found


def _ready_s(scene: Scene, store: int, arrives: Integers) -> Integers:
    """Return when units that arrive on these dates are ready: at the end of the store's first working day from then."""
    ordinals, closes = scene.days.ordinal[store], scene.days.closes_s[store]
    column = np.minimum(np.searchsorted(ordinals, arrives, side="left"), len(ordinals) - 1)
    return np.where(arrives == NEVER, NEVER, closes[column])


def _in_window(scene: Scene, wanted: Wanted, store: int, legs: Legs) -> Legs:
    """Let what is ready a little before somebody wants to come wait for them at the counter.

    Ready on the store's working day before is not too early: from a window in the morning no work could be done.
    """
    if wanted.wanted_from is None:
        return legs
    from_s = int(wanted.wanted_from.timestamp())
    opens, closes = scene.days.opens_s[store], scene.days.closes_s[store]
    column = min(int(np.searchsorted(closes, from_s, side="left")), len(closes) - 1)
    fine = legs.arrives_s >= opens[max(0, column - 1)]
    comes_s = max(from_s, int(opens[column]))
    return legs._replace(arrives_s=np.where(fine, np.maximum(legs.arrives_s, comes_s), legs.arrives_s))


def _due_s(scene: Scene, wanted: Wanted, store: int) -> int:
    """Return when the collection should be ready at the latest, in seconds."""
    asked = wanted.promised_by or wanted.wanted_by
    if asked is not None:
        return int(asked.timestamp())
    calendar, left = scene.net.calendars[store], scene.settings.collect_days
    on = wanted.placed_at.astimezone(ZoneInfo(calendar.time_zone)).date()
    for _ in range(60):
        left -= calendar.works_on(on)
        if left <= 0:
            return int(calendar.work_day(on).closes_at.timestamp())
        on += timedelta(days=1)
    return NEVER
