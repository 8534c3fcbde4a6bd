"""`oms plan`: what the night would change, shown before and after, and accepted in whole or part."""

from __future__ import annotations

import time

import click
from rich.console import Console
from rich.table import Table

from api import nights
from api.cli.root import Session, with_session
from api.house import House
from api.jobs import RUNS, attempt
from fulfillment.planning import report
from fulfillment.planning.models import Run, RunStatus
from fulfillment.planning.runs import Outcome
from kernel.money import Money

ACTOR = "command line"
UNDER_WAY = {RunStatus.QUEUED, RunStatus.RUNNING}
POLL_S = 0.5


@click.group(invoke_without_command=True)
@click.option("--accept", "at_once", is_flag=True, help="Accept the whole run at once.")
@click.pass_context
def plan(context: click.Context, *, at_once: bool) -> None:
    """Plan the night: decide anew all that nobody works on yet, and show what would change."""
    if context.invoked_subcommand is not None:
        return
    session: Session = context.obj
    house = session.house
    run_id = nights.start(house, cause="command", actor=ACTOR)
    _work_out(house, run_id)
    status = nights.view(house, run_id, lambda run: _show(run, house.config.network.currency))
    if status != RunStatus.PROPOSED:
        raise click.ClickException("The run could not be worked out.")
    if at_once:
        _tell(nights.accept(house, run_id, None, actor=ACTOR))
    else:
        click.echo(f"Accept it with `oms plan accept {run_id}`, or part of it with --demand.")


@plan.command()
@click.argument("run_id")
@with_session
def show(session: Session, run_id: str) -> None:
    """Show a run before and after, by term."""
    nights.view(session.house, run_id, lambda run: _show(run, session.config.network.currency))


@plan.command()
@click.argument("run_id")
@click.option("--demand", "demand_ids", multiple=True, help="Accept the movement of this demand only; repeatable.")
@with_session
def accept(session: Session, run_id: str, demand_ids: tuple[str, ...]) -> None:
    """Apply a run; what no longer fits lapses."""
    _tell(nights.accept(session.house, run_id, list(demand_ids) or None, actor=ACTOR))


@plan.command()
@click.argument("run_id")
@with_session
def reject(session: Session, run_id: str) -> None:
    """Decline a run; nothing changes."""
    nights.reject(session.house, run_id, actor=ACTOR)
    click.echo("Rejected.")


def _work_out(house: House, run_id: str) -> None:
    """Work the run out here, or wait for the process that does."""
    with Console(stderr=True).status("Planning the night ..."):
        while nights.view(house, run_id, lambda run: run.status) in UNDER_WAY:
            if attempt(house, RUNS) is None:
                time.sleep(POLL_S)


def _show(run: Run, currency: str) -> str:
    if run.cost_before_minor is None or run.cost_after_minor is None:
        click.echo(f"Run {run.number} is {run.status}. {run.message or ''}".strip())
        return run.status
    table = Table("cost", "before", "after", "saving", title=f"Run {run.number}, {run.status}, {run.demands:,} demands")
    for column in table.columns[1:]:
        column.justify = "right"
    for term in report.terms(run):
        table.add_row(
            term.term, *(_amount(minor, currency) for minor in (term.before_minor, term.after_minor, term.saving_minor))
        )
    saving = run.cost_before_minor - run.cost_after_minor
    totals = (run.cost_before_minor, run.cost_after_minor, saving)
    table.add_row("total", *(_amount(minor, currency) for minor in totals), style="bold")
    Console().print(table)
    bound, gap = _amount(run.bound_minor or 0, currency), report.gap(run) or 0.0
    click.echo(f"{len(run.movements):,} movements; bound {bound}, gap {gap:.4%}, {run.seconds} s.")
    return run.status


def _amount(minor: int, currency: str) -> str:
    return f"{Money(minor, currency).amount} {currency}"


def _tell(outcome: Outcome) -> None:
    click.echo(f"{len(outcome.applied):,} movements applied, {len(outcome.lapsed):,} lapsed.")
