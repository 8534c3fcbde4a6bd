"""One long order as facility location: a plan, a bound, and what a better plan could still use.

Owns the prices of the lines of an order that is too long for the subset tables, and the search over sets of options.
`solve` calls it before the model, which then proves a much smaller problem or runs out of time with a good plan.
Invariant: the bound holds for any prices and is worked out in whole numbers; a plan returned fits the problem.

Each line gets a price for being served; at those prices every option decides alone whether its package pays. What
options share is left out of the bound. The prices follow the subgradient with the step of Held, Wolfe and Crowder,
1974 (DOI 10.1007/BF01580223); the search opens, closes and swaps options as in Resende and Werneck, "A fast
swap-based local search procedure for location problems", 2007 (DOI 10.1007/s10479-006-0154-0). What is open between
plan and bound then, branching.py closes, mostly within milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Final, NamedTuple

import numpy as np

from fulfillment.optimizer.branching import Sites, branched
from fulfillment.optimizer.decide import Parcels, overdrawn, parcels_of
from fulfillment.optimizer.mip import Floats
from fulfillment.optimizer.model import cost_step
from fulfillment.optimizer.narrow import with_options
from fulfillment.optimizer.plan import Assignment, cost_by_term
from fulfillment.optimizer.problem import Flags, Integers, OrderProblem, Problem
from fulfillment.optimizer.subsets import IMPOSSIBLE

_ROUNDS: Final = 600
_PATIENCE: Final = 15
_LEAST_STEP: Final = 0.005
_FORBIDDEN: Final = 1e7
"""Cost of what cannot be, beside costs of about one."""
_SURELY: Final = IMPOSSIBLE // 2
"""Costs above this cannot be had; lines that travel together may add a negative cost to what is impossible."""
_LEAST_GAIN: Final = 1e-9
_FINEST: Final = float(1 << 44)
"""Largest cost in the tree, whose whole prices are as fine as that allows."""
_SEARCH_SHARE: Final = 0.4


@dataclass(frozen=True, slots=True)
class Located:
    """A plan, the bound, and the problem without what would cost more than the plan.

    options  K'  the options that are left, as indices into those of the order
    seconds      what it took
    """

    assignments: list[Assignment]
    cost: int
    bound: int
    narrowed: Problem
    options: Integers
    seconds: float


@dataclass(frozen=True, slots=True)
class _Sites:
    """The order in floats of about one: package cost (K), line cost (n,K+1); the last column leaves lines unfilled."""

    package: Floats
    lines: Floats
    most: int
    scale: float


@dataclass(frozen=True, slots=True)
class _Task:
    """The order in both forms, and the best prices of its lines (n)."""

    problem: Problem
    parcels: Parcels
    sites: _Sites
    prices: Floats


class _Found(NamedTuple):
    """A plan that fits."""

    cost: int
    assignments: list[Assignment]


def located(problem: Problem, *, time_limit_s: float) -> Located | None:
    """Plan one long order and narrow its problem; None where lines are divided, where parts must be worth
    something, or where no plan that fits was found.
    """
    started = perf_counter()
    (order,) = problem.orders
    ruled_out = order.max_packages == 0 or order.min_part_value > 0
    parcels = None if ruled_out else parcels_of(problem, any_length=True)
    if parcels is None or not parcels.options.size or any(line.divisible for line in order.lines):
        return None
    sites = _sites(parcels, order)
    prices, chosen = _searched(sites, started + _SEARCH_SHARE * time_limit_s)
    task = _Task(problem, parcels, sites, prices)
    best = min(_plans(task, chosen), key=lambda plan: plan.cost, default=None)
    if best is None:
        return None
    best, bound = _proven(task, best, started + time_limit_s)
    return _narrowed(task, best, bound, started=started)


def _sites(parcels: Parcels, order: OrderProblem) -> _Sites:
    largest = np.abs(parcels.lines[parcels.lines < _SURELY]).max(initial=1)
    scale = float(max(largest, parcels.package.max()))
    costs = np.column_stack([parcels.lines, parcels.unfilled])
    floats = np.where(costs >= _SURELY, _FORBIDDEN, costs / scale)
    options = len(parcels.options)
    return _Sites(parcels.package / scale, floats, min(options, order.max_packages or options), scale)


def _searched(sites: _Sites, deadline: float) -> tuple[Floats, list[Flags]]:
    """Raise the prices (n) and improve the sets of options that they open; return the best prices and all sets."""
    prices = np.sort(sites.lines, axis=1)[:, :2].max(axis=1)
    best_prices, best_value, upper = prices, -np.inf, np.inf
    step, stalled = 2.0, 0
    seen: set[bytes] = set()
    sets: list[Flags] = []
    for number in range(_ROUNDS):
        value, opened, slope = _relaxed(sites, prices)
        if number == 0 or value > best_value + _LEAST_GAIN * abs(best_value):
            best_prices, best_value, stalled = prices, value, 0
        else:
            stalled += 1
        key = opened.tobytes()
        if key not in seen and (number % 10 == 0 or stalled == 0):
            seen.add(key)
            found, cost = _improved(sites, opened, deadline)
            if cost < upper:
                upper = cost
                sets.append(found)
        if stalled >= _PATIENCE:
            step, stalled, prices = step / 2, 0, best_prices
            continue
        length = float(slope @ slope)
        met = upper - best_value < _LEAST_GAIN * abs(upper)
        if met or not length or step < _LEAST_STEP or perf_counter() > deadline:
            break
        prices = np.minimum(prices + step * (upper + 0.01 * abs(upper) - value) / length * slope, sites.lines[:, -1])
    return best_prices, sets


def _relaxed(sites: _Sites, prices: Floats) -> tuple[float, Flags, Floats]:
    """Let every option decide alone: the value of the relaxation, the options opened, and the slope (n)."""
    gain = sites.lines[:, :-1] - prices[:, None]
    reduced = sites.package + np.minimum(gain, 0).sum(axis=0)
    opened = reduced < 0
    if opened.sum() > sites.most:
        opened = np.zeros_like(opened)
        opened[np.argpartition(reduced, sites.most)[: sites.most]] = True
    slope = 1.0 - (gain[:, opened] < 0).sum(axis=1)
    slope[(prices >= sites.lines[:, -1]) & (slope > 0)] = 0
    return float(prices.sum() + reduced[opened].sum()), opened, slope


def _improved(sites: _Sites, opened: Flags, deadline: float) -> tuple[Flags, float]:
    """Open, close and swap options while that lowers the cost; return the set and its cost."""
    opened = opened.copy()
    while True:
        change, enters, leaves = _best_move(sites, opened)
        if change > -_LEAST_GAIN or perf_counter() > deadline:
            break
        if enters is not None:
            opened[enters] = True
        if leaves is not None:
            opened[leaves] = False
    nearest = sites.lines[:, np.append(np.flatnonzero(opened), -1)].min(axis=1)
    return opened, float(sites.package[opened].sum() + nearest.sum())


def _best_move(sites: _Sites, opened: Flags) -> tuple[float, int | None, int | None]:
    """Return the best change of cost, the option that enters and the one that leaves (None: none does)."""
    present = np.flatnonzero(opened)
    costs = sites.lines[:, np.append(present, -1)]
    serving = costs.argmin(axis=1)
    every = np.arange(len(costs))
    nearest = costs[every, serving]
    costs[every, serving] = np.inf
    second = costs.min(axis=1) if len(present) else nearest
    entering = sites.package + np.minimum(sites.lines[:, :-1] - nearest[:, None], 0).sum(axis=0)
    entering[opened] = np.inf
    moves: list[tuple[float, int | None, int | None]] = []
    if len(present) < sites.most:
        moves.append((float(entering.min()), int(entering.argmin()), None))
    if len(present):
        leaving = np.bincount(serving, second - nearest, minlength=len(present) + 1)[:-1] - sites.package[present]
        moves.append((float(leaving.min()), None, int(present[leaving.argmin()])))
        # A line that loses its option may go to the one that enters, instead of its second best.
        order = np.argsort(serving, kind="stable")
        relief = np.minimum(np.maximum(sites.lines[order, :-1], nearest[order, None]) - second[order, None], 0)
        starts = np.searchsorted(serving[order], np.arange(len(present) + 1))
        sums = np.concatenate([np.zeros((1, relief.shape[1])), np.cumsum(relief, axis=0)])
        swaps = entering + leaving[:, None] + (sums[starts[1:]] - sums[starts[:-1]])
        best = int(swaps.argmin())
        row, enters = divmod(best, swaps.shape[1])
        moves.append((float(swaps.flat[best]), enters, int(present[row])))
    return min(moves, key=lambda move: move[0])


def _plans(task: _Task, sets: Iterable[Flags]) -> Iterator[_Found]:
    """Yield the plans of sets of options that fit, with their cost."""
    (order,), parcels, lines = task.problem.orders, task.parcels, task.sites.lines
    for opened in sets:
        columns = np.append(np.flatnonzero(opened), -1)
        serving = columns[lines[:, columns].argmin(axis=1)].tolist()
        if any(lines[group, column] >= _FORBIDDEN for group, column in enumerate(serving)):
            continue
        assignments = [
            Assignment(0, line, int(parcels.options[column]), order.lines[line].units)
            for members, column in zip(parcels.members, serving, strict=True)
            if column >= 0
            for line in members
        ]
        if not overdrawn(task.problem, assignments).size:
            yield _Found(sum(cost_by_term(task.problem, assignments).values()), assignments)


def _proven(task: _Task, best: _Found, deadline: float) -> tuple[_Found, int]:
    """Close what is open between the best plan and what the prices prove, as far as the time goes: plan and bound."""
    possible, bound = _possible(task, best.cost)
    if bound >= best.cost:
        return best, bound
    parcels, sites = task.parcels, task.sites
    kept = np.flatnonzero(possible.any(axis=0))
    step, finer = max(1, cost_step(task.problem)), max(1, int(_FINEST / sites.scale))
    unfilled = np.where(parcels.unfilled >= _SURELY, IMPOSSIBLE, parcels.unfilled * finer)
    exact = Sites(
        package=parcels.package[kept] * finer,
        lines=np.where(possible[:, kept], parcels.lines[:, kept] * finer, IMPOSSIBLE),
        unfilled=unfilled,
        dearest=np.minimum(unfilled, 2 * finer * int(sites.scale)),
        most=sites.most,
        step=step * finer,
    )

    def plans(options: Flags) -> Iterator[_Found]:
        every = np.zeros(len(parcels.package), dtype=np.bool_)
        every[kept[options]] = True
        return _plans(task, [every])

    prices = np.minimum(task.prices * sites.scale * finer, exact.dearest)
    proof = branched(exact, best.cost * finer, prices, lambda options: any(plans(options)), deadline=deadline)
    if proof.options is not None:
        best = next(plans(proof.options))
    return best, max(bound, proof.bound // finer)


def _possible(task: _Task, cost: int) -> tuple[Flags, int]:
    """Tell which options can serve which lines (n,K) in a plan as cheap as the cost; return also what prices prove."""
    parcels, sites = task.parcels, task.sites
    # No price above the dearest line and package proves more, and sums of whole numbers must stay exact.
    prices = np.minimum(np.floor(task.prices.clip(-2, 2) * sites.scale).astype(np.int64), parcels.unfilled)
    gain = np.minimum(parcels.lines, IMPOSSIBLE) - prices[:, None]
    reduced = parcels.package + np.minimum(gain, 0).sum(axis=0)
    bound = int(prices.sum() + np.sort(np.minimum(reduced, 0))[: sites.most].sum())
    possible: Flags = bound + np.maximum(reduced, 0) + np.maximum(gain, 0) <= cost
    return possible, min(bound, cost)


def _narrowed(task: _Task, best: _Found, bound: int, *, started: float) -> Located:
    """Leave out the options, and the lines at options, that no plan as cheap as the best can use."""
    parcels, (order,) = task.parcels, task.problem.orders
    possible, _ = _possible(task, best.cost)
    eligible = np.zeros((len(order.lines), len(order.option_ids)), dtype=np.bool_)
    for group, members in enumerate(parcels.members):
        for line in members:
            eligible[line, parcels.options] = possible[group]
    eligible &= order.eligible
    options = parcels.options[possible.any(axis=0)]
    narrowed = with_options(replace(task.problem, orders=(replace(order, eligible=eligible),)), options)
    return Located(best.assignments, best.cost, min(bound, best.cost), narrowed, options, perf_counter() - started)
