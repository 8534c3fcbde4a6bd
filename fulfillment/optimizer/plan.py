"""The plan: a solver's answer to a problem, priced.

Owns what every solver returns and the one place where a plan's cost is worked out. All solvers call `priced_plan`, so
that no solver reports its own arithmetic. Invariant: objective = sum of `by_term`, in whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from fulfillment.optimizer.problem import OPEN_TERM, UNFILLED_TERM, Integers, OrderProblem, Problem
from fulfillment.optimizer.reasons import Reason, left_after, unfilled_reason

Status: TypeAlias = Literal["optimal", "feasible", "infeasible"]


class Assignment(NamedTuple):
    """So many units of a line from an option; order, line and option are indices into the problem."""

    order: int
    line: int
    option: int
    units: int


class Unfilled(NamedTuple):
    """So many units of a line from nowhere.

    not_eligible: no option may serve the line. no_stock: none has the units, or others took them. no_capacity: none has
    the work left. package_limit: serving it needs a package too many. part_value: parts of the order would be worth too
    little, or leaving it is cheaper. cost: leaving it is cheaper. must_serve: the problem is infeasible because of it.
    """

    order: int
    line: int
    units: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Plan:
    """What a solver answered.

    status     optimal: proven; feasible: time ran out, the gap says how far; infeasible: `unfilled` names the lines
    bound      no plan costs less than this
    by_term    cost by term, those of the orders and `unfilled` and `open`
    An infeasible plan has no assignments, and an objective and bound of 0.
    """

    status: Status
    objective: int
    bound: int
    seconds: float
    assignments: tuple[Assignment, ...]
    unfilled: tuple[Unfilled, ...]
    by_term: Mapping[str, int]
    solver: str
    seed: int

    @property
    def gap(self) -> float:
        """How far the plan may be from the optimum, as a share of its objective."""
        return (self.objective - self.bound) / max(1, abs(self.objective))


def priced_plan(
    problem: Problem, assignments: Sequence[Assignment], *, bound: int | None, seconds: float, solver: str, seed: int
) -> Plan:
    """Price assignments and name what they leave unfilled.

    `bound` None means that the solver proved the assignments optimal. A bound above the objective, which rounding the
    parts of a divided line can cause, is lowered to it.
    """
    ordered = tuple(sorted(assignments))
    unfilled = _unfilled(problem, ordered)
    by_term = cost_by_term(problem, ordered)
    objective = sum(by_term.values())
    bound = objective if bound is None else min(bound, objective)
    status: Status = "optimal" if bound == objective else "feasible"
    return Plan(status, objective, bound, seconds, ordered, unfilled, by_term, solver, seed)


def infeasible_plan(lines: Sequence[Unfilled], *, seconds: float, solver: str, seed: int) -> Plan:
    """Say that no plan serves all lines that must be served, and name those lines."""
    return Plan("infeasible", 0, 0, seconds, (), tuple(lines), {}, solver, seed)


def share(cost: int, units: int, of_units: int) -> int:
    """Cost of a part of a divisible line, rounded half up."""
    return cost if units == of_units else (2 * cost * units + of_units) // (2 * of_units)


def cost_by_term(problem: Problem, assignments: Sequence[Assignment]) -> dict[str, int]:
    """Cost of assignments by term, what they leave unfilled and the nodes they open included."""
    by_term: dict[str, int] = {}
    opened: set[int] = set()
    missing = 0
    for order, part in _by_order(problem, assignments):
        missing += _unfilled_cost(order, part)
        if not part:
            continue
        options = sorted({assignment.option for assignment in part})
        cost = order.package_terms[:, options].sum(axis=1) + _line_cost(order, part)
        for term, amount in zip(order.terms, cost.tolist(), strict=True):
            by_term[term] = by_term.get(term, 0) + amount
        opened.update(order.option_node[options].tolist())
    return by_term | {UNFILLED_TERM: missing, OPEN_TERM: int(problem.open_cost[sorted(opened)].sum())}


def _by_order(problem: Problem, assignments: Sequence[Assignment]) -> list[tuple[OrderProblem, list[Assignment]]]:
    parts: list[tuple[OrderProblem, list[Assignment]]] = [(order, []) for order in problem.orders]
    for assignment in assignments:
        parts[assignment.order][1].append(assignment)
    return parts


def _line_cost(order: OrderProblem, part: list[Assignment]) -> Integers:
    lines = [assignment.line for assignment in part]
    options = [assignment.option for assignment in part]
    costs = order.line_terms[:, lines, options]
    for column, assignment in enumerate(part):
        of_units = order.lines[assignment.line].units
        if assignment.units != of_units:
            costs[:, column] = [share(cost, assignment.units, of_units) for cost in costs[:, column].tolist()]
    total: Integers = costs.sum(axis=1)
    return total


def _left(order: OrderProblem, part: list[Assignment]) -> list[int]:
    left = [line.units for line in order.lines]
    for assignment in part:
        left[assignment.line] -= assignment.units
    return left


def _unfilled_cost(order: OrderProblem, part: list[Assignment]) -> int:
    return sum(
        share(line.unfilled_cost or 0, units, line.units)
        for line, units in zip(order.lines, _left(order, part), strict=True)
        if units
    )


def _unfilled(problem: Problem, assignments: Sequence[Assignment]) -> tuple[Unfilled, ...]:
    short = [
        (index, line, units, sorted({assignment.option for assignment in part}))
        for index, (order, part) in enumerate(_by_order(problem, assignments))
        for line, units in enumerate(_left(order, part))
        if units
    ]
    if not short:
        return ()
    stock, capacities = left_after(problem, assignments)
    return tuple(
        Unfilled(
            index,
            line,
            units,
            unfilled_reason(problem.orders[index], line, stock=stock, capacities=capacities, packed=packed),
        )
        for index, line, units, packed in short
    )
