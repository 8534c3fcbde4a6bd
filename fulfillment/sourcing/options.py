"""The ways to serve one demand: options, each a node with a carrier service on one of the node's next working days.

Built from the network's arrays for `gather`, by `shipping` and `collection`; pure. Invariant: an option that is listed
keeps every rule of the network and of the policy but for stock shared with others and minutes, which the solver weighs;
a node without an option is listed with the first rule that excluded it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fulfillment.network import costs, tariffs
from fulfillment.network.days import NEVER, Days, arrival_days, following
from fulfillment.network.policies import Settings
from fulfillment.network.snapshot import CarrierOffer, Snapshot
from fulfillment.sourcing.proposal import Wanted

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

TERMS: Final = ("handling", "carrier", "line_handling", "lateness", "pick_risk", "preference", "churn")
DIRECT: Final = -1
MOST_EARLY_DAYS: Final = 30
"""How far ahead of its work a requested date may lie."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What a demand is decided against: the network at an instant, the stock of its lines, and minutes left.

    allowed     L,N  the node is not excluded for the line
    may_serve   L,N  it has units of the line besides
    current     L,N  the node has units of the line allocated now
    units, weights_g  L
    minutes     N,O  minutes left by node and date, from `first_ordinal` on
    """

    net: Snapshot
    days: Days
    now: datetime
    settings: Settings
    allowed: Flags
    may_serve: Flags
    current: Flags
    units: Integers
    weights_g: Integers
    minutes: Integers
    first_ordinal: int
    lines_in_all: int

    @property
    def now_s(self) -> int:
        """The instant of the decision, in seconds."""
        return int(self.now.timestamp())


@dataclass(frozen=True, eq=False)
class Options:
    """K options as arrays, and the nodes that have none by the rule that excluded them.

    node, offer, ordinal, leaves_s, arrives_s  K  `offer` indexes the snapshot's services, DIRECT for none
    package_terms T,K; line_terms T,L,K; work K
    """

    node: Integers
    offer: Integers
    ordinal: Integers
    leaves_s: Integers
    arrives_s: Integers
    transfer: Flags
    package_terms: Integers
    line_terms: Integers
    work: Integers
    line_work: Integers
    excluded: Mapping[str, list[int]] = field(default_factory=dict)
    reachable: Flags = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))


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


@dataclass(eq=False)
class Fences:
    """Which nodes are still in, and by which rule the others went out."""

    inside: Flags
    excluded: dict[str, list[int]] = field(default_factory=dict)

    def keep(self, rule: str, flags: Any) -> None:
        """Exclude by `rule` what is still in and not in `flags`."""
        out = np.flatnonzero(self.inside & ~flags)
        if len(out):
            self.excluded[rule] = out.tolist()
            self.inside = self.inside & flags

    def keep_nodes(self, rule: str, node: Integers, kept: Flags) -> None:
        """Exclude by `rule` what has no option left: `node` and `kept` are by option."""
        still = np.zeros(len(self.inside), dtype=np.bool_)
        still[node[kept]] = True
        self.keep(rule, still)


When = Callable[[Integers, Integers], Integers]


def fences_of(scene: Scene) -> Fences:
    """Begin with every node that works and that the policy allows."""
    net = scene.net
    fences = Fences(np.ones(len(net.nodes), dtype=np.bool_))
    fences.keep("not_open", net.is_open)
    if scene.settings.excluded_nodes:
        fences.keep("excluded_by_policy", ~np.isin(np.array(net.nodes), list(scene.settings.excluded_nodes)))
    return fences


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
        arrives = arrival_days(ordinal, transit[:, None], country=country, year=scene.now.year)
        yield Legs(
            node=nodes.repeat(days),
            offer=np.full(len(nodes) * days, net.services.index(offer), dtype=np.int64),
            put_off=np.tile(np.arange(days), len(nodes)),
            ordinal=ordinal.ravel(),
            leaves_s=np.take_along_axis(calendar.cut_off_s[nodes], columns, axis=1).ravel(),
            arrives_s=when(nodes, arrives).ravel(),
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


def priced(scene: Scene, legs: Legs, *, due_s: int, store: int | None = None) -> tuple[Integers, Integers]:
    """Price ways by term: packages (T,K) and lines (T,L,K).

    A way to a store that does not start there is worked on at both ends.
    """
    net, settings, node = scene.net, scene.settings, legs.node
    lines, options = len(scene.units), len(node)
    package = np.zeros((len(TERMS), options), dtype=np.int64)
    line = np.zeros((len(TERMS), lines, options), dtype=np.int64)
    package[0] = costs.handling(net.package_cost_minor, node)
    package[1], line[1] = legs.carrier_package, legs.carrier_lines
    line[2] = costs.line_handling(net.line_cost_minor, net.unit_cost_minor, scene.units, node)
    package[3] = costs.lateness(legs.arrives_s, due_s, settings.lateness_day_minor)
    line[4] = costs.pick_risk(net.pick_success, settings.resource_minor, node, lines)
    package[5] = costs.preference(_kind_minor(scene), node, legs.put_off)
    line[6] = costs.churn(node, scene.current, settings.churn_minor)
    if store is not None:
        at_store, sent = np.full(options, store), node != store
        package[0] += costs.handling(net.package_cost_minor, at_store) * sent
        line[2] += costs.line_handling(net.line_cost_minor, net.unit_cost_minor, scene.units, at_store) * sent
    return package, line


def listed(
    scene: Scene, legs: Legs, fences: Fences, reachable: Flags, *, due_s: int, store: int | None = None
) -> Options:
    """Price the ways and list them as options."""
    package, line = priced(scene, legs, due_s=due_s, store=store)
    net, node = scene.net, legs.node
    return Options(
        node=node,
        offer=legs.offer,
        ordinal=legs.ordinal,
        leaves_s=legs.leaves_s,
        arrives_s=legs.arrives_s,
        transfer=np.zeros(len(node), dtype=np.bool_) if store is None else node != store,
        package_terms=package,
        line_terms=line,
        work=net.package_minutes[node],
        line_work=np.broadcast_to(net.line_minutes[node], (len(scene.units), len(node))),
        excluded=fences.excluded,
        reachable=reachable,
    )


def days_ahead(scene: Scene, wanted: Wanted) -> int:
    """Return how many working days of a node to look at: the horizon, further on when a later date was asked for."""
    return scene.settings.horizon_days + early_days(wanted, scene.now)


def early_days(wanted: Wanted, now: datetime) -> int:
    """Return by how many days a demand is wanted later than now."""
    if wanted.wanted_from is None:
        return 0
    return min(max((wanted.wanted_from - now).days, 0), MOST_EARLY_DAYS)


def _kind_minor(scene: Scene) -> Integers:
    weights = scene.settings.kind_minor
    return np.array([weights.get(kind, 0) for kind in scene.net.kinds], dtype=np.int64)
