"""The rules that keep nodes out of a decision, each by its name.

Used by `shipping` and `collection`; pure. Invariant: a node is out by one rule, the first that excluded it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fulfillment.sourcing.scene import Flags, Integers, Scene


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


def fences_of(scene: Scene) -> Fences:
    """Begin with every node that works and that the policy allows."""
    net = scene.net
    fences = Fences(np.ones(len(net.nodes), dtype=np.bool_))
    fences.keep("not_open", net.is_open)
    fences.keep("barred", scene.allowed.any(axis=0))
    if scene.settings.excluded_nodes:
        fences.keep("excluded_by_policy", ~np.isin(np.array(net.nodes), list(scene.settings.excluded_nodes)))
    return fences
