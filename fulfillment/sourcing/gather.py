"""From rows to a problem: what is wanted, what the network can do, what is in stock and which minutes are left.

Called by `decide` for the demands of one order, and by nightly planning for many. Reads only. Invariant: units and
minutes of freed fulfillment orders, and units held for the demands, count as free; everything else is as the database
says now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from sqlalchemy.orm import Session

from fulfillment.network import pick_success, policies, snapshot
from fulfillment.network.boxes import Goods, goods_of
from fulfillment.network.policies import ActivePolicy
from fulfillment.network.settings import Settings
from fulfillment.network.snapshot import Snapshot
from fulfillment.optimizer.problem import Problem
from fulfillment.sourcing import setbacks
from fulfillment.sourcing.collection import to_collect
from fulfillment.sourcing.fences import LINE_RULES, named_lines
from fulfillment.sourcing.ground import Ground, read_ground
from fulfillment.sourcing.options import Options
from fulfillment.sourcing.proposal import NOTHING, Holding, Wanted
from fulfillment.sourcing.scene import Flags, Floats, Scene
from fulfillment.sourcing.shipping import to_ship
from fulfillment.sourcing.stating import problem_of
from fulfillment.sourcing.stocked import read_stock
from fulfillment.sourcing.taken import Taken
from fulfillment.work.models import Method
from stock import revisions


@dataclass(frozen=True, eq=False)
class Gathered:
    """A problem with what its indices stand for: one entry of the other fields for each of its orders."""

    problem: Problem
    net: Snapshot
    wanted: tuple[Wanted, ...]
    options: tuple[Options, ...]
    active: tuple[ActivePolicy, ...]
    scenes: tuple[Scene, ...]


def gather(
    session: Session,
    wanted: Sequence[Wanted],
    *,
    now: datetime,
    held: Holding = NOTHING,
    taken: Taken | None = None,
    by: ActivePolicy | None = None,
    instead: bool = False,
) -> Gathered:
    """State the demands as one problem that shares stock and minutes.

    What is `held` for them is theirs to use; what those decided before them have `taken` is gone. With `instead`, each
    is another way to want the same, of which one will be chosen: then solve its order alone. With `by`, they are
    decided as if it were the policy in force.
    """
    versions = revisions.versions(session)
    net = snapshot.load(session, versions)
    active = tuple(by or policies.active(session, demand.policy, versions) for demand in wanted)
    stocked = read_stock(session, net, wanted, versions, now=now, held=held.units, taken=taken)
    ground = read_ground(session, net, wanted, active, now=now, stocked=stocked, held=held, taken=taken)
    if instead:
        ground = replace(ground, lines_in_all=max((len(demand.lines) for demand in wanted), default=0))
    scenes = [_scene(ground, demand, policy) for demand, policy in zip(wanted, active, strict=True)]
    options = tuple(_options(scene, demand) for scene, demand in zip(scenes, wanted, strict=True))
    problem = problem_of(ground, scenes, wanted, options)
    return Gathered(problem, net, tuple(wanted), options, active, tuple(scenes))


def _scene(ground: Ground, demand: Wanted, policy: ActivePolicy) -> Scene:
    units = np.array([line.units for line in demand.lines], dtype=np.int64)
    net, settings, rows = ground.net, policy.settings, [ground.stocked.skus[line.sku] for line in demand.lines]
    barred = ~_allowed(ground, demand) | setbacks.barred(demand, settings, net, ground.now)
    weights = np.array([ground.stocked.weights_g[line.sku] for line in demand.lines], dtype=np.int64)
    may_serve = _may_serve(ground, demand) & ~barred
    scene = Scene(
        net=ground.net,
        days=ground.days,
        now=ground.now,
        settings=policy.settings,
        allowed=~barred,
        may_serve=may_serve,
        current=_current(ground.net, demand),
        barred=barred,
        pick_success=_pick_success(ground, demand, policy.settings),
        dearer=setbacks.dearer_minor(demand, settings, net, ground.now),
        shadow_minor=ground.stocked.shadow_minor[rows],
        saved_minor=ground.stocked.saved_minor[rows],
        units=units,
        weights_g=units * weights,
        minutes=ground.minutes,
        capacity=ground.capacity,
        first_ordinal=ground.first_ordinal,
        lines_in_all=ground.lines_in_all,
        goods=_goods(ground, demand) if ground.net.measured else None,
        could_serve=may_serve,
        fences=tuple(fence for fence in policy.settings.fences if fence.name not in demand.relaxed),
    )
    return _fenced(ground, demand, scene)


def _fenced(ground: Ground, demand: Wanted, scene: Scene) -> Scene:
    """Bar nodes from lines by the policy's fences of articles."""
    if not scene.fences:
        return scene
    skus = [line.sku for line in demand.lines]
    stock = ground.stocked.units[[ground.stocked.skus[sku] for sku in skus]]
    fenced = {
        fence: LINE_RULES[fence.rule](scene, fence, named_lines(fence, skus, ground.stocked.families), stock)
        for fence in scene.fences
        if fence.rule in LINE_RULES
    }
    if not fenced:
        return scene
    hard, soft = np.zeros_like(scene.allowed), np.zeros_like(scene.allowed)
    for fence, flags in fenced.items():
        hard, soft = (hard, soft | flags) if fence.soft else (hard | flags, soft)
    return replace(
        scene,
        allowed=scene.allowed & ~hard & ~soft,
        may_serve=scene.may_serve & ~hard & ~soft,
        could_serve=scene.could_serve & ~hard,
        fenced=fenced,
    )


def _goods(ground: Ground, demand: Wanted) -> Goods:
    weights_g, sides_mm = ground.stocked.weights_g, ground.stocked.sides_mm
    return goods_of([(line.units, weights_g[line.sku], sides_mm[line.sku]) for line in demand.lines])


def _may_serve(ground: Ground, demand: Wanted) -> Flags:
    rows = [ground.stocked.skus[line.sku] for line in demand.lines]
    least = np.array([1 if line.divisible else line.units for line in demand.lines], dtype=np.int64)
    flags: Flags = ground.stocked.units[rows] >= least[:, None]
    return flags


def _allowed(ground: Ground, demand: Wanted) -> Flags:
    flags = np.ones((len(demand.lines), len(ground.net.nodes)), dtype=np.bool_)
    for row, line in enumerate(demand.lines):
        for node in line.excluded_nodes:
            if node in ground.net.index:
                flags[row, ground.net.index[node]] = False
    return flags


def _current(net: Snapshot, demand: Wanted) -> Flags:
    flags = np.zeros((len(demand.lines), len(net.nodes)), dtype=np.bool_)
    rows = {line.id: row for row, line in enumerate(demand.lines)}
    for freed in demand.freed:
        for line in freed.lines:
            if line.reservation_id is not None and line.line_id in rows:
                flags[rows[line.line_id], net.index[freed.node]] = True
    return flags


def _pick_success(ground: Ground, demand: Wanted, settings: Settings) -> Floats:
    """Return how likely each node finds each line (L,N): what it is known for, moved by what the article showed."""
    net, stocked = ground.net, ground.stocked
    rows = [stocked.skus[line.sku] for line in demand.lines]
    of_node = pick_success.posterior(net.pick_success, net.lines_found, net.lines_missed, settings.node_prior_lines)
    return pick_success.posterior(of_node, stocked.found[rows], stocked.missed[rows], settings.pick_prior_lines)


def _options(scene: Scene, demand: Wanted) -> Options:
    return to_collect(scene, demand) if demand.method == Method.COLLECT else to_ship(scene, demand)
