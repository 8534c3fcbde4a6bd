"""Rules of safety stock: the list in the order in which they bind, one to write, and what they keep of an article.

Invariant: a change names the rule as it was seen; what is refused is shown beside the field, and nothing typed is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from api import catalog
from api.pages import refusals, words
from api.pages.export import Columns, csv_file
from api.pages.planner import forms
from api.pages.visit import doors
from fulfillment.network.edits import ChangedMeanwhile
from kernel.errors import DomainError, Fault
from oms import channels
from oms.models import Channel
from stock import reports, safety_rules
from stock.models import Article, Node, NodeKind, SafetyRule
from stock.safety_rules import SCOPE, Kept, RuleRow

NOTHING: Mapping[str, str] = {}
UNREAD = -1


@dataclass(frozen=True)
class SafetyPage:
    """All that the page answers: the rules, the one that is edited, and what is kept of the article asked about."""

    rules: list[SafetyRule]
    chosen: SafetyRule | None
    nodes: list[Node]
    channels: list[Channel]
    sizes: dict[str, int]
    article: Article | None
    kept: list[Kept]

    def goods(self, rule: SafetyRule) -> str:
        """Say of what a rule keeps units."""
        if rule.family:
            count = self.sizes.get(rule.family, 0)
            return ngettext(
                "family %(family)s: %(num)d article", "family %(family)s: %(num)d articles", count, family=rule.family
            )
        return rule.sku or gettext("every article")

    def place(self, rule: SafetyRule) -> str:
        """Say where a rule keeps units."""
        if rule.node:
            return self.name_of(rule.node)
        if not (rule.group or rule.kind):
            return gettext("every node")
        count = Counter((node.group if rule.group else node.kind) for node in self.nodes)[rule.group or rule.kind]
        if rule.group:
            return ngettext("group %(group)s: %(num)d node", "group %(group)s: %(num)d nodes", count, group=rule.group)
        kind = words.spelled(rule.kind)
        return ngettext("kind %(kind)s: %(num)d node", "kind %(kind)s: %(num)d nodes", count, kind=kind)

    def channel(self, rule: SafetyRule) -> str:
        """Say from whom a rule keeps units."""
        names = {each.id: each.name for each in self.channels}
        return names.get(rule.channel, rule.channel) or gettext("every channel")

    def name_of(self, node: str) -> str:
        """Return the name of a node."""
        return next((each.name for each in self.nodes if each.id == node), node)

    @property
    def groups(self) -> list[str]:
        """The groups that nodes are in."""
        return sorted({node.group for node in self.nodes if node.group})


def page() -> ResponseReturnValue:
    """Show the rules, or give them as a file that the import reads."""
    found = doors().read(lambda session: gather(session, request.args.get("rule", "")))
    if request.args.get("rule") and not found.chosen:
        abort(404)
    if request.args.get("format") == "csv":
        return csv_file("safety-rules", COLUMNS, found.rules)
    return _render(found, typed=_row_of(found.chosen) if found.chosen else {"active": "on"})


def save() -> ResponseReturnValue:
    """Write a rule, or show what is wrong with it beside what was typed."""
    typed = forms.text(request.form, ("id", "units", "active", *SCOPE))
    seen = request.form.get("seen", "")
    try:
        doors().write(lambda session: _write(session, typed, seen))
    except DomainError as refusal:
        found = doors().read(lambda session: gather(session, typed["id"] if seen else ""))
        return _render(found, typed=typed, flaws=refusals.flaws(refusal)), 422
    flash(gettext("The rule is saved. It binds from now on; what was promised before stays promised."), "good")
    return redirect(url_for("pages.planner.safety", rule=typed["id"]), code=303)


def remove() -> ResponseReturnValue:
    """Take a rule away."""
    rule_id, seen = request.form.get("id", ""), request.form.get("seen", "")

    def write(session: Session) -> None:
        _check_seen(safety_rules.one(session, rule_id), seen)
        safety_rules.remove(session, rule_id)

    doors().write(write)
    flash(gettext("The rule is taken away. What it kept back is for sale as the other rules say."), "good")
    return redirect(url_for("pages.planner.safety"), code=303)


def gather(session: Session, rule_id: str) -> SafetyPage:
    """Read the rules, one of them if it is there, and what is kept of the article asked about, else of the rule's."""
    rules = safety_rules.in_order(session)
    chosen = next((rule for rule in rules if rule.id == rule_id), None)
    sku = _asked("sku", chosen)
    article = reports.articles(session, {sku}).get(sku)
    return SafetyPage(
        rules=rules,
        chosen=chosen,
        nodes=reports.nodes(session),
        channels=channels.known(session),
        sizes=safety_rules.sizes_of(session, {rule.family for rule in rules if rule.family}),
        article=article,
        kept=safety_rules.kept(session, sku, channel=_asked("channel", chosen) or None) if article else [],
    )


def _asked(name: str, chosen: SafetyRule | None) -> str:
    """Return what the page is asked about: what the address says, else what the rule names."""
    return request.args.get(name, getattr(chosen, name, "")).strip()


def _write(session: Session, typed: Mapping[str, str], seen: str) -> None:
    rule_id = typed["id"]
    if seen:
        _check_seen(safety_rules.one(session, rule_id), seen)
    elif rule_id in {rule.id for rule in safety_rules.known(session)}:
        taken = gettext("There is a rule of this name. Open it to change it.")
        raise forms.Unreadable(taken, faults=(Fault("/id", "taken", taken),))
    units = typed["units"]
    row = RuleRow(
        id=rule_id,
        # The stock room says of such a number what is wrong with it, beside all other faults.
        units=int(units) if units.isascii() and units.isdigit() and len(units) < 10 else UNREAD,
        active=bool(typed["active"]),
        **{name: typed[name] for name in SCOPE},
    )
    catalog.put_safety_rules(session, [row])


def _check_seen(rule: SafetyRule, seen: str) -> None:
    if as_seen(rule) != seen:
        raise ChangedMeanwhile("this rule")


def as_seen(rule: SafetyRule) -> str:
    """Return a rule as a form remembers it, to find whether somebody changed it meanwhile."""
    return "|".join(_row_of(rule).values())


def _row_of(rule: SafetyRule) -> dict[str, str]:
    row = asdict(RuleRow(**{name: getattr(rule, name) for name in COLUMNS}))
    return {name: str(value) for name, value in row.items()} | {"active": "on" if rule.active else ""}


def _render(found: SafetyPage, *, typed: Mapping[str, str], flaws: Mapping[str, str] = NOTHING) -> str:
    return render_template(
        "planner/safety.html", found=found, typed=typed, flaws=flaws, kinds=list(NodeKind), as_seen=as_seen,
        sku=_asked("sku", found.chosen), channel=_asked("channel", found.chosen),
    )  # fmt: skip


COLUMNS: Columns[SafetyRule] = {
    "id": lambda rule: rule.id,
    "units": lambda rule: rule.units,
    "sku": lambda rule: rule.sku,
    "family": lambda rule: rule.family,
    "node": lambda rule: rule.node,
    "group": lambda rule: rule.group,
    "kind": lambda rule: rule.kind,
    "channel": lambda rule: rule.channel,
    "active": lambda rule: rule.active,
}
