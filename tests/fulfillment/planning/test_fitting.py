"""Changes that fit together are kept; the rest is struck, least saving first, with what rested on it."""

import numpy as np
import pytest

from fulfillment.optimizer.plan import Assignment
from fulfillment.optimizer.problem import UNLIMITED, Line, OrderProblem, Problem
from fulfillment.planning.fitting import Change, keep_fitting


def an_order(name, units=1):
    return OrderProblem(
        name, (Line("1", 0, units, unfilled_cost=100),), ("a", "b"), np.array([0, 1]), np.array([0, 1]), ("package",),
        np.array([[5, 3]]), np.zeros((1, 1, 2), int), np.ones((1, 2), bool), np.array([1, 1]), np.zeros((1, 2), int),
    )  # fmt: skip


def a_problem(orders, stock, minutes=(UNLIMITED, UNLIMITED)):
    return Problem(
        ("A", "B"), np.zeros(2, int), ("A-today", "B-today"), np.array(minutes), ("S",), np.array([stock]), orders
    )


def move(order, now, wanted, saving, units=1):
    def place(option):
        return () if option is None else (Assignment(order, 0, option, units),)

    return Change(order, place(now), place(wanted), saving)


def kept_orders(kept):
    return [change.order for change in kept]


def test_changes_that_fit_are_all_kept():
    problem = a_problem((an_order("1"), an_order("2")), stock=[2, 2])
    kept, struck = keep_fitting(problem, [move(0, 0, 1, 2), move(1, 0, 1, 2)])
    assert kept_orders(kept) == [0, 1]
    assert struck == []


def test_units_gone_strike_the_change_that_saves_least():
    problem = a_problem((an_order("1"), an_order("2")), stock=[2, 1])
    kept, struck = keep_fitting(problem, [move(0, 0, 1, 1), move(1, 0, 1, 9)])
    assert kept_orders(kept) == [1]
    assert kept_orders(struck) == [0]


def test_minutes_gone_strike_too():
    problem = a_problem((an_order("1"), an_order("2")), stock=[2, 2], minutes=(UNLIMITED, 1))
    kept, _ = keep_fitting(problem, [move(0, 0, 1, 1), move(1, 0, 1, 9)])
    assert kept_orders(kept) == [1]


def test_an_exchange_of_the_last_units_holds():
    problem = a_problem((an_order("1"), an_order("2")), stock=[1, 1])
    kept, struck = keep_fitting(problem, [move(0, 0, 1, 1), move(1, 1, 0, 1)])
    assert kept_orders(kept) == [0, 1]
    assert struck == []


def test_what_rested_on_a_struck_change_is_struck_with_it():
    orders = tuple(an_order(str(number)) for number in range(3))
    problem = a_problem(orders, stock=[1, 1])
    # The first takes B's unit, which nobody has; the second may go to A only because the first leaves it.
    kept, struck = keep_fitting(problem, [move(0, 0, 1, 5), move(2, 1, None, 1), move(1, None, 0, 2)])
    assert {*kept_orders(kept), *kept_orders(struck)} == {0, 1, 2}
    assert kept_orders(kept) == [0, 2, 1]
    smaller = a_problem(orders, stock=[1, 0])
    kept, struck = keep_fitting(smaller, [move(0, 0, 1, 5), move(1, None, 0, 2)])
    assert kept == []
    assert sorted(kept_orders(struck)) == [0, 1]


def test_a_cell_that_is_overused_as_things_stand_strikes_nobody_who_does_not_take_more():
    problem = a_problem((an_order("1"), an_order("2")), stock=[1, 5])
    kept, struck = keep_fitting(problem, [move(0, 0, 1, 1), move(1, 0, 1, 1)])
    assert len(kept) == 2
    assert struck == []


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_kept_fits(seed):
    rng = np.random.default_rng(seed)
    orders = tuple(an_order(str(number)) for number in range(12))
    now = [int(rng.integers(0, 2)) for _ in orders]
    stock = [now.count(0) + int(rng.integers(0, 3)), now.count(1) + int(rng.integers(0, 3))]
    problem = a_problem(orders, stock)
    changes = [move(i, now[i], 1 - now[i], int(rng.integers(1, 9))) for i in range(12) if rng.random() < 0.8]
    moving = {change.order for change in changes}
    standing = [Assignment(order, 0, now[order], 1) for order in range(12) if order not in moving]
    kept, struck = keep_fitting(problem, changes, standing=standing)
    place = dict(enumerate(now)) | {change.order: change.wanted[0].option for change in kept}
    assert [list(place.values()).count(0) <= stock[0], list(place.values()).count(1) <= stock[1]] == [True, True]
    assert len(kept) + len(struck) == len(changes)
