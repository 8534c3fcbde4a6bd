"""The judge of plans.

Owns the question whether a plan keeps every rule of its problem and costs what it says. Sourcing and planning ask
before each commit, and refuse a plan with a finding. Written from the statement of the problem, in plain Python, and
sharing no code with the solvers or with the pricing of plans. Invariant: no finding, no broken rule.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Literal, TypeAlias

from fulfillment.optimizer.plan import Assignment, Plan
from fulfillment.optimizer.problem import OPEN_TERM, UNFILLED_TERM, UNLIMITED, OrderProblem, Problem

Kind: TypeAlias = Literal[
    "unknown",
    "units",
    "divided",
    "not_eligible",
    "stock",
    "capacity",
    "packages",
    "together",
    "part_value",
    "must_serve",
    "unfilled",
    "cost",
    "bound",
    "status",
]
Served: TypeAlias = dict[tuple[int, int], list[Assignment]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that a plan breaks, in a sentence."""

    kind: Kind
    message: str


def check(problem: Problem, plan: Plan) -> tuple[Finding, ...]:
    """Return every rule of the problem that the plan breaks; none for a good plan."""
    if plan.status == "infeasible":
        return tuple(_infeasible(problem, plan))
    unknown = tuple(_unknown(problem, plan))
    if unknown:
        return unknown
    served: Served = defaultdict(list)
    for assignment in plan.assignments:
        served[assignment.order, assignment.line].append(assignment)
    findings: list[Finding] = []
    for index, order in enumerate(problem.orders):
        findings += _lines(index, order, served)
        findings += _packages(index, order, served)
    findings += _stock(problem, plan)
    findings += _capacity(problem, plan)
    findings += _unfilled(problem, plan, served)
    findings += _cost(problem, plan, served)
    return tuple(findings)


def _infeasible(problem: Problem, plan: Plan) -> Iterator[Finding]:
    if plan.assignments:
        yield Finding("status", "an infeasible plan assigns lines")
    if not plan.unfilled:
        yield Finding("status", "an infeasible plan names no line that cannot be served")
    for missing in plan.unfilled:
        if problem.orders[missing.order].lines[missing.line].unfilled_cost is not None:
            yield Finding("status", f"an infeasible plan blames line {missing.line}, which may stay unfilled")


def _unknown(problem: Problem, plan: Plan) -> Iterator[Finding]:
    for order, line in [entry[:2] for entry in plan.assignments] + [entry[:2] for entry in plan.unfilled]:
        if not 0 <= order < len(problem.orders):
            yield Finding("unknown", f"there is no order {order}")
        elif not 0 <= line < len(problem.orders[order].lines):
            yield Finding("unknown", f"order {order} has no line {line}")
    for assignment in plan.assignments:
        known = 0 <= assignment.order < len(problem.orders)
        if known and not 0 <= assignment.option < len(problem.orders[assignment.order].option_ids):
            yield Finding("unknown", f"order {assignment.order} has no option {assignment.option}")


def _lines(index: int, order: OrderProblem, served: Served) -> Iterator[Finding]:
    for number, line in enumerate(order.lines):
        parts = served.get((index, number), [])
        name = f"order {order.id} line {line.id}"
        total = sum(part.units for part in parts)
        if any(part.units < 1 for part in parts):
            yield Finding("units", f"{name}: a part has fewer than one unit")
        if total > line.units:
            yield Finding("units", f"{name}: {total} units served, {line.units} ordered")
        if len({part.option for part in parts}) < len(parts):
            yield Finding("units", f"{name}: two parts from one option")
        if not line.divisible and parts and (len(parts) > 1 or total != line.units):
            yield Finding("divided", f"{name}: divided, which it may not be")
        if line.unfilled_cost is None and total < line.units:
            yield Finding("must_serve", f"{name}: must be served, {line.units - total} units are not")
        for part in parts:
            if not order.eligible[number][part.option]:
                option = order.option_ids[part.option]
                yield Finding("not_eligible", f"{name}: option {option} may not serve it")


def _packages(index: int, order: OrderProblem, served: Served) -> Iterator[Finding]:
    chosen = [{part.option for part in served.get((index, number), [])} for number in range(len(order.lines))]
    packages = len(set().union(*chosen))
    if order.max_packages is not None and packages > order.max_packages:
        yield Finding("packages", f"order {order.id}: {packages} packages, at most {order.max_packages} allowed")
    for group in order.together:
        if any(chosen[line] != chosen[group[0]] for line in group):
            yield Finding("together", f"order {order.id}: lines that belong together are separated")
    yield from _part_values(index, order, served)


def _part_values(index: int, order: OrderProblem, served: Served) -> Iterator[Finding]:
    worth: dict[int | None, int] = defaultdict(int)
    for number, line in enumerate(order.lines):
        parts = served.get((index, number), [])
        for part in parts:
            worth[part.option] += part.units * line.unit_value
        unserved = line.units - sum(part.units for part in parts)
        if unserved > 0:
            worth[None] += unserved * line.unit_value
    if len(worth) > 1 and min(worth.values()) < order.min_part_value:
        least = f"order {order.id}: a part is worth {min(worth.values())}, at least {order.min_part_value} is asked for"
        yield Finding("part_value", least)


def _stock(problem: Problem, plan: Plan) -> Iterator[Finding]:
    taken: Counter[tuple[int, int]] = Counter()
    for part in plan.assignments:
        order = problem.orders[part.order]
        taken[order.lines[part.line].sku, int(order.option_node[part.option])] += part.units
    for (sku, node), units in taken.items():
        stock = int(problem.stock[sku][node])
        if stock != UNLIMITED and units > stock:
            yield Finding(
                "stock", f"{units} units of {problem.skus[sku]} from {problem.nodes[node]}, which has {stock}"
            )


def _capacity(problem: Problem, plan: Plan) -> Iterator[Finding]:
    work: dict[int, Fraction] = defaultdict(Fraction)
    packages: set[tuple[int, int]] = set()
    for part in plan.assignments:
        order = problem.orders[part.order]
        capacity = int(order.option_capacity[part.option])
        whole = int(order.line_work[part.line][part.option])
        work[capacity] += Fraction(whole * part.units, order.lines[part.line].units)
        if (part.order, part.option) not in packages:
            packages.add((part.order, part.option))
            work[capacity] += int(order.work[part.option])
    for capacity, amount in work.items():
        limit = UNLIMITED if capacity < 0 else int(problem.capacities[capacity])
        if limit != UNLIMITED and amount > limit:
            name = problem.capacity_ids[capacity]
            yield Finding("capacity", f"{float(amount):g} of work from capacity {name}, which has {limit}")


def _unfilled(problem: Problem, plan: Plan, served: Served) -> Iterator[Finding]:
    said: Counter[tuple[int, int]] = Counter()
    for missing in plan.unfilled:
        said[missing.order, missing.line] += missing.units
    for index, order in enumerate(problem.orders):
        for number, line in enumerate(order.lines):
            rest = line.units - sum(part.units for part in served.get((index, number), []))
            if said[index, number] != rest:
                message = f"{rest} units are not served, the plan says {said[index, number]}"
                yield Finding("unfilled", f"order {order.id} line {line.id}: {message}")


def _cost(problem: Problem, plan: Plan, served: Served) -> Iterator[Finding]:
    expected: Counter[str] = Counter({UNFILLED_TERM: 0, OPEN_TERM: 0})
    opened: set[int] = set()
    for index, order in enumerate(problem.orders):
        packages: set[int] = set()
        for number, line in enumerate(order.lines):
            parts = served.get((index, number), [])
            rest = line.units - sum(part.units for part in parts)
            expected[UNFILLED_TERM] += _part(line.unfilled_cost or 0, rest, line.units)
            for part in parts:
                packages.add(part.option)
                for term, costs in zip(order.terms, order.line_terms, strict=True):
                    expected[term] += _part(int(costs[number][part.option]), part.units, line.units)
        for option in packages:
            opened.add(int(order.option_node[option]))
            for term, costs in zip(order.terms, order.package_terms, strict=True):
                expected[term] += int(costs[option])
    expected[OPEN_TERM] = sum(int(problem.open_cost[node]) for node in opened)
    for term in sorted(expected.keys() | plan.by_term.keys()):
        if expected[term] != plan.by_term.get(term, 0):
            yield Finding("cost", f"term {term} costs {expected[term]}, the plan says {plan.by_term.get(term, 0)}")
    yield from _totals(plan, expected.total())


def _totals(plan: Plan, objective: int) -> Iterator[Finding]:
    if plan.objective != objective:
        yield Finding("cost", f"the plan costs {objective}, it says {plan.objective}")
    if plan.bound > plan.objective:
        yield Finding("bound", f"the bound {plan.bound} is above the objective {plan.objective}")
    if (plan.status == "optimal") != (plan.bound == plan.objective):
        yield Finding("status", f"status {plan.status} with objective {plan.objective} and bound {plan.bound}")


def _part(cost: int, units: int, of_units: int) -> int:
    if units in {0, of_units}:
        return cost if units else 0
    return floor(Fraction(cost * units, of_units) + Fraction(1, 2))
