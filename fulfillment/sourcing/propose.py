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


def _candidates(gathered: Gathered, number: int, explanation: Explanation) -> list[dict[str, Any]]:
    options, line_ids = gathered.options[number], [line.id for line in gathered.wanted[number].lines]
    dates = {ordinal: date.fromordinal(ordinal).isoformat() for ordinal in set(options.ordinal.tolist())}
    instants = {seconds: _instant(seconds).isoformat() for seconds in set(options.arrives_s.tolist())}
    fenced = _fenced(gathered, number)
    chances = gathered.scenes[number].pick_success[:, options.node].prod(axis=0).round(4)
    found = [
        {
            "node": gathered.net.nodes[node],
            "carrier_service": None if offer == DIRECT else gathered.net.services[offer].id,
            "transfer": transfer,
            "work_on": dates[ordinal],
            "arrives_at": instants[arrives_s],
            "pick_success": chance,
            **_weighed(reason, line_ids, fenced.get(node)),
        }
        for node, offer, transfer, ordinal, arrives_s, chance, reason in zip(
            options.node.tolist(),
            options.offer.tolist(),
            options.transfer.tolist(),
            options.ordinal.tolist(),
            options.arrives_s.tolist(),
            chances.tolist(),
            explanation.options,
            strict=True,
        )
    ]
    _note_gaps(options.node.tolist(), found, explanation)
    fences = options.excluded.items()
    return found + [
        {"excluded_by": rule, "nodes": [gathered.net.nodes[node] for node in places]} for rule, places in fences
    ]


def _fenced(gathered: Gathered, number: int) -> dict[int, dict[int, str]]:
    """Return what keeps lines from nodes, by node and line: that they failed them, else the first fence of articles."""
    scene = gathered.scenes[number]
    rules: dict[int, dict[int, str]] = defaultdict(dict)
    for rule, flags in (("barred", scene.barred), *((fence.rule, flags) for fence, flags in scene.fenced.items())):
        for line, node in np.argwhere(flags).tolist():
            rules[node].setdefault(line, rule)
    return rules


def _weighed(reason: OptionReason, line_ids: Sequence[str], fenced: Mapping[int, str] | None) -> dict[str, Any]:
    """Return what an option would cost for all lines that it may serve, which it may not, and what it was given.

    `fenced` names what keeps lines from its node.
    """
    rules = {**reason.excluded, **{line: rule for line, rule in (fenced or {}).items() if line in reason.excluded}}
    return {
        "cost": {term: cost for term, cost in zip(TERMS, reason.cost, strict=True) if cost},
        "total": reason.total,
        "excluded": {line_ids[line]: rule for line, rule in rules.items()},
        "units": {line_ids[line]: units for line, units in reason.units.items()},
    }


def _note_gaps(nodes: Sequence[int], found: Sequence[dict[str, Any]], explanation: Explanation) -> None:
    """Note on the best candidate of each node that lost how much more the best plan with it would have cost."""
    cheapest = _cheapest(nodes, found)
    for alternative in explanation.alternatives:
        if alternative.node in cheapest:
            cheapest[alternative.node]["gap"] = alternative.gap


def _cheapest(nodes: Sequence[int], found: Sequence[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Return the candidate of each node that serves most lines, then the cheapest."""
    best: dict[int, dict[str, Any]] = {}
    for node, candidate in zip(nodes, found, strict=True):
        known = best.get(node)
        if known is None or _standing(candidate) < _standing(known):
            best[node] = candidate
    return best


def _standing(candidate: dict[str, Any]) -> tuple[int, int]:
    return len(candidate["excluded"]), candidate["total"]


def _offer(gathered: Gathered, number: int, option: int) -> str | None:
    offer = int(gathered.options[number].offer[option])
    return None if offer == DIRECT else gathered.net.services[offer].id


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
