"""The plans of one order that are worth telling apart: by when they arrive, in how many packages, at which cost.

Called by `promises` on a problem of one order; pure. Method: the epsilon-constraint method (Haimes, Lasdon and Wismer
1971, doi:10.1109/TSMC.1971.4308298): cost is minimised exactly below each pair of bounds on arrival and packages, which
finds every plan that no other beats in all three. What comes after them is found by leaving out one node at a time of
the best so far, best first (after Lawler 1972, doi:10.1287/mnsc.18.7.401).
Invariant: every plan serves as many units of each line as the cheapest, and was found without fault by the judge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import count as counting
from time import perf_counter
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fulfillment.optimizer.narrow import with_options
from fulfillment.optimizer.plan import Plan, priced_plan
from fulfillment.optimizer.problem import Problem
from fulfillment.sourcing.decide import solved

Integers = NDArray[np.int64]

LEAST_S: Final = 0.05
"""How long a plan is thought about at least; nearly all need a hundredth of it."""


class Point(NamedTuple):
    """What a plan is judged by: its last arrival in seconds, its packages, its cost in minor units."""

    arrives_s: int
    packages: int
    cost_minor: int


@dataclass
class Effort:
    """How many seconds may be spent on looking for plans; counted from when it is made."""

    seconds: float
    _begun: float = field(default_factory=perf_counter)

    @property
    def left_s(self) -> float:
        """The seconds that are left."""
        return self._begun + self.seconds - perf_counter()


@dataclass(frozen=True, eq=False)
class Search:
    """A problem of one order, when each of its options arrives (K, seconds), and how long to look."""

    problem: Problem
    arrives_s: Integers
    effort: Effort

    def cheapest(self, options: Integers, most_packages: int | None = None) -> Plan | None:
        """Return the cheapest plan with these options only, in so many packages; None when time is up."""
        if not options.size or self.effort.left_s <= 0:
            return None
        narrowed = with_options(self.problem, options)
        if most_packages is not None:
            narrowed = replace(narrowed, orders=(replace(narrowed.orders[0], max_packages=most_packages),))
        plan = solved(narrowed, time_limit_s=max(LEAST_S, self.effort.left_s))
        parts = [part._replace(option=int(options[part.option])) for part in plan.assignments]
        bound = None if plan.status == "optimal" else plan.bound
        return priced_plan(
            self.problem, parts, bound=bound, seconds=plan.seconds, solver=plan.solver, seed=plan.seed
        )  # fmt: skip

    def point(self, plan: Plan) -> Point:
        """Return what a plan that serves something is judged by."""
        used = {part.option for part in plan.assignments}
        return Point(int(self.arrives_s[sorted(used)].max()), len(used), plan.objective)

    def nodes(self, plan: Plan) -> set[int]:
        """Return the nodes of a plan."""
        return {int(self.problem.orders[0].option_node[part.option]) for part in plan.assignments}


def frontier(search: Search) -> list[Plan]:
    """Return the plans that no other beats in arrival, packages and cost, the cheapest first; none if none serves.

    When time runs out, those found until then; the cheapest of all is always looked for. Nothing more is, where less
    time is left than that one took.
    """
    every = np.arange(len(search.arrives_s))
    best = _alone(search, every)
    if best is None:
        return []
    if search.effort.left_s < best.seconds:
        return [best]
    found = {search.point(best): best}
    # The cheapest plan so far in at most so many packages (None: any); None once there is no more.
    known: dict[int | None, Plan | None] = {None: best}
    latest = [int(each) for each in np.unique(search.arrives_s) if each <= search.point(best).arrives_s]
    for bound in reversed(latest):
        for plan in _fewer_and_fewer(search, best, bound, known):
            found.setdefault(search.point(plan), plan)
    return [found[point] for point in sorted(_undominated(found), key=lambda point: point.cost_minor)]


def next_best(search: Search, plans: Sequence[Plan], count: int) -> list[Plan]:
    """Return up to `count` more plans that serve as much from other nodes, the cheapest first."""
    best = plans[0]
    if search.effort.left_s < best.seconds:
        return []
    order = search.problem.orders[0]
    seen, tie = {_content(search, plan) for plan in plans}, counting()
    tried: set[frozenset[int]] = {frozenset()}
    heap: list[tuple[int, int, Plan, frozenset[int]]] = [(best.objective, next(tie), best, frozenset())]
    found: list[Plan] = []
    while heap and len(found) < count:
        _, _, plan, without = heappop(heap)
        if _content(search, plan) not in seen:
            seen.add(_content(search, plan))
            found.append(plan)
        for excluded in sorted({without | {node} for node in search.nodes(plan)} - tried, key=sorted):
            tried.add(excluded)
            other = search.cheapest(np.flatnonzero(~np.isin(order.option_node, sorted(excluded))))
            if other is not None and _unserved(other) == _unserved(best):
                heappush(heap, (other.objective, next(tie), other, excluded))
    return found[:count]


def _alone(search: Search, options: Integers) -> Plan | None:
    """Return the cheapest plan, however little time there is; None when it serves nothing."""
    if not options.size:
        return None
    plan = solved(search.problem, time_limit_s=max(LEAST_S, search.effort.left_s))
    return plan if plan.assignments else None


def _fewer_and_fewer(search: Search, best: Plan, bound: int, known: dict[int | None, Plan | None]) -> Iterator[Plan]:
    """Yield the cheapest plans that arrive by `bound`: in any number of packages, then in ever fewer."""
    most: int | None = None
    options = np.flatnonzero(search.arrives_s <= bound)
    while True:
        plan = known.get(most, best)
        if plan is not None and not _keeps(search, plan, bound, most):
            plan = search.cheapest(options, most)
            plan = plan if plan is not None and _unserved(plan) == _unserved(best) else None
        known[most] = plan
        if plan is None:
            return
        yield plan
        most = search.point(plan).packages - 1
        if most < 1:
            return


def _keeps(search: Search, plan: Plan, bound: int, most: int | None) -> bool:
    point = search.point(plan)
    return point.arrives_s <= bound and (most is None or point.packages <= most)


def _undominated(points: Iterable[Point]) -> list[Point]:
    every = list(points)
    return [
        point
        for point in every
        if not any(
            other != point and all(there <= here for there, here in zip(other, point, strict=True)) for other in every
        )
    ]


def _unserved(plan: Plan) -> Counter[int]:
    units: Counter[int] = Counter()
    for missing in plan.unfilled:
        units[missing.line] += missing.units
    return units


def _content(search: Search, plan: Plan) -> frozenset[tuple[int, int, int]]:
    """Return what makes a plan another one to whoever waits for it: which units of which line come from which node."""
    nodes = search.problem.orders[0].option_node
    return frozenset((part.line, int(nodes[part.option]), part.units) for part in plan.assignments)
