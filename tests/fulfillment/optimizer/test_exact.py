"""The model: published kinds of instances, valid bounds, and infeasible problems that name their lines."""

import numpy as np
import pytest

from fulfillment.optimizer import exact
from fulfillment.optimizer.check import check
from fulfillment.optimizer.exact import NoPlanInTimeError, solve_exact
from fulfillment.optimizer.mip import Answer, Mip, Rows, SolverFailedError, solve_mip
from fulfillment.optimizer.model import mip_of, sourcing_model
from fulfillment.optimizer.problem import Line
from fulfillment.optimizer.sat import solve_sat
from tests.fulfillment.optimizer.drawn import drawn_problem, drawn_shape, problem
from tests.fulfillment.optimizer.oracle import optimum


def _solved(stated, time_limit_s=30.0):
    return solve_exact(stated, time_limit_s=time_limit_s, seed=0)


def _located(lines, options, *, seed, **shape):
    """State a facility location instance on a square: one order, each option a site."""
    rng = np.random.default_rng(seed)
    sites, places = rng.random((options, 2)), rng.random((lines, 2))
    distance = np.linalg.norm(places[:, None] - sites[None], axis=2)
    return problem(
        tuple(Line(str(line), line, 1) for line in range(lines)),
        line_cost=(10_000 * distance).astype(np.int64),
        package_cost=12_000,
        **shape,
    )


def test_a_facility_location_instance_is_proven_in_a_second():
    plan = _solved(_located(50, 16, seed=4))
    assert plan.status == "optimal"
    assert plan.seconds < 1


def test_opening_costs_and_capacity_agree_with_the_oracle():
    stated = _located(
        8, 4, seed=2, open_cost=[500, 100, 900, 300], capacities=[3, 3, 3, 3], option_capacity=[0, 1, 2, 3], line_work=1
    )
    plan = _solved(stated)
    assert check(stated, plan) == ()
    assert plan.objective == optimum(stated)


def test_an_infeasible_problem_names_a_smallest_set_of_lines():
    lines = tuple(Line(str(line), 0, units) for line, units in enumerate([3, 1, 1]))
    plan = _solved(problem(lines, line_cost=[[1], [1], [1]], package_cost=0, stock=[[2]]))
    assert plan.status == "infeasible"
    assert plan.unfilled == ((0, 0, 3, "must_serve"),)
    divisible = (Line("1", 0, 5, divisible=True), Line("2", 0, 1, unfilled_cost=9))
    plan = _solved(problem(divisible, line_cost=[[1], [1]], package_cost=0, stock=[[2]]))
    assert plan.unfilled == ((0, 0, 3, "must_serve"),)


def test_the_bound_is_valid_when_time_runs_out():
    rng = np.random.default_rng(8)
    stated = problem(
        tuple(Line(str(line), line, 1, unfilled_cost=90_000) for line in range(60)),
        line_cost=rng.integers(10_000, 60_000, (60, 40)),
        package_cost=rng.integers(50_000, 90_000, 40),
        capacities=[900] * 40,
        option_capacity=range(40),
        line_work=rng.integers(50, 250, (60, 40)),
        max_packages=11,
    )
    hurried, proven = _solved(stated, time_limit_s=0.4), _solved(stated, time_limit_s=5)
    assert check(stated, hurried) == ()
    assert hurried.status == "feasible"
    assert hurried.bound <= proven.objective <= hurried.objective


def test_a_bound_is_a_cost_that_a_plan_can_have():
    stated = problem((Line("1", 0, 1),), line_cost=[[30]], package_cost=20)
    assert _solved(stated).bound == 50
    assert exact._whole_bound(Answer("feasible", np.empty(0), 41.2), 10) == 50
    assert exact._whole_bound(Answer("feasible", np.empty(0), 40.0), 10) == 40


@pytest.fixture
def no_time(monkeypatch):
    monkeypatch.setattr(exact, "solve_sat", lambda *_, **__: None)
    monkeypatch.setattr(exact, "solve_mip", lambda *_, **__: Answer("unknown", np.empty(0), -np.inf))


def _packed(stated):
    try:
        return _solved(stated)
    except NoPlanInTimeError:
        assert any(line.unfilled_cost is None for order in stated.orders for line in order.lines)
        return None


@pytest.mark.usefixtures("no_time")
def test_without_time_a_plan_that_fits_is_found_at_once():
    drawn = [drawn_shape(seed) for seed in range(300)]
    plans = [(stated, plan) for stated in drawn if (plan := _packed(stated)) is not None]
    assert len(plans) > 200
    for stated, plan in plans:
        assert check(stated, plan) == ()
        assert plan.bound <= optimum(stated)


@pytest.mark.usefixtures("no_time")
def test_a_long_order_of_one_article_is_packed_without_a_model():
    lines = tuple(Line(str(line), 0, 1, unfilled_cost=1_000) for line in range(200))
    stock = [[50, 120, 90, 3]]
    plan = _solved(problem(lines, line_cost=np.full((200, 4), 10), package_cost=100, stock=stock, max_packages=2))
    assert (plan.objective, len(plan.unfilled), plan.bound) == (200 * 10 + 2 * 100, 0, 200 * 10)


@pytest.mark.usefixtures("no_time")
def test_no_plan_in_time_is_said():
    with pytest.raises(NoPlanInTimeError, match="allow more time"):
        _solved(problem((Line("1", 0, 2),), line_cost=[[1]], package_cost=0, stock=[[1]]))


def test_small_models_go_to_one_solver_and_large_or_broken_ones_to_the_other():
    small = drawn_problem(3, orders=2)
    assert _solved(small).solver == "CP-SAT"
    assert _solved(_located(30, 16, seed=4)).solver == "HiGHS"
    thirds = Mip(np.array([1.0, 2.0]) / 3, np.ones(2), Rows(), 0.0)
    assert solve_sat(thirds, pieces=1, time_limit_s=1, seed=0) is None
    assert solve_sat(thirds, pieces=3, time_limit_s=1, seed=0).outcome == "optimal"
    assert solve_sat(thirds, pieces=3 * 10**20, time_limit_s=1, seed=0) is None


def test_both_solvers_say_the_same_of_small_models():
    for seed in range(5000, 5080):
        model = sourcing_model(drawn_problem(seed, orders=1 + seed % 3))
        mip = mip_of(model)
        quick, other = solve_sat(mip, pieces=6, time_limit_s=9, seed=0), solve_mip(mip, time_limit_s=9, seed=0)
        assert quick.outcome == other.outcome
        assert quick.bound == pytest.approx(float(mip.cost @ other.values) if len(other.values) else 0.0)


def test_a_solver_that_breaks_off_is_said():
    broken = Mip(np.array([np.nan]), np.array([1.0]), Rows(), 1.0)
    with pytest.raises(SolverFailedError, match="HiGHS broke off"):
        solve_mip(broken, time_limit_s=1, seed=0)
