"""Runs of the night: the list, one run before and after, and the planner's verdict on its movements.

Invariant: what is accepted is named by demand, so that a filter cannot mean something else when the form arrives.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from api import nights
from api.house import house
from api.pages import costs
from api.pages.export import Columns, amount, csv_file
from api.pages.links import sorted_by
from api.pages.planner import map_of
from api.pages.visit import caller, config, doors, now
from fulfillment.network import report as network_report
from fulfillment.planning import report, runs
from fulfillment.planning.models import Movement, Run, RunStatus
from fulfillment.planning.report import Change, Flow, TermChange
from fulfillment.work import report as work_report
from oms import queries
from stock import reports

UNDER_WAY = frozenset({RunStatus.QUEUED, RunStatus.RUNNING})
WAITING = "waiting"
STANDING_ORDER = "-saving_minor"
SORTABLE = ("number", "saving_minor", "cost_before_minor", "cost_after_minor", "fate")


@dataclass(frozen=True)
class MovementRow:
    """What a run would change for one demand, told in the caller's words."""

    demand_id: str
    order_id: str
    number: str
    changes: list[Change]
    cost_before_minor: int
    cost_after_minor: int
    saving_minor: int
    fate: str
    reason: str | None

    def touches(self, source: str | None, target: str | None) -> bool:
        """Tell whether some units go from `source` to `target`; what is None is not asked."""
        return any(
            (source is None or (change.source or WAITING) == source)
            and (target is None or (change.target or WAITING) == target)
            for change in self.changes
        )


@dataclass(frozen=True)
class RunPage:
    """All that the page answers about a run. `terms` is every term that costs anything; `rows` are the filtered."""

    run: Run
    terms: list[TermChange]
    flows: list[Flow]
    movements: list[MovementRow]
    rows: list[MovementRow]
    node_names: dict[str, str]
    article_names: dict[str, str]
    gap: float | None
    chart: dict[str, object]

    @property
    def saving_minor(self) -> int | None:
        """What accepting all of it saves."""
        before, after = self.run.cost_before_minor, self.run.cost_after_minor
        return None if before is None or after is None else before - after

    @property
    def applied_minor(self) -> int:
        """What the applied movements save."""
        return sum(row.saving_minor for row in self.movements if row.fate == runs.APPLIED)

    @property
    def filtered(self) -> bool:
        """Whether fewer movements are shown than there are."""
        return len(self.rows) < len(self.movements)

    def places(self, end: str) -> list[tuple[str, str]]:
        """Return the places that flows leave ("source") or reach ("target"), with their names."""
        found = {getattr(flow, end) for flow in self.flows}
        return sorted(((place or WAITING, self.node(place)) for place in found), key=lambda pair: pair[1])

    def node(self, node_id: str | None) -> str:
        """Return the name of a node, or the word for waiting."""
        return gettext("waiting") if node_id is None else self.node_names.get(node_id, node_id)


def listing() -> ResponseReturnValue:
    """Show all runs, or give them as a file."""
    found = doors().read(report.latest)
    currency = config().network.currency
    if request.args.get("format") == "csv":
        return csv_file("runs", run_columns(currency), found)
    return render_template(
        "planner/runs.html", runs=found, gap=report.gap, currency=currency, zone=config().night.time_zone, now=now()
    )


def start() -> ResponseReturnValue:
    """Queue a run; it is solved in the background."""
    run_id = doors().write(_start)
    return redirect(url_for("pages.planner.run", run_id=run_id), code=303)


def page(run_id: str) -> ResponseReturnValue:
    """Show a run, or give one of its tables as a file."""
    shown = doors().read(lambda session: gather(session, run_id))
    currency = config().network.currency
    if request.args.get("format") == "csv":
        return _file(shown, request.args.get("table", "movements"), currency)
    return render_template(
        "planner/run.html", page=shown, run=shown.run, currency=currency, zone=config().night.time_zone, now=now(),
        standing=STANDING_ORDER, under_way=shown.run.status in UNDER_WAY,
        fates=sorted({row.fate for row in shown.movements}), term_figures=_term_figures(shown.terms, currency),
        sources=shown.places("source"), targets=shown.places("target"),
    )  # fmt: skip


def progress(run_id: str) -> ResponseReturnValue:
    """Answer the poll of a page that shows a run under way; when it has ended, the page loads again."""
    run = doors().read(lambda session: runs.view(session, run_id))
    headers = {} if run.status in UNDER_WAY else {"HX-Refresh": "true"}
    return render_template("planner/_progress.html", run=run, currency=config().network.currency), headers


def accept(run_id: str) -> ResponseReturnValue:
    """Accept all movements, or those that the form names."""
    chosen = None if request.form.get("which") == "all" else request.form.getlist("demand")
    if chosen == []:
        flash(gettext("Nothing was ticked, so nothing was accepted."), "warn")
        return redirect(url_for("pages.planner.run", run_id=run_id), code=303)
    outcome = nights.accept(house(), run_id, chosen, actor=caller().actor)
    count = len(outcome.applied)
    flash(ngettext("%(num)d movement is applied.", "%(num)d movements are applied.", count), "good")
    if outcome.lapsed:
        flash(ngettext(
            "%(num)d was no longer possible and is listed as lapsed, with the reason.",
            "%(num)d were no longer possible and are listed as lapsed, with the reason.",
            len(outcome.lapsed),
        ), "warn")  # fmt: skip
    return redirect(url_for("pages.planner.run", run_id=run_id), code=303)


def reject(run_id: str) -> ResponseReturnValue:
    """Decline the whole run."""
    doors().write(lambda session: runs.reject(session, run_id, actor=caller().actor, now=now()))
    flash(gettext("The run is rejected; nothing was changed."), "good")
    return redirect(url_for("pages.planner.run", run_id=run_id), code=303)


def cancel(run_id: str) -> ResponseReturnValue:
    """Give up a run that is under way."""
    doors().write(lambda session: runs.cancel(session, run_id, actor=caller().actor, now=now()))
    flash(gettext("The run is cancelled; nothing was changed."), "good")
    return redirect(url_for("pages.planner.run", run_id=run_id), code=303)


def gather(session: Session, run_id: str) -> RunPage:
    """Read a run with the names of what it moves. Raises NotFound."""
    run = runs.view(session, run_id)
    movements = list(run.movements)
    orders = work_report.references(session, [movement.demand_id for movement in movements])
    numbers = queries.numbers(session, set(orders.values()))
    rows = [_row(movement, orders, numbers) for movement in movements]
    flows = report.flows(movements)
    names = {node.id: node.name for node in reports.nodes(session)}
    skus = {change.sku for row in rows for change in row.changes}
    articles = {sku: article.name for sku, article in reports.articles(session, skus).items()}
    chart = map_of.flows(network_report.profiles(session), names, flows)
    return RunPage(run, report.terms(run), flows, rows, _shown(rows), names, articles, report.gap(run), chart)


def _start(session: Session) -> str:
    run = runs.start(session, cause="planner", seed=config().night.seed, actor=caller().actor, now=now())
    session.flush()
    return run.id


def _row(movement: Movement, orders: dict[str, str], numbers: dict[str, str]) -> MovementRow:
    order_id = orders.get(movement.demand_id, "")
    return MovementRow(
        demand_id=movement.demand_id,
        order_id=order_id,
        number=numbers.get(order_id, order_id),
        changes=report.changes(movement),
        cost_before_minor=movement.cost_before_minor,
        cost_after_minor=movement.cost_after_minor,
        saving_minor=movement.saving_minor,
        fate=movement.fate,
        reason=movement.reason,
    )


def _shown(rows: list[MovementRow]) -> list[MovementRow]:
    source, target, fate = (request.args.get(name) or None for name in ("source", "target", "fate"))
    shown = [row for row in rows if row.touches(source, target) and fate in {None, row.fate}]
    return sorted_by(shown, SORTABLE, STANDING_ORDER)


def _term_figures(terms: list[TermChange], currency: str) -> list[dict[str, object]]:
    return [
        {
            "word": costs.term(term.term),
            "before": float(amount(term.before_minor, currency) or 0),
            "after": float(amount(term.after_minor, currency) or 0),
        }
        for term in terms
    ]


def _file(page: RunPage, table: str, currency: str) -> ResponseReturnValue:
    name = f"run-{page.run.number}-{table}"
    if table == "terms":
        return csv_file(name, term_columns(currency), page.terms)
    if table == "flows":
        return csv_file(name, FLOW_COLUMNS, page.flows)
    return csv_file(f"run-{page.run.number}-movements", movement_columns(currency), page.rows)


FLOW_COLUMNS: Columns[Flow] = {
    "from": lambda flow: flow.source or WAITING,
    "to": lambda flow: flow.target or WAITING,
    "units": lambda flow: flow.units,
    "demands": lambda flow: flow.demands,
}


def run_columns(currency: str) -> Columns[Run]:
    """Return the columns of the list of runs as a file has them."""
    return {
        "run": lambda run: run.number,
        "planned_at": lambda run: run.planned_at,
        "cause": lambda run: run.cause,
        "status": lambda run: run.status,
        "demands": lambda run: run.demands,
        "cost_before": lambda run: amount(run.cost_before_minor, currency),
        "cost_after": lambda run: amount(run.cost_after_minor, currency),
        "currency": lambda _run: currency,
        "gap": report.gap,
        "decided_by": lambda run: run.decided_by,
        "decided_at": lambda run: run.decided_at,
    }


def term_columns(currency: str) -> Columns[TermChange]:
    """Return the columns of the cost by term as a file has them."""
    return {
        "term": lambda term: term.term,
        "before": lambda term: amount(term.before_minor, currency),
        "after": lambda term: amount(term.after_minor, currency),
        "saving": lambda term: amount(term.saving_minor, currency),
        "currency": lambda _term: currency,
    }


def movement_columns(currency: str) -> Columns[MovementRow]:
    """Return the columns of movements as a file has them."""
    return {
        "order": lambda row: row.number,
        "demand": lambda row: row.demand_id,
        "changes": lambda row: "; ".join(
            f"{change.units} {change.sku} {change.kind} {change.source or WAITING} > {change.target or WAITING}"
            for change in row.changes
        ),
        "cost_before": lambda row: amount(row.cost_before_minor, currency),
        "cost_after": lambda row: amount(row.cost_after_minor, currency),
        "saving": lambda row: amount(row.saving_minor, currency),
        "currency": lambda _row: currency,
        "fate": lambda row: row.fate,
        "reason": lambda row: row.reason,
    }
