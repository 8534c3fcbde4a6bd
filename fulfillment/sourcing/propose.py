"""From a plan back to demands: their packages, what waits and why, every candidate with its cost or its fence.

Called by `decide` and by nightly planning, with the problem they gathered. Invariant: what is stored of a candidate is
what the solver saw.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from fulfillment.network.settings import fence_document
from fulfillment.optimizer.explain import Explanation, OptionReason, explain
from fulfillment.optimizer.plan import Assignment, Plan, cost_by_term
from fulfillment.sourcing import seen
from fulfillment.sourcing.gather import Gathered
from fulfillment.sourcing.options import Options
from fulfillment.sourcing.pricing import TERMS
from fulfillment.sourcing.proposal import Change, LineUnits, Missing, Package, Rationale
from fulfillment.sourcing.scene import Scene
from fulfillment.sourcing.ways import DIRECT
from fulfillment.work.candidates import Candidates

OF_TIME: Final = ("too_early", "after_promise", "in_time", "same_day")
"""Fences by which a node is out that could serve, at another time."""


def changes_of(gathered: Gathered, plan: Plan, *, solve_ms: float) -> tuple[Change, ...]:
    """Return what the plan means for each demand, in the problem's order."""
    parts: dict[int, list[Assignment]] = defaultdict(list)
    for assignment in plan.assignments:
        parts[assignment.order].append(assignment)
    return tuple(
        Change(
            wanted=gathered.wanted[number],
            policy_version=gathered.active[number].version,
            relaxed=_relaxed(gathered, number),
            packages=packages_of(gathered, number, parts[number]),
            missing=missing_of(gathered, number, plan),
            rationale=_rationale(gathered, number, plan, parts[number], solve_ms),
        )
        for number in range(len(gathered.wanted))
    )


def _relaxed(gathered: Gathered, number: int) -> tuple[dict[str, Any], ...]:
    """Return the soft fences that did not bind, as the policy has them."""
    names = gathered.wanted[number].relaxed
    fences = gathered.active[number].settings.fences if names else ()
    return tuple(fence_document(fence) for fence in fences if fence.soft and fence.name in names)


def packages_of(gathered: Gathered, number: int, parts: Sequence[Assignment]) -> tuple[Package, ...]:
    """Return the packages of a demand, by its parts of a plan."""
    by_option: dict[int, list[Assignment]] = defaultdict(list)
    for part in parts:
        by_option[part.option].append(part)
    return tuple(_package(gathered, number, option, taken) for option, taken in sorted(by_option.items()))


def _package(gathered: Gathered, number: int, option: int, taken: Sequence[Assignment]) -> Package:
    options, order, wanted = gathered.options[number], gathered.problem.orders[number], gathered.wanted[number]
    arrives_at = _instant(int(options.arrives_s[option]))
    # A divided line takes its share of the minutes, rounded down, so that claims never exceed what the solver weighed.
    line_work = sum(
        int(order.line_work[part.line, option]) * part.units / order.lines[part.line].units for part in taken
    )
    return Package(
        node=gathered.net.nodes[int(options.node[option])],
        carrier_service=_offer(gathered, number, option),
        transfer=bool(options.transfer[option]),
        work_on=date.fromordinal(int(options.ordinal[option])),
        work_minutes=int(order.work[option]) + int(line_work),
        leaves_at=_instant(int(options.leaves_s[option])),
        arrives_at=arrives_at,
        arrives_on=arrives_at.astimezone(ZoneInfo(options.zone)).date(),
        lines=tuple(LineUnits(wanted.lines[part.line].id, wanted.lines[part.line].sku, part.units) for part in taken),
    )


def missing_of(gathered: Gathered, number: int, plan: Plan) -> tuple[Missing, ...]:
    """Return the units of a demand that a plan leaves, and why."""
    lines = gathered.wanted[number].lines
    return tuple(
        Missing(
            lines[missing.line].id,
            lines[missing.line].sku,
            missing.units,
            _why(gathered, number, missing.line, missing.reason),
        )
        for missing in plan.unfilled
        if missing.order == number
    )


def _why(gathered: Gathered, number: int, line: int, reason: str) -> str:
    """Say why a line waits. A line that no option may serve was stopped by a fence before it became one."""
    if reason == "cost" and _dear_by_lateness(gathered, number, line):
        return "not_in_time"
    if reason != "not_eligible":
        return reason
    scene, options = gathered.scenes[number], gathered.options[number]
    if "no_address" in options.excluded:
        return "no_address"
    useful = options.reachable & scene.may_serve[line]
    if any(useful[options.excluded.get(rule, [])].any() for rule in OF_TIME):
        return "not_in_time"
    if useful.any():
        return "no_capacity" if options.eligible[line].any() or not _offered(scene, options, line) else "too_bulky"
    return "no_stock" if (options.reachable & scene.allowed[line]).any() else "no_node"


def _dear_by_lateness(gathered: Gathered, number: int, line: int) -> bool:
    """Tell whether a way would be worth its cost, were it not so late."""
    order, options = gathered.problem.orders[number], gathered.options[number]
    late = options.package_terms[TERMS.index("lateness")]
    left_minor = order.lines[line].unfilled_cost
    worth = left_minor is None or order.package_cost + order.line_cost[line] - late < left_minor
    may_serve = order.eligible[line] & gathered.scenes[number].may_serve[line, options.node]
    return bool((may_serve & (late > 0) & worth).any())


def _offered(scene: Scene, options: Options, line: int) -> bool:
    """Tell whether there is a way from a node that has a line and may serve it."""
    return bool(scene.may_serve[line, options.node].any())


def _rationale(gathered: Gathered, number: int, plan: Plan, parts: Sequence[Assignment], solve_ms: float) -> Rationale:
    problem, solved = gathered.problem, plan
    if len(problem.orders) > 1:
        # Each demand stores its own part of a plan made for several.
        problem = replace(problem, orders=(problem.orders[number],))
        own = tuple(part._replace(order=0) for part in parts)
        by_term = cost_by_term(problem, own)
        cost = sum(by_term.values())
        bound = cost - (plan.objective - plan.bound)
        plan = replace(plan, assignments=own, unfilled=(), by_term=by_term, objective=cost, bound=bound)
    return Rationale(
        status=plan.status,
        objective_minor=plan.objective,
        bound_minor=plan.bound,
        by_term={term: cost for term, cost in plan.by_term.items() if cost},
        candidates=_candidates(gathered, number, explain(problem, plan)),
        problem=seen.document(gathered.problem, number, solved),
        solve_ms=solve_ms,
    )


def _candidates(gathered: Gathered, number: int, explanation: Explanation) -> Candidates:
    net, options = gathered.net, gathered.options[number]
    nodes, reasons = options.node.tolist(), explanation.options
    excluded = _excluded(gathered, number, nodes, reasons)
    costs = zip(TERMS, zip(*(reason.cost for reason in reasons), strict=True), strict=False)
    chances = gathered.scenes[number].pick_success[:, options.node].prod(axis=0).round(4)
    return {
        "lines": [line.id for line in gathered.wanted[number].lines],
        "node": [net.nodes[node] for node in nodes],
        "carrier_service": [None if offer == DIRECT else net.services[offer].id for offer in options.offer.tolist()],
        "transfer": options.transfer.astype(int).tolist(),
        "work_on": options.ordinal.tolist(),
        "arrives_s": options.arrives_s.tolist(),
        "pick_success": chances.tolist(),
        "cost": {term: column for term, column in costs if any(column)},
        "excluded": excluded,
        "units": [reason.units for reason in reasons],
        "gaps": _gaps(nodes, excluded, explanation),
        "fences": [
            {"excluded_by": rule, "nodes": [net.nodes[node] for node in places]}
            for rule, places in options.excluded.items()
        ],
    }


def _excluded(
    gathered: Gathered, number: int, nodes: Sequence[int], reasons: Sequence[OptionReason]
) -> list[Mapping[int, str]]:
    """Return the rules by which each option may not serve lines; why its node was kept from a line comes first."""
    kept = _kept_from(gathered, number)
    if not kept:
        return [reason.excluded for reason in reasons]
    return [
        {line: kept.get(node, {}).get(line, rule) for line, rule in reason.excluded.items()}
        for node, reason in zip(nodes, reasons, strict=True)
    ]


def _kept_from(gathered: Gathered, number: int) -> dict[int, dict[int, str]]:
    """Return by node and line what bars it: that it failed the line before, or else the first fence of articles."""
    scene = gathered.scenes[number]
    rules: dict[int, dict[int, str]] = defaultdict(dict)
    for rule, flags in (("barred", scene.barred), *((fence.rule, flags) for fence, flags in scene.fenced.items())):
        for line, node in np.argwhere(flags).tolist():
            rules[node].setdefault(line, rule)
    return rules


def _gaps(nodes: Sequence[int], excluded: Sequence[Mapping[int, str]], explanation: Explanation) -> list[list[int]]:
    """Return how much more the best plan with each node that lost would have cost, with the node's best option.

    That is the one that serves most lines, of these the cheapest.
    """
    standing = [(len(rules), reason.total) for rules, reason in zip(excluded, explanation.options, strict=True)]
    best: dict[int, int] = {}
    for option, node in enumerate(nodes):
        if node not in best or standing[option] < standing[best[node]]:
            best[node] = option
    return [[best[each.node], each.gap] for each in explanation.alternatives if each.node in best]


def _offer(gathered: Gathered, number: int, option: int) -> str | None:
    offer = int(gathered.options[number].offer[option])
    return None if offer == DIRECT else gathered.net.services[offer].id


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
