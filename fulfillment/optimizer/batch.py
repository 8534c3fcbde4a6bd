"""Many orders that share stock and capacity.

Owns the order of the steps: prices and their bound, a first plan, local search, recombination. `solve` calls it for
everything that is too large to prove at once. Invariant: the plan fits and the bound is valid, whenever time ends.

Orders of many lines are decided alone, before the others; a divisible line is divided only where it would otherwise
stay unfilled. Opening costs have no price here: problems with any belong to exact.py.
"""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import Final

import numpy as np

from fulfillment.optimizer.alone import decided_first, served_last
from fulfillment.optimizer.blocks import Batch, laid_out
from fulfillment.optimizer.draft import Draft
from fulfillment.optimizer.lagrangian import Prices, ascend
from fulfillment.optimizer.plan import Plan, priced_plan
from fulfillment.optimizer.pool import disturbed, recombined
from fulfillment.optimizer.problem import OrderProblem, Problem
from fulfillment.optimizer.reasons import left_after
from fulfillment.optimizer.search import improve, placed

_PRICED_LINES: Final = 8
"""Orders of more lines are too dear to price again and again."""
_PRICE_ROUNDS: Final = 200
_PRICE_SHARE: Final = 0.4
"""Most of the time that is left which may go to prices."""
_SEARCH_ROUNDS: Final = 12
_PROVEN: Final = 1e-5
_SOLVER: Final = "prices, search and HiGHS"


def batchable(problem: Problem) -> bool:
    """Tell whether prices can hold all that the orders share."""
    return len(problem.orders) > 1 and not problem.open_cost.any()


def solve_batch(problem: Problem, *, time_limit_s: float, seed: int) -> Plan:
    """Plan many orders well, and say how far from the best the plan may be.

    The first plan takes the time it takes, the rest stops at the time limit. A line that must be served may stay
    unfilled, which `check` finds.
    """
    started = perf_counter()
    deadline = started + time_limit_s
    long = [index for index, order in enumerate(problem.orders) if _apart(order)]
    others = sorted(set(range(len(problem.orders))) - set(long))
    assignments, bound = decided_first(problem, long, deadline=deadline)
    if others:
        rest = replace(problem, orders=tuple(problem.orders[index] for index in others))
        batch = laid_out(rest)
        prices = _ascended(batch, deadline)
        bound += prices.bound
        if long:
            stock, capacities = left_after(problem, assignments)
            batch = laid_out(replace(rest, stock=stock, capacities=capacities))
            prices = _ascended(batch, deadline)
        draft = _planned(batch, prices, deadline=deadline, seed=seed)
        assignments += [part._replace(order=others[part.order]) for part in draft.assignments()]
    assignments = served_last(problem, assignments)
    seconds = perf_counter() - started
    return priced_plan(problem, assignments, bound=bound, seconds=seconds, solver=_SOLVER, seed=seed)


def _ascended(batch: Batch, deadline: float) -> Prices:
    return ascend(batch, rounds=_PRICE_ROUNDS, time_limit_s=max(0.1, _PRICE_SHARE * (deadline - perf_counter())))


def _apart(order: OrderProblem) -> bool:
    """Tell whether an order is too long for prices, or has a rule about its parts that they do not know."""
    return _groups(order) > _PRICED_LINES or order.min_part_value > 0


def _groups(order: OrderProblem) -> int:
    return len(order.lines) - sum(len(group) - 1 for group in order.together if group)


def _planned(batch: Batch, prices: Prices, *, deadline: float, seed: int) -> Draft:
    many_lines_first: list[int] = np.argsort(-np.diff(batch.starts), kind="stable").tolist()
    draft = placed(batch, prices.rows, many_lines_first)
    improve(draft, rounds=_SEARCH_ROUNDS, deadline=deadline)
    reached = draft.cost * batch.scale - prices.bound <= _PROVEN * abs(prices.bound)
    if reached or perf_counter() > deadline:
        return draft
    found = disturbed(batch, prices.rows, calls=40, spread=0.3, seed=seed)
    left = max(0.1, deadline - perf_counter())
    draft = recombined(draft, found, prices.rows, reach=0.5, time_limit_s=left, seed=seed)
    improve(draft, rounds=_SEARCH_ROUNDS, deadline=deadline)
    return draft
