"""`oms plan`: one nightly run, now: worked out, shown before and after, and accepted when asked to."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from api import night
from api.cli.root import Session, with_session
from fulfillment.planning import report, runs
from fulfillment.planning.models import Run
from kernel.money import Money

ACTOR = "cli"


@click.command()
@click.option("--time-limit", type=click.IntRange(1, 86_400), help="Seconds to solve for; else as configured.")
@click.option("--seed", type=int, help="The seed of the solver's draws; else as configured.")
@click.option("--accept", is_flag=True, help="Accept what is proposed.")
@with_session
def plan(session: Session, time_limit: int | None, seed: int | None, accept: bool) -> None:  # noqa: FBT001 (a flag of the command)
    """Decide again, together, everything that nobody works on yet."""
    doors, clock, settings = session.house.doors, session.house.clock, session.config.night
    chosen = settings.seed if seed is None else seed
    run_id = doors.write(lambda work: runs.start(work, cause="cli", seed=chosen, actor=ACTOR, now=clock.now()).id)
    console = Console()
    with console.status("Working out the night ..."):
        night.work_out(doors, run_id, now=clock.now(), time_limit_s=time_limit or settings.time_limit_s)
    run = doors.read(lambda work: runs.view(work, run_id))
    console.print(_table(run, session.config.network.currency))
    console.print(_figures(run))
    if accept:
        outcome = night.accept(doors, run_id, None, actor=ACTOR, now=clock.now)
        console.print(f"Applied {len(outcome.applied)} movements; {len(outcome.lapsed)} lapsed.")
    else:
        console.print("Nothing has changed yet: accept it on the planner's page, over REST, or with --accept.")


def _table(run: Run, currency: str) -> Table:
    table = Table("cost", "before", "after", "saving", title=f"Run {run.number}: {run.demands} demands")
    for column in table.columns[1:]:
        column.justify = "right"
    for term in report.terms(run):
        table.add_row(term.term, *(_amount(minor, currency) for minor in (
            term.before_minor, term.after_minor, term.saving_minor,
        )))  # fmt: skip
    before, after = run.cost_before_minor or 0, run.cost_after_minor or 0
    table.add_section()
    table.add_row("all", *(_amount(minor, currency) for minor in (before, after, before - after)))
    return table


def _figures(run: Run) -> str:
    gap = report.gap(run)
    share = "unknown" if gap is None else f"{gap:.3%}"
    return f"{len(run.movements)} movements; at most {share} above the optimum; {run.seconds} s, {run.solver}."


def _amount(minor: int, currency: str) -> str:
    return f"{Money(minor, currency).amount} {currency}"
