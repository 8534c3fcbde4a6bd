"""Why the plan of one order is what it is.

Owns the reasons that a decision stores: what every option would have cost or the rule that excluded it, and what the
plan would have cost had it been made to use a node that lost. sourcing calls `explain` for each decision, and
`changes_for` when somebody asks. Invariant: an explanation is worked out from problem and plan alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fulfillment.optimizer.decide import parcels_of
from fulfillment.optimizer.narrow import made_to_use
from fulfillment.optimizer.plan import Plan
from fulfillment.optimizer.problem import OrderProblem, Problem
from fulfillment.optimizer.reasons import Exclusion, has_capacity, has_stock
from fulfillment.optimizer.solve import SolveParams, solve
from fulfillment.optimizer.subsets import IMPOSSIBLE


class LineReason(NamedTuple):
    """A line at an option: its cost by term, or the rule that excluded it, and the units the plan takes there."""

    cost: Sequence[int]
    excluded: Exclusion | None
    units: int


class OptionReason(NamedTuple):
    """An option: the cost of its package by term, and a reason for each line of the order."""

    package: Sequence[int]
    lines: tuple[LineReason, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """The best plan that uses a node which lost costs `objective`, `gap` more than the plan.

    Exact unless options share stock or capacity that runs out; then the plan costs at least that.
    """

    node: int
    objective: int
    gap: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every option of the order, its costs in the order of `terms`, and the best plan through each node that lost.

    Alternatives are ordered by cost; a node that can serve nothing has none.
    """

    terms: tuple[str, ...]
    options: tuple[OptionReason, ...]
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A change that would have brought a node into the plan.

    cost: the node would have had to cost `amount` less. stock: `amount` more units of the line at the node.
    """

    kind: Literal["cost", "stock"]
    node: int
    line: int | None
    amount: int


def explain(problem: Problem, plan: Plan) -> Explanation:
    """Explain the plan of a one-order problem."""
    return Explanation(problem.orders[0].terms, _options(problem, plan), _alternatives(problem, plan))


def changes_for(problem: Problem, plan: Plan, node: int, params: SolveParams | None = None) -> tuple[Change, ...]:
    """Return the smallest changes of its cost, and of one line's stock, that would bring a node into a plan.

    Empty if the plan uses the node, or if neither change alone would do.
    """
    order = problem.orders[0]
    if any(order.option_node[part.option] == node for part in plan.assignments):
        return ()
    changes = [
        Change("cost", node, None, alternative.gap + 1)
        for alternative in _alternatives(problem, plan)
        if alternative.node == node
    ]
    here = order.option_node == node
    for index, line in enumerate(order.lines):
        missing = line.units - int(problem.stock[line.sku, node])
        if missing <= 0 or not order.eligible[index, here].any():
            continue
        stock = problem.stock.copy()
        stock[line.sku, node] = line.units
        richer = solve(replace(problem, stock=stock), params)
        if any(order.option_node[part.option] == node for part in richer.assignments):
            changes.append(Change("stock", node, index, missing))
    return tuple(changes)


def exclusions(problem: Problem, order: OrderProblem) -> NDArray[np.str_]:
    """Return for each line and option (L,K) the first rule that excludes it, an empty text where none does."""
    rules = np.full(order.eligible.shape, "", dtype="<U12")
    for line in range(len(order.lines)):
        rules[line, ~has_capacity(order, line, problem.capacities)] = "no_capacity"
        rules[line, ~has_stock(order, line, problem.stock)] = "no_stock"
    rules[~order.eligible] = "not_eligible"
    return rules


def _options(problem: Problem, plan: Plan) -> tuple[OptionReason, ...]:
    order = problem.orders[0]
    taken = {(part.line, part.option): part.units for part in plan.assignments}
    packages = order.package_terms.T.tolist()
    costs = order.line_terms.transpose(2, 1, 0).tolist()
    rules = exclusions(problem, order).T.tolist()
    return tuple(
        OptionReason(
            package,
            tuple(
                LineReason((), rule, 0) if rule else LineReason(cost, None, taken.get((line, option), 0))
                for line, (cost, rule) in enumerate(zip(by_line, excluded, strict=True))
            ),
        )
        for option, (package, by_line, excluded) in enumerate(zip(packages, costs, rules, strict=True))
    )


def _alternatives(problem: Problem, plan: Plan) -> tuple[Alternative, ...]:
    """Price the best plan through each node that the plan does not use; none for orders the tables cannot hold."""
    parcels = parcels_of(problem)
    order = problem.orders[0]
    if parcels is None or plan.status == "infeasible":
        return ()
    best = np.full(len(problem.nodes), IMPOSSIBLE, dtype=np.int64)
    np.minimum.at(best, order.option_node, made_to_use(order, parcels))
    best[order.option_node[[part.option for part in plan.assignments]]] = IMPOSSIBLE
    found = np.flatnonzero(best < IMPOSSIBLE // 2)
    return tuple(
        Alternative(node, int(best[node]), max(0, int(best[node]) - plan.objective))
        for node in found[np.argsort(best[found], kind="stable")].tolist()
    )
