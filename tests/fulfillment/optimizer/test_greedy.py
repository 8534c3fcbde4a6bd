"""The plan at once: what it skips unseen, and that a solver cut short never answers worse."""

from dataclasses import replace

import numpy as np
import pytest

from fulfillment.optimizer import exact, greedy
from fulfillment.optimizer.check import check
from fulfillment.optimizer.mip import Answer
from tests.fulfillment.optimizer.drawn import drawn_problem, drawn_shape


@pytest.mark.parametrize("seed", range(60))
def test_no_option_is_skipped_that_saves_more(seed, monkeypatch):
    limits, filled = [], greedy._filled

    def limited(order, savings, need, left, most=greedy._most_saved):
        limits.append(most(order, savings, need, left))
        # Each option is filled, as if all could save anything.
        return np.full(len(order.option_ids), 1e18)

    def judged(order, option, *rest):
        package = filled(order, option, *rest)
        assert package.saved <= limits[-1][option]
        return package

    monkeypatch.setattr(greedy, "_most_saved", limited)
    monkeypatch.setattr(greedy, "_filled", judged)
    greedy.packed(drawn_shape(seed))


def test_a_poor_plan_of_a_solver_that_ran_out_of_time_gives_way(monkeypatch):
    given = drawn_problem(3)
    (order,) = given.orders
    lines = tuple(replace(line, unfilled_cost=1000) for line in order.lines)
    given = replace(given, orders=(replace(order, lines=lines),))

    def nothing(model, mip, **_):
        values = np.zeros(len(mip.cost))
        for group in model.groups:
            values[group.unfilled] = group.pieces
        return Answer("feasible", values, 0.0)

    monkeypatch.setattr(exact, "_answer", nothing)
    plan = exact.solve_exact(given, time_limit_s=1, seed=0)
    assert (plan.solver, plan.status) == ("greedy", "feasible")
    assert plan.assignments
    assert not check(given, plan)
