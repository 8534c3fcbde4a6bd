"""The subset programme over many orders at once.

Owns the decision of a block of orders at given costs, and what a decision takes. It is the oracle of the price search,
of the local search and of the column pool. Invariant: `choose` is exact for the costs it is given, which know nothing
of what orders share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fulfillment.optimizer.blocks import Block, Singles
from fulfillment.optimizer.mip import Floats
from fulfillment.optimizer.problem import Flags, Integers
from fulfillment.optimizer.subsets import levels


@dataclass(frozen=True, slots=True)
class Taken:
    """What chosen options cost, and what their lines take from rows; L,m but for the cost of each order (m).

    The first line of a package carries the package's work.
    """

    row: Integers
    units: Floats
    work_row: Integers
    work: Floats
    cost: Floats


def choose(block: Block, package: Singles, line: Singles) -> tuple[Singles, Integers]:
    """Decide every order of a block at the given costs of packages (K,m) and lines (L,K,m).

    Return the cost of each order (m) and the option of each line (L,m), -1 where it stays unfilled.
    """
    group = np.add.reduceat(line, block.starts, axis=0) if len(block.starts) < len(line) else line
    count, options, orders = group.shape
    costs = np.empty((1 << count, options, orders), dtype=np.float32)
    costs[0] = package
    for position in range(count):
        size = 1 << position
        np.add(costs[:size], group[position], out=costs[size : 2 * size])
    packages = costs.min(axis=1)
    best, parts = _split(packages, block.unfilled, block.limit)
    chosen = np.full((count, orders), -1, dtype=np.int64)
    every = np.arange(orders)
    left = np.full(orders, (1 << count) - 1)
    table = np.full(orders, len(parts) - 1)
    for _ in range(count):
        part = parts[table, left, every]
        part[left == 0] = 0
        option = costs[part, :, every].argmin(axis=1)
        for position in range(count):
            inside = (part >> position & 1).astype(np.bool_)
            chosen[position, inside] = option[inside]
        if block.limit is not None:
            table = np.where(part > 0, np.maximum(table - 1, 0), table)
        left = np.where(part > 0, left ^ part, left & (left - 1))
    sizes = np.diff(np.append(block.starts, len(line)))
    return best[-1], np.repeat(chosen, sizes, axis=0)


def taken(block: Block, option: Integers) -> Taken:
    """Work out what the chosen options (L,m) of a block cost and take."""
    served = option >= 0
    at = np.maximum(option, 0)
    first = served.copy()
    for line in range(1, len(option)):
        first[line] &= (option[:line] != option[line]).all(axis=0)
    row, cost, line_work = (
        np.take_along_axis(values, at[:, None], axis=1)[:, 0] for values in (block.row, block.line, block.line_work)
    )
    work_row, package, work = (np.take_along_axis(v, at, axis=0) for v in (block.work_row, block.package, block.work))
    paid = np.where(served, cost, 0).sum(axis=0, dtype=np.float64) + np.where(first, package, 0).sum(axis=0)
    return Taken(
        row=np.where(served, row, 0),
        units=np.where(served, block.units, 0).astype(np.float64),
        work_row=np.where(served, work_row, 0),
        work=np.where(served, line_work, 0) + np.where(first, work, 0).astype(np.float64),
        cost=paid + _penalties(block, served),
    )


def _penalties(block: Block, served: Flags) -> Floats:
    total: Floats = np.where(served[block.starts], 0, block.unfilled).sum(axis=0, dtype=np.float64)
    return total


def _split(packages: Singles, unfilled: Singles, limit: int | None) -> tuple[Singles, NDArray[np.int16]]:
    """Split every subset of every order into packages at least cost.

    Return the cost (2^n,m) and the first package (tables,2^n,m), 0 where the lowest line stays unfilled; one table for
    any number of packages, or one for each number from none to the limit.
    """
    count, orders = unfilled.shape
    tables = 1 if limit is None else limit + 1
    parts = np.zeros((tables, 1 << count, orders), dtype=np.int16)
    before = None
    for table in range(tables):
        best = np.zeros((1 << count, orders), dtype=np.float32)
        for level in levels(count):
            without = unfilled[level.lowest] + best[level.without_lowest]
            if limit is not None and before is None:
                best[level.subsets] = without
                continue
            following = best if before is None else before
            split = packages[level.parts] + following[level.rests]
            which = split.argmin(axis=1)
            cost = np.take_along_axis(split, which[:, None], axis=1)[:, 0]
            part = np.take_along_axis(level.parts, which, axis=1)
            parts[table, level.subsets] = np.where(cost < without, part, 0)
            best[level.subsets] = np.minimum(cost, without)
        before = best if limit is not None else None
    return best, parts
