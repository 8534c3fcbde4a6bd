"""Mixed integer programmes, and the one call of the solver.

Owns how a model of whole-numbered columns is handed to HiGHS through MathOpt. exact.py and batch.py build models from
arrays and read the values back. Invariant: every solve has a time limit, and the bound it returns is valid.

MathOpt's HiGHS refuses a thread count and takes no hint, and the wheel's error path can raise errors of its own, so the
call is wrapped here, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt

from fulfillment.optimizer.problem import Integers
from fulfillment.optimizer.silence import silenced

Floats: TypeAlias = NDArray[np.float64]
Outcome: TypeAlias = Literal["optimal", "feasible", "infeasible", "unknown"]
_LARGEST_COST: Final = 1e5
"""Costs are scaled to this, so that they stand above the solver's tolerances and its rows stay well conditioned."""
_ROUNDING: Final = 1e-7
"""Share by which a bound worked out in floats is lowered before it counts as valid."""


class SolverFailedError(Exception):
    """The solver broke off; the message holds what it said."""


@dataclass(slots=True)
class Rows:
    """Linear constraints, collected block by block: entries (row, column, value), and bounds of each row."""

    row: list[Integers] = field(default_factory=list)
    column: list[Integers] = field(default_factory=list)
    value: list[Floats] = field(default_factory=list)
    lower: list[Floats] = field(default_factory=list)
    upper: list[Floats] = field(default_factory=list)
    count: int = 0

    def add(self, row: Integers, column: Integers, value: Floats, *, lower: Floats, upper: Floats) -> None:
        """Append a block whose rows are numbered from 0; entries of one place are added up."""
        self.row.append(row + self.count)
        self.column.append(column)
        self.value.append(value)
        self.lower.append(lower)
        self.upper.append(upper)
        self.count += len(upper)


@dataclass(frozen=True, slots=True)
class Mip:
    """Minimise the cost of whole-numbered columns between 0 and `upper`, subject to rows.

    The costs of any two solutions differ by a multiple of `step`; 0 says nothing about them.
    """

    cost: Floats
    upper: Floats
    rows: Rows
    step: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What the solver found: the value of each column (none unless optimal or feasible), and a valid bound."""

    outcome: Outcome
    values: Floats
    bound: float
    solver: str = "HiGHS"


@dataclass(frozen=True, slots=True)
class Relaxed:
    """What fractional columns can do: the least cost, the value of each column, and its reduced cost."""

    bound: float
    values: Floats
    reduced: Floats


def relax(mip: Mip, *, time_limit_s: float) -> Relaxed | None:
    """Solve the linear relaxation; None if time ran out or it has no solution."""
    scale = _scale(mip)
    parameters = mathopt.SolveParameters(time_limit=timedelta(seconds=time_limit_s))
    result = _solved(_proto(mip, scale, whole=False), parameters)
    if result.termination.reason != mathopt.TerminationReason.OPTIMAL:
        return None
    values, reduced = np.zeros(len(mip.cost)), np.zeros(len(mip.cost))
    for variable, value in result.variable_values().items():
        values[variable.id] = value
    for variable, value in result.reduced_costs().items():
        reduced[variable.id] = value * scale
    return Relaxed(_lowered(result.objective_value() * scale), values, reduced)


def solve_mip(mip: Mip, *, time_limit_s: float, seed: int, relative_gap: float = 0.0) -> Answer:
    """Solve until the gap is proven to be `relative_gap` or less, or as far as the time goes."""
    scale = _scale(mip)
    parameters = mathopt.SolveParameters(
        time_limit=timedelta(seconds=time_limit_s),
        random_seed=seed,
        relative_gap_tolerance=relative_gap,
        absolute_gap_tolerance=0.5 * mip.step / scale,
    )
    result = _solved(_proto(mip, scale, whole=True), parameters)
    reason = result.termination.reason
    if reason in {mathopt.TerminationReason.INFEASIBLE, mathopt.TerminationReason.INFEASIBLE_OR_UNBOUNDED}:
        return Answer("infeasible", np.empty(0), 0.0)
    bound = _lowered(result.termination.objective_bounds.dual_bound * scale)
    if not result.has_primal_feasible_solution():
        return Answer("unknown", np.empty(0), bound)
    values = np.zeros(len(mip.cost))
    for variable, value in result.variable_values().items():
        values[variable.id] = value
    proven = reason == mathopt.TerminationReason.OPTIMAL
    return Answer("optimal" if proven else "feasible", values.round(), bound)


def _scale(mip: Mip) -> float:
    return float(np.abs(mip.cost).max(initial=0.0)) / _LARGEST_COST or 1.0


def _lowered(bound: float) -> float:
    return bound - (_ROUNDING * max(1.0, abs(bound)) if np.isfinite(bound) else 0.0)


def _solved(proto: model_pb2.ModelProto, parameters: mathopt.SolveParameters) -> mathopt.SolveResult:
    try:
        with silenced():
            return mathopt.solve(mathopt.Model.from_model_proto(proto), mathopt.SolverType.HIGHS, params=parameters)
    except Exception as error:
        raise SolverFailedError(f"HiGHS broke off: {error!r}") from error


def _proto(mip: Mip, scale: float, *, whole: bool) -> model_pb2.ModelProto:
    proto = model_pb2.ModelProto()
    columns = range(len(mip.cost))
    proto.variables.ids.extend(columns)
    proto.variables.lower_bounds.extend(np.zeros(len(columns)))
    proto.variables.upper_bounds.extend(mip.upper)
    proto.variables.integers.extend(np.full(len(columns), whole))
    proto.objective.linear_coefficients.ids.extend(columns)
    proto.objective.linear_coefficients.values.extend(mip.cost / scale)
    rows = mip.rows
    proto.linear_constraints.ids.extend(range(rows.count))
    proto.linear_constraints.lower_bounds.extend(joined(rows.lower))
    proto.linear_constraints.upper_bounds.extend(joined(rows.upper))
    row, column, value = entries(rows, len(columns))
    proto.linear_constraint_matrix.row_ids.extend(row)
    proto.linear_constraint_matrix.column_ids.extend(column)
    proto.linear_constraint_matrix.coefficients.extend(value)
    return proto


def entries(rows: Rows, columns: int) -> tuple[Integers, Integers, Floats]:
    """Return the entries (row, column, value) by row then column, each place once."""
    if not rows.row:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0)
    key = np.concatenate(rows.row) * columns + np.concatenate(rows.column)
    places, first = np.unique(key, return_inverse=True)
    value: Floats = np.bincount(first, weights=joined(rows.value), minlength=len(places)).astype(np.float64)
    return places // columns, places % columns, value


def joined(blocks: Sequence[Floats]) -> Floats:
    """Return the bounds of all rows, collected block by block."""
    return np.concatenate(blocks) if blocks else np.empty(0)
