"""Proof of the best set of options for one long order, by branch and bound on the prices of its lines.

Owns the tree: each node opens some options and closes others, raises the prices of the lines as far as they go, and
settles by reduced cost which of the other options it can. location.py calls it with a plan and prices that it found.
Invariant: a node is given up only where whole numbers prove that it holds nothing cheaper than what is known; the bound
returned holds whenever time ends.

At given prices every option decides alone whether its package pays, which bounds the cost from below: the dual of
Erlenkotter, "A dual-based procedure for uncapacitated facility location", 1978 (DOI 10.1287/opre.26.6.992), raised by
the subgradient. Such bounds are as good as the linear relaxation's and a thousand times cheaper.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from time import perf_counter
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fulfillment.optimizer.mip import Floats
from fulfillment.optimizer.problem import Flags, Integers
from fulfillment.optimizer.subsets import IMPOSSIBLE

_ROUNDS: Final = 12
"""Most steps of the prices at a node, which begins with those of the node above."""
_PATIENCE: Final = 4
_LEAST_STEP: Final = 0.02
_BEYOND: Final = 0.0005
"""How far beyond the cost known the value lies that the prices step towards, as a share of that cost."""
_MEMORY: Final = 0.8
"""Weight of the steps before in how often an option was open."""
_MOST_WAITING: Final = 2 * 10**7
"""Prices in nodes that wait: 160 MB."""
_FREE, _OPEN, _CLOSED = 0, 1, -1
States = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Sites:
    """The order in whole numbers, and at most so many packages; all costs are multiples of `step`.

    package   K
    lines     n,K  IMPOSSIBLE where an option cannot serve a line
    unfilled  n    IMPOSSIBLE where the line must be served
    dearest   n    no higher price of a line proves more: what it costs to leave, or to serve from a package of its own
    """

    package: Integers
    lines: Integers
    unfilled: Integers
    dearest: Integers
    most: int
    step: int


@dataclass(frozen=True, slots=True)
class Proof:
    """The least cost known, the options of a plan that costs it if it is a new one (K), and the bound."""

    cost: int
    options: Flags | None
    bound: int


class _Node(NamedTuple):
    """What is known of a part of the sets of options: ordered by bound, then by number."""

    bound: int
    number: int
    state: States
    prices: Floats


class _Raised(NamedTuple):
    """The best prices of a node's options that are not closed (K'), and how often each was open on the way there."""

    kept: Integers
    prices: Floats
    often: Floats


def branched(sites: Sites, cost: int, prices: Floats, fits: Callable[[Flags], bool], *, deadline: float) -> Proof:
    """Prove a cost, or find a cheaper set of options, until perf_counter passes the deadline.

    `fits` tells of a set of options whether its plan keeps what prices know nothing of. Where it does not, the bound
    may stay below the cost.
    """
    known, best, unsettled, number = cost, None, cost, 0
    waiting = [_Node(-IMPOSSIBLE, 0, np.zeros(len(sites.package), dtype=np.int8), prices)]
    while waiting and waiting[0].bound <= known - sites.step:
        if perf_counter() > deadline or len(waiting) * len(prices) > _MOST_WAITING:
            break
        node = heappop(waiting)
        raised = _raised(sites, node, known)
        bound, state, opened = _settled(sites, node, raised, known)
        if bound > known - sites.step:
            continue
        free = np.flatnonzero(state == _FREE)
        value, used = _plan(sites, opened if len(free) else state == _OPEN)
        if value < known:
            if fits(used):
                known, best = value, used
            elif not len(free):
                unsettled = min(unsettled, bound)
        if len(free):
            often = np.zeros(len(state))
            often[raised.kept] = raised.often
            which = int(free[np.abs(often[free] - 0.5).argmin()])
            for decision in (_OPEN, _CLOSED):
                number += 1
                below = state.copy()
                below[which] = decision
                heappush(waiting, _Node(bound, number, below, raised.prices))
    bound = min(unsettled, min((node.bound for node in waiting), default=known))
    return Proof(known, best, min(known, -(-bound // sites.step) * sites.step))


def _raised(sites: Sites, node: _Node, known: int) -> _Raised:
    """Raise the prices of a node until they seem to prove that it holds nothing, or go no further."""
    kept = np.flatnonzero(node.state != _CLOSED)
    package, lines = sites.package[kept], sites.lines[:, kept].astype(np.float64)
    must = node.state[kept] == _OPEN
    prices, best, highest, step, stalled = node.prices, node.prices, -np.inf, 1.0, 0
    often = must.astype(np.float64)
    target, beyond = known - sites.step, known + _BEYOND * abs(known)
    for _ in range(_ROUNDS):
        gain = np.minimum(lines - prices[:, None], 0)
        reduced = package + gain.sum(axis=0)
        opened = _opened(reduced, must, sites.most)
        value = float(prices.sum() + reduced[opened].sum())
        often = _MEMORY * often + (1 - _MEMORY) * opened
        stalled = 0 if value > highest else stalled + 1
        if value > highest:
            best, highest = prices, value
        slope = 1.0 - (gain[:, opened] < 0).sum(axis=1)
        slope[(prices >= sites.dearest) & (slope > 0)] = 0
        if value > target or not slope.any() or step < _LEAST_STEP:
            break
        if stalled >= _PATIENCE:
            step, stalled, prices = step / 2, 0, best
            continue
        prices = np.minimum(prices + step * (beyond - value) / float(slope @ slope) * slope, sites.dearest)
    return _Raised(kept, best, often)


def _opened(reduced: Integers | Floats, must: Flags, most: int) -> Flags:
    """Tell which options pay at the prices: those that must be open, and of the others the best that pay."""
    opened: Flags = must | (reduced < 0)
    if opened.sum() > most:
        opened = must.copy()
        rank = np.where(must, 0, reduced)
        opened[np.argsort(rank, kind="stable")[: max(0, most - int(must.sum()))]] = True
    return opened


def _settled(sites: Sites, node: _Node, raised: _Raised, known: int) -> tuple[int, States, Flags]:
    """Work out in whole numbers what the prices prove: the bound, which options stay free, and which are open."""
    kept, state = raised.kept, node.state.copy()
    whole = np.floor(raised.prices).astype(np.int64)
    must = state[kept] == _OPEN
    reduced = sites.package[kept] + np.minimum(sites.lines[:, kept] - whole[:, None], 0).sum(axis=0)
    opened = _opened(reduced, must, sites.most)
    bound = max(node.bound, int(whole.sum() + reduced[opened].sum()))
    target = known - sites.step
    # An option that closes may let in another one, where the number of packages keeps some out that pay.
    kept_out = min(0, int(reduced[~opened].min(initial=0)))
    free = ~must
    state[kept[free & ~opened & (bound + reduced > target)]] = _CLOSED
    state[kept[free & opened & (bound - reduced + kept_out > target)]] = _OPEN
    packages = int((state == _OPEN).sum())
    if packages >= sites.most:
        state[state == _FREE] = _CLOSED
        bound = bound if packages == sites.most else IMPOSSIBLE
    every = np.zeros(len(state), dtype=np.bool_)
    every[kept[opened]] = True
    return bound, state, every


def _plan(sites: Sites, opened: Flags) -> tuple[int, Flags]:
    """Return what it costs to serve each line from the best of some options, or leave it, and which are used."""
    columns = np.flatnonzero(opened)
    costs = np.column_stack([sites.lines[:, columns], sites.unfilled])
    serving = costs.argmin(axis=1)
    nearest = costs[np.arange(len(costs)), serving]
    used = np.zeros(len(opened), dtype=np.bool_)
    used[columns[serving[serving < len(columns)]]] = True
    if nearest.max() >= IMPOSSIBLE // 2 or used.sum() > sites.most:
        return IMPOSSIBLE, used
    return int(nearest.sum() + sites.package[used].sum()), used
