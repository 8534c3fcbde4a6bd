"""What a night's plan would change, demand by demand, with the cost of each before and after.

Pure: works on the night's problem, the assignments that hold now and the plan. Costs come from the optimizer's own
pricing, one demand at a time, so that they add up to what the run reports.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from fulfillment.optimizer.plan import Assignment, cost_by_term
from fulfillment.optimizer.problem import Problem

CHURN_TERM = "churn"
"""What a change must earn before it is worth proposing; it steers the plan, and is no cost of the retailer."""


@dataclass(frozen=True)
class Difference:
    """One order of the problem whose assignments change, with its cost in minor units before and after."""

    order: int
    before: tuple[Assignment, ...]
    after: tuple[Assignment, ...]
    cost_before: int
    cost_after: int

    @property
    def saving(self) -> int:
        """What the change saves; negative when it pays for another order's saving."""
        return self.cost_before - self.cost_after


def differences(problem: Problem, before: Sequence[Assignment], after: Sequence[Assignment]) -> list[Difference]:
    """Return the orders that the plan serves otherwise than now, greatest saving first."""
    now, then = _by_order(before), _by_order(after)
    changed = [
        Difference(order, now[order], then[order], sum(cost(problem, order, now[order]).values()),
                   sum(cost(problem, order, then[order]).values()))
        for order in sorted(now.keys() | then.keys())
        if now[order] != then[order]
    ]  # fmt: skip
    return sorted(changed, key=lambda difference: (-difference.saving, difference.order))


def cost(problem: Problem, order: int, assignments: Iterable[Assignment]) -> dict[str, int]:
    """Return the cost of one order by term, without the churn term."""
    alone = replace(problem, orders=(problem.orders[order],))
    terms = cost_by_term(alone, [assignment._replace(order=0) for assignment in assignments])
    return {term: amount for term, amount in terms.items() if term != CHURN_TERM}


def total(problem: Problem, assignments: Sequence[Assignment]) -> dict[str, int]:
    """Return the cost of all orders by term, without the churn term."""
    terms = cost_by_term(problem, assignments)
    return {term: amount for term, amount in terms.items() if term != CHURN_TERM}


def packages(assignments: Iterable[Assignment]) -> int:
    """Count the packages of a plan: the options that each order uses."""
    return len({(assignment.order, assignment.option) for assignment in assignments})


def units_by_option(problem: Problem, assignments: Iterable[Assignment]) -> Mapping[str, int]:
    """Return the units taken from each node, for the map of flows."""
    units: Counter[str] = Counter()
    for assignment in assignments:
        units[problem.nodes[int(problem.orders[assignment.order].option_node[assignment.option])]] += assignment.units
    return units


def _by_order(assignments: Sequence[Assignment]) -> defaultdict[int, tuple[Assignment, ...]]:
    grouped: defaultdict[int, tuple[Assignment, ...]] = defaultdict(tuple)
    for assignment in sorted(assignments):
        grouped[assignment.order] += (assignment,)
    return grouped
