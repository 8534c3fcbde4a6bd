"""`oms solve`: decide a problem given as a file, with the code that decides real orders."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fulfillment.optimizer.plan import Plan
    from fulfillment.optimizer.problem import Problem

INFEASIBLE = 2
LONGEST_S = 7 * 24 * 3600
LARGEST_SEED = 2**31 - 1
"""What the solvers take as a seed."""


@click.command()
@click.argument("problem", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--time-limit", default=60.0, show_default=True, help="Seconds to solve for.")
@click.option("--seed", default=0, show_default=True, help="The seed of the solver's draws.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the plan there and a summary here.")
def solve(problem: Path, time_limit: float, seed: int, out: Path | None) -> None:
    """Decide the sourcing problem in the file PROBLEM and give the plan; exit status 2 when it is infeasible."""
    from fulfillment.optimizer.check import check
    from fulfillment.optimizer.problem_file import ProblemFileError, plan_content, read_problem

    if not 0 < time_limit <= LONGEST_S:
        raise click.ClickException(f"--time-limit must be above 0 and at most {LONGEST_S}.")
    if not 0 <= seed <= LARGEST_SEED:
        raise click.ClickException(f"--seed must lie between 0 and {LARGEST_SEED}.")
    if out is not None and not out.parent.is_dir():
        raise click.ClickException(f"{out.parent} is no folder, so the plan could not be written there.")
    try:
        read = read_problem(_content(problem))
    except ProblemFileError as error:
        raise click.ClickException(str(error)) from error
    plan = _decided(read, time_limit_s=time_limit, seed=seed)
    findings = check(read, plan)
    if findings:
        raise click.ClickException(f"The plan does not hold, which is a fault of this program: {findings[0].message}.")
    content = plan_content(read, plan)
    _give(content, out)
    if plan.status == "infeasible":
        lines = ", ".join(f"{left['order']}/{left['line']}" for left in content["unfilled"])
        click.echo(f"Infeasible: these lines cannot be served: {lines}", err=True)
        sys.exit(INFEASIBLE)


def _content(path: Path) -> Any:
    content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    try:
        return json.loads(content.decode("utf-8-sig"), parse_float=Decimal, object_pairs_hook=_once_each)
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{path} is not text in UTF-8.") from error
    except ValueError as error:
        raise click.ClickException(f"{path} is not JSON: {error}.") from error
    except RecursionError as error:
        raise click.ClickException(f"{path} is nested too deeply to be a problem.") from error


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for place, key in enumerate(keys) if key in keys[:place])
        raise ValueError(f"an object has the key {twice!r} twice")
    return content


def _decided(problem: Problem, *, time_limit_s: float, seed: int) -> Plan:
    from fulfillment.optimizer.exact import NoPlanInTimeError
    from fulfillment.optimizer.mip import SolverFailedError
    from fulfillment.optimizer.solve import SolveParams, solve

    try:
        return solve(problem, SolveParams(time_limit_s=time_limit_s, seed=seed))
    except NoPlanInTimeError as error:
        raise click.ClickException(f"{error}.".capitalize()) from error
    except SolverFailedError as error:
        raise click.ClickException(f"The solver failed: {error}.") from error


def _give(content: dict[str, Any], out: Path | None) -> None:
    text = json.dumps(content, indent=1)
    if out is None:
        click.echo(text)
        return
    out.write_text(text + "\n", encoding="utf-8")
    figures = ", ".join(f"{name} {content[name]}" for name in ("objective", "bound", "gap", "seconds"))
    click.echo(f"{content['status']}: {figures}")
