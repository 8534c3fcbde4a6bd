"""The ways from nodes on days, before their costs are known: by a carrier's service, or directly.

Listed by `shipping` and `collection`, priced by `pricing`; pure. Invariant: no way is listed that cannot be better than
an earlier day of the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fulfillment.network import freight, surcharges
from fulfillment.network.days import NEVER, arrival_days, following
from fulfillment.network.freight import CHARGES, Freight, Load
from fulfillment.network.offers import CarrierOffer, Limits
from fulfillment.network.zones import Area
from fulfillment.sourcing.fences import Fences
from fulfillment.sourcing.proposal import Wanted
from fulfillment.sourcing.scene import Flags, Integers, Scene

DIRECT: Final = -1
"""The offer of a way that no carrier takes."""
SURCHARGE: Final = CHARGES.index("surcharge")
When = Callable[[Integers, Integers], Integers]


class Legs(NamedTuple):
    """Ways from nodes on days, one entry per option: before all costs are known.

    package_charges C,K; line_charges C,L,K  what carriers ask and boxes cost, the first C of `CHARGES`
    dated K  a surcharge of the days is in them, so that a later day may be cheaper
    """

    node: Integers
    offer: Integers
    put_off: Integers
    ordinal: Integers
    leaves_s: Integers
    arrives_s: Integers
    package_charges: Integers
    line_charges: Integers
    dated: Flags


class Departures(NamedTuple):
    """Departures with a carrier service: nodes and the bands of its tariff (M), dates and instants (M,D)."""

    node: Integers
    band: Integers
    ordinal: Integers
    leaves_s: Integers


class Charges(NamedTuple):
    """What a carrier service asks by option: for packages C,K, for lines C,L,K, and where by the day (K)."""

    package_charges: Integers
    line_charges: Integers
    dated: Flags


def uncharged(scene: Scene, options: int) -> Charges:
    """Return that nobody asks anything for so many options that no carrier takes."""
    count = 1 if scene.goods is None else len(CHARGES)
    none = np.zeros((count, len(scene.units), options), dtype=np.int64)
    return Charges(none[:, 0], none, np.zeros(options, dtype=np.bool_))


def reached(offers: Sequence[CarrierOffer], distance: NDArray[np.float64], to: Area) -> Flags:
    """Tell which nodes are within reach of any carrier service, by their distance in kilometres (N)."""
    flags = np.zeros(len(distance), dtype=np.bool_)
    for offer in offers:
        flags |= offer.reach(distance, to)[1]
    return flags


def carried(
    scene: Scene,
    offers: Sequence[CarrierOffer],
    inside: Flags,
    distance: NDArray[np.float64],
    *,
    to: Area,
    days: int,
    when: When,
) -> Iterable[Legs]:
    """Yield, for each carrier service, the ways from the nodes `inside` on each of their next working days.

    `when` turns nodes (M) and the dates on which packages arrive (M,D), as ordinals, into instants.
    """
    net = scene.net
    loads: dict[Limits, Load] = {}
    for offer in offers:
        band, reaches = offer.reach(distance, to)
        nodes = np.flatnonzero(inside & reaches)
        if not len(nodes):
            continue
        leaving = _departures(scene, offer, nodes, band[nodes], days)
        asked = _asked(scene, offer, loads, leaving, to)
        arrives, arrives_s = _arrivals(scene, offer, leaving, asked.travel_days, to=to, when=when)
        charges = _charged(asked, leaving.ordinal, arrives)
        yield Legs(
            node=nodes.repeat(days),
            offer=np.full(len(nodes) * days, net.services.index(offer), dtype=np.int64),
            put_off=np.tile(np.arange(days), len(nodes)),
            ordinal=leaving.ordinal.ravel(),
            leaves_s=leaving.leaves_s.ravel(),
            arrives_s=arrives_s.ravel(),
            **charges._asdict(),
        )


def _departures(scene: Scene, offer: CarrierOffer, nodes: Integers, band: Integers, days: int) -> Departures:
    """Return the next departures from nodes; never on a day on which the carrier comes before the node opens."""
    calendar = scene.days
    cut_off_s = scene.net.cut_offs(calendar, offer)[nodes]
    columns = following(cut_off_s, scene.now_s, days)
    ordinal = np.take_along_axis(calendar.ordinal[nodes], columns, axis=1)
    leaves_s = np.take_along_axis(cut_off_s, columns, axis=1)
    if offer.cut_off is not None:
        opens_s = np.take_along_axis(calendar.opens_s[nodes], columns, axis=1)
        ordinal = np.where(leaves_s <= opens_s, NEVER, ordinal)
    return Departures(nodes, band, ordinal, leaves_s)


def _asked(scene: Scene, offer: CarrierOffer, loads: dict[Limits, Load], leaving: Departures, to: Area) -> Freight:
    """Return what a service asks for the lines from each node; `loads` are those packed already, by limits."""
    if scene.goods is None:
        return freight.asked_by_weight(offer, scene.weights_g, leaving.band)
    if offer.limits not in loads:
        net = scene.net
        loads[offer.limits] = freight.load_of(scene.goods, net.boxes, net.box_group, offer.limits)
    return freight.asked_for(offer, loads[offer.limits], leaving.node, leaving.band, to)


def _charged(asked: Freight, ordinal: Integers, arrives: Integers) -> Charges:
    """Return what is asked for departures and arrivals on these dates, as ordinals (M,D)."""
    days = ordinal.shape[1]
    package, lines = (np.array([split[part] for split in asked.charges]).repeat(days, axis=-1) for part in (0, 1))
    dated = np.zeros(ordinal.size, dtype=np.bool_)
    for surcharge, split in asked.dated:
        costs = split.package + split.lines.sum(axis=0) > 0
        bites = (surcharges.on_days(surcharge, ordinal, arrives) & costs[:, None]).ravel()
        package[SURCHARGE] += split.package.repeat(days) * bites
        lines[SURCHARGE] += split.lines.repeat(days, axis=-1) * bites
        dated |= bites
    return Charges(package, lines, dated)


def _arrivals(
    scene: Scene, offer: CarrierOffer, leaving: Departures, travel_days: Integers, *, to: Area, when: When
) -> tuple[Integers, Integers]:
    """Return the dates of arrivals, as ordinals, and their instants (M,D)."""
    travelling = partial(
        arrival_days, leaving.ordinal, country=to.country, region=to.region, weekdays=offer.delivers_on,
        year=scene.now.year,
    )  # fmt: skip
    arrives = travelling(travel_days[:, None])
    arrives_s = when(leaving.node, arrives)
    late = arrives_s < leaving.leaves_s
    if late.any():
        # What leaves after deliveries have ended arrives on the next delivery day.
        arrives = np.where(late, travelling(travel_days[:, None] + 1), arrives)
        arrives_s = when(leaving.node, arrives)
    return arrives, arrives_s


def kept(scene: Scene, wanted: Wanted, parts: Iterable[Legs], fences: Fences) -> Legs:
    """Join ways, without days that do not come, that are too early, or that come after one with room for everything."""
    every = list(parts)
    if not every:
        none = np.zeros(0, dtype=np.int64)
        return Legs(none, none, none, none, none, none, *uncharged(scene, 0))
    joined: list[Any] = [np.concatenate(column, axis=-1) for column in zip(*every, strict=True)]
    legs = Legs(*joined)
    flags = (legs.ordinal != NEVER) & (legs.arrives_s != NEVER)
    fences.keep_nodes("no_work_day", legs.node, flags)
    if wanted.wanted_from is not None:
        flags = flags & (legs.arrives_s >= int(wanted.wanted_from.timestamp()))
        fences.keep_nodes("too_early", legs.node, flags)
    flags = fences.keep_in_time(scene, wanted, legs.node, legs.arrives_s, flags)
    if wanted.arrive_by is not None:
        flags = flags & (legs.arrives_s <= int(wanted.arrive_by.timestamp()))
        fences.keep_nodes("after_promise", legs.node, flags)
    flags = flags & ~_needless(scene, legs, flags)
    chosen: list[Any] = [column[..., flags] for column in legs]
    return Legs(*chosen)


def _needless(scene: Scene, legs: Legs, candidates: Flags) -> Flags:
    """Tell which options follow an earlier day of the same way that has minutes for all lines in packages of their own.

    Such an option is never better: later days are no sooner, and only cheaper than one with a surcharge of its day, or
    where minutes have a price and fewer of the later day are claimed.
    """
    net = scene.net
    column = np.clip(legs.ordinal - scene.first_ordinal, 0, scene.minutes.shape[1] - 1)
    needed = scene.lines_in_all * (net.package_minutes[legs.node] + net.line_minutes[legs.node])
    ample = candidates & ~legs.dated & (scene.minutes[legs.node, column] >= needed)
    positions = np.arange(len(ample))
    way_starts = np.maximum.accumulate(np.where(legs.put_off == 0, positions, 0))
    last_ample = np.maximum.accumulate(np.where(ample, positions, -1))
    before = np.append(-1, last_ample[:-1]) if len(ample) else last_ample
    needless: Flags = before >= way_starts
    if scene.settings.capacity_minor:
        used = scene.used(legs.node, legs.ordinal)
        needless &= used[before] <= used
    return needless
