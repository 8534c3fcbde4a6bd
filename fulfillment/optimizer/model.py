"""A sourcing problem as a mixed integer programme.

Owns the formulation that holds everything a problem can say: shared stock and capacity, opening costs, divisible lines,
package limits, lines that travel together, parts worth enough. exact.py solves it. Invariant: the plans of the problem
are the solutions of the model, at the same cost but for the rounding of divided lines.

Columns: x serves a group of lines from an option (units of it, for a divisible line), s leaves a group unfilled, y
packs a package of an option, z opens a node. x <= y <= z row by row, which makes the linear relaxation tight. An order
of one indivisible group needs no y: its x carries the package.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fulfillment.optimizer.mip import Floats, Mip, Rows
from fulfillment.optimizer.plan import Assignment
from fulfillment.optimizer.problem import UNLIMITED, Flags, Integers, OrderProblem, Problem
from fulfillment.optimizer.reasons import usable_of


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that travel together, with the columns that serve them and the one that leaves them unfilled.

    pieces   what the columns count: 1 for the whole group, the units of a divisible line
    options  K'  the options that may serve the group
    columns  K'  the column of each
    unfilled     its column, which is held at 0 where the group must be served
    """

    order: int
    lines: tuple[int, ...]
    pieces: int
    options: Integers
    columns: Integers
    unfilled: int


@dataclass(slots=True)
class SourcingModel:
    """The model of a problem, and what its columns mean.

    node_column  N  the column that opens the node, -1 where opening is free
    stock_use, capacity_use: (row of the limit, column, amount) of every column that takes some
    """

    problem: Problem
    node_column: Integers
    groups: list[Group] = field(default_factory=list)
    cost: list[Floats] = field(default_factory=list)
    upper: list[Floats] = field(default_factory=list)
    rows: Rows = field(default_factory=Rows)
    stock_use: list[tuple[Integers, Integers, Floats]] = field(default_factory=list)
    capacity_use: list[tuple[Integers, Integers, Floats]] = field(default_factory=list)
    columns: int = 0

    def add_columns(self, cost: ArrayLike, upper: ArrayLike) -> Integers:
        """Append columns and return their numbers."""
        costs = np.asarray(cost, dtype=np.float64)
        self.cost.append(costs)
        self.upper.append(np.broadcast_to(np.asarray(upper, dtype=np.float64), costs.shape))
        self.columns += len(costs)
        return np.arange(self.columns - len(costs), self.columns)

    def add_links(self, low: Integers, high: Integers, factor: ArrayLike = 1.0) -> None:
        """Require column low <= factor x column high, row by row."""
        count = len(low)
        rows = np.arange(count)
        factors = np.broadcast_to(np.asarray(factor, dtype=np.float64), (count,))
        self.rows.add(
            np.concatenate([rows, rows]),
            np.concatenate([low, high]),
            np.concatenate([np.ones(count), -factors]),
            lower=np.full(count, -np.inf),
            upper=np.zeros(count),
        )

    def add_row(self, columns: Integers, *, lower: float, upper: float) -> None:
        """Bound the sum of columns."""
        count = len(columns)
        self.rows.add(
            np.zeros(count, dtype=np.int64),
            columns,
            np.ones(count),
            lower=np.array([lower], dtype=np.float64),
            upper=np.array([upper], dtype=np.float64),
        )

    def assignments(self, values: Floats) -> list[Assignment]:
        """Read the plan from the value of each column."""
        found = []
        for group in self.groups:
            lines = self.problem.orders[group.order].lines
            for option, value in zip(group.options.tolist(), values[group.columns].tolist(), strict=True):
                if value > 0:
                    found += [
                        Assignment(group.order, line, option, int(value) * lines[line].units // group.pieces)
                        for line in group.lines
                    ]
        return found


def sourcing_model(problem: Problem) -> SourcingModel:
    """Formulate a problem."""
    node_column = np.full(len(problem.nodes), -1)
    model = SourcingModel(problem, node_column)
    costly = np.flatnonzero(problem.open_cost)
    node_column[costly] = model.add_columns(problem.open_cost[costly], 1)
    for index, order in enumerate(problem.orders):
        _add_order(model, index, order)
    stock = problem.stock.reshape(-1)
    _add_limits(model, model.stock_use, stock, np.full(len(stock), -1))
    opener = _opener(model)
    _add_limits(model, model.capacity_use, problem.capacities, opener)
    if len(problem.capacities) and (opener >= 0).all():
        _add_least_opening(model, opener)
    return model


def mip_of(model: SourcingModel) -> Mip:
    """Return the model with the problem's costs."""
    step = 0 if any(group.pieces > 1 for group in model.groups) else cost_step(model.problem)
    return Mip(np.concatenate(model.cost), np.concatenate(model.upper), model.rows, float(step))


def unserved_mip(model: SourcingModel) -> Mip:
    """Return the model in which lines that must be served may be left, at the cost of one each."""
    mip = mip_of(model)
    cost = np.zeros_like(mip.cost)
    upper = mip.upper.copy()
    for group in must_serve(model):
        cost[group.unfilled] = len(group.lines) / group.pieces
        upper[group.unfilled] = group.pieces
    return Mip(cost, upper, mip.rows, 0.0)


def must_serve(model: SourcingModel) -> list[Group]:
    """Return the groups that may not stay unfilled."""
    orders = model.problem.orders
    return [group for group in model.groups if _penalty(orders[group.order], group.lines) is None]


def cost_step(problem: Problem) -> int:
    """Return the largest number that divides every cost, 0 where nothing costs anything."""
    step = int(np.gcd.reduce(problem.open_cost)) if len(problem.nodes) else 0
    for order in problem.orders:
        step = gcd(step, int(np.gcd.reduce(order.package_cost)), int(np.gcd.reduce(order.line_cost, axis=None)))
        step = gcd(step, *(line.unfilled_cost or 0 for line in order.lines))
    return step


def _penalty(order: OrderProblem, lines: tuple[int, ...]) -> int | None:
    penalties = [order.lines[line].unfilled_cost for line in lines]
    return None if None in penalties else sum(filter(None, penalties))


def _add_order(model: SourcingModel, index: int, order: OrderProblem) -> None:
    tied = {line for group in order.together for line in group}
    members = [(line,) for line in range(len(order.lines)) if line not in tied] + [g for g in order.together if g]
    usable = usable_of(order, model.problem.stock, model.problem.capacities) & (order.max_packages != 0)
    alone = len(members) == 1 and not order.lines[members[0][0]].divisible
    package = np.full(len(order.option_ids), -1)
    if not alone:
        package = _add_packages(model, order, usable)
    for lines in members:
        _add_group(model, index, lines, np.flatnonzero(usable[list(lines)].all(axis=0)), package)
    if order.min_part_value and not alone:
        _add_part_values(model, order, model.groups[-len(members) :], package)


def _add_packages(model: SourcingModel, order: OrderProblem, usable: Flags) -> Integers:
    """Add y for the options whose package costs or counts; return the column of each option, -1 for none."""
    opener = model.node_column[order.option_node]
    counted = order.max_packages is not None or order.min_part_value > 0
    matters = usable.any(axis=0) & ((order.package_cost > 0) | (order.work > 0) | (opener >= 0) | counted)
    options = np.flatnonzero(matters)
    columns = np.full(len(order.option_ids), -1)
    columns[options] = model.add_columns(order.package_cost[options], 1)
    _take_capacity(model, order, options, columns[options], order.work[options])
    opened = options[opener[options] >= 0]
    model.add_links(columns[opened], opener[opened])
    if order.max_packages is not None:
        model.add_row(columns[options], lower=0, upper=order.max_packages)
    return columns


def _add_group(model: SourcingModel, index: int, lines: tuple[int, ...], options: Integers, package: Integers) -> None:
    """Add x and s of a group. Without packages of its own (-1) an option's x carries package cost, work and opening."""
    order = model.problem.orders[index]
    first = order.lines[lines[0]]
    pieces = first.units if first.divisible else 1
    carries = package[options] < 0
    most = np.minimum(pieces, model.problem.stock[first.sku, order.option_node[options]])
    cost = order.line_cost[list(lines)][:, options].sum(axis=0) / pieces
    columns = model.add_columns(cost + np.where(carries, order.package_cost[options], 0), most)
    penalty = _penalty(order, lines)
    unfilled = int(model.add_columns([(penalty or 0) / pieces], 0 if penalty is None else pieces)[0])
    model.groups.append(Group(index, lines, pieces, options, columns, unfilled))
    model.add_row(np.append(columns, unfilled), lower=pieces, upper=pieces)
    model.add_links(columns[~carries], package[options[~carries]], most[~carries])
    opener = model.node_column[order.option_node[options]]
    opened = carries & (opener >= 0)
    model.add_links(columns[opened], opener[opened])
    for line in lines:
        sku = order.lines[line].sku * len(model.problem.nodes) + order.option_node[options]
        units = np.full(len(options), order.lines[line].units / pieces)
        model.stock_use.append((sku, columns, units))
    work = order.line_work[list(lines)][:, options].sum(axis=0) / pieces
    _take_capacity(model, order, options, columns, work + np.where(carries, order.work[options], 0))


def _add_part_values(model: SourcingModel, order: OrderProblem, groups: list[Group], package: Integers) -> None:
    """Require that packages, and what stays unfilled, are worth enough; one part only where the order is worth less."""
    (left,) = model.add_columns([0.0], 1).tolist()
    unfilled = np.array([group.unfilled for group in groups])
    model.add_links(unfilled, np.full(len(groups), left), [group.pieces for group in groups])
    packages = package[package >= 0]
    worths = [
        sum(order.lines[line].units * order.lines[line].unit_value for line in group.lines) // group.pieces
        for group in groups
    ]
    if sum(worth * group.pieces for worth, group in zip(worths, groups, strict=True)) < order.min_part_value:
        model.add_row(np.append(packages, left), lower=0, upper=1)
        return
    parts = np.append(packages, left)
    row = np.full(int(parts.max()) + 1, -1)
    row[parts] = np.arange(len(parts))
    rows = [np.arange(len(parts)), *(row[package[group.options]] for group in groups), row[[left] * len(groups)]]
    columns = [parts, *(group.columns for group in groups), unfilled]
    least = order.min_part_value
    step = float(gcd(least, *worths))
    values = [np.full(len(parts), -least), *(np.full(len(g.options), w) for g, w in zip(groups, worths, strict=True))]
    model.rows.add(
        np.concatenate(rows),
        np.concatenate(columns),
        np.concatenate([*values, worths]) / step,
        lower=np.zeros(len(parts)),
        upper=np.full(len(parts), np.inf),
    )


def _take_capacity(
    model: SourcingModel, order: OrderProblem, options: Integers, columns: Integers, work: NDArray[Any]
) -> None:
    capacity = order.option_capacity[options]
    taken = (capacity >= 0) & (work > 0)
    model.capacity_use.append((capacity[taken], columns[taken], work[taken].astype(np.float64)))


def _opener(model: SourcingModel) -> Integers:
    """Return for each capacity the column of the one node it belongs to, -1 if there is none."""
    opener = np.full(len(model.problem.capacities), -1)
    belongs = np.full(len(opener), -1)
    for order in model.problem.orders:
        for capacity, node in zip(order.option_capacity.tolist(), order.option_node.tolist(), strict=True):
            if capacity >= 0:
                belongs[capacity] = node if belongs[capacity] in {-1, node} else -2
    known = belongs >= 0
    opener[known] = model.node_column[belongs[known]]
    return opener


def _add_least_opening(model: SourcingModel, opener: Integers) -> None:
    """Require that the capacities opened hold what must be served: implied, but the solver cuts on it."""
    least = 0
    for order in model.problem.orders:
        if (order.option_capacity < 0).any():
            continue
        for number, line in enumerate(order.lines):
            if line.unfilled_cost is None:
                least += int(order.line_work[number][order.eligible[number]].min(initial=UNLIMITED))
    limits = np.minimum(model.problem.capacities, least)
    if 0 < least < min(UNLIMITED, int(model.problem.capacities.sum(dtype=object))):
        rows = np.zeros(len(opener), dtype=np.int64)
        amounts = limits.astype(np.float64)
        model.rows.add(rows, opener, amounts, lower=np.array([float(least)]), upper=np.array([np.inf]))


def _add_limits(
    model: SourcingModel, use: list[tuple[Integers, Integers, Floats]], limits: Integers, opener: Integers
) -> None:
    """Add a row for each limit that all columns together could exceed; a node that stays closed offers nothing."""
    if not use:
        return
    limit, column, amount = (np.concatenate(parts) for parts in zip(*use, strict=True))
    most = np.bincount(limit, weights=amount * np.concatenate(model.upper)[column], minlength=len(limits))
    binding = np.flatnonzero((limits < UNLIMITED) & (most > limits))
    number = np.full(len(limits), -1)
    number[binding] = np.arange(len(binding))
    kept = number[limit] >= 0
    offered = binding[opener[binding] >= 0]
    model.rows.add(
        np.concatenate([number[limit[kept]], number[offered]]),
        np.concatenate([column[kept], opener[offered]]),
        np.concatenate([amount[kept], -limits[offered].astype(np.float64)]),
        lower=np.full(len(binding), -np.inf),
        upper=np.where(opener[binding] >= 0, 0.0, limits[binding].astype(np.float64)),
    )
