"""A stored decision, told: who serves and what it costs, and for every other node why it lost.

Invariant: it reads the decision as it was stored, and works nothing out anew, so that it tells what was known then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask_babel import gettext, lazy_gettext, ngettext

from api.pages import costs, i18n
from api.pages.visit import config, now
from fulfillment.sourcing import explain
from fulfillment.work.models import Decision
from kernel.money import parse


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
    return Told(decision, _sentences(decision, names, currency), terms, rows, fenced)


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


def _sentences(decision: Decision, names: Mapping[str, str], currency: str) -> list[str]:
    told = [
        gettext(explain.TEMPLATES[sentence.code], **_worded(sentence.values))
        for sentence in explain.words(decision, names=names, currency=currency)
    ]
    if decision.status == "optimal" and decision.assignments:
        told.append(gettext("This is proven: no way to serve it costs less."))
    return told


def _worded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Write what stands in a sentence as the reader writes it."""
    return {name: WRITTEN.get(name, lambda value: value)(value) for name, value in values.items()}


def _money(value: str) -> str:
    amount, currency = value.split()
    return i18n.money(parse(amount, currency).minor, currency)


def _instant(value: str) -> str:
    return i18n.moment(datetime.fromisoformat(value).replace(tzinfo=UTC), config().night.time_zone, now()).striptags()


WRITTEN: Mapping[str, Callable[[str], str]] = {"why": gettext, "cost": _money, "gap": _money, "arrives_at": _instant}


# The sentences of `explain` stand here once more, word by word, so that they come into the catalogue.
SENTENCES = (
    lazy_gettext("%(node)s ships %(units)s units with %(service)s, to arrive by %(arrives_at)s."),
    lazy_gettext("%(node)s has %(units)s units ready from its own shelves by %(arrives_at)s."),
    lazy_gettext("%(node)s sends %(units)s units with %(service)s to the store, ready by %(arrives_at)s."),
    lazy_gettext("This costs %(cost)s, which is %(gap)s less than the best plan with %(other)s."),
    lazy_gettext("This costs %(cost)s; the best plan with %(other)s costs the same."),
    lazy_gettext("This costs %(cost)s; no other node could serve it."),
    lazy_gettext("%(units)s units of %(sku)s wait: %(why)s."),
    lazy_gettext("%(count)s nodes have none of it: %(nodes)s."),
    lazy_gettext("%(count)s nodes have no minutes left: %(nodes)s."),
    lazy_gettext("%(count)s nodes may not serve it: %(nodes)s."),
    lazy_gettext("%(count)s nodes are not open: %(nodes)s."),
    lazy_gettext("The store does not hand over orders now."),
    lazy_gettext("%(count)s nodes do not ship: %(nodes)s."),
    lazy_gettext("%(count)s nodes are excluded by the policy: %(nodes)s."),
    lazy_gettext("No carrier reaches the address from %(count)s nodes: %(nodes)s."),
    lazy_gettext("The policy allows no transfers from %(count)s nodes: %(nodes)s."),
    lazy_gettext("%(count)s nodes do not work within the horizon: %(nodes)s."),
    lazy_gettext("%(count)s nodes could only deliver before the date asked for: %(nodes)s."),
    lazy_gettext("The address is not known well enough."),
    lazy_gettext("no node has them"),
    lazy_gettext("no node that has them has minutes left"),
    lazy_gettext("no node may serve them"),
    lazy_gettext("the address is not known well enough"),
    lazy_gettext("they would need one package too many"),
    lazy_gettext("serving them would cost more than leaving them"),
)
