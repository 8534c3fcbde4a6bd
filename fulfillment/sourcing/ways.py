"""The ways from nodes on days, before their costs are known: by a carrier's service, or directly.

Listed by `shipping` and `collection`, priced by `pricing`; pure. Invariant: no way is listed that cannot be better than
an earlier day of the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fulfillment.network import tariffs
from fulfillment.network.days import NEVER, arrival_days, following
from fulfillment.network.snapshot import CarrierOffer
from fulfillment.sourcing.fences import Fences
from fulfillment.sourcing.proposal import Wanted
from fulfillment.sourcing.scene import Flags, Integers, Scene

DIRECT: Final = -1
"""The offer of a way that no carrier takes."""
When = Callable[[Integers, Integers], Integers]


class Legs(NamedTuple):
    """Ways from nodes on days, one entry per option: before costs are known."""

    node: Integers
    offer: Integers
    put_off: Integers
    ordinal: Integers
    leaves_s: Integers
    arrives_s: Integers
    carrier_package: Integers
    carrier_lines: Integers


def reached(offers: Sequence[CarrierOffer], distance: NDArray[np.float64]) -> Flags:
    """Tell which nodes are within reach of any carrier service, by their distance in kilometres (N)."""
    flags = np.zeros(len(distance), dtype=np.bool_)
    for offer in offers:
        flags |= offer.tariffs.reach(distance)[1]
    return flags


def carried(
    scene: Scene,
    offers: Sequence[CarrierOffer],
    inside: Flags,
    distance: NDArray[np.float64],
    *,
    country: str,
    region: str,
    days: int,
    when: When,
) -> Iterable[Legs]:
    """Yield, for each carrier service, the ways from the nodes `inside` on each of their next working days.

    `when` turns nodes (M) and the dates on which packages arrive (M,D), as ordinals, into instants.
    """
    net, calendar = scene.net, scene.days
    for offer in offers:
        band, reaches = offer.tariffs.reach(distance)
        nodes = np.flatnonzero(inside & reaches)
        if not len(nodes):
            continue
        band = band[nodes]
        package, lines = tariffs.spread(offer.tariffs, band, scene.weights_g)
        columns = following(calendar.cut_off_s[nodes], scene.now_s, days)
        ordinal = np.take_along_axis(calendar.ordinal[nodes], columns, axis=1)
        transit = offer.tariffs.travel_days(band, int(scene.weights_g.sum()))
        leaves = np.take_along_axis(calendar.cut_off_s[nodes], columns, axis=1)

        travelling = partial(arrival_days, ordinal, country=country, region=region, year=scene.now.year)
        arrives = when(nodes, travelling(transit[:, None]))
        if (arrives < leaves).any():
            # What leaves after deliveries have ended arrives on the next delivery day.
            arrives = np.where(arrives < leaves, when(nodes, travelling(transit[:, None] + 1)), arrives)
        yield Legs(
            node=nodes.repeat(days),
            offer=np.full(len(nodes) * days, net.services.index(offer), dtype=np.int64),
            put_off=np.tile(np.arange(days), len(nodes)),
            ordinal=ordinal.ravel(),
            leaves_s=leaves.ravel(),
            arrives_s=arrives.ravel(),
            carrier_package=package.repeat(days),
            carrier_lines=lines.repeat(days, axis=1),
        )


def kept(scene: Scene, wanted: Wanted, parts: Iterable[Legs], fences: Fences) -> Legs:
    """Join ways, without days that do not come, that are too early, or that come after one with room for everything."""
    every = list(parts)
    if not every:
        none = np.zeros(0, dtype=np.int64)
        return Legs(none, none, none, none, none, none, none, np.zeros((len(scene.units), 0), dtype=np.int64))
    legs = Legs(*(np.concatenate(column, axis=-1) for column in zip(*every, strict=True)))
    flags = (legs.ordinal != NEVER) & (legs.arrives_s != NEVER)
    fences.keep_nodes("no_work_day", legs.node, flags)
    if wanted.wanted_from is not None:
        flags = flags & (legs.arrives_s >= int(wanted.wanted_from.timestamp()))
        fences.keep_nodes("too_early", legs.node, flags)
    if wanted.arrive_by is not None:
        flags = flags & (legs.arrives_s <= int(wanted.arrive_by.timestamp()))
        fences.keep_nodes("after_promise", legs.node, flags)
    flags = flags & ~_needless(scene, legs, flags)
    return Legs(*(column[..., flags] for column in legs))


def _needless(scene: Scene, legs: Legs, candidates: Flags) -> Flags:
    """Tell which options follow an earlier day of the same way that has minutes for all lines in packages of their own.

    Such an option is never better: later days are neither cheaper nor sooner.
    """
    net = scene.net
    column = np.clip(legs.ordinal - scene.first_ordinal, 0, scene.minutes.shape[1] - 1)
    needed = scene.lines_in_all * (net.package_minutes[legs.node] + net.line_minutes[legs.node])
    ample = candidates & (scene.minutes[legs.node, column] >= needed)
    positions = np.arange(len(ample))
    way_starts = np.maximum.accumulate(np.where(legs.put_off == 0, positions, 0))
    last_ample = np.maximum.accumulate(np.where(ample, positions, -1))
    before = np.append(-1, last_ample[:-1]) if len(ample) else last_ample
    needless: Flags = before >= way_starts
    return needless
