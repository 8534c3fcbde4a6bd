"""A stored decision in words: what was chosen, how much better it is, and why every other node lost.

Called by the doors and pages on rows of `Decision`. Invariant: each sentence has a code, and values that a translated
template takes by name; the templates here are the English ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fulfillment.network.settings import NUMBERS
from fulfillment.work.models import Decision
from kernel.money import Money

TEMPLATES: Final = {
    "ships": "%(node)s ships %(units)s units with %(service)s, to arrive by %(arrives_at)s.",
    "collected": "%(node)s has %(units)s units ready from its own shelves by %(arrives_at)s.",
    "transferred": "%(node)s sends %(units)s units with %(service)s to the store, ready by %(arrives_at)s.",
    "cheaper": "This costs %(cost)s, which is %(gap)s less than the best plan with %(other)s.",
    "as_cheap": "This costs %(cost)s; the best plan with %(other)s costs the same.",
    "alone": "This costs %(cost)s; no other node could serve it.",
    "waits": "%(units)s units of %(sku)s wait: %(why)s.",
    "barred": "%(count)s nodes are not asked again for it: %(nodes)s.",
    "no_stock": "%(count)s nodes have none of it: %(nodes)s.",
    "no_capacity": "%(count)s nodes have no minutes left: %(nodes)s.",
    "not_eligible": "%(count)s nodes may not serve it: %(nodes)s.",
    "not_open": "%(count)s nodes are not open: %(nodes)s.",
    "store_not_open": "The store does not hand over orders now.",
    "does_not_ship": "%(count)s nodes do not ship: %(nodes)s.",
    "excluded_by_policy": "%(count)s nodes are excluded by the policy: %(nodes)s.",
    "out_of_reach": "No carrier reaches the address from %(count)s nodes: %(nodes)s.",
    "no_transfers": "The policy allows no transfers from %(count)s nodes: %(nodes)s.",
    "no_work_day": "%(count)s nodes do not work within the horizon: %(nodes)s.",
    "too_early": "%(count)s nodes could only deliver before the date asked for: %(nodes)s.",
    "after_promise": "From %(count)s nodes it would arrive after the date that was promised: %(nodes)s.",
    "no_address": "The address is not known well enough.",
    "only_groups": "%(count)s nodes are in none of the policy's groups: %(nodes)s.",
    "not_groups": "%(count)s nodes are in a group that the policy bars: %(nodes)s.",
    "max_distance": "%(count)s nodes are farther away than the policy allows: %(nodes)s.",
    "domestic": "%(count)s nodes are in another country: %(nodes)s.",
    "articles_only": "%(count)s nodes are not among those the policy keeps the articles to: %(nodes)s.",
    "articles_not": "%(count)s nodes are barred from the articles by the policy: %(nodes)s.",
    "min_stock": "%(count)s nodes have less of it than the policy asks for: %(nodes)s.",
    "in_time": "%(count)s nodes would arrive after the date asked for: %(nodes)s.",
    "same_day": "%(count)s nodes would not arrive on the day of the order: %(nodes)s.",
    "relaxed": "With all fences units would wait, so these did not bind: %(fences)s.",
    "failed_short_pick": "%(node)s did not find %(units)s units of %(sku)s.",
    "failed_rejection": "%(node)s refused %(units)s units of %(sku)s.",
    "failed_displacement": "%(node)s turned out to have %(units)s units of %(sku)s less.",
    "failed_node_closed": "%(node)s closed before it began with %(units)s units of %(sku)s.",
    "failed_missed_cut_off": "%(node)s had not begun with %(units)s units of %(sku)s when they were to leave.",
    "instead": "%(nodes)s now serves instead of %(others)s.",
    "put_off": "%(node)s works on it later, on %(day)s.",
    "flip_stock": "With %(count)s more units of %(sku)s at %(node)s, another plan would be %(saved)s cheaper.",
    "flip_packages": "With %(count)s more packages allowed, another plan would be %(saved)s cheaper.",
    "flip_minutes": "With %(count)s more minutes of work at %(node)s, another plan would be %(saved)s cheaper.",
    "flip_cost": "%(node)s would serve it if that cost %(amount)s less.",
    "flip_cost_at_least": "%(node)s would serve it only if that cost at least %(amount)s less.",
    "flip_fence": "If %(node)s were asked for %(sku)s, another plan would be %(saved)s cheaper.",
    "flip_cut_off": "%(count)s minutes earlier, or with the cut-off of %(node)s so much later, it would leave a day "
    "sooner and arrive by %(arrives_at)s, %(saved)s cheaper.",
}
REASONS: Final = {
    "no_stock": "no node has them",
    "no_capacity": "no node that has them has minutes left",
    "no_node": "no node may serve them",
    "not_in_time": "no node that has them can make the date",
    "no_address": "the address is not known well enough",
    "too_bulky": "no carrier takes a parcel so large or heavy",
    "package_limit": "they would need one package too many",
    "part_value": "a part of the order would be worth too little",
    "cost": "serving them would cost more than leaving them",
    "needs_person": "so many attempts failed that a person decides",
}
MOST_NAMED: Final = 3


@dataclass(frozen=True)
class Sentence:
    """A sentence by its code, with the values that go into it."""

    code: str
    values: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The sentence in English."""
        return TEMPLATES[self.code] % self.values


def summary(decision: Decision) -> dict[str, Any]:
    """Return a decision in figures: its cost by term in minor units, nodes, packages, what waits, and the proof."""
    return {
        "id": decision.id,
        "cause": decision.cause,
        "status": decision.status,
        "cost_minor": decision.objective_minor - decision.by_term.get("unfilled", 0),
        "by_term": {term: cost for term, cost in decision.by_term.items() if term != "unfilled"},
        "gap_minor": decision.objective_minor - decision.bound_minor,
        "nodes": [package["node"] for package in decision.assignments],
        "packages": len(decision.assignments),
        "waiting": sum(missing["units"] for missing in decision.unfilled),
        "relaxed": [fence["name"] for fence in decision.relaxed],
        "decided_at": decision.decided_at,
        "solve_ms": decision.solve_ms,
    }


def words(decision: Decision, *, names: Mapping[str, str], currency: str) -> list[Sentence]:
    """Tell a decision; `names` are those of the nodes by id, `currency` is the network's."""
    return [
        *_chosen(decision, names),
        *_relaxed(decision),
        *_compared(decision, names, currency),
        *_waiting(decision),
        *_lost(decision, names),
    ]


def money(minor: int, currency: str) -> str:
    """Write an amount with its currency."""
    return f"{Money(minor, currency).amount} {currency}"


def _chosen(decision: Decision, names: Mapping[str, str]) -> Iterator[Sentence]:
    for package in decision.assignments:
        values = {
            "node": names.get(package["node"], package["node"]),
            "units": sum(line["units"] for line in package["lines"]),
            "service": package["carrier_service"] or "",
            "arrives_at": package["arrives_at"][:16].replace("T", " "),
        }
        if package["transfer"]:
            yield Sentence("transferred", values)
        else:
            yield Sentence("ships" if package["carrier_service"] else "collected", values)


def _relaxed(decision: Decision) -> Iterator[Sentence]:
    if decision.relaxed:
        yield Sentence("relaxed", {"fences": ", ".join(_fence_name(fence) for fence in decision.relaxed)})


def _fence_name(fence: Mapping[str, Any]) -> str:
    """Return a fence's name, its rule with what it counts where it has no name of its own."""
    counted = NUMBERS.get(fence["rule"])
    amount = f" ({fence[counted[0]]} {counted[0]})" if counted and counted[0] != "minor" else ""
    return f"{fence['name'].replace('_', ' ')}{amount}"


def _compared(decision: Decision, names: Mapping[str, str], currency: str) -> Iterator[Sentence]:
    if not decision.assignments:
        return
    cost = money(decision.objective_minor - decision.by_term.get("unfilled", 0), currency)
    others = [candidate for candidate in decision.candidates if "gap" in candidate]
    if not others:
        yield Sentence("alone", {"cost": cost})
        return
    nearest = min(others, key=lambda candidate: int(candidate["gap"]))
    other = names.get(nearest["node"], nearest["node"])
    code = "cheaper" if nearest["gap"] else "as_cheap"
    yield Sentence(code, {"cost": cost, "gap": money(nearest["gap"], currency), "other": other})


def _waiting(decision: Decision) -> Iterator[Sentence]:
    for missing in decision.unfilled:
        why = REASONS.get(missing["reason"], missing["reason"])
        yield Sentence("waits", {"units": missing["units"], "sku": missing["sku"], "why": why})


def _lost(decision: Decision, names: Mapping[str, str]) -> Iterator[Sentence]:
    """Tell the rules that excluded nodes; a node that could serve some line by some option was not excluded."""
    serving = {candidate["node"] for candidate in _options(decision) if len(candidate["excluded"]) < _lines(decision)}
    by_rule: dict[str, set[str]] = {}
    for candidate in _options(decision):
        if candidate["node"] not in serving:
            by_rule.setdefault(next(iter(candidate["excluded"].values())), set()).add(candidate["node"])
    for fence in decision.candidates:
        if "excluded_by" in fence:
            by_rule.setdefault(fence["excluded_by"], set()).update(fence["nodes"])
    for rule, nodes in by_rule.items():
        yield Sentence(rule, {"count": len(nodes), "nodes": _named(sorted(nodes), names)})


def _options(decision: Decision) -> Sequence[dict[str, Any]]:
    return [candidate for candidate in decision.candidates if "node" in candidate]


def _lines(decision: Decision) -> int:
    placed = {line["line"] for package in decision.assignments for line in package["lines"]}
    return len(placed | {missing["line"] for missing in decision.unfilled})


def _named(nodes: Sequence[str], names: Mapping[str, str]) -> str:
    shown = ", ".join(names.get(node, node) for node in nodes[:MOST_NAMED])
    return shown if len(nodes) <= MOST_NAMED else f"{shown}, ..."
