"""Counts as those see them who review: differences in units and value, who counted when, and what is accepted.

Invariant: nothing is posted that nobody looked at: where rounds disagree, the reviewer says which is right.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from api import deciding
from api.house import house
from api.pages.export import Columns, amount, csv_file
from api.pages.visit import caller, config, doors, now
from kernel.money import Money
from stock import lists, reports
from stock.counting import counts, report
from stock.counting.documents import Count, CountStatus
from stock.counting.report import LineView, Progress, TallyView

MOST_LISTED = 200
AGAIN = "again"
SHOWN_FIRST = CountStatus.REVIEW


@dataclass(frozen=True)
class Listed:
    """Counts of a status, the nodes' names, and how far each is."""

    counts: list[Count]
    names: dict[str, str]
    progress: dict[str, Progress]


def listing() -> ResponseReturnValue:
    """Show the counts of a status, the oldest first."""
    status = request.args.get("status", SHOWN_FIRST)
    node = request.args.get("node") or None
    listed = doors().read(lambda session: _listed(session, status, node))
    return render_template("planner/counts.html", listed=listed, status=status, node=node, statuses=list(CountStatus))


def page(count_id: str) -> ResponseReturnValue:
    """Show a count for review, or give its lines as a file."""
    view = doors().read(lambda session: report.view(session, lists.count(session, count_id), blind=False))
    if request.args.get("format") == "csv":
        rows = [(line, tally) for line in view.lines for tally in line.tallies or ()]
        return csv_file(f"count-{count_id}", COLUMNS, rows)
    return render_template(
        "planner/count.html", view=view, lines=by_weight(view.lines), sums=sums(view.lines), again=AGAIN,
        zone=config().night.time_zone, now=now(),
    )  # fmt: skip


def decide(count_id: str) -> ResponseReturnValue:
    """Keep what the reviewer chose for each article, and post when that was asked for."""
    chosen = {name.removeprefix("line-"): value for name, value in request.form.items() if name.startswith("line-")}
    recount = sorted(sku for sku, value in chosen.items() if value == AGAIN)
    accept = {sku: int(value) for sku, value in chosen.items() if value.isdigit()}
    actor = caller().actor

    def write(session: Session) -> set[str]:
        if accept or recount:
            counts.review(session, count_id, accept=accept, recount=recount, actor=actor, now=now())
        if "post" not in request.form or recount:
            return set()
        counts.post(session, count_id, actor=actor, now=now())
        return {line.sku for line in lists.count(session, count_id).lines}

    skus = doors().write(write)
    deciding.after_stock(house(), skus, actor=caller().actor)
    if recount:
        flash(ngettext("%(num)d article is to be counted once more.", "%(num)d articles are to be counted once more.",
                       len(recount)), "calm")  # fmt: skip
    elif skus:
        flash(gettext("Posted. What was promised beyond it is decided again."), "good")
    else:
        flash(gettext("Kept. Nothing is posted yet."), "calm")
    return redirect(url_for("pages.planner.count", count_id=count_id), code=303)


def void(count_id: str) -> ResponseReturnValue:
    """Throw a count away."""
    doors().write(lambda session: counts.void(session, count_id, actor=caller().actor, now=now()).id)
    flash(gettext("The count is void; nothing was posted."), "calm")
    return redirect(url_for("pages.planner.counts"), code=303)


def by_weight(lines: list[LineView]) -> list[LineView]:
    """Return the lines with a difference first, the most valuable first."""

    def weight(line: LineView) -> tuple[int, int]:
        standing = line.standing
        return (abs(standing.value.minor), abs(standing.difference)) if standing else (0, 0)

    return sorted(lines, key=weight, reverse=True)


def sums(lines: list[LineView]) -> list[tuple[Money, Money]]:
    """Return what is missing and what was found too much, at cost, by currency."""
    totals: dict[str, list[int]] = {}
    for line in lines:
        if (standing := line.standing) is not None:
            total = totals.setdefault(standing.value.currency, [0, 0])
            total[standing.value.minor > 0] += standing.value.minor
    return [(Money(lost, currency), Money(gained, currency)) for currency, (lost, gained) in sorted(totals.items())]


def _listed(session: Session, status: str, node: str | None) -> Listed:
    found = lists.counts(session, node=node, status=status, after=None, limit=MOST_LISTED).rows
    names = {each.id: each.name for each in reports.nodes(session)}
    return Listed(found, names, report.progress(session, [each.id for each in found]))


COLUMNS: Columns[tuple[LineView, TallyView]] = {
    "sku": lambda row: row[0].sku,
    "article": lambda row: row[0].article.name,
    "shelf": lambda row: row[0].shelf,
    "round": lambda row: row[1].round,
    "counted": lambda row: row[1].counted,
    "low": lambda row: row[1].low,
    "high": lambda row: row[1].high,
    "difference": lambda row: row[1].difference,
    "value": lambda row: amount(row[1].value.minor, row[1].value.currency),
    "currency": lambda row: row[1].value.currency,
    "counters": lambda row: " ".join(row[1].counters),
    "counted_at": lambda row: row[1].counted_at,
    "accepted": lambda row: row[0].accepted_round == row[1].round,
}
