"""The plans worth telling apart, beside every plan there is; no database."""

from itertools import product

import numpy as np
import pytest

from fulfillment.optimizer.plan import Assignment, cost_by_term
from fulfillment.optimizer.problem import Line, OrderProblem, Problem
from fulfillment.sourcing.frontier import Effort, Point, Search, frontier, next_best

LONG = 60.0


def problem(random, lines, options, nodes=3):
    """An order of lines that are not divided; what is left costs far more than any way to serve it."""
    order = OrderProblem(
        id="O", lines=tuple(Line(id=str(n), sku=n, units=1, unfilled_cost=100_000) for n in range(lines)),
        option_ids=tuple(map(str, range(options))), option_node=random.integers(0, nodes, options),
        option_capacity=np.full(options, -1), terms=("all",),
        package_terms=random.integers(50, 500, (1, options)), line_terms=random.integers(0, 200, (1, lines, options)),
        eligible=random.random((lines, options)) < 0.8, work=np.zeros(options, dtype=np.int64),
        line_work=np.zeros((lines, options), dtype=np.int64), max_packages=3,
    )  # fmt: skip
    return Problem(
        nodes=tuple("ABC"[:nodes]), open_cost=np.zeros(nodes, dtype=np.int64), capacity_ids=(),
        capacities=np.zeros(0, dtype=np.int64), skus=tuple(map(str, range(lines))),
        stock=np.full((lines, nodes), 9), orders=(order,),
    )  # fmt: skip


def every_point(stated, arrives_s):
    """What every plan that serves all lines is judged by."""
    order = stated.orders[0]
    choices = [np.flatnonzero(order.eligible[line]).tolist() for line in range(len(order.lines))]
    for chosen in product(*choices):
        if len(set(chosen)) <= order.max_packages:
            parts = [Assignment(0, line, option, 1) for line, option in enumerate(chosen)]
            cost = sum(cost_by_term(stated, parts).values())
            yield Point(int(arrives_s[list(chosen)].max()), len(set(chosen)), cost)


def beats(one, other):
    return one != other and all(mine <= theirs for mine, theirs in zip(one, other, strict=True))


@pytest.mark.parametrize("seed", range(40))
def test_every_plan_that_no_other_beats_is_found(seed):
    random = np.random.default_rng(seed)
    lines, options = int(random.integers(1, 5)), int(random.integers(2, 8))
    stated, arrives_s = problem(random, lines, options), random.integers(1, 5, options)
    every = set(every_point(stated, arrives_s))
    search = Search(stated, arrives_s, Effort(LONG))
    found = [search.point(plan) for plan in frontier(search) if not plan.unfilled]
    assert set(found) == {point for point in every if not any(beats(other, point) for other in every)}
    assert found == sorted(found, key=lambda point: point.cost_minor)


def test_the_next_best_come_from_other_nodes_and_are_dearer():
    random = np.random.default_rng(7)
    stated = problem(random, 2, 6)
    search = Search(stated, np.ones(6, dtype=np.int64), Effort(LONG))
    best = frontier(search)
    more = next_best(search, best, 3)
    costs = [plan.objective for plan in more]
    assert costs
    assert costs == sorted(costs)
    assert min(costs) >= best[0].objective
    assert all(search.nodes(plan) != search.nodes(best[0]) for plan in more)


def test_without_time_the_cheapest_is_told():
    random = np.random.default_rng(3)
    stated, arrives_s = problem(random, 3, 7), random.integers(1, 5, 7)
    hurried = frontier(Search(stated, arrives_s, Effort(0.0)))
    assert [plan.objective for plan in hurried] == [frontier(Search(stated, arrives_s, Effort(LONG)))[0].objective]


def test_an_order_that_nobody_can_serve_has_no_way():
    stated = problem(np.random.default_rng(1), 1, 2)
    none = np.zeros(0, dtype=np.int64)
    assert frontier(Search(stated, none, Effort(LONG))) == []
