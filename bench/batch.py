"""How good a batch plan is, and how soon: `python -m bench.batch [--quick] [--json]`.

Batches are drawn from seeds. Beside each plan stand the bound that its own prices prove, the proven optimum (a time
limit cuts the proof short), and what first-in-first-out costs, where each order is decided exactly on what is left.
"""

from __future__ import annotations

from statistics import median
from time import perf_counter

import numpy as np

from bench.drawn import drawn_batch
from bench.report import Row, arguments, report
from fulfillment.optimizer.alone import decided_first
from fulfillment.optimizer.batch import solve_batch
from fulfillment.optimizer.check import check
from fulfillment.optimizer.exact import solve_exact
from fulfillment.optimizer.plan import Plan, priced_plan
from fulfillment.optimizer.problem import Problem

PROOF_LIMIT_S = 120.0


def first_in_first_out(problem: Problem) -> Plan:
    """Decide each order exactly in turn, on the stock and capacity that those before it left."""
    started = perf_counter()
    assignments, _ = decided_first(problem, range(len(problem.orders)))
    seconds = perf_counter() - started
    return priced_plan(problem, assignments, bound=0, seconds=seconds, solver="first in, first out", seed=0)


def extra_packages(plan: Plan) -> int:
    """Count the packages beyond one for each order that is served at all."""
    packages = {(part.order, part.option) for part in plan.assignments}
    return len(packages) - len({order for order, _ in packages})


def measured(orders: int, nodes: int, seeds: tuple[int, ...], *, limit_s: float, proof: bool) -> list[Row]:
    """Plan a batch for each seed, and compare."""
    figures: dict[str, list[float]] = {
        name: [] for name in ("s", "gap", "optimum", "cost", "fifo", "extra", "fifo extra")
    }
    findings = 0
    for seed in seeds:
        problem = drawn_batch(orders, nodes, seed)
        plan = solve_batch(problem, time_limit_s=limit_s, seed=seed)
        fifo = first_in_first_out(problem)
        findings += len(check(problem, plan)) + len(check(problem, fifo))
        figures["s"].append(plan.seconds)
        figures["gap"].append(100 * plan.gap)
        figures["cost"].append(plan.objective)
        figures["fifo"].append(fifo.objective)
        figures["extra"].append(extra_packages(plan))
        figures["fifo extra"].append(extra_packages(fifo))
        if proof:
            proven = solve_exact(problem, time_limit_s=PROOF_LIMIT_S, seed=0)
            figures["optimum"].append(100 * (plan.objective / max(plan.bound, proven.bound) - 1))
    return _rows(f"{orders:,} orders x {nodes} nodes", figures, findings)


def _rows(name: str, figures: dict[str, list[float]], findings: int) -> list[Row]:
    small = name.startswith("2,000")
    rows = [
        _row(f"{name}, time", figures["s"], "s", 3.0 if small else 20.0),
        _row(f"{name}, above the bound of its prices", figures["gap"], "%", None if small else 0.6),
        _row(f"{name}, cost; baseline first in, first out", figures["cost"], "cents", None, figures["fifo"]),
        _row(f"{name}, extra packages; baseline as above", figures["extra"], "packages", None, figures["fifo extra"]),
        Row(f"{name}, findings of the judge", findings, "findings", reach="0", ok=not findings),
    ]
    if figures["optimum"]:
        rows.insert(1, _row(f"{name}, above the proven bound", figures["optimum"], "%", 0.05))
    return rows


def _row(name: str, values: list[float], unit: str, reach: float | None, baseline: list[float] | None = None) -> Row:
    middle = median(values)
    return Row(
        name,
        middle,
        unit,
        median(baseline) if baseline else None,
        f"{np.min(values):,.4g} - {np.max(values):,.4g}",
        "" if reach is None else f"<= {reach}",
        None if reach is None else middle <= reach,
    )


def main() -> None:
    """Run the benchmark."""
    options = arguments("Plan batches of orders that share stock and capacity.")
    if options.quick:
        seeds: tuple[int, ...] = (1, 2)
        rows = measured(400, 12, seeds, limit_s=10, proof=True)
    else:
        seeds = (1, 2, 3, 4, 5)
        rows = measured(2000, 20, seeds, limit_s=10, proof=True)
        rows += measured(10_000, 40, seeds[:3], limit_s=20, proof=False)
    report("batch", rows, seeds=seeds, as_json=options.json)


if __name__ == "__main__":
    main()
