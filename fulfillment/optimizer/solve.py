"""Solve a sourcing problem.

Owns the choice of the method. Everything that needs a plan calls `solve`: an arriving order, a problem file, the night.
Invariant: the same problem, seed and method give the same plan, unless the time limit cuts a proof short.
"""

from __future__ import annotations

from dataclasses import dataclass

from fulfillment.optimizer.decide import decide
from fulfillment.optimizer.exact import solve_exact
from fulfillment.optimizer.plan import Plan, priced_plan
from fulfillment.optimizer.problem import Problem


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

    One order is decided by the subset programme wherever that is exact, else by a mixed integer programme.
    """
    params = params or SolveParams()
    if not problem.orders:
        return priced_plan(problem, (), bound=None, seconds=0.0, solver="none", seed=params.seed)
    if len(problem.orders) == 1:
        plan = decide(problem)
        if plan is not None:
            return plan
    return solve_exact(problem, time_limit_s=params.time_limit_s, seed=params.seed)
