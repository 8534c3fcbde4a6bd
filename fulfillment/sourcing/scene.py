"""What one demand is decided against: the network at an instant, the stock of its lines, minutes left.

Made by `gather`, read by everything that lists and prices ways to serve. Invariant: frozen; every array is by line (L),
node (N) or date (O).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fulfillment.network import costs
from fulfillment.network.boxes import Goods
from fulfillment.network.days import Days
from fulfillment.network.settings import Fence, Settings
from fulfillment.network.snapshot import Snapshot
from fulfillment.sourcing.proposal import Wanted

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MOST_EARLY_DAYS: Final = 30
"""How far ahead of its work a requested date may lie."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What a demand is decided against: the network at an instant, the stock of its lines, and minutes left.

    allowed     L,N  the node is not excluded for the line
    may_serve   L,N  it has units of the line besides
    could_serve L,N  it would, did no soft fence bind
    fenced           by fence, L,N: what the fences of articles keep out
    fences           those of the policy that bind now
    current     L,N  the node has units of the line allocated now
    barred      L,N  the node is not asked for the line, or not again since it failed it
    pick_success L,N  how likely the node finds the line
    dearer      L,N  what the line costs more there since the node failed it, in minor units
    shadow_minor, saved_minor  L,N  what a unit is worth there, and the markdown that taking it avoids
    units, weights_g  L
    goods       what the lines measure, where the network asks for it
    minutes, capacity  N,O  minutes left, and in all, by node and date, from `first_ordinal` on
    """

    net: Snapshot
    days: Days
    now: datetime
    settings: Settings
    allowed: Flags
    may_serve: Flags
    current: Flags
    barred: Flags
    pick_success: Floats
    dearer: Integers
    shadow_minor: Integers
    saved_minor: Integers
    units: Integers
    weights_g: Integers
    minutes: Integers
    capacity: Integers
    first_ordinal: int
    lines_in_all: int
    could_serve: Flags
    fenced: Mapping[Fence, Flags] = field(default_factory=dict)
    fences: tuple[Fence, ...] = ()
    goods: Goods | None = None

    @property
    def now_s(self) -> int:
        """The instant of the decision, in seconds."""
        return int(self.now.timestamp())

    def used(self, node: Integers, ordinal: Integers) -> Floats:
        """Return the share of nodes' minutes that is claimed on dates (K), which lie within what was read."""
        column = np.clip(ordinal - self.first_ordinal, 0, self.minutes.shape[1] - 1)
        return costs.share_used(self.minutes[node, column], self.capacity[node, column])


def days_ahead(scene: Scene, wanted: Wanted) -> int:
    """Return how many working days of a node to look at: the horizon, further on when a later date was asked for."""
    return scene.settings.horizon_days + early_days(wanted, scene.now)


def early_days(wanted: Wanted, now: datetime) -> int:
    """Return by how many days a demand is wanted later than now."""
    if wanted.wanted_from is None:
        return 0
    return min(max((wanted.wanted_from - now).days, 0), MOST_EARLY_DAYS)
