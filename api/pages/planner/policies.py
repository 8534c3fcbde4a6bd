"""Policies: the list, one version in words beside its document, what it would change, and putting it in force.

Invariant: a change names the revision it was made on; what is refused is shown beside what was typed, and kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from api.pages.planner import forms
from api.pages.visit import caller, config, doors, now
from fulfillment.network import policies
from fulfillment.network.edits import ChangedMeanwhile
from fulfillment.network.models import Policy
from fulfillment.network.settings import InvalidPolicy, Settings, document_of, parse
from fulfillment.sourcing import shadow, trial
from fulfillment.sourcing.comparison import Comparison, compared, differs
from fulfillment.sourcing.trial import Pair
from kernel.errors import Fault
from oms import queries

TRIED = (50, 200, 500)
MOST_SHOWN = 50


@dataclass(frozen=True)
class Findings:
    """What a version would change over some demands: in all, those that differ, and the numbers of their orders."""

    comparison: Comparison
    pairs: list[Pair]
    numbers: dict[str, str]


@dataclass(frozen=True)
class PolicyPage:
    """All that the page answers: a version, the one in force, and what was tried or ran beside it."""

    policy: Policy
    settings: Settings
    active: policies.ActivePolicy
    tried: Findings | None
    shadowed: Findings | None


def listing() -> ResponseReturnValue:
    """Show every version of every policy."""
    return render_template("planner/policies.html", known=doors().read(policies.known))


def draft() -> ResponseReturnValue:
    """Begin a draft with what is in force."""
    policy_id = request.form.get("policy", "").strip()
    actor = caller().actor

    def write(session: Session) -> int:
        in_force = policies.active(session, policy_id)
        return policies.put(session, policy_id, document_of(in_force.settings), actor=actor)

    return redirect(_address(policy_id, doors().write(write)), code=303)


def page(policy_id: str, version: int) -> ResponseReturnValue:
    """Show one version; with `try` in the address, also what it would change for the newest demands."""
    most = request.args.get("try", type=int)
    return _render(doors().read(lambda session: gather(session, policy_id, version, most)), most=most)


def save(policy_id: str, version: int) -> ResponseReturnValue:
    """Save what a draft says, or show what is wrong with it beside the text."""
    typed = request.form.get("settings", "")
    note = request.form.get("note", "")[:200]
    faults: Sequence[Fault]
    try:
        document = json.loads(typed)
        _change(policy_id, version, lambda session: policies.revise(session, policy_id, version, document, note=note))
    except json.JSONDecodeError as error:
        where = gettext("line %(line)d, column %(column)d", line=error.lineno, column=error.colno)
        faults = (Fault(where, "json", gettext("This is no JSON: %(why)s", why=error.msg)),)
    except InvalidPolicy as refusal:
        faults = refusal.faults
    else:
        flash(gettext("The draft is saved. Nothing follows it before it is in force."), "good")
        return redirect(_address(policy_id, version), code=303)
    found = doors().read(lambda session: gather(session, policy_id, version, None))
    return _render(found, typed=typed, faults=faults), 422


def activate(policy_id: str, version: int) -> ResponseReturnValue:
    """Put a version in force."""
    at = now()
    _change(policy_id, version, lambda session: policies.activate(session, policy_id, version, now=at))
    flash(gettext("Version %(version)d is in force. Orders from now on follow it.", version=version), "good")
    return redirect(_address(policy_id, version), code=303)


def archive(policy_id: str, version: int) -> ResponseReturnValue:
    """Put a draft away."""
    _change(policy_id, version, lambda session: policies.archive(session, policy_id, version))
    flash(gettext("The draft is put away."), "calm")
    return redirect(_address(policy_id, version), code=303)


def run_beside(policy_id: str, version: int) -> ResponseReturnValue:
    """Run a draft beside the version in force, or no longer."""
    begins = request.form.get("on") == "1"

    def switch(session: Session) -> None:
        policies.shadow(session, policy_id, version, after=shadow.newest_decision(session) if begins else None)

    _change(policy_id, version, switch)
    if begins:
        flash(gettext("The draft now decides beside the version in force, without effect."), "good")
    else:
        flash(gettext("The draft runs no longer. Its figures stay."), "calm")
    return redirect(_address(policy_id, version), code=303)


def gather(session: Session, policy_id: str, version: int, most: int | None) -> PolicyPage:
    """Read one version, and try it where so many demands are asked for. Raises UnknownPolicy."""
    policy = policies.one(session, policy_id, version)
    tried = trial.tried(session, policy_id, version, most=max(1, most), now=now()) if most is not None else None
    ran = shadow.pairs(session, policy_id, version)
    return PolicyPage(
        policy=policy,
        settings=parse(policy.settings),
        active=policies.active(session, policy_id),
        tried=None if tried is None else _findings(session, tried),
        shadowed=_findings(session, ran) if ran or policy.shadow_after is not None else None,
    )


def _findings(session: Session, pairs: list[Pair]) -> Findings:
    differing = [pair for pair in pairs if differs(pair)][:MOST_SHOWN]
    return Findings(compared(pairs), differing, queries.numbers(session, {pair.reference for pair in differing}))


def _change(policy_id: str, version: int, verb: Callable[[Session], None]) -> None:
    revision = forms.whole(request.form, "revision")

    def write(session: Session) -> None:
        if policies.one(session, policy_id, version).revision != revision:
            raise ChangedMeanwhile("this policy")
        verb(session)

    doors().write(write)


def _render(
    found: PolicyPage, *, typed: str | None = None, faults: Sequence[Fault] = (), most: int | None = None
) -> str:
    document = json.dumps(found.policy.settings, indent=2, ensure_ascii=False) if typed is None else typed
    return render_template(
        "planner/policy.html", found=found, policy=found.policy, document=document, faults=faults, most=most,
        tried=TRIED, currency=config().network.currency, zone=config().night.time_zone, now=now(),
    )  # fmt: skip


def _address(policy_id: str, version: int) -> str:
    return url_for("pages.planner.policy", policy_id=policy_id, version=version)
