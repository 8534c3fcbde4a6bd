"""Prices for what orders share, and the bound that they prove.

Owns the Lagrangian relaxation of a batch: each limit gets a price, every order is decided alone at those prices, and
the prices rise where more is taken than there is. batch.py calls `ascend`. Invariant: the bound holds for any prices,
is worked out in 64 bits, and no plan of the problem costs less.

The step is scaled row by row as in Kingma and Ba, "Adam", 2015 (arXiv 1412.6980), and falls linearly to nothing over a
fixed number of rounds, which converges in far fewer rounds here than any constant or square-root step.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, inf
from time import perf_counter

import numpy as np

from fulfillment.optimizer.blocks import Batch, Block, Singles
from fulfillment.optimizer.choose import choose, taken
from fulfillment.optimizer.mip import Floats
from fulfillment.optimizer.problem import Integers

_FIRST_STEP = 0.5
"""Change of a price in the first round, as a share of a mean package cost."""
_MOMENTUM, _SECOND_MOMENT = 0.9, 0.99


@dataclass(frozen=True, slots=True)
class Prices:
    """A price for each row (R), and the bound that they prove, in the problem's unit of cost."""

    rows: Floats
    bound: int


def priced(block: Block, prices: Floats) -> tuple[Singles, Singles]:
    """Add prices (R) to the cost of packages (K,m) and lines (L,K,m)."""
    singles = prices.astype(np.float32)
    of_work = singles[block.work_row]
    line = singles[block.row]
    line *= block.units[:, None]
    line += block.line
    line += block.line_work * of_work
    return block.package + block.work * of_work, line


def ascend(batch: Batch, *, rounds: int, time_limit_s: float = inf) -> Prices:
    """Find prices whose bound is nearly the best that any prices prove.

    Where the time is too short for all rounds, the step falls with the time instead; one round is always done.
    """
    started = perf_counter()
    prices = np.zeros(len(batch.limits))
    best, best_value = prices, -np.inf
    mean, square = np.zeros_like(prices), np.zeros_like(prices)
    for number in range(1, rounds + 1 if len(prices) > 1 else 2):
        value, use = _relaxed(batch, prices)
        done = max(number / rounds, (perf_counter() - started) / time_limit_s)
        if value > best_value:
            best, best_value = prices, value
        if done >= 1:
            break
        slope = use - batch.limits
        slope[0] = 0
        slope[(prices <= 0) & (slope < 0)] = 0
        mean = _MOMENTUM * mean + (1 - _MOMENTUM) * slope
        square = _SECOND_MOMENT * square + (1 - _SECOND_MOMENT) * slope**2
        step = _FIRST_STEP * max(0.01, 1 - done)
        step *= 1 / (1 - _MOMENTUM**number)
        prices = np.maximum(0, prices + step * mean / (np.sqrt(square / (1 - _SECOND_MOMENT**number)) + 1e-3))
    return Prices(best, _bound(batch, best))


def _relaxed(batch: Batch, prices: Floats) -> tuple[float, Floats]:
    """Decide every order alone at the prices: the value of the relaxation, and what is taken of each row."""
    value = -float(prices[1:] @ batch.limits[1:])
    use = np.zeros(len(prices))
    for block in batch.blocks:
        costs, option = choose(block, *priced(block, prices))
        value += float(costs.sum(dtype=np.float64))
        took = taken(block, option)
        use += np.bincount(took.row.ravel(), took.units.ravel(), minlength=len(use))
        use += np.bincount(took.work_row.ravel(), took.work.ravel(), minlength=len(use))
    return value, use


def _bound(batch: Batch, prices: Floats) -> int:
    """Work out the bound from the exact costs: 32 bits choose the options, 64 bits price them.

    An option that looked best in 32 bits may be beaten by as much as the rounding, which is taken off.
    """
    value = -float(prices[1:] @ batch.limits[1:])
    for block in batch.blocks:
        _, option = choose(block, *priced(block, prices))
        took = taken(block, option)
        costs = took.cost + (took.units * prices[took.row] + took.work * prices[took.work_row]).sum(axis=0)
        value += float(costs.sum()) - float(_rounding(block, costs, option).sum())
    return floor(value * batch.scale)


def _rounding(block: Block, costs: Floats, option: Integers) -> Floats:
    """Return by how much 32-bit arithmetic may have misjudged each order.

    What beats the chosen options is a sum of at most so many terms, whose sizes add up to no more than its cost and
    twice its negative terms.
    """
    terms = 4 * (len(option) + 1)
    negative = np.maximum(0, -block.line.min(axis=1)).sum(axis=0, dtype=np.float64)
    error: Floats = terms * float(np.finfo(np.float32).eps) * (np.abs(costs) + 2 * negative)
    return error
