import numpy as np

from fulfillment.network import costs

NODE = np.array([0, 1, 1])


def test_handling_is_the_labour_of_the_options_node():
    assert costs.handling(np.array([120, 250]), NODE).tolist() == [120, 250, 250]


def test_the_carrier_asks_by_node_and_by_line():
    assert costs.carrier(np.array([300, 450]), NODE).tolist() == [300, 450, 450]
    assert costs.carrier(np.array([[1, 2], [3, 4]]), NODE).tolist() == [[1, 2, 2], [3, 4, 4]]


def test_a_line_costs_once_and_for_each_unit():
    handling = costs.line_handling(np.array([30, 60]), np.array([10, 12]), np.array([1, 3]), NODE)
    assert handling.tolist() == [[40, 72, 72], [60, 96, 96]]


def test_lateness_bites_for_each_day_begun():
    due = 1_000_000
    longest_day = due + costs.DAY_S + costs.HOUR_S
    arrives = np.array([due - 1, due, due + 1, due + costs.DAY_S, longest_day, longest_day + 1])
    assert costs.lateness(arrives, due, 300).tolist() == [0, 0, 300, 300, 300, 600]


def test_pick_risk_bites_where_lines_may_not_be_found():
    assert costs.pick_risk(np.array([[1.0, 0.9], [0.5, 0.25]]), 600, NODE).tolist() == [[0, 60, 60], [300, 450, 450]]


def test_pick_risk_costs_nothing_where_all_is_found_or_sourcing_anew_is_free():
    assert not costs.pick_risk(np.ones((2, 2)), 600, NODE).any()
    assert not costs.pick_risk(np.full((2, 2), 0.5), 0, NODE).any()


def test_preference_adds_the_kind_and_the_day():
    assert costs.preference(np.array([0, 25]), NODE, np.array([0, 0, 2])).tolist() == [0, 25, 27]


def test_churn_bites_only_for_a_line_that_leaves_its_node():
    current = np.array([[True, False], [False, False]])
    assert costs.churn(NODE, current, 50).tolist() == [[0, 50, 50], [0, 0, 0]]


def test_a_shadow_price_bites_for_each_unit_where_one_is_set():
    prices = np.array([[0, 150], [20, 0]])
    assert costs.shadow_price(prices, np.array([2, 3]), NODE).tolist() == [[0, 300, 300], [60, 0, 0]]


def test_a_shadow_price_of_zero_costs_nothing():
    assert not costs.shadow_price(np.zeros((2, 2), dtype=np.int64), np.array([2, 3]), NODE).any()


def test_a_markdown_avoided_pays_for_each_unit_where_one_is_expected():
    assert costs.markdown(np.array([[0, 400]]), np.array([2]), NODE).tolist() == [[0, -800, -800]]


def test_without_a_markdown_expected_nothing_is_avoided():
    assert not costs.markdown(np.zeros((2, 2), dtype=np.int64), np.array([2, 3]), NODE).any()


def test_minutes_have_their_price_when_the_day_is_full_and_half_of_it_well_beyond_the_middle():
    used = np.array([0.0, 0.5, 0.62, 1.0])
    assert costs.capacity(np.full(4, 10), used, 30).tolist() == [0, 113, 150, 300]
    assert costs.capacity(np.array([[1, 2, 3, 4]]), used, 30).tolist() == [[0, 23, 45, 120]]


def test_minutes_cost_nothing_on_an_empty_day_or_without_a_price():
    assert not costs.capacity(np.full(2, 10), np.zeros(2), 30).any()
    assert not costs.capacity(np.full(2, 10), np.ones(2), 0).any()


def test_a_day_is_used_by_what_is_claimed_of_it_and_wholly_when_it_has_nothing():
    assert costs.share_used(np.array([60, 15, 0, 0]), np.array([60, 60, 60, 0])).tolist() == [0.0, 0.75, 1.0, 1.0]
