"""Tabu search over which node serves which order, where capacity is what binds.

Owns the search that assignment.py runs between its models: one order moves to another node, or two orders of different
nodes change places. Invariant: the assignment returned keeps all capacities; None says that none was met.

Assignments may overdraw capacities on the way, at a price that rises while they do and falls while they do not, as in
the ejection chains of Yagiura, Ibaraki and Glover, 2004 (DOI 10.1287/ijoc.1030.0036).
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Final

import numpy as np

from fulfillment.optimizer.mip import Floats
from fulfillment.optimizer.problem import Flags, Integers

_TENURE: Final = (5, 15)
_STEADY: Final = 5
"""Moves on one side of feasibility after which the price of overdrawn capacity changes."""
_PRICE_STEP: Final = 1.1
_PATIENCE: Final = 30
"""Moves without a better assignment after which the set of open nodes is shaken."""
_LEAST_GAIN: Final = 1e-9
_FORBIDDEN: Final = 1e12


@dataclass(frozen=True, slots=True)
class Assigning:
    """K nodes and n orders: cost and work (K,n), capacity (K) and the cost of opening (K)."""

    cost: Floats
    work: Floats
    capacity: Floats
    opening: Floats


class _Search:
    """An assignment (n) while it is worked on: what it takes, how many orders each node has, and what is tabu."""

    def __init__(self, task: Assigning, node: Integers) -> None:
        nodes, orders = task.cost.shape
        self.task, self.node = task, node.copy()
        self.every = np.arange(orders)
        self.excess = np.bincount(node, task.work[node, self.every], minlength=nodes) - task.capacity
        self.count = np.bincount(node, minlength=nodes)
        self.cost = float(task.cost[node, self.every].sum() + task.opening[self.count > 0].sum())
        self.price = float(task.cost.clip(0, _FORBIDDEN / 10).mean() / max(_LEAST_GAIN, task.work.mean()))
        self.until = np.zeros((nodes, orders), dtype=np.int64)

    def shifts(self, tabu: Flags) -> Floats:
        """Return what it changes to move each order to each node (K,n)."""
        task, node, every = self.task, self.node, self.every
        over = np.maximum(self.excess, 0)
        relief = np.maximum(0, self.excess[node] - task.work[node, every]) - over[node]
        entering = np.maximum(0, self.excess[:, None] + task.work) - over[:, None]
        closing = task.opening[node] * (self.count[node] == 1)
        opening = task.opening * (self.count == 0)
        change: Floats = task.cost - task.cost[node, every] + self.price * (entering + relief)
        change += opening[:, None] - closing
        change[tabu] = np.inf
        change[node, every] = np.inf
        return change

    def swaps(self, tabu: Flags) -> Floats:
        """Return what it changes to exchange the nodes of each pair of orders (n,n)."""
        task, node, every = self.task, self.node, self.every
        spare = self.excess[node] - task.work[node, every]
        half = task.work[node]
        half += spare[:, None]
        np.maximum(half, 0, out=half)
        half -= np.maximum(self.excess, 0)[node][:, None]
        half *= self.price
        half += task.cost[node]
        half -= task.cost[node, every][:, None]
        half[tabu[node]] = np.inf
        change: Floats = half + half.T
        change[node[:, None] == node] = np.inf
        return change

    def move(self, order: int, node: int, until: int) -> None:
        """Serve an order from another node, and not from its present one for some time."""
        task, before = self.task, int(self.node[order])
        self.until[before, order] = until
        self.excess[before] -= task.work[before, order]
        self.excess[node] += task.work[node, order]
        self.count[before] -= 1
        self.cost += task.cost[node, order] - task.cost[before, order]
        self.cost += task.opening[node] * (self.count[node] == 0) - task.opening[before] * (self.count[before] == 0)
        self.count[node] += 1
        self.node[order] = node

    def shake(self, rng: np.random.Generator, until: int) -> None:
        """Open, close or exchange a node at random, with all the orders that this concerns."""
        task, node = self.task, self.node
        closed = np.flatnonzero((self.count == 0) & (task.opening > 0))
        present = np.flatnonzero((self.count > 0) & (task.opening > 0))
        kind = int(rng.integers(3))
        if kind == 0 and len(closed):
            entering = int(rng.choice(closed))
            gain = task.cost[node, self.every] - task.cost[entering]
            wanted = np.argsort(-gain, kind="stable")
            room = np.cumsum(task.work[entering, wanted]) <= task.capacity[entering]
            for order in wanted[room & (gain[wanted] > 0)].tolist():
                self.move(order, entering, until)
        elif len(present):
            leaving = int(rng.choice(present))
            others = np.where((self.count > 0) & (np.arange(len(self.count)) != leaving), 0.0, np.inf)
            if kind == 1 and len(closed):
                others[int(rng.choice(closed))] = 0.0
            for order in np.flatnonzero(node == leaving).tolist():
                overdrawn = np.maximum(0, self.excess + task.work[:, order])
                self.move(order, int((task.cost[:, order] + self.price * overdrawn + others).argmin()), until)
            self.until[leaving] = until


def searched(task: Assigning, node: Integers, *, moves: int, deadline: float, seed: int) -> Integers | None:
    """Return the cheapest assignment (n) met in so many moves from a given one, or until perf_counter passes."""
    rng = np.random.default_rng(seed)
    search = _Search(task, node)
    best, best_cost = (node.copy(), search.cost) if search.excess.max() <= _LEAST_GAIN else (None, np.inf)
    steady, fitted, stalled = 0, True, 0
    for number in range(moves):
        if perf_counter() > deadline:
            break
        if best is not None and stalled >= _PATIENCE and task.opening.any():
            price = search.price
            search = _Search(task, best)
            search.price, stalled = price, 0
            search.shake(rng, number + _PATIENCE // 2)
        _step(search, number, int(rng.integers(*_TENURE)))
        fits = bool(search.excess.max() <= _LEAST_GAIN)
        stalled += 1
        if fits and search.cost < best_cost - _LEAST_GAIN:
            best, best_cost, stalled = search.node.copy(), search.cost, 0
        steady = steady + 1 if fits == fitted else 1
        fitted = fits
        if steady == _STEADY:
            search.price *= 1 / _PRICE_STEP if fits else _PRICE_STEP
            steady = 0
    return best


def _step(search: _Search, number: int, tenure: int) -> None:
    """Make the best move that is not tabu."""
    tabu = search.until > number
    shifts, swaps = search.shifts(tabu), search.swaps(tabu)
    shift, swap = int(shifts.argmin()), int(swaps.argmin())
    if shifts.flat[shift] <= swaps.flat[swap]:
        node, order = divmod(shift, shifts.shape[1])
        search.move(order, node, number + tenure)
        return
    first, second = divmod(swap, len(swaps))
    nodes = int(search.node[second]), int(search.node[first])
    search.move(first, nodes[0], number + tenure)
    search.move(second, nodes[1], number + tenure)
