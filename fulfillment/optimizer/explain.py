"""Why the plan of one order is what it is.

Owns the reasons that a decision stores: what every option would have cost or the rule that excluded it, and what the
plan would have cost had it been made to use a node that lost. sourcing calls `explain` for each decision. Invariant:
an explanation is worked out from problem and plan alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from fulfillment.optimizer.decide import parcels_of
from fulfillment.optimizer.narrow import made_to_use
from fulfillment.optimizer.plan import Plan
from fulfillment.optimizer.problem import Problem
from fulfillment.optimizer.reasons import Exclusion, capacity_of, stock_of
from fulfillment.optimizer.subsets import IMPOSSIBLE

_RULES: Final[tuple[Exclusion, ...]] = ("not_eligible", "no_stock", "no_capacity")


class OptionReason(NamedTuple):
    """An option: its cost by term and in all for a package of every line that it may serve.

    excluded: the rule for each line that it may not serve. units: what the plan takes of each line there.
    """

    cost: Sequence[int]
    total: int
    excluded: Mapping[int, Exclusion]
    units: Mapping[int, int]


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


def explain(problem: Problem, plan: Plan) -> Explanation:
    """Explain the plan of a one-order problem."""
    return Explanation(problem.orders[0].terms, _options(problem, plan), alternatives(problem, plan))


def _options(problem: Problem, plan: Plan) -> tuple[OptionReason, ...]:
    (order,) = problem.orders
    stocked, room = stock_of(order, problem.stock), capacity_of(order, problem.capacities)
    usable = order.eligible & stocked & room
    cost = order.package_terms + np.where(usable, order.line_terms, 0).sum(axis=1)
    # The first rule that holds is the one that is given.
    rule = np.where(order.eligible, np.where(stocked, 2, 1), 0)
    excluded: list[dict[int, Exclusion]] = [{} for _ in order.option_ids]
    options, lines = np.nonzero(~usable.T)
    for option, line, which in zip(options.tolist(), lines.tolist(), rule[lines, options].tolist(), strict=True):
        excluded[option][line] = _RULES[which]
    units: list[dict[int, int]] = [{} for _ in order.option_ids]
    for part in plan.assignments:
        units[part.option][part.line] = part.units
    return tuple(map(OptionReason, cost.T.tolist(), cost.sum(axis=0).tolist(), excluded, units))


def alternatives(problem: Problem, plan: Plan) -> tuple[Alternative, ...]:
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
