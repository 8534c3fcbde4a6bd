"""Which nodes to open for orders of one line each, whose work is the same wherever they are served.

Owns the tree over sets of nodes: each of its nodes opens some, closes others, and prices the orders. assignment.py
calls it, plans the sets that it proposes, and takes the bound. Invariant: the bound holds whenever time ends.

At given prices each node packs the orders that pay most into its capacity, a knapsack, and those nodes open that cost
least and can hold all work together: the Lagrangian relaxation of Holmberg, Rönnqvist and Yuan, "An exact algorithm for
the capacitated facility location problems with single sourcing", 1999 (DOI 10.1016/S0377-2217(98)00008-3), with the sum
of capacities kept. It proves in a second what the linear relaxation with its cuts does in twenty.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from time import perf_counter
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fulfillment.optimizer.mip import Floats
from fulfillment.optimizer.problem import Flags, Integers

_MANY_ROUNDS, _ROUNDS = 200, 25
"""Most steps of the prices at the first node and the last ones, and at those between, which continue from above."""
_MUCH_PATIENCE, _PATIENCE = 8, 4
_LEAST_STEP: Final = 0.01
_GUESSED: Final = 0.02
"""How far above its bound a plan is thought to be as long as there is none."""
_MEMORY: Final = 0.8
"""Weight of the steps before in how often a node was open."""
_PLANNED: Final = 3
"""Of so many sets that prices open one is planned, since that takes longer than to price it."""
_ROUNDING: Final = 1e-9
_MOST_CELLS: Final = 4 * 10**7
"""Orders times nodes times capacity: what the knapsacks may take in bytes."""
_FREE, _OPEN, _CLOSED = 0, 1, -1
States = NDArray[np.int8]


class Plans(Protocol):
    """What plans sets of nodes."""

    @property
    def known(self) -> float:
        """The cost of the best plan of any set so far, infinite if there is none."""

    def plan(self, nodes: Integers) -> None:
        """Look for a plan with some nodes open."""

    def prove(self, nodes: Integers) -> float:
        """Look for the best plan with exactly some nodes open; return what one costs at least."""


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
    """What is known of a part of the sets of nodes, which may be one that prices say no more of: ordered by bound."""

    bound: float
    number: int
    state: States
    prices: Floats
    settled: bool = False


class _Raised(NamedTuple):
    """What prices prove; the K' nodes that are not closed, what each costs then, which open, and how often they did."""

    bound: float
    prices: Floats
    kept: Integers
    reduced: Floats
    opened: Flags
    often: Floats


def bounded(sites: Openings, plans: Plans, *, deadline: float) -> float:
    """Return what a plan costs at least, as far as that is known when perf_counter passes the deadline."""
    number, looked, unsettled = 0, 0, np.inf
    seen: set[bytes] = set()
    nodes = len(sites.capacity)
    waiting = [_Node(-np.inf, 0, np.zeros(nodes, dtype=np.int8), np.sort(sites.cost, axis=0)[: min(2, nodes)][-1])]
    while waiting and _promising(sites, waiting[0].bound, plans.known) and perf_counter() < deadline:
        node = heappop(waiting)
        if node.settled:
            unsettled = min(unsettled, max(node.bound, plans.prove(np.flatnonzero(node.state == _OPEN))))
            continue
        raised = _raised(sites, node, plans.known, deadline)
        if raised is None or not _promising(sites, raised.bound, plans.known):
            continue
        opened = raised.kept[raised.opened]
        if looked % _PLANNED == 0 and opened.tobytes() not in seen:
            seen.add(opened.tobytes())
            plans.plan(opened)
        looked += 1
        settled = not (node.state == _FREE).any()
        for state in _divided(raised, _settled(sites, node.state, raised, plans.known)):
            number += 1
            heappush(waiting, _Node(raised.bound, number, state, raised.prices, settled))
    lowest = min((node.bound for node in waiting), default=np.inf)
    bound = min(plans.known, unsettled, lowest)
    return bound - _ROUNDING * abs(bound)


def _divided(raised: _Raised, settled: States) -> list[States]:
    """Divide a part of the sets by the free node of which it is least sure whether it opens."""
    free = np.flatnonzero(settled[raised.kept] == _FREE)
    if not len(free):
        return [settled]
    which = raised.kept[free[np.abs(raised.often[free] - 0.5).argmin()]]
    states = [settled.copy() for _ in (_OPEN, _CLOSED)]
    for state, decision in zip(states, (_OPEN, _CLOSED), strict=True):
        state[which] = decision
    return states


def _settled(sites: Openings, state: States, raised: _Raised, known: float) -> States:
    """Open and close free nodes of which the opposite proves too dear at the prices."""
    settled, capacity = state.copy(), sites.capacity[raised.kept]
    must = state[raised.kept] == _OPEN
    for place in np.flatnonzero(state[raised.kept] == _FREE).tolist():
        others = np.arange(len(must)) != place
        if raised.opened[place]:
            enough = int(capacity[others].sum()) >= sites.least_work
            value = _covered(sites, raised, others, must) if enough else np.inf
        else:
            value = _covered(sites, raised, np.ones_like(others), must | ~others)
        if not _promising(sites, value, known):
            settled[raised.kept[place]] = _OPEN if raised.opened[place] else _CLOSED
    return settled


def _covered(sites: Openings, raised: _Raised, among: Flags, must: Flags) -> float:
    """Return what prices prove if only some of the nodes that are not closed may open, and some of them must."""
    reduced = raised.reduced[among]
    opened = _covering(reduced, sites.capacity[raised.kept[among]], must[among], sites.least_work)
    return float(raised.prices.sum() + reduced[opened].sum())


def _promising(sites: Openings, bound: float, known: float) -> bool:
    """Tell whether something cheaper than what is known may cost as little as a bound."""
    return bound - _ROUNDING * abs(bound) <= known - sites.step


def _raised(sites: Openings, node: _Node, known: float, deadline: float) -> _Raised | None:
    """Raise the prices of a node; None where the nodes that are not closed cannot hold what must be served."""
    kept = np.flatnonzero(node.state != _CLOSED)
    must = node.state[kept] == _OPEN
    if sites.capacity[kept].sum() < sites.least_work:
        return None
    between = (node.state == _FREE).any() and node.state.any()
    rounds, patience = (_ROUNDS, _PATIENCE) if between else (_MANY_ROUNDS, _MUCH_PATIENCE)
    prices, best, step, stalled = node.prices, None, 1.0, 0
    often = must.astype(np.float64)
    for _ in range(rounds):
        worth, packed = _knapsacks(np.maximum(0.0, prices - sites.cost[kept]), sites.work, sites.capacity[kept])
        reduced = sites.opening[kept] - worth
        opened = _covering(reduced, sites.capacity[kept], must, sites.least_work)
        value = float(prices.sum() + reduced[opened].sum())
        often = _MEMORY * often + (1 - _MEMORY) * opened
        if best is None or value > best.bound:
            best, stalled = _Raised(value, prices, kept, reduced, opened, often), 0
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
    return best._replace(bound=max(best.bound, node.bound), often=often)


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
