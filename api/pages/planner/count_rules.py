"""How nodes count: the retailer's rule, those that nodes have of their own, and one of them to change.

Invariant: a change names the rule as it was seen; what is refused is shown beside the field, and nothing typed is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from api.pages import refusals
from api.pages.export import plain
from api.pages.planner import forms
from api.pages.visit import config, doors
from fulfillment.network.edits import ChangedMeanwhile
from kernel.errors import DomainError
from stock import reports
from stock.counting import rules
from stock.counting.rules import EVERYWHERE, LIMITS, Rule

NOTHING: Mapping[str, str] = {}
SWITCHES = ("four_eyes", "zero_checks")


@dataclass(frozen=True)
class RulesPage:
    """All that the page answers: rules by node, nodes' names, and which node is chosen with the rule it follows."""

    own: dict[str, Rule]
    names: dict[str, str]
    node: str
    rule: Rule

    @property
    def listed(self) -> list[tuple[str, Rule]]:
        """The retailer's rule, then those of nodes, by name."""
        others = [(node, rule) for node, rule in self.own.items() if node != EVERYWHERE]
        everywhere = (EVERYWHERE, self.own.get(EVERYWHERE, Rule()))
        return [everywhere, *sorted(others, key=lambda each: self.names.get(each[0], each[0]))]


def page() -> ResponseReturnValue:
    """Show all rules, and that of the node in the address, or of all, to change."""
    node = request.args.get("node") or EVERYWHERE
    found = doors().read(lambda session: gather(session, node))
    if node != EVERYWHERE and node not in found.names:
        abort(404)
    return _render(found, typed=_row_of(found.rule))


def save() -> ResponseReturnValue:
    """Set the rule of a node or of all, or show what is wrong with it beside what was typed."""
    node, seen = request.form.get("node", ""), request.form.get("seen", "")
    currency = config().network.currency

    def write(session: Session) -> None:
        _check_seen(session, node, seen)
        typed: dict[str, Any] = {name: name in request.form for name in SWITCHES}
        rules.put(session, node, Rule(**typed | forms.bounded(request.form, LIMITS, currency)))

    try:
        doors().write(write)
    except DomainError as refusal:
        found = doors().read(lambda session: gather(session, node))
        typed = forms.text(request.form, (*LIMITS, *SWITCHES))
        return _render(found, typed=typed, flaws=refusals.flaws(refusal)), 422
    flash(gettext("Saved. It holds from now on, also for counts that are open."), "good")
    return redirect(url_for("pages.planner.count_rules", node=node), code=303)


def remove() -> ResponseReturnValue:
    """Take a node's own rule away."""
    node, seen = request.form.get("node", ""), request.form.get("seen", "")

    def write(session: Session) -> None:
        _check_seen(session, node, seen)
        rules.remove(session, node)

    doors().write(write)
    flash(gettext("This node counts as all others from now on."), "good")
    return redirect(url_for("pages.planner.count_rules", node=node), code=303)


def gather(session: Session, node: str) -> RulesPage:
    """Read the rules, and the one in force at a node."""
    names = {each.id: each.name for each in reports.nodes(session)}
    return RulesPage(rules.own(session), names, node, rules.rule_of(session, node))


def as_seen(rule: Rule | None) -> str:
    """Return a node's own rule as a form remembers it, to find whether somebody changed it meanwhile."""
    return "|".join(map(str, asdict(rule).values())) if rule else "none"


def _check_seen(session: Session, node: str, seen: str) -> None:
    if as_seen(rules.own(session).get(node)) != seen:
        raise ChangedMeanwhile("this rule")


def _row_of(rule: Rule) -> dict[str, str]:
    shown = {name: str(value) for name, value in asdict(rule).items()}
    switches = {name: "on" if getattr(rule, name) else "" for name in SWITCHES}
    return shown | switches | {"recount_value_minor": plain(rule.recount_value_minor, config().network.currency)}


def _render(found: RulesPage, *, typed: Mapping[str, str], flaws: Mapping[str, str] = NOTHING) -> str:
    return render_template(
        "planner/count_rules.html", found=found, typed=typed, flaws=flaws, everywhere=EVERYWHERE,
        seen=as_seen(found.own.get(found.node)), currency=config().network.currency,
    )  # fmt: skip
