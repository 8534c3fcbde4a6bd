"""What ways cost, term by term.

Called by `options`; pure. Invariant: the terms are those of `TERMS`, in its order; each is a function of
`network.costs`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from fulfillment.network import costs
from fulfillment.sourcing.scene import Integers, Scene
from fulfillment.sourcing.ways import Legs

TERMS: Final = ("handling", "carrier", "line_handling", "lateness", "pick_risk", "preference", "churn")


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


def _kind_minor(scene: Scene) -> Integers:
    weights = scene.settings.kind_minor
    return np.array([weights.get(kind, 0) for kind in scene.net.kinds], dtype=np.int64)
