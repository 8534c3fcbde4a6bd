"""Small models with CP-SAT, which proves them in half the time that HiGHS takes.

Owns how a mixed integer programme of whole numbers is handed to CP-SAT, with one worker. exact.py calls it for small
models of odd rules. Invariant: it answers only what it can state exactly and prove soon, else None.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from ortools.sat.python import cp_model

from fulfillment.optimizer.mip import Answer, Floats, Mip, entries, joined

MOST_COLUMNS: Final = 150
"""Columns up to which CP-SAT was the faster of the two on random problems."""
_TIME_LIMIT_S: Final = 1.0
_LARGEST: Final = 1 << 52
"""Sums up to this are exact in floats, so that what was worked out in them is exact too."""
_NEARLY: Final = 1e-6
_UNBOUNDED: Final = 1 << 60


def solve_sat(mip: Mip, *, pieces: int, time_limit_s: float, seed: int) -> Answer | None:
    """Prove a small model whose numbers are whole once multiplied by `pieces`; None if it cannot or takes too long."""
    if len(mip.cost) > MOST_COLUMNS or pieces > _LARGEST:
        return None
    rows, columns, values = entries(mip.rows, len(mip.cost))
    costs, factors = _whole(mip.cost * pieces, mip.upper), _whole(values * pieces, mip.upper[columns])
    lower, upper = (_whole(_bounded(joined(bounds) * pieces)) for bounds in (mip.rows.lower, mip.rows.upper))
    if costs is None or factors is None or lower is None or upper is None:
        return None
    model = cp_model.CpModel()
    column = [model.new_int_var(0, int(most), "") for most in mip.upper]
    starts = np.searchsorted(rows, np.arange(mip.rows.count + 1)).tolist()
    for row, (start, end) in enumerate(pairwise(starts)):
        terms = [column[number] for number in columns[start:end].tolist()]
        left = cp_model.LinearExpr.weighted_sum(terms, factors[start:end])
        model.add_linear_constraint(left, lower[row], upper[row])
    model.minimize(cp_model.LinearExpr.weighted_sum(column, costs))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.max_time_in_seconds = min(time_limit_s, _TIME_LIMIT_S)
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        return Answer("infeasible", np.empty(0), 0.0, "CP-SAT")
    if status != cp_model.OPTIMAL:
        return None
    found = np.array([solver.value(variable) for variable in column], dtype=np.float64)
    return Answer("optimal", found, float(mip.cost @ found), "CP-SAT")


def _bounded(bounds: Floats) -> Floats:
    return np.clip(bounds, -_UNBOUNDED, _UNBOUNDED)


def _whole(numbers: Floats, most: Floats | None = None) -> list[int] | None:
    """Return numbers as whole ones; None if they are not, or if times what their columns can be they are too large."""
    rounded = numbers.round()
    if np.abs(numbers - rounded).max(initial=0) > _NEARLY:
        return None
    if most is not None and float(np.abs(rounded) @ most) > _LARGEST:
        return None
    return [int(number) for number in rounded]
