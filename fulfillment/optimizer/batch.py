"""Many orders that share stock and capacity.

Owns the order of the steps: prices and their bound, a first plan, local search, recombination. `solve` calls it for
batches too large to prove at once; the night does for everything not yet accepted. Invariant: the plan fits and the
bound is valid, whenever time ends.

Lines are left whole, divisible ones too. Opening costs have no price here: such problems belong to exact.py.
"""

from __future__ import annotations

from time import perf_counter
from typing import Final

import numpy as np

from fulfillment.optimizer.blocks import Batch, laid_out
from fulfillment.optimizer.draft import Draft
from fulfillment.optimizer.lagrangian import Prices, ascend
from fulfillment.optimizer.plan import Plan, priced_plan
from fulfillment.optimizer.pool import disturbed, recombined
from fulfillment.optimizer.problem import Problem
from fulfillment.optimizer.search import improve, placed

_PRICE_ROUNDS: Final = 200
_SEARCH_ROUNDS: Final = 6


def solve_batch(problem: Problem, *, time_limit_s: float, seed: int) -> Plan:
    """Plan many orders well, and say how far from the best the plan may be."""
    started = perf_counter()
    batch = laid_out(problem)
    prices = ascend(batch, rounds=_PRICE_ROUNDS)
    draft = placed(batch, prices.rows, _sequence(batch))
    improve(draft, rounds=_SEARCH_ROUNDS)
    left = time_limit_s - (perf_counter() - started)
    draft = _recombined(draft, prices, time_limit_s=left, seed=seed)
    return priced_plan(
        problem,
        draft.assignments(),
        bound=prices.bound,
        seconds=perf_counter() - started,
        solver="Lagrangian prices, search, HiGHS",
        seed=seed,
    )


def _sequence(batch: Batch) -> list[int]:
    """Return the orders with many lines first, which have fewest ways to be served."""
    lines: list[int] = np.argsort(-np.diff(batch.starts), kind="stable").tolist()
    return lines


def _recombined(draft: Draft, prices: Prices, *, time_limit_s: float, seed: int) -> Draft:
    found = disturbed(draft.batch, prices.rows, calls=40, spread=0.3, seed=seed)
    return recombined(draft, found, prices.rows, reach=0.5, time_limit_s=time_limit_s, seed=seed)
