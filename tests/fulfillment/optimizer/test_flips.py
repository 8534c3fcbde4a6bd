"""What would have flipped a plan, against an independent model asked for one amount after the other."""

from dataclasses import replace

import numpy as np
import pytest

from fulfillment.optimizer.flips import Flip, flips
from fulfillment.optimizer.problem import UNLIMITED, Line
from fulfillment.optimizer.solve import solve
from tests.fulfillment.optimizer.drawn import drawn_problem, problem
from tests.fulfillment.optimizer.oracle import optimum

LINES = (Line("1", sku=0, units=2, unfilled_cost=5000), Line("2", sku=1, units=1, unfilled_cost=5000))


def basket(**shape):
    return problem(LINES, line_cost=[[10, 20, 30, 1], [10, 20, 30, 1]], package_cost=[100, 150, 90, 1], **shape)


def flipped(stated):
    return flips(stated, solve(stated))


def test_a_node_wins_when_its_cost_falls_below_the_gap():
    stated = basket(stock=[[9, 9, 1, 0], [9, 9, 9, 0]])
    costs = [flip for flip in flipped(stated) if flip.kind == "cost"]
    assert costs == [Flip("cost", 71, 1, node=1), Flip("cost", 111, 1, node=2, exact=False)]


def test_a_unit_more_wins_where_it_was_all_that_lacked():
    stated = basket(stock=[[9, 9, 9, 1], [9, 9, 9, 9]], eligible=[[True] * 4, [True, True, True, False]])
    assert flipped(stated)[0] == Flip("stock", 1, 8, node=3, line=0)
    dear = problem(LINES[:1], line_cost=[[10, 20]], package_cost=100, stock=[[2, 1]])
    assert flipped(dear) == ()


def test_a_package_more_wins_where_the_limit_kept_lines_waiting():
    apart = problem(LINES, line_cost=[[10, 10]], package_cost=[50, 50], max_packages=1, stock=[[2, 0], [0, 1]])
    assert Flip("packages", 1, 4940) in flipped(apart)


def test_minutes_and_a_rule_that_kept_the_cheaper_node_out_win():
    full = problem(
        LINES[:1], line_cost=[[10, 20]], package_cost=100, capacities=[4], option_capacity=[0, -1], work=[5, 0],
        line_work=2,
    )  # fmt: skip
    assert Flip("minutes", 3, 10, node=0, capacity=0) in flipped(full)
    barred = problem(LINES[:1], line_cost=[[10, 20]], package_cost=100, eligible=[[False, True]])
    assert Flip("fence", 1, 10, node=0, line=0) in flipped(barred)


@pytest.mark.parametrize("seed", range(24))
def test_the_smallest_changes_are_those_of_the_oracle(seed):
    stated = drawn_problem(seed)
    plan = solve(stated)
    if plan.status != "optimal":
        assert flips(stated, plan) == ()
        return
    found = flips(stated, plan)
    order = stated.orders[0]
    assert {(order.lines[f.line].sku, f.node): f.amount for f in found if f.kind == "stock"} == dict(
        _stock(stated, plan.objective)
    )
    assert {f.amount for f in found if f.kind == "packages"} == set(_packages(stated, plan.objective))
    for flip in (f for f in found if f.kind == "cost"):
        if np.count_nonzero(order.option_node == flip.node) == 1:
            assert optimum(_cheaper(stated, flip.node, flip.amount - 1)) >= plan.objective
            assert not flip.exact or optimum(_cheaper(stated, flip.node, flip.amount)) < plan.objective


def _stock(stated, present):
    order = stated.orders[0]
    for sku, node in np.ndindex(stated.stock.shape):
        wanted = sum(line.units for line in order.lines if line.sku == sku)
        for units in range(1, wanted - min(int(stated.stock[sku, node]), wanted) + 1):
            more = stated.stock.copy()
            more[sku, node] += units
            if optimum(replace(stated, stock=more)) < present:
                yield (sku, node), units
                break


def _packages(stated, present):
    order = stated.orders[0]
    if order.max_packages is None:
        return
    for packages in range(1, len(order.lines) + 1):
        wider = replace(order, max_packages=order.max_packages + packages)
        if optimum(replace(stated, orders=(wider,))) < present:
            yield packages
            break


def _cheaper(stated, node, less):
    order = stated.orders[0]
    here = order.option_node == node
    # The oracle does not mind a package that costs less than nothing, so this is told by the lines' sum instead.
    terms = order.package_terms.copy()
    terms[0, here] -= min(less, int(order.package_cost[here].min(initial=UNLIMITED)))
    return replace(stated, orders=(replace(order, package_terms=terms),))
