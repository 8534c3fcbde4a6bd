"""From scenes and their options to the problem that the solver takes.

Called by `gather`. Pure. Invariant: lines that are kept together are whole or not there at all, as the policy and the
bundles of a demand want it, as long as nothing has parted them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fulfillment.optimizer.problem import Line, OrderProblem, Problem
from fulfillment.sourcing.fences import least_part_value, most_packages, named_lines
from fulfillment.sourcing.ground import Ground
from fulfillment.sourcing.options import Options
from fulfillment.sourcing.pricing import TERMS
from fulfillment.sourcing.proposal import Wanted, WantedLine
from fulfillment.sourcing.scene import Flags, Scene


def problem_of(
    ground: Ground, scenes: Sequence[Scene], wanted: Sequence[Wanted], options: Sequence[Options]
) -> Problem:  # fmt: skip
    """State demands as one problem that shares stock and minutes."""
    net, width = ground.net, ground.minutes.shape[1]
    columns = [each.ordinal - ground.first_ordinal for each in options]
    assert all(((column >= 0) & (column < width)).all() for column in columns), "a day lies outside the window read"
    places = [each.node * width + column for each, column in zip(options, columns, strict=True)]
    used = np.unique(np.concatenate(places)) if places else np.zeros(0, dtype=np.int64)
    return Problem(
        nodes=net.nodes,
        open_cost=np.broadcast_to(0, len(net.nodes)),
        capacity_ids=tuple(map(str, used.tolist())),
        capacities=ground.minutes.ravel()[used],
        skus=tuple(ground.stocked.skus),
        stock=ground.stocked.units,
        orders=tuple(
            _order(ground, scene, demand, each, np.searchsorted(used, place))
            for scene, demand, each, place in zip(scenes, wanted, options, places, strict=True)
        ),
    )


def _order(ground: Ground, scene: Scene, demand: Wanted, options: Options, capacity: NDArray[np.int64]) -> OrderProblem:
    settings = scene.settings
    most = most_packages(scene.fences, settings.max_packages)
    most = None if most is None else max(0, most - demand.standing_packages)
    least = least_part_value(scene.fences)
    together = _together(ground, scene, demand, options)
    tied = {place for group in together for place in group}
    return OrderProblem(
        id=demand.demand_id,
        lines=tuple(
            Line(
                id=line.id,
                sku=ground.stocked.skus[line.sku],
                units=line.units,
                divisible=line.divisible and line.units > 1 and place not in tied,
                unfilled_cost=line.units * (settings.unfilled_minor + line.unit_value_minor),
                unit_value=line.unit_value_minor if least else 0,
            )
            for place, line in enumerate(demand.lines)
        ),
        option_ids=tuple(map(str, range(len(options.node)))),
        option_node=options.node,
        option_capacity=capacity,
        terms=TERMS,
        package_terms=options.package_terms,
        line_terms=options.line_terms,
        eligible=options.eligible,
        work=options.work,
        line_work=options.line_work,
        max_packages=most,
        together=together,
        min_part_value=least,
    )


def _together(ground: Ground, scene: Scene, demand: Wanted, options: Options) -> tuple[tuple[int, ...], ...]:
    """Return the places of lines that leave in one package, group by group.

    Parts of a bundle are kept together where a node could serve them all, what the policy names in any case; both as
    long as nothing has parted them: all of them wait, or the same fulfillment orders hold all of them.
    """
    bundles: dict[str, list[int]] = {}
    for place, line in enumerate(demand.lines):
        if line.together is not None:
            bundles.setdefault(line.together, []).append(place)
    groups = [group for group in bundles.values() if _one_node_has(ground, scene, demand, options, group)]
    skus = [line.sku for line in demand.lines]
    fences = (fence for fence in scene.fences if fence.rule == "together")
    groups += [np.flatnonzero(named_lines(fence, skus, ground.stocked.families)).tolist() for fence in fences]
    return tuple(tuple(sorted(group)) for group in _joined(groups) if _unparted(demand, group))


def _one_node_has(ground: Ground, scene: Scene, demand: Wanted, options: Options, group: Sequence[int]) -> bool:
    rows = [ground.stocked.skus[demand.lines[place].sku] for place in group]
    whole: Flags = (ground.stocked.units[rows] >= scene.units[group][:, None]) & scene.allowed[group]
    return bool(whole[:, options.node].all(axis=0).any())


def _unparted(demand: Wanted, group: Sequence[int]) -> bool:
    held = {_held(demand, demand.lines[place]) for place in group}
    return len(group) > 1 and len(held) == 1 and None not in held


def _joined(groups: Sequence[Sequence[int]]) -> list[list[int]]:
    """Unite groups that have a line in common."""
    joined: list[set[int]] = []
    for group in groups:
        apart = [each for each in joined if not each & set(group)]
        joined = [*apart, set(group).union(*(each for each in joined if each & set(group)))]
    return [sorted(group) for group in joined]


def _held(demand: Wanted, line: WantedLine) -> frozenset[str] | None:
    """Return the freed fulfillment orders that hold a line; None where they hold a part of it."""
    holding = {
        freed.id: held.units
        for freed in demand.freed
        for held in freed.lines
        if held.line_id == line.id and held.reservation_id is not None
    }
    return frozenset(holding) if sum(holding.values()) in {0, line.units} else None
