"""One node: what it does, when and at which cost, and the planner's changes to it.

Invariant: a change names the version it was made on, so that nobody overwrites what they have not seen; stopping and
resuming today are single taps that say the same whoever taps first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from api.pages.export import csv_file
from api.pages.planner import forms
from api.pages.planner.today import NodeToday, node_today
from api.pages.visit import config, doors, now
from fulfillment.network import catalog, edits, pick_success, policies, report
from fulfillment.network.models import NodeProfile
from fulfillment.network.pick_success import Chance
from fulfillment.network.report import WorkDay
from fulfillment.work import report as work_report
from fulfillment.work.report import Load
from stock import reports
from stock.reports import NodeStock

DAYS_SHOWN = 14
INTERVALS_SHOWN = 2
WORST_SHOWN = 10


@dataclass(frozen=True)
class NodePage:
    """All that the page answers about a node."""

    today: NodeToday
    status: str
    time_zone: str
    profile: NodeProfile
    days: list[WorkDay]
    stock: NodeStock
    found: float
    worst: list[Chance]

    def hours(self, weekday: int, interval: int) -> tuple[str, str]:
        """Return opening and closing of an interval of a weekday, empty where there is none."""
        intervals = self.profile.opening_hours.get(str(weekday), [])
        return tuple(intervals[interval]) if interval < len(intervals) else ("", "")


def page(node_id: str) -> ResponseReturnValue:
    """Show a node, or give its days as a file."""
    node = doors().read(lambda session: gather(session, node_id, now=now()))
    if request.args.get("format") == "csv":
        return csv_file(f"capacity-{node_id}", DAY_COLUMNS, node.days)
    return render_template(
        "planner/node.html", node=node, intervals=INTERVALS_SHOWN, currency=config().network.currency
    )


def gather(session: Session, node_id: str, *, now: datetime) -> NodePage:
    """Read a node. Raises NotFound."""
    profile = report.profile_of(session, node_id)
    place = reports.node(session, node_id)
    days = report.days(session, node_id, DAYS_SHOWN, now=now)
    stock = reports.by_node(session, node_id).get(node_id, NodeStock())
    load = work_report.load_by_node(session, now=now, node=node_id).get(node_id, Load())
    today = node_today(place, profile, days[0], stock, load)
    settings = policies.active(session, policies.DEFAULT).settings
    found = pick_success.prior_of(session, node_id, strength=settings.node_prior_lines)
    worst = pick_success.worst(
        session, node_id, prior=found, strength=settings.pick_prior_lines, now=now, limit=WORST_SHOWN
    )
    return NodePage(today, place.status, place.time_zone, profile, days, stock, found, worst)


def stop(node_id: str) -> ResponseReturnValue:
    """Take no more work today."""
    name, day = doors().write(lambda session: _set_today(session, node_id, 0))
    kept = gettext("What it has already, %(minutes)d minutes, stays with it.", minutes=day.claimed_minutes)
    flash(gettext("%(node)s takes no more work today.", node=name) + " " + kept, "good")
    return redirect(_back(node_id), code=303)


def resume(node_id: str) -> ResponseReturnValue:
    """Go back to the usual capacity today."""
    name, day = doors().write(lambda session: _set_today(session, node_id, None))
    sentence = gettext("%(node)s works today with its usual %(minutes)d minutes.", node=name, minutes=day.usual_minutes)
    flash(sentence, "good")
    return redirect(_back(node_id), code=303)


def set_hours(node_id: str) -> ResponseReturnValue:
    """Change weekly hours and cut-off."""
    changes = {"opening_hours": forms.week(request.form, INTERVALS_SHOWN), "cut_off": request.form.get("cut_off", "")}
    return _change(node_id, changes, gettext("Hours and cut-off are saved. Promises already given stand."))


def set_work(node_id: str) -> ResponseReturnValue:
    """Change services, usual capacity and costs."""
    currency = config().network.currency
    changes = {
        **{name: name in request.form for name in ("ships", "collects", "takes_returns")},
        **{name: forms.whole(request.form, name) for name in ("capacity_minutes", "package_minutes", "line_minutes")},
        **{
            f"{name}_minor": forms.money(request.form, name, currency)
            for name in ("package_cost", "line_cost", "unit_cost")
        },
        "pick_success": float(forms.decimal(request.form, "pick_success") / Decimal(100)),
    }
    return _change(node_id, changes, gettext("Saved. Decisions from now on use it; those already made stand."))


def set_capacity(node_id: str) -> ResponseReturnValue:
    """Change the capacity of single days."""
    version = forms.whole(request.form, "version")
    wanted = forms.days(request.form)

    def change(session: Session) -> list[WorkDay]:
        present = {day.on_date: day.set_minutes for day in report.days(session, node_id, DAYS_SHOWN, now=now())}
        changes = {day: minutes for day, minutes in wanted.items() if day in present and present[day] != minutes}
        edits.change_days(session, node_id, changes, version=version)
        session.flush()
        return [day for day in report.days(session, node_id, DAYS_SHOWN, now=now()) if day.on_date in changes]

    _say_days(doors().write(change))
    return redirect(url_for("pages.planner.node", node_id=node_id), code=303)


def _set_today(session: Session, node_id: str, minutes: int | None) -> tuple[str, WorkDay]:
    today = report.days(session, node_id, 1, now=now())[0].on_date
    catalog.set_capacity(session, node_id, today, minutes)
    session.expire_all()
    return reports.node(session, node_id).name, report.days(session, node_id, 1, now=now())[0]


def _change(node_id: str, changes: Mapping[str, object], sentence: str) -> ResponseReturnValue:
    version = forms.whole(request.form, "version")
    doors().write(lambda session: edits.change_profile(session, node_id, changes, version=version))
    flash(sentence, "good")
    return redirect(url_for("pages.planner.node", node_id=node_id), code=303)


def _say_days(changed: list[WorkDay]) -> None:
    if not changed:
        flash(gettext("Nothing was different, so nothing was changed."), "calm")
        return
    count = len(changed)
    flash(ngettext("The capacity of %(num)d day is saved.", "The capacity of %(num)d days is saved.", count), "good")
    over = [day for day in changed if day.claimed_minutes > day.capacity_minutes]
    if over:
        flash(ngettext(
            "On %(num)d of them more is claimed than it now has: that work stays, and no more is added.",
            "On %(num)d of them more is claimed than they now have: that work stays, and no more is added.",
            len(over),
        ), "warn")  # fmt: skip


def _back(node_id: str) -> str:
    if request.form.get("from") == "network":
        return url_for("pages.planner.network")
    return url_for("pages.planner.node", node_id=node_id)


DAY_COLUMNS = {
    "date": lambda day: day.on_date,
    "closed": lambda day: day.closed,
    "usual_minutes": lambda day: day.usual_minutes,
    "set_minutes": lambda day: day.set_minutes,
    "capacity_minutes": lambda day: day.capacity_minutes,
    "claimed_minutes": lambda day: day.claimed_minutes,
    "held_minutes": lambda day: day.held_minutes,
}
