"""The subset programme: what it decides, and what it leaves to the model."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fulfillment.optimizer.check import check
from fulfillment.optimizer.decide import decide, expressible
from fulfillment.optimizer.exact import solve_exact
from fulfillment.optimizer.problem import Line
from fulfillment.optimizer.solve import solve
from tests.fulfillment.optimizer.drawn import problem


def _lines(count, **kind):
    return tuple(Line(str(line), sku=line, units=1, **{"unfilled_cost": 10_000, **kind}) for line in range(count))


def _served(plan):
    return [(part.line, part.option) for part in plan.assignments]


def test_one_package_beats_two_cheaper_lines():
    basket = problem(_lines(2), line_cost=[[10, 20], [20, 10]], package_cost=[50, 50])
    assert decide(basket).objective == 80


def test_an_order_splits_where_no_node_has_everything():
    basket = problem(_lines(2), line_cost=[[10, 20], [20, 10]], package_cost=50, stock=[[1, 0], [0, 1]])
    plan = decide(basket)
    assert (_served(plan), plan.objective) == ([(0, 0), (1, 1)], 120)


def test_a_line_that_costs_more_to_serve_than_to_leave_stays_unfilled():
    plan = decide(problem(_lines(1, unfilled_cost=59), line_cost=[[10]], package_cost=50))
    assert plan.unfilled == ((0, 0, 1, "cost"),)
    assert plan.by_term["unfilled"] == plan.objective == 59


def test_a_package_limit_leaves_the_cheapest_line():
    lines = (Line("1", 0, 1, unfilled_cost=400), Line("2", 1, 1, unfilled_cost=300), Line("3", 2, 1, unfilled_cost=200))
    basket = problem(
        lines, line_cost=np.zeros((3, 3)).astype(int), package_cost=10, eligible=np.eye(3, dtype=bool), max_packages=2
    )
    plan = decide(basket)
    assert (_served(plan), plan.objective) == ([(0, 0), (1, 1)], 220)
    assert plan.unfilled == ((0, 2, 1, "package_limit"),)


def test_lines_that_belong_together_travel_together():
    basket = problem(_lines(2), line_cost=[[0, 90], [90, 0]], package_cost=1, together=((0, 1),))
    assert decide(basket).objective == 91


def test_a_full_node_sends_the_rest_elsewhere():
    basket = problem(
        _lines(2),
        line_cost=[[0, 90], [0, 90]],
        package_cost=10,
        capacities=[3],
        option_capacity=[0, -1],
        work=1,
        line_work=2,
    )
    assert decide(basket) is None, "the tables would pack the full node twice"
    plan = solve(basket)
    assert (plan.objective, len({part.option for part in plan.assignments})) == (110, 2)


def test_a_full_node_is_passed_over_without_the_model():
    full = {"capacities": [3], "option_capacity": [0, -1], "work": 1, "line_work": 2}
    basket = problem(_lines(2), line_cost=[[0, 30], [0, 30]], package_cost=70, **full)
    assert decide(basket).objective == 130


def test_options_that_share_the_last_minutes_need_the_model():
    basket = problem(
        _lines(2),
        line_cost=[[0, 90], [90, 0]],
        package_cost=0,
        option_node=[0, 0],
        capacities=[3],
        option_capacity=[0, 0],
        work=1,
        line_work=1,
    )
    assert expressible(basket)
    assert decide(basket) is None
    plan = solve(basket)
    assert (plan.solver, plan.objective, check(basket, plan)) == ("CP-SAT", 90, ())


def test_two_lines_of_one_sku_that_compete_need_the_model():
    lines = (Line("1", 0, 2, unfilled_cost=900), Line("2", 0, 2, unfilled_cost=900))
    basket = problem(lines, line_cost=[[0, 9], [0, 9]], package_cost=5, stock=[[3, 9]])
    assert decide(basket) is None
    assert solve(basket).objective == 9 + 5 + 5


def test_a_divisible_line_is_divided_where_no_node_has_it_all():
    basket = problem((Line("1", 0, 4, divisible=True),), line_cost=[[4, 8]], package_cost=5, stock=[[3, 3]])
    assert decide(basket) is None
    assert solve(basket).assignments == ((0, 0, 0, 3), (0, 0, 1, 1))


def test_a_divisible_line_that_its_best_node_has_needs_no_model():
    basket = problem((Line("1", 0, 4, divisible=True),), line_cost=[[4, 8]], package_cost=5, stock=[[4, 3]])
    assert decide(basket).objective == 9


def test_an_opening_cost_counts_once_per_node():
    basket = problem(_lines(2), line_cost=[[0, 9], [0, 9]], package_cost=1, open_cost=[100, 0])
    assert decide(basket).objective == 19
    shared = problem(_lines(1), line_cost=[[0, 0]], package_cost=1, option_node=[0, 0], open_cost=[5])
    assert not expressible(shared)
    assert solve(shared).objective == 6


def test_long_orders_of_few_kinds_of_lines_are_expressible():
    kinds = np.random.default_rng(1).integers(0, 50, (12, 6))
    alike = np.concatenate([kinds, kinds + 7, kinds[:6] + 3])
    shift = [0] * 12 + [7] * 12 + [3] * 6
    lines = tuple(Line(str(line), line, 1, unfilled_cost=100 + shift[line]) for line in range(30))
    basket = problem(lines, line_cost=alike, package_cost=30)
    assert decide(basket).objective == solve_exact(basket, time_limit_s=30, seed=0).objective
    different = problem(_lines(13), line_cost=np.random.default_rng(1).integers(0, 50, (13, 6)), package_cost=30)
    assert not expressible(different)
    assert solve(different).status == "optimal"


def test_an_order_that_nobody_can_serve():
    assert decide(problem(_lines(2), line_cost=np.zeros((2, 0), dtype=int), package_cost=[])).objective == 20_000
    stuck = problem(_lines(2, unfilled_cost=None), line_cost=[[1], [1]], package_cost=0, eligible=[[True], [False]])
    assert decide(stuck) is None
    assert solve(stuck).unfilled == ((0, 1, 1, "must_serve"),)


@given(
    lines=st.integers(1, 9),
    options=st.integers(1, 30),
    spread=st.sampled_from([0, 1, 5, 1000]),
    limit=st.sampled_from([None, 1, 2, 3]),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_ties_and_limits_never_cost_the_optimum(lines, options, spread, limit, seed):
    rng = np.random.default_rng(seed)
    basket = problem(
        _lines(lines, unfilled_cost=2 * spread),
        line_cost=rng.integers(0, spread + 1, (lines, options)),
        package_cost=rng.integers(0, spread + 1, options),
        stock=rng.integers(0, 3, (lines, options)),
        max_packages=limit,
    )
    plan = decide(basket)
    assert check(basket, plan) == ()
    assert plan.objective == solve_exact(basket, time_limit_s=30, seed=0).objective


def test_large_costs_stay_exact():
    basket = problem(_lines(12, unfilled_cost=10**15), line_cost=np.full((12, 3), 10**15 - 1), package_cost=7)
    assert decide(basket).objective == 12 * (10**15 - 1) + 7
