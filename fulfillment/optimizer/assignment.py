"""Orders that are each served whole by one node, where what binds is the work of nodes and the cost of opening them.

Owns the way from the linear relaxation to a good plan and a bound: the columns that it says are worth most make a small
model, a tabu search betters what that finds, and the columns that no better plan can use are left out of the whole
model, which then has the rest of the time. `solve` calls it. Invariant: the bound is valid, whenever time ends.

The small models are the kernels of Guastaroba and Speranza, "A heuristic for BILP problems: the single source
capacitated facility location problem", 2014 (DOI 10.1016/j.ejor.2014.04.007).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from time import perf_counter
from typing import Final

import numpy as np

from fulfillment.optimizer.mip import Answer, Floats, Mip, Relaxed, relax, solve_mip
from fulfillment.optimizer.model import SourcingModel, mip_of, sourcing_model
from fulfillment.optimizer.openings import Openings, bounded
from fulfillment.optimizer.plan import Plan, cost_by_term, priced_plan
from fulfillment.optimizer.problem import UNLIMITED, Flags, Integers, Problem
from fulfillment.optimizer.tabu import Assigning, searched

_MOST_ORDERS: Final = 1_000
_MOST_COLUMNS: Final = 60_000
_KERNELS: Final = (3, 6, 12)
"""Columns of each order in the small models."""
_MOVES: Final = 6_000
_MOVES_PER_ORDER: Final = 40
_SEARCH_SHARE, _OPEN_SHARE, _KERNEL_SHARE = 0.12, 0.8, 0.5
_OPEN_MOVES: Final = (400, 1200)
_PROOF_S: Final = 3.0
"""How long the model of one set of nodes may take."""
_NEAR: Final = 1.005
"""How near a set of nodes must come to the best plan to be searched for longer."""
_FORBIDDEN: Final = 1e9
"""Cost of what cannot be, beside costs of about one."""
_SOLVER: Final = "tabu search and HiGHS"


@dataclass(slots=True)
class _Task:
    """A model with its relaxation, and the best columns known."""

    model: SourcingModel
    mip: Mip
    relaxed: Relaxed
    deadline: float
    seed: int
    values: Floats | None = None
    cost: float = np.inf
    bound: float = -np.inf

    def offer(self, values: Floats | None) -> None:
        """Keep columns that cost less than what is known."""
        cost = np.inf if values is None or not len(values) else float(self.mip.cost @ values)
        if cost < self.cost:
            self.values, self.cost = values, cost

    def left(self, share: float = 1.0) -> float:
        """Return a share of the seconds that are left."""
        return max(0.1, share * (self.deadline - perf_counter()))

    @property
    def done(self) -> bool:
        """Tell whether the plan is proven or the time is up."""
        step = max(1, int(self.mip.step))
        return perf_counter() > self.deadline or ceil(self.bound / step) * step >= self.cost


def assignable(problem: Problem) -> bool:
    """Tell whether orders are served whole by one node each, in numbers that can be searched, and work binds."""
    orders = problem.orders
    return (
        len(orders) <= _MOST_ORDERS
        and sum(order.eligible.size for order in orders) <= _MOST_COLUMNS
        and bool(len(problem.capacities))
        and all(_whole(problem, number) for number in range(len(orders)))
    )


def _whole(problem: Problem, number: int) -> bool:
    """Tell whether an order is one line, at nodes with a capacity each, whose stock is no matter."""
    order = problem.orders[number]
    (line, *others) = order.lines
    return (
        not others
        and not line.divisible
        and order.max_packages != 0
        and bool((order.option_capacity >= 0).all())
        and len(np.unique(order.option_node)) == len(order.option_node)
        and bool((problem.stock[line.sku, order.option_node] == UNLIMITED).all())
    )


def solve_assignment(problem: Problem, *, time_limit_s: float, seed: int) -> Plan | None:
    """Plan orders of one line each; None if no plan was found that serves what must be served."""
    started = perf_counter()
    model = sourcing_model(problem)
    mip = mip_of(model)
    relaxed = relax(mip, time_limit_s=time_limit_s)
    if relaxed is None:
        return None
    task = _Task(model, mip, relaxed, started + time_limit_s, seed, bound=relaxed.bound)
    for step in (_search, _open, _solve_kernels, _search, _prove):
        if not task.done:
            step(task)
    if task.values is None:
        return None
    return _priced(task, perf_counter() - started)


def _priced(task: _Task, seconds: float) -> Plan:
    problem, values = task.model.problem, task.values
    assert values is not None, "a plan is priced once there is one"
    assignments = task.model.assignments(values)
    step = max(1, int(task.mip.step))
    bound = min(ceil(task.bound / step) * step, sum(cost_by_term(problem, assignments).values()))
    return priced_plan(problem, assignments, bound=bound, seconds=seconds, solver=_SOLVER, seed=task.seed)


def _search(task: _Task) -> None:
    """Better what is known, or what the relaxation says, by moving orders."""
    start = task.relaxed.values if task.values is None else task.values
    grid = _grid(task)
    node = np.array([start[column].argmax() for column in grid.columns.T])
    deadline = perf_counter() + task.left(_SEARCH_SHARE)
    moves = min(_MOVES, _MOVES_PER_ORDER * len(node))
    _offer_nodes(task, grid, searched(grid.assigning, node, moves=moves, deadline=deadline, seed=task.seed))


def _open(task: _Task) -> None:
    """Decide which nodes open, where that costs something and the work of orders is the same at all of them."""
    grid = _grid(task)
    served, nowhere = grid.assigning.cost[:-1], grid.assigning.cost[-1]
    possible = served < _FORBIDDEN
    work = np.where(possible, grid.work[:-1], 0).max(axis=0)
    if not task.model.problem.open_cost.any() or (possible & (grid.work[:-1] != work)).any():
        return
    must = nowhere >= _FORBIDDEN
    opening, step = grid.assigning.opening[:-1], max(1.0, task.mip.step) / grid.scale
    sites = Openings.of(served, nowhere, work, grid.capacity[:-1], opening, must=must, step=step)
    if sites is None:
        return
    deadline = perf_counter() + task.left(_OPEN_SHARE)
    bound = grid.scale * bounded(sites, _Sets(task, grid, deadline), deadline=deadline)
    if np.isfinite(bound):
        task.bound = max(task.bound, bound)


@dataclass(frozen=True, slots=True)
class _Sets:
    """Plans with some nodes open, offered to the task."""

    task: _Task
    grid: _Grid
    deadline: float

    @property
    def known(self) -> float:
        """The cost of the best plan, as a share of the scale."""
        return self.task.cost / self.grid.scale

    def plan(self, nodes: Integers) -> None:
        """Search with some nodes open: for a short time, and longer where that comes near to what is known."""
        whole = self.grid.assigning
        rows = np.append(nodes, len(whole.capacity) - 1)
        # What they cost to open is paid whatever the search does.
        narrowed = Assigning(whole.cost[rows], whole.work[rows], whole.capacity[rows], np.zeros(len(rows)))
        node, paid = narrowed.cost.argmin(axis=0), float(whole.opening[nodes].sum())
        for moves in _OPEN_MOVES:
            found = searched(narrowed, node, moves=moves, deadline=self.deadline, seed=self.task.seed)
            if found is None:
                return
            node = found
            _offer_nodes(self.task, self.grid, rows[found])
            if narrowed.cost[found, np.arange(len(found))].sum() + paid > _NEAR * self.known:
                return

    def prove(self, nodes: Integers) -> float:
        """Solve the model with exactly some nodes open."""
        model, columns = self.task.model, self.grid.columns
        kept = np.zeros(len(self.task.mip.cost), dtype=np.bool_)
        chosen = columns[np.append(nodes, len(columns) - 1)]
        kept[chosen[chosen >= 0]] = True
        opened = model.node_column[nodes]
        kept[opened[opened >= 0]] = True
        left = min(_PROOF_S, self.deadline - perf_counter())
        answer = _answer(self.task, kept, left)
        self.task.offer(answer.values)
        paid = float(self.task.mip.cost @ answer.values) if len(answer.values) else np.inf
        return {"infeasible": np.inf, "optimal": paid}.get(answer.outcome, answer.bound) / self.grid.scale


def _offer_nodes(task: _Task, grid: _Grid, nodes: Integers | None) -> None:
    """Keep an assignment (n), the last node being nowhere, if it is possible and costs less than what is known."""
    chosen = np.empty(0, dtype=np.int64) if nodes is None else grid.columns[nodes, np.arange(len(nodes))]
    if nodes is None or (chosen < 0).any() or not task.mip.upper[chosen].all():
        return
    values = np.zeros(len(task.mip.cost))
    values[chosen] = 1
    opened = task.model.node_column
    used = np.bincount(nodes, minlength=len(opened))[: len(opened)] > 0
    values[opened[used & (opened >= 0)]] = 1
    task.offer(values)


@dataclass(frozen=True, slots=True)
class _Grid:
    """Columns and work (K+1,n), capacity (K+1), the last node being nowhere, and the same for the search.

    Costs there are shares of `scale`.
    """

    columns: Integers
    work: Integers
    capacity: Integers
    scale: float
    assigning: Assigning


def _grid(task: _Task) -> _Grid:
    """Lay the model out by node and order."""
    problem, groups = task.model.problem, task.model.groups
    nodes, orders = len(problem.nodes), len(groups)
    columns = np.full((nodes + 1, orders), -1)
    work = np.zeros((nodes + 1, orders), dtype=np.int64)
    capacity = np.full(nodes + 1, UNLIMITED)
    for place, group in enumerate(groups):
        order = problem.orders[group.order]
        node = order.option_node[group.options]
        columns[node, place] = group.columns
        columns[nodes, place] = group.unfilled
        work[node, place] = order.work[group.options] + order.line_work[0, group.options]
        capacity[node] = problem.capacities[order.option_capacity[group.options]]
    scale = float(np.abs(task.mip.cost).max()) or 1.0
    unit = float(work.max()) or 1.0
    allowed = (columns >= 0) & (task.mip.upper[columns] > 0)
    cost = np.where(allowed, task.mip.cost[columns] / scale, _FORBIDDEN)
    opening = np.append(problem.open_cost / scale, 0.0)
    return _Grid(columns, work, capacity, scale, Assigning(cost, work / unit, capacity / unit, opening))


def _solve_kernels(task: _Task) -> None:
    """Solve models of the columns that the relaxation uses or nearly uses, ever more of them while there is time."""
    idle = np.where(task.relaxed.values > 0, 0.0, np.maximum(0, task.relaxed.reduced))
    end = perf_counter() + task.left(_KERNEL_SHARE)
    for size in _KERNELS:
        count, possible = size * len(task.model.groups), _possible(task)
        if possible.sum() <= count or perf_counter() > end:
            return
        kept = idle <= np.partition(idle, count)[count]
        kept[task.model.node_column[task.model.node_column >= 0]] = True
        task.offer(_answer(task, kept & possible, end - perf_counter()).values)


def _prove(task: _Task) -> None:
    """Solve the model of all columns that a better plan may use."""
    answer = _answer(task, _possible(task), task.left())
    task.offer(answer.values)
    # What was left out costs more than what is known.
    bound = task.cost if answer.outcome in {"optimal", "infeasible"} else answer.bound
    task.bound = max(task.bound, min(bound, task.cost))


def _possible(task: _Task) -> Flags:
    flags: Flags = task.relaxed.bound + np.maximum(0, task.relaxed.reduced) <= task.cost
    if task.values is not None:
        flags |= task.values > 0
    return flags


def _answer(task: _Task, kept: Flags, time_limit_s: float) -> Answer:
    narrowed = replace(task.mip, upper=np.where(kept, task.mip.upper, 0))
    return solve_mip(narrowed, time_limit_s=max(0.1, time_limit_s), seed=task.seed)
