"""`oms solve`: decide a problem given as a file, with the code that decides real orders."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

INFEASIBLE = 2


@click.command()
@click.argument("problem", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--time-limit", default=60.0, show_default=True, help="Seconds to solve for.")
@click.option("--seed", default=0, show_default=True, help="The seed of the solver's draws.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the plan there and a summary here.")
def solve(problem: Path, time_limit: float, seed: int, out: Path | None) -> None:
    """Decide the sourcing problem in the file PROBLEM and give the plan; exit status 2 when it is infeasible."""
    from fulfillment.optimizer.check import check
    from fulfillment.optimizer.problem_file import ProblemFileError, plan_content, read_problem
    from fulfillment.optimizer.solve import SolveParams
    from fulfillment.optimizer.solve import solve as decide

    if time_limit <= 0:
        raise click.ClickException("--time-limit must be above 0.")
    try:
        read = read_problem(_content(problem))
    except ProblemFileError as error:
        raise click.ClickException(str(error)) from error
    plan = decide(read, SolveParams(time_limit_s=time_limit, seed=seed))
    findings = check(read, plan)
    if findings:
        raise click.ClickException(f"The plan does not hold, which is a fault of this program: {findings[0]}")
    content = plan_content(read, plan)
    _give(content, out)
    if plan.status == "infeasible":
        lines = ", ".join(f"{left['order']}/{left['line']}" for left in content["unfilled"])
        click.echo(f"Infeasible: these lines cannot be served: {lines}", err=True)
        sys.exit(INFEASIBLE)


def _content(path: Path) -> Any:
    text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise click.ClickException(f"{path} is not JSON: {error}.") from error
    except RecursionError as error:
        raise click.ClickException(f"{path} is nested too deeply to be a problem.") from error


def _give(content: dict[str, Any], out: Path | None) -> None:
    text = json.dumps(content, indent=1)
    if out is None:
        click.echo(text)
        return
    out.write_text(text + "\n", encoding="utf-8")
    figures = ", ".join(f"{name} {content[name]}" for name in ("objective", "bound", "gap", "seconds"))
    click.echo(f"{content['status']}: {figures}")
