"""Options left out of the model are in no optimal plan."""

from dataclasses import replace

import numpy as np

from fulfillment.optimizer.decide import decide
from fulfillment.optimizer.exact import solve_exact
from fulfillment.optimizer.narrow import promising_options, with_options
from fulfillment.optimizer.problem import Line
from fulfillment.optimizer.solve import solve
from tests.fulfillment.optimizer.drawn import drawn_problem, problem
from tests.fulfillment.optimizer.oracle import optimum


def test_the_options_left_hold_an_optimal_plan():
    narrowed = 0
    for seed in range(5000, 5300):
        drawn = drawn_problem(seed)
        options = promising_options(drawn)
        narrowed += len(options) < len(drawn.orders[0].option_ids)
        assert optimum(with_options(drawn, options)) == optimum(drawn)
    assert narrowed > 50


def test_an_order_with_hundreds_of_options_leaves_few_to_the_model():
    rng = np.random.default_rng(1)
    lines = tuple(Line(str(line), line % 2, 2, unfilled_cost=5000) for line in range(4))
    stated = problem(
        lines,
        line_cost=rng.integers(30, 300, (4, 600)),
        package_cost=rng.integers(300, 900, 600),
        option_node=np.arange(600) // 6,
        stock=[[9] * 100, [9] * 100],
    )
    best = {part.option // 6 for part in decide(stated).assignments}
    scarce = np.where(np.isin(np.arange(100), list(best)), 3, 9)
    stated = replace(stated, stock=np.stack([scarce, scarce]))
    assert decide(stated) is None
    assert len(promising_options(stated)) < 100
    assert solve(stated).objective == solve_exact(stated, time_limit_s=60, seed=0).objective


def test_reasons_are_those_of_the_whole_problem():
    lines = (Line("1", 0, 2, unfilled_cost=900), Line("2", 0, 2, unfilled_cost=800))
    stated = problem(lines, line_cost=[[0, 700], [0, 700]], package_cost=[5, 500], stock=[[3, 9]])
    plan = solve(stated)
    assert (plan.objective, plan.unfilled) == (805, ((0, 1, 2, "cost"),))
