"""Which nodes to open for orders of one line each, whose work is the same wherever they are served.

Owns the tree over sets of nodes: each of its nodes opens some, closes others, and prices the orders. assignment.py
calls it, plans the sets that it proposes, and has the bound. Invariant: the bound holds whenever time ends.

At given prices each node packs the orders that pay most into its capacity, a knapsack, and those nodes open that cost
least and can hold all work together: the Lagrangian relaxation of Holmberg, Rönnqvist and Yuan, "An exact algorithm for
the capacitated facility location problems with single sourcing", 1999 (DOI 10.1016/S0377-2217(98)00008-3), with the sum
of capacities kept. It proves in a second what the linear relaxation with its cuts does in twenty.
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

_FIRST_ROUNDS, _ROUNDS = 200, 15
"""Most steps of the prices at the first node, and at those below it, which begin with the prices of the one above."""
_FIRST_PATIENCE, _PATIENCE = 8, 4
_LEAST_STEP: Final = 0.01
_GUESSED: Final = 0.02
"""How far above its bound a plan is thought to be as long as there is none."""
_MEMORY: Final = 0.8
"""Weight of the steps before in how often a node was open."""
_ROUNDING: Final = 1e-9
_MOST_CELLS: Final = 4 * 10**7
"""Orders times nodes times capacity: what the knapsacks may take in bytes."""
_FREE, _OPEN, _CLOSED = 0, 1, -1
States = NDArray[np.int8]
Planned = Callable[[Integers], float]


@dataclass(frozen=True, slots=True)
class Openings:
    """K nodes and n orders: cost (K,n), of leaving an order (n), work (n), capacity (K), opening (K); costs about one.

    What cannot be costs far more than everything else. Costs of plans differ by multiples of `step`; 0 says nothing.
    """

    cost: Floats
    leaving: Floats
    work: Integers
    capacity: Integers
    opening: Floats
    step: float
    least_work: int

    @classmethod
    def of(
        cls,
        cost: Floats,
        leaving: Floats,
        work: Integers,
        capacity: Integers,
        opening: Floats,
        *,
        must: Flags,
        step: float,
    ) -> Openings | None:
        """State the nodes in the largest unit of work; None where the knapsacks would be too large."""
        unit = int(np.gcd.reduce(work)) or 1
        total = int((work // unit).sum())
        limits = np.minimum(capacity // unit, total)
        if int(limits.max(initial=0)) * cost.size > _MOST_CELLS:
            return None
        return cls(cost, leaving, work // unit, limits, opening, step, int((work // unit)[must].sum()))


class _Node(NamedTuple):
    """What is known of a part of the sets of nodes: ordered by bound, then by number."""

    bound: float
    number: int
    state: States
    prices: Floats


class _Raised(NamedTuple):
    """What prices prove, the nodes that they open, and how often each of K was open on the way there."""

    bound: float
    prices: Floats
    opened: Integers
    often: Floats


def bounded(sites: Openings, known: float, planned: Planned, *, deadline: float) -> float:
    """Return what a plan costs at least, as far as that is known when perf_counter passes the deadline.

    `known` is the cost of the best plan, infinite if there is none. `planned` plans with some nodes open, and returns
    the cost of the best plan then known.
    """
    number, unsettled = 0, np.inf
    seen: set[bytes] = set()
    nodes = len(sites.capacity)
    waiting = [_Node(-np.inf, 0, np.zeros(nodes, dtype=np.int8), np.sort(sites.cost, axis=0)[: min(2, nodes)][-1])]
    while waiting and _promising(sites, waiting[0].bound, known) and perf_counter() < deadline:
        node = heappop(waiting)
        raised = _raised(sites, node, known, deadline)
        if raised is None or not _promising(sites, raised.bound, known):
            continue
        if raised.opened.tobytes() not in seen:
            seen.add(raised.opened.tobytes())
            known = min(known, planned(raised.opened))
        free = np.flatnonzero(node.state == _FREE)
        if not len(free):
            unsettled = min(unsettled, raised.bound)
            continue
        which = int(free[np.abs(raised.often[free] - 0.5).argmin()])
        for decision in (_OPEN, _CLOSED):
            number += 1
            below = node.state.copy()
            below[which] = decision
            heappush(waiting, _Node(raised.bound, number, below, raised.prices))
    lowest = min((node.bound for node in waiting), default=np.inf)
    bound = min(known, unsettled, lowest)
    return bound - _ROUNDING * abs(bound)


def _promising(sites: Openings, bound: float, known: float) -> bool:
    """Tell whether something cheaper than what is known may cost as little as a bound."""
    return bound - _ROUNDING * abs(bound) <= known - sites.step


def _raised(sites: Openings, node: _Node, known: float, deadline: float) -> _Raised | None:
    """Raise the prices of a node; None where the nodes that are not closed cannot hold what must be served."""
    kept = np.flatnonzero(node.state != _CLOSED)
    must = node.state[kept] == _OPEN
    if sites.capacity[kept].sum() < sites.least_work:
        return None
    first = not node.state.any()
    rounds, patience = (_FIRST_ROUNDS, _FIRST_PATIENCE) if first else (_ROUNDS, _PATIENCE)
    prices, best, step, stalled = node.prices, None, 1.0, 0
    often = np.zeros(len(node.state))
    for _ in range(rounds):
        worth, packed = _knapsacks(np.maximum(0.0, prices - sites.cost[kept]), sites.work, sites.capacity[kept])
        reduced = sites.opening[kept] - worth
        opened = _covering(reduced, sites.capacity[kept], must, sites.least_work)
        value = float(prices.sum() + reduced[opened].sum())
        often[kept] = _MEMORY * often[kept] + (1 - _MEMORY) * opened
        if best is None or value > best.bound:
            best, stalled = _Raised(value, prices, kept[opened], often), 0
        else:
            stalled += 1
        slope = 1.0 - packed[opened].sum(axis=0)
        slope[(prices >= sites.leaving) & (slope > 0)] = 0
        if not _promising(sites, value, known) or not slope.any() or step < _LEAST_STEP or perf_counter() > deadline:
            break
        if stalled >= patience:
            step, stalled, prices = step / 2, 0, best.prices
            continue
        beyond = known if np.isfinite(known) else best.bound + _GUESSED * abs(best.bound)
        gap = max(beyond - value, _LEAST_STEP * _GUESSED * abs(value))
        prices = np.minimum(prices + step * gap / float(slope @ slope) * slope, sites.leaving)
    assert best is not None, "the prices of a node are looked at once"
    return best._replace(bound=max(best.bound, node.bound))


def _knapsacks(worth: Floats, work: Integers, capacity: Integers) -> tuple[Floats, Flags]:
    """Pack orders of a worth (K,n) and a work (n) into the capacity (K) of each node: what that is worth, and which."""
    nodes, width = len(worth), int(capacity.max(initial=0)) + 1
    wanted = np.flatnonzero((worth > 0).any(axis=0) & (work < width))
    best = np.zeros((nodes, width))
    taken = np.zeros((len(wanted), nodes, width), dtype=np.bool_)
    for place, order in enumerate(wanted.tolist()):
        needed = int(work[order])
        with_it = best[:, : width - needed] + worth[:, order, None]
        np.greater(with_it, best[:, needed:], out=taken[place, :, needed:])
        np.maximum(with_it, best[:, needed:], out=best[:, needed:])
    every, left = np.arange(nodes), capacity.copy()
    packed = np.zeros(worth.shape, dtype=np.bool_)
    for place in range(len(wanted) - 1, -1, -1):
        packs = taken[place, every, left]
        packed[:, wanted[place]] = packs
        left -= np.where(packs, work[wanted[place]], 0)
    return best[every, capacity], packed


def _covering(reduced: Floats, capacity: Integers, must: Flags, least: int) -> Flags:
    """Tell which nodes open at least cost so that their capacities hold so much work: a knapsack of the others."""
    spare = int(capacity.sum()) - least
    closable = np.flatnonzero((reduced > 0) & ~must & (capacity <= spare))
    _, closed = _knapsacks(reduced[None, closable], capacity[closable], np.array([spare]))
    opened = np.ones(len(reduced), dtype=np.bool_)
    opened[closable[closed[0]]] = False
    return opened
