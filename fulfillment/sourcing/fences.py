"""The rules that keep nodes out of a decision, each by its name.

Used by `shipping`, `collection` and `gather`; pure. Invariants: a node is out by one rule, the first that excluded it,
hard ones before soft ones; what a soft fence keeps out is known, so that it can be relaxed where that would help.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from fulfillment.network.settings import Fence
from fulfillment.sourcing.proposal import Wanted
from fulfillment.sourcing.scene import Flags, Integers, Scene


@dataclass(frozen=True, eq=False)
class Site:
    """Where a demand goes: distance of each node in kilometres (N), country, clock, and the scene it is decided in."""

    scene: Scene
    distance_km: NDArray[np.float64]
    country: str
    zone: str


@dataclass(eq=False)
class Fences:
    """Which nodes are still in, and by which rule the others went out.

    could     N  nodes that no rule but soft fences and stock keeps out, once `keep_policy` was asked
    withheld     by soft fence, N: the nodes that it keeps out
    zone         the clock of the place that the demand goes to
    """

    inside: Flags
    excluded: dict[str, list[int]] = field(default_factory=dict)
    could: Flags = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    withheld: dict[str, Flags] = field(default_factory=dict)
    zone: str = "UTC"

    def keep(self, rule: str, flags: Any) -> None:
        """Exclude by `rule` what is still in and not in `flags`."""
        out = np.flatnonzero(self.inside & ~flags)
        if len(out):
            self.excluded.setdefault(rule, []).extend(out.tolist())
            self.inside = self.inside & flags

    def keep_nodes(self, rule: str, node: Integers, kept: Flags) -> None:
        """Exclude by `rule` what has no option left: `node` and `kept` are by option."""
        still = np.zeros(len(self.inside), dtype=np.bool_)
        still[node[kept]] = True
        self.keep(rule, still)

    def keep_policy(self, site: Site) -> None:
        """Exclude what the policy's fences keep out, hard ones first."""
        scene, self.zone = site.scene, site.zone
        self.could = self.inside
        for fence in sorted(scene.fences, key=lambda each: each.soft):
            if fence.rule in NODE_RULES:
                flags = NODE_RULES[fence.rule](site, fence)
            elif fence in scene.fenced:
                flags = np.array(~scene.fenced[fence].all(axis=0))
            else:
                continue
            self.keep(fence.rule, flags)
            if fence.soft:
                self.withheld[fence.name] = ~flags
            else:
                self.could = np.logical_and(self.could, flags)

    def keep_in_time(self, scene: Scene, wanted: Wanted, node: Integers, arrives_s: Integers, kept: Flags) -> Flags:
        """Return which of the `kept` options arrive in time where that is a fence; nodes without one are out."""
        for fence in scene.fences:
            if fence.rule in TIME_RULES:
                in_time = kept & TIME_RULES[fence.rule](wanted, arrives_s, self.zone)
                if fence.soft:
                    late = np.zeros(len(self.inside), dtype=np.bool_)
                    late[node[kept & ~in_time]] = True
                    self.withheld[fence.name] = late
                self.keep_nodes(fence.rule, node, in_time)
                kept = in_time
        return kept


def fences_of(scene: Scene) -> Fences:
    """Begin with every node that works and that the policy allows."""
    net = scene.net
    fences = Fences(np.ones(len(net.nodes), dtype=np.bool_))
    fences.keep("not_open", net.is_open)
    fences.keep("barred", ~scene.barred.all(axis=0))
    if scene.settings.excluded_nodes:
        fences.keep("excluded_by_policy", ~np.isin(np.array(net.nodes), list(scene.settings.excluded_nodes)))
    return fences


def only_groups(site: Site, fence: Fence) -> Flags:
    """Keep the nodes of some groups (N)."""
    return within(site.scene, fence.groups)


def not_groups(site: Site, fence: Fence) -> Flags:
    """Keep the nodes outside some groups (N)."""
    return ~within(site.scene, fence.groups)


def max_distance(site: Site, fence: Fence) -> Flags:
    """Keep the nodes up to so many kilometres away as the crow flies (N)."""
    flags: Flags = site.distance_km <= fence.number
    return flags


def domestic(site: Site, _fence: Fence) -> Flags:
    """Keep the nodes in the country that the demand goes to (N)."""
    return np.array([country == site.country for country in site.scene.net.countries], dtype=np.bool_)


NODE_RULES: Final[Mapping[str, Callable[[Site, Fence], Flags]]] = {
    "only_groups": only_groups,
    "not_groups": not_groups,
    "max_distance": max_distance,
    "domestic": domestic,
}


def articles_only(scene: Scene, fence: Fence, named: Flags, _stock: Integers) -> Flags:
    """Bar the articles named (L) from nodes outside some groups (L,N)."""
    return named[:, None] & ~within(scene, fence.groups)


def articles_not(scene: Scene, fence: Fence, named: Flags, _stock: Integers) -> Flags:
    """Bar the articles named (L) from the nodes of some groups (L,N)."""
    return named[:, None] & within(scene, fence.groups)


def min_stock(_scene: Scene, fence: Fence, _named: Flags, stock: Integers) -> Flags:
    """Bar nodes that may give fewer than so many units of the article, however few are wanted (L,N)."""
    flags: Flags = stock < fence.number
    return flags


LINE_RULES: Final[Mapping[str, Callable[[Scene, Fence, Flags, Integers], Flags]]] = {
    "articles_only": articles_only,
    "articles_not": articles_not,
    "min_stock": min_stock,
}


def same_day(wanted: Wanted, arrives_s: Integers, zone: str) -> Flags:
    """Keep the ways that arrive on the day of the order, or that it asks for, by the clock of where it goes (K)."""
    on = (wanted.wanted_from or wanted.placed_at).astimezone(ZoneInfo(zone)).date()
    ends = datetime.combine(on, datetime.max.time(), tzinfo=ZoneInfo(zone))
    flags: Flags = arrives_s <= int(ends.timestamp())
    return flags


def in_time(wanted: Wanted, arrives_s: Integers, _zone: str) -> Flags:
    """Keep the ways that arrive by the end of the window asked for; all where none was (K)."""
    if wanted.wanted_by is None:
        return np.ones(len(arrives_s), dtype=np.bool_)
    flags: Flags = arrives_s <= int(wanted.wanted_by.timestamp())
    return flags


TIME_RULES: Final[Mapping[str, Callable[[Wanted, Integers, str], Flags]]] = {"same_day": same_day, "in_time": in_time}


def within(scene: Scene, groups: Sequence[str]) -> Flags:
    """Tell which nodes are in one of some groups of the policy (N)."""
    flags = np.zeros(len(scene.net.nodes), dtype=np.bool_)
    for name in groups:
        flags |= scene.net.within(scene.settings.groups[name])
    return flags


def named_lines(fence: Fence, skus: Sequence[str], families: Mapping[str, str]) -> Flags:
    """Tell which lines a fence of articles is about (L)."""
    return np.array([sku in fence.skus or families[sku] in fence.families for sku in skus], dtype=np.bool_)


def most_packages(fences: Sequence[Fence], usual: int | None) -> int | None:
    """Return the most packages that the policy allows: the strictest of its fences and its setting; None: any."""
    asked = [fence.number for fence in fences if fence.rule == "max_packages"]
    return min([*asked, *([] if usual is None else [usual])], default=None)


def least_part_value(fences: Sequence[Fence]) -> int:
    """Return the least worth of each part of an order that is split, in minor units; 0: any."""
    return max((fence.number for fence in fences if fence.rule == "min_part_value"), default=0)
