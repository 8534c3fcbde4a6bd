"""An explanation says what each option would have cost and why others were excluded."""

import numpy as np

from fulfillment.optimizer.exact import solve_exact
from fulfillment.optimizer.explain import Alternative, explain
from fulfillment.optimizer.problem import Line
from fulfillment.optimizer.solve import solve
from tests.fulfillment.optimizer.drawn import problem

LINES = (Line("1", sku=0, units=2, unfilled_cost=5000), Line("2", sku=1, units=1, unfilled_cost=5000))


def _basket(**shape):
    return problem(LINES, line_cost=[[10, 20, 30, 1], [10, 20, 30, 1]], package_cost=[100, 150, 90, 1], **shape)


def test_every_option_has_its_costs_or_the_rule_that_excluded_it():
    basket = _basket(
        stock=[[2, 2, 1, 9], [9, 9, 9, 9]],
        eligible=[[True] * 4, [True, False, True, True]],
        capacities=[0],
        option_capacity=[-1, -1, -1, 0],
        work=1,
    )
    explanation = explain(basket, solve(basket))
    assert explanation.terms == ("package", "line")
    assert [option.cost for option in explanation.options] == [[100, 20], [150, 20], [90, 30], [1, 0]]
    assert [option.total for option in explanation.options] == [120, 170, 120, 1]
    rules = [option.excluded for option in explanation.options]
    assert rules == [{}, {1: "not_eligible"}, {0: "no_stock"}, {0: "no_capacity", 1: "no_capacity"}]
    assert [option.units for option in explanation.options] == [{0: 2, 1: 1}, {}, {}, {}]


def test_each_losing_node_has_its_best_alternative():
    basket = _basket(stock=[[9, 9, 1, 0], [9, 9, 9, 0]])
    explanation = explain(basket, solve(basket))
    assert solve(basket).objective == 120
    assert explanation.alternatives == (Alternative(1, 190, 70), Alternative(2, 100 + 10 + 90 + 30, 110))


def test_alternatives_agree_with_the_model_made_to_use_the_node():
    rng = np.random.default_rng(3)
    for _ in range(25):
        lines = tuple(Line(str(line), line, 1, unfilled_cost=60) for line in range(3))
        costs, packages = rng.integers(0, 40, (3, 5)), rng.integers(1, 40, 5)
        limit = int(rng.integers(1, 4))
        stated = problem(lines, line_cost=costs, package_cost=packages, max_packages=limit)
        for alternative in explain(stated, solve(stated)).alternatives:
            best = min(
                solve_exact(
                    _must_use(lines, costs, packages, limit, alternative.node, line), time_limit_s=9, seed=0
                ).objective
                for line in range(3)
            )
            assert alternative.objective == best


def _must_use(lines, costs, packages, limit, node, line):
    """State the same order with one line that only the node may serve, and must."""
    eligible = np.ones((3, 5), dtype=bool)
    eligible[line] = np.arange(5) == node
    must = tuple(Line(str(n), n, 1, unfilled_cost=None if n == line else 60) for n in range(3))
    return problem(must, line_cost=costs, package_cost=packages, eligible=eligible, max_packages=limit)


def test_orders_beyond_the_tables_have_no_alternatives():
    lines = tuple(Line(str(line), line, 1, unfilled_cost=900) for line in range(13))
    costs = np.random.default_rng(1).integers(0, 50, (13, 3))
    basket = problem(lines, line_cost=costs, package_cost=[30, 30, 3000])
    explanation = explain(basket, solve(basket))
    assert explanation.alternatives == ()
    assert len(explanation.options) == 3
