"""The one form in which benchmarks report.

Owns the command line, the table and the JSON that every benchmark shares. Invariant: a row names what was measured, its
unit, the baseline or bound measured in the same run, the goal, and whether it was reached.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `spread` says how far repetitions lay apart, `reach` what the goal is, `ok` whether it is met."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    spread: str = ""
    reach: str = ""
    ok: bool | None = None

    @property
    def ratio(self) -> float | None:
        """The value as a multiple of the baseline."""
        return self.value / self.baseline if self.baseline else None


def arguments(description: str, *, folder: str | None = None, parts: Sequence[str] = ()) -> argparse.Namespace:
    """Read the options that all benchmarks have, `quick` and `json`.

    A `folder` may be given, if it is described, and one `part` or several, of those that a long one has.
    """
    parser = argparse.ArgumentParser(description=description)
    if folder is not None:
        parser.add_argument("folder", nargs="?", type=Path, help=folder)
    if parts:
        parser.add_argument("--part", action="append", choices=parts, help="only this part; may be given again")
    parser.add_argument("--quick", action="store_true", help="a short run")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args()


def report(bench: str, rows: Sequence[Row], *, seeds: Sequence[int], as_json: bool) -> None:
    """Print the rows of a benchmark."""
    load = f"load {os.getloadavg()[0]:.1f}"
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {load}"
    date = datetime.now(UTC).isoformat(timespec="seconds")
    if as_json:
        entries = [{**asdict(row), "ratio": row.ratio} for row in rows]
        print(json.dumps({"bench": bench, "machine": machine, "date": date, "seeds": list(seeds), "rows": entries}))
        return
    table = Table(title=f"{bench}: {machine}, {date}, seeds {', '.join(map(str, seeds))}")
    for heading in ("what", "value", "spread", "unit", "baseline", "ratio", "reach", ""):
        table.add_column(heading, justify="left" if heading in {"what", "unit", "reach"} else "right")
    for row in rows:
        verdict = {True: "ok", False: "missed", None: ""}[row.ok]
        figures = [_written(figure) for figure in (row.value, row.baseline, row.ratio)]
        table.add_row(row.name, figures[0], row.spread, row.unit, figures[1], figures[2], row.reach, verdict)
    Console(width=150).print(table)


def _written(figure: float | None) -> str:
    return "" if figure is None else f"{figure:,.3f}".rstrip("0").rstrip(".") if abs(figure) < 100 else f"{figure:,.0f}"
