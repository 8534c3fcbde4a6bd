"""Solve a sourcing problem.

Owns the choice of the method. Everything that needs a plan calls `solve`: an arriving order, a problem file, the night.
Invariant: the same problem, seed and method give the same plan, unless the time limit cuts a proof short.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from fulfillment.optimizer.assignment import assignable, solve_assignment
from fulfillment.optimizer.batch import batchable, solve_batch
from fulfillment.optimizer.decide import decide, parcels_of
from fulfillment.optimizer.exact import NoPlanInTimeError, solve_exact
from fulfillment.optimizer.location import Located, located
from fulfillment.optimizer.narrow import promising_options, with_options
from fulfillment.optimizer.plan import Plan, priced_plan
from fulfillment.optimizer.problem import Integers, Problem

_SMALL: Final = 1_000
"""Lines times options that are proven faster than they are planned."""
_PROVABLE: Final = 150_000
"""Lines times options beyond which a proof is out of reach."""
_WORTH_A_PROOF_S: Final = 1.0
_LOCATED: Final = 0.7
"""Share of the time that prices and their tree have for one long order, before the model has the rest."""
_MOST_PAIRS: Final = 50_000
"""Pairs of a line and an option beyond which a model looks at its clock too seldom, and betters nothing in its time."""


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
    if _columns(problem) > _SMALL and assignable(problem):
        return _assigned(problem, params)
    if not batchable(problem) or _columns(problem) <= _SMALL:
        return solve_exact(problem, time_limit_s=params.time_limit_s, seed=params.seed)
    return _planned_then_proven(problem, params)


def _modelled(problem: Problem, params: SolveParams) -> Plan:
    """Solve one order as a model of the options that its best plan can use."""
    if parcels_of(problem) is None:
        found = located(problem, time_limit_s=_LOCATED * params.time_limit_s)
        if found is not None:
            return _proven(problem, found, params)
    options = promising_options(problem)
    plan = solve_exact(with_options(problem, options), time_limit_s=params.time_limit_s, seed=params.seed)
    return plan if plan.status == "infeasible" else _widened(problem, plan, options)


def _proven(problem: Problem, found: Located, params: SolveParams) -> Plan:
    """Prove a plan, or better it, by the model of what a better one could use."""
    known = priced_plan(
        problem,
        found.assignments,
        bound=found.bound,
        seconds=found.seconds,
        solver="prices and search",
        seed=params.seed,
    )
    left = params.time_limit_s - found.seconds
    if known.status == "optimal" or left <= 0 or _pairs(found.narrowed) > _MOST_PAIRS:
        return known
    try:
        plan = solve_exact(found.narrowed, time_limit_s=left, seed=params.seed)
    except NoPlanInTimeError:
        return replace(known, seconds=params.time_limit_s)
    return _better(problem, known, _widened(problem, plan, found.options))


def _pairs(problem: Problem) -> int:
    return sum(int(order.eligible.sum()) for order in problem.orders)


def _widened(problem: Problem, plan: Plan, options: Integers) -> Plan:
    """Return the plan of a problem with some options only as one of the whole problem."""
    return priced_plan(
        problem,
        [part._replace(option=int(options[part.option])) for part in plan.assignments],
        bound=None if plan.status == "optimal" else plan.bound,
        seconds=plan.seconds,
        solver=plan.solver,
        seed=plan.seed,
    )


def _better(problem: Problem, planned: Plan, proven: Plan) -> Plan:
    """Return the cheaper of two plans with the higher of their bounds and the seconds of both."""
    best = min(planned, proven, key=lambda plan: plan.objective)
    return priced_plan(
        problem,
        best.assignments,
        bound=max(planned.bound, proven.bound),
        seconds=planned.seconds + proven.seconds,
        solver=best.solver,
        seed=best.seed,
    )


def _assigned(problem: Problem, params: SolveParams) -> Plan:
    """Plan orders of one line each; where none was found that serves all, the model says why."""
    plan = solve_assignment(problem, time_limit_s=params.time_limit_s, seed=params.seed)
    return plan or solve_exact(problem, time_limit_s=params.time_limit_s, seed=params.seed)


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
    return _better(problem, planned, proven)
