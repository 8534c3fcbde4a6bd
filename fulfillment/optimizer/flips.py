"""What would have flipped the plan of one order: the smallest changes of its problem that make another plan better.

Owns the search for them, one kind of change after the other, each by solving the changed problem. sourcing calls
`flips` when somebody asks why; nothing here runs while an order is decided. Invariant: each change is the smallest of
its kind that makes the optimum strictly cheaper, or for a node's cost, that makes the best plan with it the best.

More of what is short never makes an optimum dearer, so that the smallest amount is found by bisection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Final, Literal, TypeAlias

import numpy as np

from fulfillment.optimizer.explain import alternatives
from fulfillment.optimizer.plan import Plan, cost_by_term
from fulfillment.optimizer.problem import UNLIMITED, Integers, OrderProblem, Problem
from fulfillment.optimizer.solve import SolveParams, solve

Kind: TypeAlias = Literal["cost", "stock", "minutes", "packages", "fence"]
KINDS: Final[tuple[Kind, ...]] = ("stock", "packages", "minutes", "cost", "fence")
MOST_TRIED: Final = 60
"""How many changes of one kind are tried; an order of a few lines has fewer."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A change that would have flipped the plan, and by how much the new optimum is cheaper.

    cost: the best plan with `node` would have had to cost `amount` less. stock: so many units more of the SKU of `line`
    at `node`. minutes: so much more of `capacity`. packages: so many more allowed. fence: `node` allowed for `line`.
    A cost that is not `exact` is the least that it can be, since what options share was not weighed.
    """

    kind: Kind
    amount: int
    saves: int
    node: int | None = None
    line: int | None = None
    capacity: int | None = None
    exact: bool = True


def flips(problem: Problem, plan: Plan, params: SolveParams | None = None) -> tuple[Flip, ...]:
    """Return the changes that would have flipped a proven plan of one order, by kind, the smallest of each kind first.

    Of no kind are more than `MOST_TRIED` tried, those that could bring most first.
    """
    if plan.status != "optimal":
        return ()
    asked = _Asked(problem, plan, params or SolveParams())
    found = [*_stock(asked), *_packages(asked), *_minutes(asked), *_costs(asked), *_fences(asked)]
    return tuple(sorted(found, key=lambda flip: (KINDS.index(flip.kind), flip.amount, -flip.saves)))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A problem with its plan, and the means to ask what another problem would cost."""

    problem: Problem
    plan: Plan
    params: SolveParams

    @property
    def order(self) -> OrderProblem:
        return self.problem.orders[0]

    def saved(self, changed: Problem) -> int:
        """Return by how much the optimum of a changed problem is cheaper."""
        return self.plan.objective - solve(changed, self.params).objective

    def least(self, changed: Callable[[int], Problem], most: int) -> tuple[int, int] | None:
        """Return the smallest amount, up to `most`, that makes the optimum cheaper, and by how much."""
        if most < 1 or (saves := self.saved(changed(most))) <= 0:
            return None
        low, high = 0, most
        while high - low > 1:
            middle = (low + high) // 2
            gained = self.saved(changed(middle))
            if gained > 0:
                high, saves = middle, gained
            else:
                low = middle
        return high, saves


def _stock(asked: _Asked) -> Iterator[Flip]:
    stock = asked.problem.stock

    def richer(units: int, *, place: tuple[int, int]) -> Problem:
        more = stock.copy()
        more[place] += units
        return replace(asked.problem, stock=more)

    for line, node in islice(_short(asked), MOST_TRIED):
        sku = asked.order.lines[line].sku
        wanted = sum(each.units for each in asked.order.lines if each.sku == sku)
        if least := asked.least(partial(richer, place=(sku, node)), wanted - int(stock[sku, node])):
            yield Flip("stock", *least, node=node, line=line)


def _short(asked: _Asked) -> Iterator[tuple[int, int]]:
    """Yield line and node where the node may serve the line and lacks units of it, the cheapest nodes first."""
    order = asked.order
    by_node = _cheapest_by_node(asked.problem)
    seen: set[tuple[int, int]] = set()
    wanted: dict[int, int] = {}
    for each in order.lines:
        wanted[each.sku] = wanted.get(each.sku, 0) + each.units
    for node in np.argsort(by_node, kind="stable").tolist():
        here = order.option_node == node
        for index, line in enumerate(order.lines):
            lacks = asked.problem.stock[line.sku, node] < wanted[line.sku]
            if lacks and (line.sku, node) not in seen and order.eligible[index, here].any():
                seen.add((line.sku, node))
                yield index, node


def _packages(asked: _Asked) -> Iterator[Flip]:
    most = asked.order.max_packages
    if most is None:
        return

    def wider(packages: int) -> Problem:
        return replace(asked.problem, orders=(replace(asked.order, max_packages=most + packages),))

    if least := asked.least(wider, len(asked.order.lines) - most):
        yield Flip("packages", *least)


def _minutes(asked: _Asked) -> Iterator[Flip]:
    order, capacities = asked.order, asked.problem.capacities
    needed = order.work + order.line_work.sum(axis=0)

    def longer(minutes: int, *, place: int) -> Problem:
        more = capacities.copy()
        more[place] += minutes
        return replace(asked.problem, capacities=more)

    for capacity in range(min(len(capacities), MOST_TRIED)):
        here = order.option_capacity == capacity
        lacking = int(needed[here].sum()) - int(capacities[capacity])
        if capacities[capacity] == UNLIMITED or lacking <= 0:
            continue
        if least := asked.least(partial(longer, place=capacity), lacking):
            yield Flip("minutes", *least, node=int(order.option_node[here][0]), capacity=capacity)


def _costs(asked: _Asked) -> Iterator[Flip]:
    for alternative in alternatives(asked.problem, asked.plan)[:MOST_TRIED]:
        exact = _reached(asked, alternative.node, alternative.gap + 1) == alternative.objective
        yield Flip("cost", alternative.gap + 1, 1, node=alternative.node, exact=exact)


def _reached(asked: _Asked, node: int, less: int) -> int | None:
    """Return what the plan with a node really costs that is best once packages from there cost so much less, if any."""
    order = asked.order
    here = order.option_node == node
    if order.package_cost[here].min(initial=UNLIMITED) < less:
        return None
    terms = order.package_terms.copy()
    terms[0, here] -= less
    plan = solve(replace(asked.problem, orders=(replace(order, package_terms=terms),)), asked.params)
    uses = any(here[part.option] for part in plan.assignments)
    return sum(cost_by_term(asked.problem, plan.assignments).values()) if uses else None


def _fences(asked: _Asked) -> Iterator[Flip]:
    order = asked.order
    fenced = ~order.eligible
    by_node = _cheapest_by_node(asked.problem)
    for node in np.argsort(by_node, kind="stable").tolist()[:MOST_TRIED]:
        here = order.option_node == node
        for line in np.flatnonzero(fenced[:, here].all(axis=1)).tolist() if here.any() else ():
            eligible = order.eligible.copy()
            eligible[line, here] = True
            if (saves := asked.saved(replace(asked.problem, orders=(replace(order, eligible=eligible),)))) > 0:
                yield Flip("fence", 1, saves, node=node, line=line)


def _cheapest_by_node(problem: Problem) -> Integers:
    """Return what a package of the cheapest line costs from each node (N), to know which to try first."""
    order = problem.orders[0]
    cheapest = np.full(len(problem.nodes), UNLIMITED, dtype=np.int64)
    if order.option_node.size:
        np.minimum.at(cheapest, order.option_node, order.package_cost + order.line_cost.min(axis=0))
    return cheapest
