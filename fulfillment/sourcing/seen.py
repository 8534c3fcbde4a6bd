"""What the solver saw of one demand, kept with its decision: enough to state the very same problem again.

Written by `propose`, read when somebody asks what would have flipped a decision. Costs are kept in sums, since their
terms stand with the candidates; of the network only the nodes that had a way to serve. What other demands of the same
plan took is taken off. Invariant: `restored(document(...))` has the optimum of the problem that was solved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from fulfillment.optimizer.plan import Assignment, Plan, priced_plan
from fulfillment.optimizer.problem import Line, OrderProblem, Problem
from fulfillment.optimizer.reasons import left_after

Document = dict[str, Any]
LINE: Final = ("id", "sku", "units", "divisible", "unfilled_cost", "unit_value")
MOST_ORDERS: Final = 16
"""A plan for more demands than these keeps none of their problems: a night's would be larger than all it decides."""


def document(problem: Problem, number: int, plan: Plan) -> Document | None:
    """Return what the solver saw of the demand with this number, as JSON."""
    if len(problem.orders) > MOST_ORDERS:
        return None
    order = problem.orders[number]
    stock, capacities = problem.stock, problem.capacities
    if len(problem.orders) > 1:
        stock, capacities = left_after(problem, [part for part in plan.assignments if part.order != number])
    places, node = np.unique(order.option_node, return_inverse=True)
    skus = sorted({line.sku for line in order.lines})
    used, capacity = np.unique(order.option_capacity, return_inverse=True)
    return {
        "lines": [[line.id, skus.index(line.sku), *_rest(line)] for line in order.lines],
        "skus": [problem.skus[sku] for sku in skus],
        "nodes": [problem.nodes[place] for place in places.tolist()],
        "node": node.tolist(),
        "capacities": [-1 if place < 0 else int(capacities[place]) for place in used.tolist()],
        "capacity": capacity.tolist(),
        "stock": stock[skus][:, places].tolist(),
        "package_cost": order.package_cost.tolist(),
        "line_cost": order.line_cost.tolist(),
        "eligible": None if order.eligible.all() else order.eligible.astype(int).tolist(),
        "work": order.work.tolist(),
        "line_work": order.line_work.tolist(),
        "max_packages": order.max_packages,
        "together": [list(group) for group in order.together],
        "min_part_value": order.min_part_value,
    }


def restored(kept: Mapping[str, Any]) -> Problem:
    """State the problem of a decision again; its only order has one option for each that the decision had."""
    lines = tuple(Line(**dict(zip(LINE, values, strict=True))) for values in kept["lines"])
    node = np.array(kept["node"], dtype=np.int64)
    shape = (len(lines), len(node))
    capacities = np.array(kept["capacities"], dtype=np.int64)
    capacity = np.array(kept["capacity"], dtype=np.int64)
    # One that is no capacity stands among them, so that places need not be moved.
    limited = np.append(capacities, -1)[capacity] >= 0
    eligible = np.array(True if kept["eligible"] is None else kept["eligible"], dtype=np.bool_)
    order = OrderProblem(
        id="order",
        lines=lines,
        option_ids=tuple(map(str, range(len(node)))),
        option_node=node,
        option_capacity=np.where(limited, capacity, -1),
        terms=("cost",),
        package_terms=np.array([kept["package_cost"]], dtype=np.int64),
        line_terms=np.array([kept["line_cost"]], dtype=np.int64).reshape(1, *shape),
        eligible=np.broadcast_to(eligible, shape),
        work=np.array(kept["work"], dtype=np.int64),
        line_work=np.array(kept["line_work"], dtype=np.int64).reshape(shape),
        max_packages=kept["max_packages"],
        together=tuple(map(tuple, kept["together"])),
        min_part_value=kept["min_part_value"],
    )
    return Problem(
        nodes=tuple(kept["nodes"]),
        open_cost=np.broadcast_to(0, len(kept["nodes"])),
        capacity_ids=tuple(map(str, range(len(capacities)))),
        capacities=np.maximum(capacities, 0),
        skus=tuple(kept["skus"]),
        stock=np.array(kept["stock"], dtype=np.int64).reshape(len(kept["skus"]), len(kept["nodes"])),
        orders=(order,),
    )


def decided(problem: Problem, candidates: Sequence[Mapping[str, Any]]) -> Plan:
    """Return the plan of a restored problem that its candidates say was chosen."""
    places = {line.id: place for place, line in enumerate(problem.orders[0].lines)}
    options = [candidate for candidate in candidates if "node" in candidate]
    taken = [
        Assignment(0, places[line], option, units)
        for option, candidate in enumerate(options)
        for line, units in candidate["units"].items()
    ]
    return priced_plan(problem, taken, bound=None, seconds=0.0, solver="stored", seed=0)


def _rest(line: Line) -> tuple[int, bool, int | None, int]:
    return line.units, line.divisible, line.unfilled_cost, line.unit_value
