"""Orders of one shape, side by side in arrays.

Owns the arrays in which a batch of orders is priced. batch.py lays a problem out; choose.py decides whole blocks, for
lagrangian.py, search.py and pool.py. Invariant: a block says of each order what the problem says, but for rounding.

What orders share is one list of limits, here called rows: units of a SKU at a node, work of a capacity. Row 0 has no
limit. Costs and work are scaled to about one, so that 32-bit floats and one step size do for all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fulfillment.optimizer.mip import Floats
from fulfillment.optimizer.problem import UNLIMITED, Flags, Integers, OrderProblem, Problem
from fulfillment.optimizer.reasons import usable_of

Singles: TypeAlias = NDArray[np.float32]
FORBIDDEN: Final = np.float32(1e9)
"""Cost of what cannot be done."""
_COMPELLING: Final = 1e6
"""Penalty of a line that must be served."""
_PRICED_AT_ONCE: Final = 400_000
"""Numbers small enough for the processor's cache."""
_BY_ORDER: Final = (
    "orders",
    "positions",
    "package",
    "line",
    "unfilled",
    "row",
    "units",
    "work_row",
    "work",
    "line_work",
)


@dataclass(frozen=True, slots=True)
class Block:
    """m orders of L lines in n groups that travel together, with K options each (padded with forbidden ones).

    orders     m      their numbers in the problem
    positions  L,m    where each line stands in the list of all lines
    starts     n      the first line of each group
    limit             most packages, None where that does not bind
    package    K,m    cost of a package; line L,K,m cost of a line; unfilled n,m penalty of a group
    row        L,K,m  the limit that a line's units are taken from; units L,m how many
    work_row   K,m    the limit that work is taken from; work K,m and line_work L,K,m how much
    """

    orders: Integers
    positions: Integers
    starts: Integers
    limit: int | None
    package: Singles
    line: Singles
    unfilled: Singles
    row: NDArray[np.int32]
    units: Singles
    work_row: NDArray[np.int32]
    work: Singles
    line_work: Singles

    def of(self, columns: Integers) -> Block:
        """Return the block of some of the orders, by their place in this one."""
        return replace(self, **{name: getattr(self, name)[..., columns] for name in _BY_ORDER})


@dataclass(frozen=True, slots=True)
class Batch:
    """A problem laid out in blocks.

    limits  R         amount of each row, infinite for row 0
    starts  orders+1  the first line of each order in the list of all lines
    place   orders,2  the block of each order, and its column there
    scale             the cost that counts as one
    """

    problem: Problem
    blocks: tuple[Block, ...]
    limits: Floats
    starts: Integers
    place: Integers
    scale: float

    def parts(self, orders: Sequence[int]) -> Iterator[Block]:
        """Yield blocks of the given orders only."""
        columns: dict[int, list[int]] = defaultdict(list)
        for block, column in self.place[orders].tolist():
            columns[block].append(column)
        for block, chosen in columns.items():
            yield self.blocks[block].of(np.array(chosen))


@dataclass(frozen=True, slots=True)
class _Rows:
    """The row of each SKU and node, and of each capacity (the last entry: none); amounts; the work that counts as one.

    Only limits that all orders together could exceed have a row of their own.
    """

    stock: Integers
    work: Integers
    limits: Floats
    work_scale: float


def laid_out(problem: Problem) -> Batch:
    """Lay a problem out for pricing all its orders at once."""
    usable = [usable_of(order, problem.stock, problem.capacities) for order in problem.orders]
    rows = _rows(problem, usable)
    scale = _scale(problem)
    starts = np.concatenate([[0], np.cumsum([len(order.lines) for order in problem.orders])])
    shapes: dict[tuple[tuple[int, ...], int | None], list[int]] = defaultdict(list)
    for index, order in enumerate(problem.orders):
        shapes[_shape(order)].append(index)
    blocks: list[Block] = []
    place = np.zeros((len(problem.orders), 2), dtype=np.int64)
    for (sizes, limit), members in shapes.items():
        members.sort(key=lambda index: len(problem.orders[index].option_ids))
        for chunk in _chunks(problem, members, len(sizes)):
            place[chunk, 0], place[chunk, 1] = len(blocks), np.arange(len(chunk))
            blocks.append(_block(problem, chunk, sizes, limit, (usable, rows, scale, starts)))
    return Batch(problem, tuple(blocks), rows.limits, starts, place, scale)


def _rows(problem: Problem, usable: Sequence[Flags]) -> _Rows:
    nodes, capacities = len(problem.nodes), len(problem.capacities)
    demand = np.zeros(len(problem.skus) * nodes)
    work, packages = np.zeros(capacities + 1), np.zeros(capacities + 1)
    for order, flags in zip(problem.orders, usable, strict=True):
        skus = np.array([line.sku for line in order.lines])
        units = np.array([line.units for line in order.lines])
        cells = skus[:, None] * nodes + order.option_node
        demand += np.bincount(cells.ravel(), (units[:, None] * flags).ravel(), minlength=len(demand))
        used = flags.any(axis=0)
        np.add.at(work, order.option_capacity, np.where(flags, order.line_work, 0).sum(axis=0) + order.work * used)
        np.add.at(packages, order.option_capacity, used)
    stock = problem.stock.ravel()
    scarce = np.flatnonzero((stock < UNLIMITED) & (demand > stock))
    full = np.flatnonzero((problem.capacities < UNLIMITED) & (work[:-1] > problem.capacities))
    stock_rows, work_rows = np.zeros(len(stock), dtype=np.int64), np.zeros(capacities + 1, dtype=np.int64)
    stock_rows[scarce] = np.arange(1, len(scarce) + 1)
    work_rows[full] = np.arange(len(scarce) + 1, len(scarce) + len(full) + 1)
    work_scale = float(work[full].sum() / packages[full].sum()) if len(full) else 1.0
    limits = np.concatenate([[np.inf], stock[scarce], problem.capacities[full] / work_scale])
    return _Rows(stock_rows, work_rows, limits, work_scale)


def _scale(problem: Problem) -> float:
    """Return the mean cost of a package, or of a line where packages are free."""
    for costs in ([order.package_cost for order in problem.orders], [order.line_cost for order in problem.orders]):
        total = sum(float(np.abs(cost).sum()) for cost in costs)
        if total:
            return total / sum(np.count_nonzero(cost) for cost in costs)
    return 1.0


def _shape(order: OrderProblem) -> tuple[tuple[int, ...], int | None]:
    """Return how many lines travel together, group by group, and the package limit if it binds."""
    tied = [len(group) for group in order.together if group]
    sizes = (1,) * (len(order.lines) - sum(tied)) + tuple(sorted(tied))
    binds = order.max_packages is not None and order.max_packages < len(sizes)
    return sizes, order.max_packages if binds else None


def _chunks(problem: Problem, members: list[int], groups: int) -> Iterator[list[int]]:
    """Cut orders of one shape, ordered by their number of options, so that a block fits the cache."""
    start = 0
    while start < len(members):
        options = len(problem.orders[members[start]].option_ids)
        most = max(1, _PRICED_AT_ONCE // max(1, options << groups, 3**groups // 2))
        end = start + 1
        while end < min(len(members), start + most):
            if len(problem.orders[members[end]].option_ids) > options + options // 4:
                break
            end += 1
        yield members[start:end]
        start = end


def _block(
    problem: Problem,
    chunk: list[int],
    sizes: tuple[int, ...],
    limit: int | None,
    common: tuple[Sequence[Flags], _Rows, float, Integers],
) -> Block:
    usable, rows, scale, starts = common
    lines, orders = sum(sizes), len(chunk)
    options = max(1, *(len(problem.orders[index].option_ids) for index in chunk))
    block = Block(
        orders=np.array(chunk),
        positions=np.zeros((lines, orders), dtype=np.int64),
        starts=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64),
        limit=limit,
        package=np.zeros((options, orders), dtype=np.float32),
        line=np.full((lines, options, orders), FORBIDDEN, dtype=np.float32),
        unfilled=np.zeros((len(sizes), orders), dtype=np.float32),
        row=np.zeros((lines, options, orders), dtype=np.int32),
        units=np.zeros((lines, orders), dtype=np.float32),
        work_row=np.zeros((options, orders), dtype=np.int32),
        work=np.zeros((options, orders), dtype=np.float32),
        line_work=np.zeros((lines, options, orders), dtype=np.float32),
    )
    for column, index in enumerate(chunk):
        order, count = problem.orders[index], len(problem.orders[index].option_ids)
        placed = _placed(order)
        wanted = [order.lines[line] for line in placed]
        skus = np.array([line.sku for line in wanted])
        penalties = [_COMPELLING if line.unfilled_cost is None else line.unfilled_cost / scale for line in wanted]
        block.positions[:, column] = starts[index] + np.array(placed)
        block.package[:count, column] = order.package_cost / scale
        block.line[:, :count, column] = np.where(usable[index], order.line_cost / scale, FORBIDDEN)[placed]
        block.unfilled[:, column] = np.add.reduceat(penalties, block.starts)
        block.row[:, :count, column] = rows.stock[skus[:, None] * len(problem.nodes) + order.option_node]
        block.units[:, column] = [line.units for line in wanted]
        block.work_row[:count, column] = rows.work[order.option_capacity]
        block.work[:count, column] = order.work / rows.work_scale
        block.line_work[:, :count, column] = order.line_work[placed] / rows.work_scale
    return block


def _placed(order: OrderProblem) -> list[int]:
    """Return the lines of an order, those that travel together last and adjacent."""
    groups = sorted((group for group in order.together if group), key=len)
    tied = [line for group in groups for line in group]
    return [line for line in range(len(order.lines)) if line not in tied] + tied
