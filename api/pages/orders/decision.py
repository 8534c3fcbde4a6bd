"""A stored decision, told: who serves and what it costs, and for every other node why it lost.

Invariant: it reads the decision as it was stored, and works nothing out anew, so that it tells what was known then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext, ngettext

from api.pages import costs, i18n, words
from fulfillment.work.models import Decision


@dataclass(frozen=True)
class CandidateRow:
    """The best way of one node: its cost by term, whether it was chosen, and in words why not."""

    node: str
    name: str
    carrier_service: str | None
    work_on: str
    cost: Mapping[str, int]
    total_minor: int
    chosen: bool
    verdict: str


@dataclass(frozen=True)
class Told:
    """A decision in words, and its table: the terms that occur are its columns."""

    decision: Decision
    sentences: list[str]
    terms: list[str]
    rows: list[CandidateRow]
    fenced: list[tuple[str, list[str]]]


def tell(decision: Decision, names: Mapping[str, str], currency: str) -> Told:
    """Return a decision in the reader's language; `names` are those of the nodes."""
    options = [candidate for candidate in decision.candidates if "node" in candidate]
    best = _best_by_node(options)
    rows = [_row(candidate, names, currency) for candidate in best]
    occurring = {term for row in rows for term in row.cost}
    terms = [term for term in costs.TERMS if term in occurring] + sorted(occurring - costs.TERMS.keys())
    fenced = [
        (costs.exclusion(candidate["excluded_by"]), [names.get(node, node) for node in candidate["nodes"]])
        for candidate in decision.candidates
        if "excluded_by" in candidate
    ]
    return Told(decision, _sentences(decision, best, names, currency), terms, rows, fenced)


def _best_by_node(options: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the ways that were chosen, then for each other node the one that came nearest, the nearest first."""
    chosen = [option for option in options if option["units"]]
    nearest: dict[str, Mapping[str, Any]] = {}
    for option in options:
        node = option["node"]
        if any(each["node"] == node for each in chosen):
            continue
        if node not in nearest or _distance(option) < _distance(nearest[node]):
            nearest[node] = option
    return chosen + sorted(nearest.values(), key=_distance)


def _distance(option: Mapping[str, Any]) -> tuple[bool, int, int]:
    return ("gap" not in option, option.get("gap", len(option["excluded"])), option["total"])


def _row(option: Mapping[str, Any], names: Mapping[str, str], currency: str) -> CandidateRow:
    return CandidateRow(
        node=option["node"],
        name=names.get(option["node"], option["node"]),
        carrier_service=option["carrier_service"],
        work_on=option["work_on"],
        cost=option["cost"],
        total_minor=option["total"],
        chosen=bool(option["units"]),
        verdict=_verdict(option, currency),
    )


def _verdict(option: Mapping[str, Any], currency: str) -> str:
    if option["units"]:
        return ngettext("chosen for %(num)d unit", "chosen for %(num)d units", sum(option["units"].values()))
    rules = sorted({costs.exclusion(rule) for rule in option["excluded"].values()})
    if "gap" not in option:
        return ", ".join(rules) or gettext("another way of this node is nearer")
    more = gettext("%(amount)s more", amount=i18n.money(option["gap"], currency))
    if not option["gap"]:
        more = gettext("as cheap; the first was taken")
    return f"{more} ({', '.join(rules)})" if rules else more


def _sentences(
    decision: Decision, best: Sequence[Mapping[str, Any]], names: Mapping[str, str], currency: str
) -> list[str]:
    sentences = [_serves(package, names) for package in decision.assignments]
    runner_up = next((option for option in best if not option["units"] and "gap" in option), None)
    if runner_up is not None and decision.assignments:
        sentences.append(_loses(runner_up, best, names, currency))
    sentences += [
        ngettext("%(num)d unit of %(sku)s waits: %(reason)s.", "%(num)d units of %(sku)s wait: %(reason)s.",
                 missing["units"], sku=missing["sku"], reason=words.reason(missing["reason"]))
        for missing in decision.unfilled
    ]  # fmt: skip
    if decision.status == "optimal" and decision.assignments:
        sentences.append(gettext("This is proven to be the cheapest of all ways to serve it."))
    return sentences


def _serves(package: Mapping[str, Any], names: Mapping[str, str]) -> str:
    units = sum(line["units"] for line in package["lines"])
    node = names.get(package["node"], package["node"])
    if package["transfer"]:
        return ngettext(
            "%(node)s sends %(num)d unit to the store of collection.",
            "%(node)s sends %(num)d units to the store of collection.", units, node=node,
        )  # fmt: skip
    if package["carrier_service"]:
        return ngettext(
            "%(node)s ships %(num)d unit with %(carrier)s.", "%(node)s ships %(num)d units with %(carrier)s.",
            units, node=node, carrier=package["carrier_service"],
        )  # fmt: skip
    return ngettext(
        "%(node)s has %(num)d unit on its own shelf.", "%(node)s has %(num)d units on its own shelf.", units, node=node
    )


def _loses(
    option: Mapping[str, Any], best: Sequence[Mapping[str, Any]], names: Mapping[str, str], currency: str
) -> str:
    node = names.get(option["node"], option["node"])
    if not option["gap"]:
        return gettext("%(node)s would cost the same.", node=node)
    amount = i18n.money(option["gap"], currency)
    term = _dearest_difference(option, best)
    if term is None:
        return gettext("The next best, with %(node)s, would cost %(amount)s more.", node=node, amount=amount)
    return gettext(
        "The next best, with %(node)s, would cost %(amount)s more, most of it for %(term)s.",
        node=node, amount=amount, term=costs.term(term),
    )  # fmt: skip


def _dearest_difference(option: Mapping[str, Any], best: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the term in which a way is dearer than the only one chosen; of several packages no single term is."""
    chosen = [each for each in best if each["units"]]
    if len(chosen) != 1 or option["excluded"]:
        return None
    against = chosen[0]["cost"]
    dearer = {term: cost - against.get(term, 0) for term, cost in option["cost"].items()}
    return max(dearer, key=lambda term: dearer[term]) if dearer and max(dearer.values()) > 0 else None
