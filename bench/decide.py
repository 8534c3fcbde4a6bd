"""How long one decision takes: `python -m bench.decide [--quick] [--json]`.

An order is drawn on a network of warehouses and stores, ten cost terms of every candidate are worked out, the problem
is stated and decided, and all of that is timed: by the clock, and in processor time, which other work on the machine
does not lengthen. Beside it stand HiGHS and CP-SAT on the same problems, which also say whether it was optimal. What
it takes to explain, and to find what would have flipped the choice, is measured apart, and with everything else as
decisions a second; so is the whole of `sourcing.decide` on the demo's network.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter, thread_time

import numpy as np
from ortools.sat.python import cp_model

from bench.deciding import rates
from bench.report import Row, arguments, report
from fulfillment.optimizer.decide import decide
from fulfillment.optimizer.exact import solve_exact
from fulfillment.optimizer.explain import explain
from fulfillment.optimizer.flips import flips
from fulfillment.optimizer.plan import Plan
from fulfillment.optimizer.problem import Line, OrderProblem, Problem

SEEDS = (1, 2, 3)
NODES = (40, 200, 500)
LINES = (1, 2, 3, 5, 8, 10, 12)
REACH_MS = {1: 0.5, 2: 0.5, 3: 0.5, 5: 0.5, 8: 5.0, 10: 5.0, 12: 25.0}
TERMS = ("base", "distance", "handling", "weight", "lateness", "shadow", "markdown", "risk", "capacity", "preference")
MIX = (0.60, 0.22, 0.10, 0.05, 0.03)
REACH_A_SECOND, REACHED_NODES = 500, 200
CP_SAT_LIMIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Basket:
    """What is known of an order before its costs are: the raw material of the cost terms."""

    nodes: tuple[str, ...]
    distance: np.ndarray
    warehouse: np.ndarray
    weight: np.ndarray
    units: np.ndarray
    stock: np.ndarray
    shadow: np.ndarray
    success: np.ndarray


def drawn(rng: np.random.Generator, lines: int, nodes: int) -> Basket:
    """Draw a customer, a network of which one node in twenty is a warehouse, and a basket."""
    warehouse = np.arange(nodes) < max(2, nodes // 20)
    carried = rng.random((lines, nodes)) < np.where(warehouse, 0.8, 0.35)
    return Basket(
        nodes=tuple(f"N{node}" for node in range(nodes)),
        distance=np.linalg.norm(rng.random((nodes, 2)) - rng.random(2), axis=1),
        warehouse=warehouse,
        weight=rng.lognormal(-0.5, 0.7, lines),
        units=rng.choice([1, 2, 3], lines, p=[0.9, 0.08, 0.02]),
        stock=carried * rng.integers(1, 9, (lines, nodes)),
        shadow=rng.integers(0, 150, (lines, nodes)),
        success=rng.uniform(0.8, 1.0, (lines, nodes)),
    )


def stated(basket: Basket) -> Problem:
    """Work out the terms of every candidate in cents, and state the problem."""
    lines, nodes = basket.stock.shape
    package = np.zeros((len(TERMS), nodes), dtype=np.int64)
    package[0] = np.where(basket.warehouse, 350, 400)
    package[1] = 600 * basket.distance
    package[4] = np.where(basket.distance > 0.7, 120, 0)
    package[9] = np.where(basket.warehouse, 0, 5)
    line = np.zeros((len(TERMS), lines, nodes), dtype=np.int64)
    line[2] = np.where(basket.warehouse, 30, 90) * basket.units[:, None]
    line[3] = 80 * (basket.weight * basket.units)[:, None] * basket.distance
    line[5] = basket.shadow * basket.units[:, None]
    line[6] = np.where(basket.warehouse, 0, -20)
    line[7] = 700 * (1 - basket.success)
    line[8] = np.where(basket.warehouse, 0, 12)
    order = OrderProblem(
        id="O1",
        lines=tuple(Line(str(n), n, units, unfilled_cost=4000) for n, units in enumerate(basket.units.tolist())),
        option_ids=basket.nodes,
        option_node=np.arange(nodes),
        option_capacity=np.full(nodes, -1),
        terms=TERMS,
        package_terms=package,
        line_terms=line,
        eligible=np.broadcast_to(np.True_, (lines, nodes)),
        work=np.broadcast_to(np.int64(0), (nodes,)),
        line_work=np.broadcast_to(np.int64(0), (lines, nodes)),
    )
    return Problem(
        nodes=basket.nodes,
        open_cost=np.broadcast_to(np.int64(0), (nodes,)),
        capacity_ids=(),
        capacities=np.empty(0, dtype=np.int64),
        skus=tuple(f"S{sku}" for sku in range(lines)),
        stock=basket.stock,
        orders=(order,),
    )


def cp_sat(problem: Problem) -> tuple[float, int | None]:
    """Solve with CP-SAT on one worker: seconds, and the objective if proven optimal."""
    started = perf_counter()
    (order,) = problem.orders
    model = cp_model.CpModel()
    used = [model.new_bool_var("") for _ in order.option_ids]
    variables, costs = list(used), order.package_cost.tolist()
    for number, line in enumerate(order.lines):
        served = [model.new_bool_var("") for _ in order.option_ids]
        for option, serves in enumerate(served):
            model.add_implication(serves, used[option])
            if problem.stock[line.sku, order.option_node[option]] < line.units:
                model.add(serves == 0)
        left = model.new_bool_var("")
        model.add_exactly_one([*served, left])
        variables += [*served, left]
        costs += [*order.line_cost[number].tolist(), line.unfilled_cost]
    model.minimize(cp_model.LinearExpr.weighted_sum(variables, costs))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = CP_SAT_LIMIT_S
    proven = solver.solve(model) == cp_model.OPTIMAL
    return perf_counter() - started, round(solver.objective_value) if proven else None


@dataclass(slots=True)
class _Spent:
    """Milliseconds of each decision: by the clock, of processor time, of that to explain it, and to flip it."""

    clock: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    explaining: list[float] = field(default_factory=list)
    flipping: list[float] = field(default_factory=list)


def measured(lines: int, nodes: int, seeds: Sequence[int], *, orders: int, compared: int) -> list[Row]:
    """Time decisions on every seed, and solve some of the same problems with HiGHS and CP-SAT."""
    by_seed, beside = [], _Beside()
    for seed in seeds:
        rng = np.random.default_rng(seed)
        baskets = [drawn(rng, lines, nodes) for _ in range(orders)]
        decide(stated(baskets[0]))
        spent = _Spent()
        for position, basket in enumerate(baskets):
            _decide(basket, spent, beside if position < compared else None)
        by_seed.append(spent)
    return _rows(f"{lines} lines x {nodes} nodes", by_seed, beside, REACH_MS[lines])


def _decide(basket: Basket, spent: _Spent, beside: _Beside | None) -> None:
    """Time one decision, what explains it and, for some, what would have flipped it."""
    started, working = perf_counter(), thread_time()
    problem = stated(basket)
    plan = decide(problem)
    decided = thread_time()
    spent.clock.append((perf_counter() - started) * 1e3)
    spent.busy.append((decided - working) * 1e3)
    assert plan is not None, "an order of these that the tables cannot decide"
    explain(problem, plan)
    explained = thread_time()
    spent.explaining.append((explained - decided) * 1e3)
    if beside:
        flips(problem, plan)
        spent.flipping.append((thread_time() - explained) * 1e3)
        beside.compare(problem, plan)


@dataclass(slots=True)
class _Beside:
    """What HiGHS and CP-SAT took for the problems compared, in ms, and how often either knew better."""

    highs: list[float] = field(default_factory=list)
    sat: list[float] = field(default_factory=list)
    checked: int = 0
    wrong: int = 0

    def compare(self, problem: Problem, plan: Plan) -> None:
        exact = solve_exact(problem, time_limit_s=20, seed=0)
        seconds, objective = cp_sat(problem)
        self.highs.append(exact.seconds * 1e3)
        self.sat.append(seconds * 1e3)
        self.checked += 1 + (objective is not None)
        self.wrong += (plan.objective != exact.objective) + (objective not in {None, plan.objective})


def _rows(name: str, by_seed: Sequence[_Spent], beside: _Beside, reach: float) -> list[Row]:
    p50, p95, p99 = np.array([np.percentile(spent.clock, [50, 95, 99]) for spent in by_seed]).T
    busy, explaining, flipping = (
        np.array(each)
        for each in (
            [np.percentile(spent.busy, 95) for spent in by_seed],
            [median(spent.explaining) for spent in by_seed],
            [median(spent.flipping) for spent in by_seed],
        )
    )
    right = not beside.wrong
    rows = [
        Row(f"{name}, p50; baseline HiGHS", median(p50), "ms", median(beside.highs), _spread(p50)),
        Row(f"{name}, p50; baseline CP-SAT", median(p50), "ms", median(beside.sat), _spread(p50)),
        Row(f"{name}, p95", median(p95), "ms", None, _spread(p95), f"<= {reach}", bool(median(p95) <= reach)),
        Row(f"{name}, p95 of processor time", median(busy), "ms", None, _spread(busy)),
        Row(f"{name}, p99", median(p99), "ms", None, _spread(p99)),
        Row(f"{name}, p50 of explaining, processor time", median(explaining), "ms", None, _spread(explaining)),
        Row(f"{name}, not optimal of {beside.checked} compared", beside.wrong, "orders", None, "", "0", right),
    ]
    title = f"{name}, p50 of what would flip it, processor time"
    return [*rows, Row(title, median(flipping), "ms", None, _spread(flipping))]


def throughput(nodes: int, seeds: Sequence[int], *, orders: int) -> list[Row]:
    """Decide a consumer's mix of orders, costs and reasons of all candidates written down: decisions a second."""
    written, without = [], []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        baskets = [drawn(rng, int(lines), nodes) for lines in 1 + rng.choice(5, orders, p=MIX)]
        working = thread_time()
        plans = [(problem, decide(problem)) for problem in map(stated, baskets)]
        decided = thread_time()
        for problem, plan in plans:
            if plan is not None:
                json.dumps([reason._asdict() for reason in explain(problem, plan).options])
        without.append(orders / (decided - working))
        written.append(orders / (thread_time() - working))
    name = f"decisions a second and core, 1 to 5 lines x {nodes} nodes"
    return [
        Row(
            f"{name}, all candidates explained and written; baseline neither",
            median(written),
            "1/s",
            median(without),
            _spread(np.array(written)),
            f">= {REACH_A_SECOND}" if nodes <= REACHED_NODES else "",
            median(written) >= REACH_A_SECOND if nodes <= REACHED_NODES else None,
        )
    ]


def _spread(values: np.ndarray) -> str:
    return f"{values.min():.3g} - {values.max():.3g}"


def main() -> None:
    """Run the benchmark."""
    options = arguments("Time decisions of one order.")
    orders, compared, seeds = (40, 1, SEEDS[:1]) if options.quick else (500, 5, SEEDS)
    rows = [
        row
        for nodes in NODES
        for lines in LINES
        for row in measured(lines, nodes, seeds, orders=orders, compared=compared)
    ]
    rows += [row for nodes in NODES for row in throughput(nodes, seeds, orders=orders)]
    rows += rates(decisions=orders)
    report("decide", rows, seeds=seeds, as_json=options.json)


if __name__ == "__main__":
    main()
