"""Many orders at once: plans that fit, bounds that hold, and nearly the optimum."""

from dataclasses import replace

import numpy as np
import pytest

from bench.drawn import drawn_batch
from fulfillment.optimizer.batch import batchable, solve_batch
from fulfillment.optimizer.blocks import laid_out
from fulfillment.optimizer.check import check
from fulfillment.optimizer.choose import choose, taken
from fulfillment.optimizer.decide import decide
from fulfillment.optimizer.exact import solve_exact
from fulfillment.optimizer.lagrangian import ascend, priced
from fulfillment.optimizer.problem import UNLIMITED, Line, Problem
from fulfillment.optimizer.search import improve, placed
from fulfillment.optimizer.solve import SolveParams, solve
from tests.fulfillment.optimizer.drawn import drawn_problem, problem
from tests.fulfillment.optimizer.oracle import optimum


def _shared(seed):
    drawn = drawn_problem(seed, orders=2 + seed % 6)
    return replace(drawn, open_cost=np.zeros(len(drawn.nodes), dtype=np.int64))


def _together(*orders, stock, capacities=()):
    """Put one-order problems with the same nodes into one problem with its own stock and capacities."""
    first = orders[0]
    return Problem(
        nodes=first.nodes,
        open_cost=first.open_cost,
        capacity_ids=tuple(f"C{n}" for n in range(len(capacities))),
        capacities=np.array(capacities, dtype=np.int64),
        skus=first.skus,
        stock=np.array(stock),
        orders=tuple(replace(order.orders[0], id=f"O{n}") for n, order in enumerate(orders)),
    )


def test_a_plan_fits_and_its_bound_is_below_the_optimum():
    best = 0
    for seed in range(40):
        shared = _shared(seed)
        plan = solve_batch(shared, time_limit_s=5, seed=1)
        findings = check(shared, plan)
        assert {finding.kind for finding in findings} <= {"must_serve"}
        expected = optimum(shared)
        if expected is not None:
            assert plan.bound <= expected
            best += plan.objective == expected
        else:
            assert findings
    assert best > 15


def test_blocks_decide_each_order_as_decide_does():
    for seed in range(150):
        drawn = _shared(seed)
        alone = replace(drawn, orders=drawn.orders[:1], stock=np.full_like(drawn.stock, UNLIMITED))
        alone = replace(alone, capacities=np.full_like(drawn.capacities, UNLIMITED))
        expected = decide(alone)
        if expected is None:
            continue
        batch = laid_out(alone)
        (block,) = batch.blocks
        cost, option = choose(block, block.package, block.line)
        assert cost[0] * batch.scale == pytest.approx(expected.objective, rel=1e-5, abs=1e-3)
        assert taken(block, option).cost[0] == pytest.approx(cost[0], rel=1e-5, abs=1e-6)


def test_prices_of_what_everybody_wants_send_orders_elsewhere():
    line = (Line("1", 0, 1, unfilled_cost=900),)
    wanting = [problem(line, line_cost=[[10, 10 + 5 * n]], package_cost=100) for n in range(6)]
    shared = _together(*wanting, stock=[[2, 9]])
    prices = ascend(laid_out(shared), rounds=200)
    assert prices.rows[1] * laid_out(shared).scale == pytest.approx(17.5, abs=2.6)
    assert prices.bound == pytest.approx(6 * 110 + 5 + 10 + 15, abs=2)
    plan = solve_batch(shared, time_limit_s=5, seed=1)
    assert plan.objective == 6 * 110 + 5 + 10 + 15
    assert [part.order for part in plan.assignments if part.option == 0] == [4, 5]


def test_without_prices_a_batch_is_decided_order_by_order():
    drawn = drawn_batch(40, 6, seed=1)
    batch = laid_out(drawn)
    (package, line) = priced(batch.blocks[0], np.zeros(len(batch.limits)))
    assert (package == batch.blocks[0].package).all()
    assert (line == batch.blocks[0].line).all()


def test_the_search_only_lowers_the_cost():
    batch = laid_out(drawn_batch(300, 10, seed=2))
    draft = placed(batch, np.zeros(len(batch.limits)), range(300))
    before = draft.cost
    improve(draft, rounds=5, deadline=np.inf)
    assert draft.cost < before
    assert min(draft.left) >= -1e-6


def test_an_ejection_frees_the_last_unit_for_who_needs_it_most():
    line = (Line("1", 0, 1, unfilled_cost=5000),)
    easy = problem(line, line_cost=[[0, 10]], package_cost=100)
    hard = problem(line, line_cost=[[0, 10]], package_cost=100, eligible=[[True, False]])
    batch = laid_out(_together(easy, hard, stock=[[1, 9]]))
    draft = placed(batch, np.zeros(len(batch.limits)), [0, 1])
    assert draft.cost * batch.scale == pytest.approx(5100)
    improve(draft, rounds=3, deadline=np.inf)
    assert draft.cost * batch.scale == pytest.approx(210)


def test_options_of_one_node_share_its_stock_and_days_have_their_own_work():
    lines = (Line("1", 0, 1, unfilled_cost=900),)
    nodes = {"option_node": [0, 0, 1], "option_capacity": [0, 1, -1], "work": 10, "capacities": [10, 10]}
    orders = [problem(lines, line_cost=[[0, 1, 50]], package_cost=100, **nodes) for _ in range(4)]
    shared = _together(*orders, stock=[[3, 9]], capacities=[10, 10])
    plan = solve_batch(shared, time_limit_s=5, seed=1)
    assert check(shared, plan) == ()
    assert sorted(part.option for part in plan.assignments) == [0, 1, 2, 2]


def test_long_orders_and_divided_lines_find_their_place():
    long = problem(
        tuple(Line(str(n), n, 1, unfilled_cost=1000) for n in range(12)),
        line_cost=np.random.default_rng(1).integers(0, 90, (12, 3)),
        package_cost=100,
    )
    divided = problem(
        (Line("1", 0, 4, divisible=True, unfilled_cost=4000),), line_cost=[[4, 4, 4]], package_cost=100, skus=12
    )
    shared = _together(long, divided, divided, stock=np.full((12, 3), 3))
    plan = solve_batch(shared, time_limit_s=5, seed=1)
    assert check(shared, plan) == ()
    assert plan.bound <= solve_exact(shared, time_limit_s=20, seed=0).objective <= plan.objective
    assert not [missing for missing in plan.unfilled if missing.order == 0]
    assert sum(part.units for part in plan.assignments if part.order > 0) >= 4


def test_a_batch_is_within_a_twentieth_of_a_percent_of_the_optimum():
    drawn = drawn_batch(400, 12, seed=3)
    planned, proven = solve_batch(drawn, time_limit_s=20, seed=1), solve_exact(drawn, time_limit_s=60, seed=0)
    assert check(drawn, planned) == ()
    assert proven.status == "optimal"
    assert planned.bound <= proven.objective <= planned.objective <= 1.0005 * proven.objective


def test_the_same_seed_gives_the_same_plan():
    drawn = drawn_batch(200, 8, seed=4)
    first, second = (solve_batch(drawn, time_limit_s=20, seed=7) for _ in range(2))
    assert (first.assignments, first.bound) == (second.assignments, second.bound)


def test_solve_plans_first_and_proves_with_the_time_left():
    drawn = drawn_batch(200, 8, seed=5)
    plan = solve(drawn, SolveParams(time_limit_s=30))
    assert (plan.status, check(drawn, plan)) == ("optimal", ())
    hurried = solve(drawn, SolveParams(time_limit_s=0.1))
    assert check(drawn, hurried) == ()
    assert hurried.bound <= plan.objective <= hurried.objective


def test_a_batch_whose_lines_must_be_served_is_proven_infeasible_or_served():
    line = (Line("1", 0, 2),)
    orders = [problem(line, line_cost=[[n, 2 * n]], package_cost=9) for n in range(600)]
    enough = _together(*orders, stock=[[600, 600]])
    assert solve(enough, SolveParams(time_limit_s=30)).status == "optimal"
    short = _together(*orders, stock=[[600, 599]])
    plan = solve(short, SolveParams(time_limit_s=30))
    assert (plan.status, len(plan.unfilled)) == ("infeasible", 1)


def test_opening_costs_are_left_to_the_model():
    drawn = drawn_batch(5, 4, seed=1)
    assert batchable(drawn)
    assert not batchable(replace(drawn, open_cost=np.ones(4, dtype=np.int64)))
