"""What a night's plan would change, demand by demand, with the cost of each before and after.

Pure: works on the night's problem, the assignments that hold now and the plan. Costs come from the optimizer's own
pricing, one demand at a time, so that they add up to what the run reports.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from fulfillment.optimizer.plan import Assignment, cost_by_term
from fulfillment.optimizer.problem import Problem


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
    now, then = by_order(before), by_order(after)
    changed = [
        Difference(
            order, now[order], then[order], _cost(problem, order, now[order]), _cost(problem, order, then[order])
        )
        for order in sorted(now.keys() | then.keys())
        if now[order] != then[order]
    ]
    return sorted(changed, key=lambda difference: (-difference.saving, difference.order))


def packages(assignments: Iterable[Assignment]) -> int:
    """Count the packages of a plan: the options that each order uses."""
    return len({(assignment.order, assignment.option) for assignment in assignments})


def by_order(assignments: Sequence[Assignment]) -> defaultdict[int, tuple[Assignment, ...]]:
    """Return assignments by order of the problem, sorted; an order without any has none."""
    grouped: defaultdict[int, tuple[Assignment, ...]] = defaultdict(tuple)
    for assignment in sorted(assignments):
        grouped[assignment.order] += (assignment,)
    return grouped


def _cost(problem: Problem, order: int, assignments: Iterable[Assignment]) -> int:
    alone = replace(problem, orders=(problem.orders[order],))
    return sum(cost_by_term(alone, [assignment._replace(order=0) for assignment in assignments]).values())
