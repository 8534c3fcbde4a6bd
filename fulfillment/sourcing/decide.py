"""The decision of one order, now: gather, solve, check.

Called by the doors on a read session; `commit` takes the proposal into a write transaction. Invariant: nothing is
written here, and a plan with a finding of the judge never leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from time import perf_counter
from typing import Final

from sqlalchemy.orm import Session

from fulfillment.network import policies, snapshot
from fulfillment.optimizer.check import check
from fulfillment.optimizer.plan import Plan, priced_plan
from fulfillment.optimizer.problem import Problem
from fulfillment.optimizer.reasons import left_after
from fulfillment.optimizer.solve import SolveParams, solve
from fulfillment.sourcing import setbacks
from fulfillment.sourcing.demanded import read_again
from fulfillment.sourcing.gather import Gathered, gather
from fulfillment.sourcing.proposal import NOTHING, Assumption, Holding, Proposal, Wanted
from fulfillment.sourcing.propose import changes_of
from fulfillment.sourcing.relaxing import next_to_relax
from fulfillment.sourcing.taken import Taken
from fulfillment.work.models import Method
from kernel.errors import Fault, Rejected
from stock.models import NodeStatus

TIME_LIMIT_S: Final = 2.0
"""How long one order may be thought about; the subset programme needs a thousandth of it."""


class CannotCollect(Rejected):
    """The store asked for does not hand over orders, or is closed for good."""

    code = "cannot_collect"


class FaultyPlan(RuntimeError):
    """A solver returned a plan that the judge refuses: a defect, never to be committed."""


def decide(
    session: Session,
    wanted: Sequence[Wanted],
    *,
    now: datetime,
    cause: str,
    held: Holding = NOTHING,
    taken: Taken | None = None,
) -> Proposal:
    """Decide new demands of one order together, to which what is `held` for them is available.

    What is `taken` by plans that are to be committed before this one is not.

    Raises CannotCollect, naming every demand whose store cannot.
    """
    _require_stores(session, wanted)
    return replace(_decide(session, wanted, now=now, cause=cause, held=held, taken=taken), held=held)


def decide_again(
    session: Session,
    demand_id: str,
    *,
    now: datetime,
    cause: str,
    assume: Assumption | None = None,
    insist: bool = False,
) -> Proposal:
    """Decide what waits of a demand, with its fulfillment orders that nobody works on yet.

    With `assume`, as if that had happened already; it must happen in the transaction that commits the proposal. After
    too many failed attempts it is left to a person, who may `insist`.
    """
    wanted = read_again(session, demand_id, assume)
    if wanted is None:
        return Proposal(cause=cause)
    policy = policies.active(session, wanted.policy)
    if setbacks.spent(wanted, policy.settings, now) and not insist:
        proposal = Proposal(cause=cause, changes=(setbacks.handed_over(wanted, policy),))
    else:
        proposal = _decide(session, [replace(wanted, relaxed=())], now=now, cause=cause)
    changes = tuple(replace(change, assumed=assume is not None) for change in proposal.changes)
    return replace(proposal, changes=changes)


def solved(problem: Problem, *, time_limit_s: float = TIME_LIMIT_S) -> Plan:
    """Solve a problem of one or several demands exactly, and refuse what the judge finds wrong."""
    params = SolveParams(time_limit_s=time_limit_s)
    plan = solve(problem, params) if len(problem.orders) == 1 else _together(problem, params)
    findings = check(problem, plan)
    if findings:
        raise FaultyPlan("; ".join(finding.message for finding in findings))
    return plan


def _decide(
    session: Session,
    wanted: Sequence[Wanted],
    *,
    now: datetime,
    cause: str,
    held: Holding = NOTHING,
    taken: Taken | None = None,
) -> Proposal:
    def state(demands: Sequence[Wanted]) -> Gathered:
        return gather(session, demands, now=now, held=held, taken=taken)

    gathered = state([demand for demand in wanted if demand.lines])
    if not gathered.wanted:
        return Proposal(cause=cause)
    gathered, plan, solve_ms = solved_relaxing(gathered, state)
    return Proposal(cause=cause, changes=changes_of(gathered, plan, solve_ms=solve_ms))


def solved_relaxing(
    gathered: Gathered, state: Callable[[Sequence[Wanted]], Gathered], *, time_limit_s: float = TIME_LIMIT_S
) -> tuple[Gathered, Plan, float]:
    """Solve a problem; where units wait behind soft fences, give these up one after the other in the policy's order.

    `state` states demands anew, with what they have `relaxed`; each time, solving keeps to the time limit. Return the
    problem and plan with the fewest units waiting, of these the one with the fewest fences given up, and the
    milliseconds that this took.
    """
    started = perf_counter()
    best, plan = gathered, solved(gathered.problem, time_limit_s=time_limit_s)
    for number in range(len(gathered.wanted)):
        tried, answer = best, plan
        while (name := next_to_relax(tried, answer, number)) is not None:
            demands = list(tried.wanted)
            demands[number] = replace(demands[number], relaxed=(*demands[number].relaxed, name))
            tried = state(demands)
            answer = solved(tried.problem, time_limit_s=time_limit_s)
            if _waiting(answer) < _waiting(plan):
                best, plan = tried, answer
    return best, plan, (perf_counter() - started) * 1000


def _waiting(plan: Plan) -> int:
    return sum(missing.units for missing in plan.unfilled)


def _together(problem: Problem, params: SolveParams) -> Plan:
    """Solve several demands: each alone, which is the optimum of all unless together they exceed what they share."""
    started = perf_counter()
    alone = [solve(replace(problem, orders=(order,)), params) for order in problem.orders]
    assignments = [part._replace(order=number) for number, plan in enumerate(alone) for part in plan.assignments]
    stock, capacities = left_after(problem, assignments)
    exceeded = (stock.size and stock.min() < 0) or (capacities.size and capacities.min() < 0)
    if exceeded or any(plan.status != "optimal" for plan in alone):
        return solve(problem, params)
    seconds = perf_counter() - started
    return priced_plan(problem, assignments, bound=None, seconds=seconds, solver=alone[0].solver, seed=0)


def _require_stores(session: Session, wanted: Sequence[Wanted]) -> None:
    if all(demand.method != Method.COLLECT for demand in wanted):
        return
    net = snapshot.load(session)
    faults = []
    for demand in wanted:
        place = net.index.get(demand.collect_node or "")
        if demand.method != Method.COLLECT:
            continue
        if place is None or not net.collects[place]:
            message = f"{demand.collect_node} does not hand over orders; choose a store that does."
            faults.append(Fault("/collect_node", CannotCollect.code, message))
        elif net.statuses[place] == NodeStatus.CLOSED:
            message = f"{net.names[place]} is closed for good; choose another store."
            faults.append(Fault("/collect_node", CannotCollect.code, message))
    if faults:
        raise CannotCollect(" ".join(fault.message for fault in faults), faults=tuple(faults))
