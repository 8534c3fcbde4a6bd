"""Published kinds of instances: `python -m bench.instances [--quick] [--json] [DIR]`.

Every instance is stated as a problem file and solved as `oms solve` solves it. With a folder, the instances found in it
(their formats are told apart by what they hold), beside the best known cost where a table or note there names it.
Without one, instances drawn by the rules that published sets were drawn by, beside the bound that the solver proved:
the distance from the best plan is that or less.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter, process_time

from bench.formats import instances_in
from bench.published import Instance, generated_assignment, generated_location, generated_opening
from bench.report import Row, arguments, report
from fulfillment.optimizer.check import check
from fulfillment.optimizer.problem_file import plan_content, read_problem
from fulfillment.optimizer.solve import SolveParams, solve

SEEDS = (1, 2)
ABOVE = {"facility location": 1.0, "assignment": 0.2, "assignment D": 0.5, "node opening costs": 0.5}
"""Most percent above the best known cost, or above the bound where none is known."""
LIMIT_S = {"facility location": 60.0, "assignment": 30.0, "node opening costs": 30.0}
SMALL = 50 * 50
SMALL_S = 1.0
"""Facility location of up to so many nodes times lines is to be proven in so many seconds."""


def generated(seeds: Iterable[int], *, quick: bool) -> Iterator[Instance]:
    """Draw instances of every family."""
    for seed in seeds:
        yield generated_location("plane", 50, 50, seed)
        yield generated_location("uniform", 50, 50, seed)
        for kind in "ACDE":
            yield generated_assignment(kind, 5, 50, seed) if quick else generated_assignment(kind, 20, 400, seed)
        if quick:
            yield generated_opening(10, 50, 3, seed)
            continue
        yield generated_location("plane", 100, 1000, seed)
        yield generated_location("uniform", 100, 1000, seed)
        for ratio in (1.5, 3, 5):
            yield generated_opening(30, 200, ratio, seed)


def measured(instance: Instance) -> list[Row]:
    """Solve an instance; say what it cost, what was proven, and what it took."""
    problem = read_problem(instance.content)
    started, working = perf_counter(), process_time()
    plan = solve(problem, SolveParams(time_limit_s=LIMIT_S[instance.family]))
    seconds, busy = perf_counter() - started, process_time() - working
    answer = plan_content(problem, plan)
    objective, bound = float(answer["objective"]), float(answer["bound"])
    best = bound if instance.known is None else instance.known
    above = 100 * (objective - best) / abs(best) if best else 0.0
    most = ABOVE["assignment D" if _type_d(instance) else instance.family]
    small = instance.family == "facility location" and instance.size[0] * instance.size[1] <= SMALL
    limit_s = SMALL_S if small else LIMIT_S[instance.family]
    name, beside = instance.name, "bound" if instance.known is None else "best known"
    findings = len(check(problem, plan))
    return [
        Row(f"{name}, objective; baseline {beside}", objective, "cost", best),
        Row(f"{name}, bound", bound, "cost"),
        Row(f"{name}, above the {beside}", above, "%", reach=f"<= {most}", ok=above <= most),
        # A search that is cut off at the limit ends a little after it.
        Row(f"{name}, time", seconds, "s", reach=f"<= {limit_s:g}", ok=seconds <= 1.05 * limit_s),
        Row(f"{name}, processor time", busy, "s"),
        Row(f"{name}, findings of the judge", findings, "findings", reach="0", ok=not findings),
    ]


def _type_d(instance: Instance) -> bool:
    return instance.family == "assignment" and (instance.name.startswith(("d", "assignment D")))


def main() -> None:
    """Run the benchmark."""
    folder = "published instances: facility location (OR-Library), generalised assignment, single-source location"
    options = arguments("Solve published kinds of instances.", folder=folder)
    chosen: Path | None = options.folder
    seeds = SEEDS[:1] if options.quick else SEEDS
    found = generated(seeds, quick=options.quick) if chosen is None else instances_in(chosen)
    rows = [row for instance in found for row in measured(instance)]
    report("instances", rows, seeds=() if chosen else seeds, as_json=options.json)


if __name__ == "__main__":
    main()
