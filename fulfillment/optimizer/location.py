"""One long order as facility location: a plan, a bound, and what a better plan could still use.

Owns the prices of the lines of an order that is too long for the subset tables, and the search over sets of options.
`solve` calls it before the model, which then proves a much smaller problem or runs out of time with a good plan.
Invariant: the bound holds for any prices and is worked out in whole numbers; a plan returned fits the problem.

Each line gets a price for being served; at those prices every option decides alone whether its package pays. What
options share is left out of the bound. The prices follow the subgradient with the step of Held, Wolfe and Crowder,
1974 (DOI 10.1007/BF01580223); the search opens, closes and swaps options as in Resende and Werneck, "A fast
swap-based local search procedure for location problems", 2007 (DOI 10.1007/s10479-006-0154-0).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Final

import numpy as np

from fulfillment.optimizer.decide import Parcels, overdrawn, parcels_of
from fulfillment.optimizer.mip import Floats
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
    largest = np.abs(parcels.lines[parcels.lines < _SURELY]).max(initial=1)
    scale = float(max(largest, parcels.package.max()))
    sites = _sites(parcels, order, scale)
    prices, chosen = _searched(sites, started + time_limit_s)
    # No price above the dearest line and package proves more, and sums of whole numbers must stay exact.
    whole = np.minimum(np.floor(prices.clip(-2, 2) * scale).astype(np.int64), parcels.unfilled)
    best = min(_plans(problem, parcels, sites, chosen), key=lambda plan: plan[0], default=None)
    return None if best is None else _narrowed(problem, parcels, whole, best, started=started)


def _sites(parcels: Parcels, order: OrderProblem, scale: float) -> _Sites:
    costs = np.column_stack([parcels.lines, parcels.unfilled])
    floats = np.where(costs >= _SURELY, _FORBIDDEN, costs / scale)
    options = len(parcels.options)
    return _Sites(parcels.package / scale, floats, min(options, order.max_packages or options))


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


def _plans(
    problem: Problem, parcels: Parcels, sites: _Sites, sets: Iterable[Flags]
) -> Iterable[tuple[int, list[Assignment]]]:
    """Yield the plans of sets of options that fit, with their cost."""
    (order,) = problem.orders
    for opened in sets:
        columns = np.append(np.flatnonzero(opened), -1)
        serving = columns[sites.lines[:, columns].argmin(axis=1)].tolist()
        if any(sites.lines[group, column] >= _FORBIDDEN for group, column in enumerate(serving)):
            continue
        assignments = [
            Assignment(0, line, int(parcels.options[column]), order.lines[line].units)
            for members, column in zip(parcels.members, serving, strict=True)
            if column >= 0
            for line in members
        ]
        if not overdrawn(problem, assignments).size:
            yield sum(cost_by_term(problem, assignments).values()), assignments


def _narrowed(
    problem: Problem, parcels: Parcels, prices: Integers, best: tuple[int, list[Assignment]], *, started: float
) -> Located:
    """Leave out the options, and the lines at options, that no plan as cheap as the best can use."""
    cost, assignments = best
    (order,) = problem.orders
    gain = np.minimum(parcels.lines, IMPOSSIBLE) - prices[:, None]
    reduced = parcels.package + np.minimum(gain, 0).sum(axis=0)
    most = len(reduced) if order.max_packages is None else order.max_packages
    bound = int(prices.sum() + np.sort(np.minimum(reduced, 0))[:most].sum())
    possible = bound + np.maximum(reduced, 0) + np.maximum(gain, 0) <= cost
    kept = possible.any(axis=0)
    eligible = np.zeros((len(order.lines), len(order.option_ids)), dtype=np.bool_)
    for group, members in enumerate(parcels.members):
        for line in members:
            eligible[line, parcels.options] = possible[group]
    eligible &= order.eligible
    options = parcels.options[kept]
    narrowed = with_options(replace(problem, orders=(replace(order, eligible=eligible),)), options)
    return Located(assignments, cost, min(bound, cost), narrowed, options, perf_counter() - started)
