"""One order or several as a mixed integer programme.

Owns the decision of what the subset tables cannot express: divided lines, shared stock and capacity, opening costs,
very long orders. `solve` calls it. Invariant: the bound is valid even when time runs out, and an infeasible problem
names the lines that cannot be served.
"""

from __future__ import annotations

from math import ceil, lcm
from time import perf_counter
from typing import Final

from fulfillment.optimizer.greedy import least_cost, packed
from fulfillment.optimizer.mip import Answer, Mip, SolverFailedError, solve_mip
from fulfillment.optimizer.model import SourcingModel, mip_of, must_serve, sourcing_model, unserved_mip
from fulfillment.optimizer.plan import Plan, Unfilled, infeasible_plan, priced_plan
from fulfillment.optimizer.problem import Problem
from fulfillment.optimizer.sat import solve_sat

_LEAST_TIME_S: Final = 0.1


class NoPlanInTimeError(Exception):
    """The time limit passed before any plan was found; the message says what to do."""


def solve_exact(problem: Problem, *, time_limit_s: float, seed: int) -> Plan:
    """Solve a problem of any shape to proven optimality, or as far as the time goes.

    Raises NoPlanInTimeError if lines must be served and the time ended before a plan that serves them was found.
    """
    started = perf_counter()
    model = sourcing_model(problem)
    mip = mip_of(model)
    answer = _answer(model, mip, time_limit_s=time_limit_s, seed=seed)
    if answer.outcome == "infeasible":
        lines = _unservable(model, time_limit_s=time_limit_s, seed=seed)
        return infeasible_plan(lines, seconds=perf_counter() - started, solver=answer.solver, seed=seed)
    bound = least_cost(problem) if answer.outcome == "unknown" else _whole_bound(answer, max(1, int(mip.step)))
    found = [] if answer.outcome == "unknown" else [(model.assignments(answer.values), answer.solver)]
    if not found or (answer.outcome == "feasible" and len(problem.orders) == 1):
        found.append((packed(problem), "greedy"))
    seconds = perf_counter() - started
    plans = [priced_plan(problem, parts, bound=bound, seconds=seconds, solver=by, seed=seed) for parts, by in found]
    plan = min(plans, key=lambda each: (_lacks(problem, each), each.objective))
    if _lacks(problem, plan):
        raise NoPlanInTimeError(f"no plan was found in {time_limit_s:g} s; allow more time, or let lines stay unfilled")
    return plan


def _lacks(problem: Problem, plan: Plan) -> bool:
    """Tell whether a plan leaves what must be served."""
    return any(problem.orders[each.order].lines[each.line].unfilled_cost is None for each in plan.unfilled)


def _answer(model: SourcingModel, mip: Mip, *, time_limit_s: float, seed: int) -> Answer:
    """Ask CP-SAT where the model is small, HiGHS where it is not or where CP-SAT has no answer soon."""
    started = perf_counter()
    pieces = lcm(*(group.pieces for group in model.groups))
    answer = solve_sat(mip, pieces=pieces, time_limit_s=time_limit_s, seed=seed)
    left = max(_LEAST_TIME_S, time_limit_s - (perf_counter() - started))
    return answer or solve_mip(mip, time_limit_s=left, seed=seed)


def _whole_bound(answer: Answer, step: int) -> int | None:
    """Return the least cost at or above the bound that a plan can have; None for a proven optimum."""
    return None if answer.outcome == "optimal" else ceil(answer.bound / step) * step


def _unservable(model: SourcingModel, *, time_limit_s: float, seed: int) -> list[Unfilled]:
    """Find a smallest set of lines without which the rest can be served."""
    answer = _answer(model, unserved_mip(model), time_limit_s=time_limit_s, seed=seed)
    if answer.outcome not in {"optimal", "feasible"}:
        raise SolverFailedError("the solver found the problem infeasible, and also its relaxation, which never is")
    lines = [
        Unfilled(group.order, line, int(answer.values[group.unfilled]) * wanted.units // group.pieces, "must_serve")
        for group in must_serve(model)
        if answer.values[group.unfilled] > 0
        for line, wanted in ((line, model.problem.orders[group.order].lines[line]) for line in group.lines)
        if wanted.unfilled_cost is None
    ]
    if not lines:
        raise SolverFailedError("the solver found the problem infeasible, yet all its lines can be served")
    return lines
