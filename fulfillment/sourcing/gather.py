"""From rows to a problem: what is wanted, what the network can do, what is in stock and which minutes are left.

Called by `decide` for the demands of one order, and by nightly planning for many. Reads only. Invariant: units and
minutes of freed fulfillment orders, and those held for the demands, count as free; everything else is as the database
says now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from fulfillment.network import minutes, pick_success, policies, snapshot
from fulfillment.network.boxes import Goods, goods_of
from fulfillment.network.days import NEVER, Days, following
from fulfillment.network.policies import ActivePolicy
from fulfillment.network.settings import Settings
from fulfillment.network.snapshot import Snapshot
from fulfillment.optimizer.problem import Line, OrderProblem, Problem
from fulfillment.sourcing import setbacks
from fulfillment.sourcing.collection import to_collect
from fulfillment.sourcing.fences import LINE_RULES, least_part_value, most_packages, named_lines
from fulfillment.sourcing.options import Options
from fulfillment.sourcing.pricing import TERMS
from fulfillment.sourcing.proposal import NOTHING, Holding, Wanted, WantedLine
from fulfillment.sourcing.scene import Flags, Floats, Integers, Scene, early_days
from fulfillment.sourcing.shipping import to_ship
from fulfillment.sourcing.stocked import Stocked, read_stock
from fulfillment.sourcing.taken import Taken
from fulfillment.work.models import Method
from stock import revisions

DAY_MINUTES: Final = 24 * 60


@dataclass(frozen=True, eq=False)
class Gathered:
    """A problem with what its indices stand for: one entry of the other fields for each of its orders."""

    problem: Problem
    net: Snapshot
    wanted: tuple[Wanted, ...]
    options: tuple[Options, ...]
    active: tuple[ActivePolicy, ...]
    scenes: tuple[Scene, ...]


@dataclass(frozen=True, eq=False)
class Ground:
    """What all demands share: the network, what there is of the articles, minutes left and in all (N,O)."""

    net: Snapshot
    days: Days
    now: datetime
    stocked: Stocked
    minutes: Integers
    capacity: Integers
    first_ordinal: int
    lines_in_all: int


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
    ground = _ground(session, net, wanted, active, now=now, stocked=stocked, held=held, taken=taken)
    if instead:
        ground = replace(ground, lines_in_all=max((len(demand.lines) for demand in wanted), default=0))
    scenes = [_scene(ground, demand, policy) for demand, policy in zip(wanted, active, strict=True)]
    options = tuple(_options(scene, demand) for scene, demand in zip(scenes, wanted, strict=True))
    problem = _problem(ground, scenes, wanted, options)
    return Gathered(problem, net, tuple(wanted), options, active, tuple(scenes))


def _ground(
    session: Session,
    net: Snapshot,
    wanted: Sequence[Wanted],
    active: Sequence[ActivePolicy],
    *,
    now: datetime,
    stocked: Stocked,
    held: Holding,
    taken: Taken | None,
) -> Ground:
    days = net.days(now.date())
    first, last = _window(days, wanted, active, now)
    left, capacity = _minutes(session, net, wanted, (first, last), held=held, taken=taken)
    return Ground(
        net=net,
        days=days,
        now=now,
        stocked=stocked,
        minutes=left,
        capacity=capacity,
        first_ordinal=first,
        lines_in_all=sum(len(demand.lines) for demand in wanted),
    )


def _window(days: Days, wanted: Sequence[Wanted], active: Sequence[ActivePolicy], now: datetime) -> tuple[int, int]:
    """Return the first and last date, as ordinals, on which any node might work for these demands."""
    reaches = (
        policy.settings.horizon_days + early_days(demand, now) + policy.settings.collect_lead_minutes // DAY_MINUTES
        for demand, policy in zip(wanted, active, strict=True)
    )
    ahead = max(reaches, default=0)
    # A day ends with the cut-off for what is shipped, with the closing hour for what is collected.
    ends_s = np.maximum(days.cut_off_s, days.closes_s)
    columns = following(ends_s, int(now.timestamp()), ahead + 2)
    ordinals = np.take_along_axis(days.ordinal, columns, axis=1)
    ordinals = ordinals[ordinals != NEVER]
    if not len(ordinals):
        return now.toordinal(), now.toordinal()
    return int(ordinals.min()), int(ordinals.max())


def _minutes(
    session: Session,
    net: Snapshot,
    wanted: Sequence[Wanted],
    window: tuple[int, int],
    *,
    held: Holding,
    taken: Taken | None,
) -> tuple[Integers, Integers]:
    """Return the minutes left, and those in all, of each node on each date of the window (N,O; N,O)."""
    first, last = window
    capacity = np.repeat(net.capacity_minutes[:, None], last - first + 1, axis=1)
    left = capacity.copy()
    for node, on, changed, claimed in minutes.days_between(session, date.fromordinal(first), date.fromordinal(last)):
        place, column = net.index.get(node), on.toordinal() - first
        if place is not None:
            capacity[place, column] = capacity[place, column] if changed is None else changed
            left[place, column] = capacity[place, column] - claimed
    freed = [(each.node, each.work_on, each.work_minutes) for demand in wanted for each in demand.freed]
    gone = [(node, on, -count) for (node, on), count in taken.minutes.items()] if taken else []
    for node, on, count in (*freed, *held.minutes, *gone):
        column = on.toordinal() - first
        if 0 <= column <= last - first:
            left[net.index[node], column] += count
    return np.maximum(left, 0), capacity


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


def _problem(ground: Ground, scenes: Sequence[Scene], wanted: Sequence[Wanted], options: Sequence[Options]) -> Problem:
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
