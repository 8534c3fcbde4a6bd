"""A stored decision, told: who serves and what it costs, and for every other node why it lost.

Invariant: it reads the decision as it was stored, and works nothing out anew, so that it tells what was known then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext, ngettext

from api.pages import costs, i18n
from api.pages.orders.sentences import sentence_of
from fulfillment.sourcing import explain
from fulfillment.sourcing.explain import Sentence
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


def tell(decision: Decision, before: Sequence[Sentence], names: Mapping[str, str], currency: str) -> Told:
    """Return a decision in the reader's language, after what led to it; `names` are those of the nodes."""
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
    return Told(decision, _sentences(decision, before, names, currency), terms, rows, fenced)


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


def _sentences(decision: Decision, before: Sequence[Sentence], names: Mapping[str, str], currency: str) -> list[str]:
    told = [
        sentence_of(sentence.code, sentence.values)
        for sentence in (*before, *explain.words(decision, names=names, currency=currency))
    ]
    if decision.status == "optimal" and decision.assignments:
        told.append(gettext("This is proven: no way to serve it costs less."))
    return told
