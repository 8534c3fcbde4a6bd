"""Solve a sourcing problem.

Owns the choice of the method. Everything that needs a plan calls `solve`: an arriving order, a problem file, the night.
Invariant: the same problem, seed and method give the same plan, unless the time limit cuts a proof short.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from fulfillment.optimizer.batch import batchable, solve_batch
from fulfillment.optimizer.decide import decide
from fulfillment.optimizer.exact import NoPlanInTimeError, solve_exact
from fulfillment.optimizer.narrow import promising_options, with_options
from fulfillment.optimizer.plan import Plan, priced_plan
from fulfillment.optimizer.problem import Problem

_SMALL: Final = 1_000
"""Lines times options that are proven faster than they are planned."""
_PROVABLE: Final = 150_000
"""Lines times options beyond which a proof is out of reach."""
_WORTH_A_PROOF_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class SolveParams:
    """How long a solver may take, in seconds, and the seed of its draws."""

    time_limit_s: float = 60.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a limit that no solver can keep."""
        if not self.time_limit_s > 0:
            raise ValueError(f"time_limit_s must be above 0, not {self.time_limit_s}")


def solve(problem: Problem, params: SolveParams | None = None) -> Plan:
    """Return the best plan of a problem that can be found and proven within the limits.

    One order is decided by the subset programme wherever that is exact, else by a mixed integer programme. So are a few
    orders, and whatever prices cannot hold. Many are planned as a batch first; what time is left goes to a proof.
    """
    params = params or SolveParams()
    if not problem.orders:
        return priced_plan(problem, (), bound=None, seconds=0.0, solver="none", seed=params.seed)
    if len(problem.orders) == 1:
        return decide(problem) or _modelled(problem, params)
    if not batchable(problem) or _columns(problem) <= _SMALL:
        return solve_exact(problem, time_limit_s=params.time_limit_s, seed=params.seed)
    return _planned_then_proven(problem, params)


def _modelled(problem: Problem, params: SolveParams) -> Plan:
    """Solve one order as a model of the options that its best plan can use."""
    options = promising_options(problem)
    plan = solve_exact(with_options(problem, options), time_limit_s=params.time_limit_s, seed=params.seed)
    if plan.status == "infeasible":
        return plan
    return priced_plan(
        problem,
        [part._replace(option=int(options[part.option])) for part in plan.assignments],
        bound=None if plan.status == "optimal" else plan.bound,
        seconds=plan.seconds,
        solver=plan.solver,
        seed=plan.seed,
    )


def _columns(problem: Problem) -> int:
    return sum(order.eligible.size for order in problem.orders)


def _planned_then_proven(problem: Problem, params: SolveParams) -> Plan:
    """Plan a batch; prove or better it with the time left, where it is small enough or lacks lines it must serve."""
    planned = solve_batch(problem, time_limit_s=params.time_limit_s, seed=params.seed)
    complete = not any(
        problem.orders[missing.order].lines[missing.line].unfilled_cost is None for missing in planned.unfilled
    )
    left = params.time_limit_s - planned.seconds
    if complete and (planned.status == "optimal" or _columns(problem) > _PROVABLE or left < _WORTH_A_PROOF_S):
        return planned
    try:
        proven = solve_exact(problem, time_limit_s=max(left, _WORTH_A_PROOF_S), seed=params.seed)
    except NoPlanInTimeError:
        if complete:
            return planned
        raise
    if not complete or proven.status != "feasible":
        return replace(proven, seconds=planned.seconds + proven.seconds)
    best = min(planned, proven, key=lambda plan: plan.objective)
    return priced_plan(
        problem,
        best.assignments,
        bound=max(planned.bound, proven.bound),
        seconds=planned.seconds + proven.seconds,
        solver=best.solver,
        seed=params.seed,
    )
