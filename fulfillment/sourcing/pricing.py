"""What ways cost, term by term.

Called by `options`; pure. Invariant: the terms are those of `TERMS`, in its order; each is a function of
`network.costs`, or a charge of `network.freight`, in the row of its own name.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from fulfillment.network import costs
from fulfillment.network.freight import CHARGES
from fulfillment.sourcing.scene import Integers, Scene
from fulfillment.sourcing.ways import Legs

TERMS: Final = (
    "handling", "carrier", "line_handling", "lateness", "pick_risk", "preference", "churn", "surcharge", "box",
    "failed_before", "shadow_price", "markdown", "capacity",
)  # fmt: skip
"""Names of the terms, in the order of the rows of `priced`; decisions and pages know a term by its name."""


def priced(scene: Scene, legs: Legs, *, due_s: int, store: int | None = None) -> tuple[Integers, Integers]:
    """Price ways by term: packages (T,K) and lines (T,L,K), in minor units.

    A way to a store that does not start there is worked on at both ends.
    """
    lines, options = len(scene.units), len(legs.node)
    package = np.zeros((len(TERMS), options), dtype=np.int64)
    line = np.zeros((len(TERMS), lines, options), dtype=np.int64)
    for name, whole, by_line in zip(CHARGES, legs.package_charges, legs.line_charges, strict=False):
        package[TERMS.index(name)], line[TERMS.index(name)] = whole, by_line
    for name, cost in _of_packages(scene, legs, due_s, store).items():
        package[TERMS.index(name)] = cost
    for name, cost in _of_lines(scene, legs, store).items():
        line[TERMS.index(name)] = cost
    return package, line


def _of_packages(scene: Scene, legs: Legs, due_s: int, store: int | None) -> dict[str, Integers]:
    """Return what a package costs by term (K)."""
    net, settings, node = scene.net, scene.settings, legs.node
    rows = {
        "handling": costs.handling(net.package_cost_minor, node),
        "lateness": costs.lateness(legs.arrives_s, due_s, settings.lateness_day_minor),
        "preference": costs.preference(_kind_minor(scene), node, legs.put_off),
    }
    if settings.capacity_minor:
        used = scene.used(node, legs.ordinal)
        rows["capacity"] = costs.capacity(net.package_minutes[node], used, settings.capacity_minor)
    if store is not None:
        at_store = np.full(len(node), store)
        rows["handling"] = rows["handling"] + costs.handling(net.package_cost_minor, at_store) * (node != store)
    return rows


def _of_lines(scene: Scene, legs: Legs, store: int | None) -> dict[str, Integers]:
    """Return what each line costs by term (L,K)."""
    settings, node = scene.settings, legs.node
    rows = {
        "line_handling": _line_handling(scene, node),
        "pick_risk": costs.pick_risk(scene.pick_success, settings.resource_minor, node),
        "churn": costs.churn(node, scene.current, settings.churn_minor),
        "failed_before": costs.failed_before(scene.dearer, node),
        "shadow_price": costs.shadow_price(scene.shadow_minor, scene.units, node),
        "markdown": costs.markdown(scene.saved_minor, scene.units, node),
    }
    if settings.capacity_minor:
        minutes = np.broadcast_to(scene.net.line_minutes[node], (len(scene.units), len(node)))
        rows["capacity"] = costs.capacity(minutes, scene.used(node, legs.ordinal), settings.capacity_minor)
    if store is not None:
        at_store = _line_handling(scene, np.full(len(node), store))
        rows["line_handling"] = rows["line_handling"] + at_store * (node != store)
    return rows


def _line_handling(scene: Scene, node: Integers) -> Integers:
    return costs.line_handling(scene.net.line_cost_minor, scene.net.unit_cost_minor, scene.units, node)


def _kind_minor(scene: Scene) -> Integers:
    weights = scene.settings.kind_minor
    by_kind = np.array([weights.get(kind, 0) for kind in scene.net.kinds], dtype=np.int64)
    return by_kind + _band_minor(scene) if scene.settings.bands else by_kind


def _band_minor(scene: Scene) -> Integers:
    """Return what a package from each node must save to be worth while, by the first band that it stands in (N)."""
    bands = scene.settings.bands
    inside = [scene.net.within(scene.settings.groups[band.group]) for band in bands]
    return np.select(inside, [band.minor for band in bands], default=bands[-1].minor).astype(np.int64)
