"""What waits for a node, why, and deciding it again now.

Invariant: deciding again takes the demands that the form names, one after another, each in its own transaction.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from api import deciding
from api.pages.export import Columns, csv_file
from api.pages.links import sorted_by
from api.pages.visit import caller, config, doors, now
from fulfillment.work import report
from fulfillment.work.report import WaitingLine, WaitingReason
from oms import queries
from stock import reports

MOST_AT_ONCE = 100
STANDING_ORDER = "placed_at"
SORTABLE = ("placed_at", "sku", "units", "reason", "attempts", "promised_by")


@dataclass(frozen=True)
class Waiting:
    """All that the page answers: reasons, lines, and the names of what they hold."""

    reasons: list[WaitingReason]
    lines: list[WaitingLine]
    numbers: dict[str, str]
    articles: dict[str, str]


def page() -> ResponseReturnValue:
    """Show what waits, or give it as a file."""
    reason = request.args.get("reason") or None
    waiting = doors().read(lambda session: gather(session, reason))
    lines = sorted_by(waiting.lines, SORTABLE, STANDING_ORDER)
    if request.args.get("format") == "csv":
        return csv_file("waiting", columns(waiting), lines)
    return render_template(
        "planner/waiting.html", waiting=waiting, lines=lines, reason=reason, standing=STANDING_ORDER,
        zone=config().night.time_zone, now=now(), most=MOST_AT_ONCE,
    )  # fmt: skip


def decide() -> ResponseReturnValue:
    """Decide some demands again, now."""
    chosen = list(dict.fromkeys(request.form.getlist("demand")))[:MOST_AT_ONCE]
    if not chosen:
        flash(gettext("Nothing was ticked, so nothing was decided."), "warn")
        return redirect(_back(), code=303)
    found = sum(_decide_one(demand_id) for demand_id in chosen)
    flash(ngettext("%(num)d demand was decided again.", "%(num)d demands were decided again.", len(chosen)) + " "
          + ngettext("%(num)d of them now has a node.", "%(num)d of them now have a node.", found), "good")  # fmt: skip
    return redirect(_back(), code=303)


def gather(session: Session, reason: str | None) -> Waiting:
    """Read what waits."""
    lines = report.waiting_lines(session, reason=reason)
    numbers = queries.numbers(session, {line.reference for line in lines})
    articles = reports.articles(session, {line.sku for line in lines})
    names = {sku: article.name for sku, article in articles.items()}
    return Waiting(report.waiting_reasons(session), lines, numbers, names)


def _decide_one(demand_id: str) -> bool:
    """Decide one demand again; tell whether it got a node for anything."""
    return bool(deciding.again(doors(), demand_id, cause="planner", now=now(), actor=caller().actor, insist=True))


def _back() -> str:
    return url_for("pages.planner.waiting", reason=request.form.get("reason") or None)


def columns(waiting: Waiting) -> Columns[WaitingLine]:
    """Return the columns of the table as a file has them."""
    return {
        "order": lambda line: waiting.numbers.get(line.reference, line.reference),
        "sku": lambda line: line.sku,
        "article": lambda line: waiting.articles.get(line.sku),
        "units": lambda line: line.units,
        "method": lambda line: line.method,
        "collect_node": lambda line: line.collect_node,
        "postal_code": lambda line: line.postal_code,
        "country": lambda line: line.country,
        "placed_at": lambda line: line.placed_at,
        "promised_by": lambda line: line.promised_by,
        "reason": lambda line: line.reason,
        "attempts": lambda line: line.attempts,
    }
