import numpy as np
import pytest

from fulfillment.network.tariffs import Band, lay_out, spread

BANDS = [Band(100, 1000, 300, 1), Band(100, 5000, 450, 1), Band(500, 1000, 500, 2), Band(500, 5000, 700, 3)]


@pytest.fixture
def tariffs():
    return lay_out(BANDS)


def test_the_narrowest_band_that_reaches_prices_a_package(tariffs):
    band, reaches = tariffs.reach(np.array([100.0, 100.1, 500.0, 500.5]))
    assert reaches.tolist() == [True, True, True, False]
    assert tariffs.price(band[:3], np.array([1000, 1001])).tolist() == [[300, 500, 500], [450, 700, 700]]


def test_travel_depends_on_distance_and_weight(tariffs):
    assert tariffs.travel_days(np.array([0, 1]), 900).tolist() == [1, 2]
    assert tariffs.travel_days(np.array([0, 1]), 2000).tolist() == [1, 3]


def test_a_consignment_heavier_than_all_goes_as_several_packages(tariffs):
    assert tariffs.price(np.array([0]), np.array([10_000, 10_500])).tolist() == [[900], [900 + 300]]


def test_a_weightless_package_costs_as_the_lightest(tariffs):
    assert tariffs.price(np.array([0]), np.array([0])).tolist() == [[300]]


@pytest.mark.parametrize("weights", [[900], [600, 700], [400, 300], [4900, 4900], [800, 100]])
def test_the_spread_price_is_exact_for_one_and_two_lines(tariffs, weights):
    band = np.array([0, 1])
    package, lines = spread(tariffs, band, np.array(weights))
    whole = tariffs.price(band, np.array([sum(weights)]))[0]
    assert (package + lines.sum(axis=0)).tolist() == whole.tolist()
    for line, weight in enumerate(weights):
        alone = tariffs.price(band, np.array([weight]))[0]
        assert (package + lines[line]).tolist() == alone.tolist()


def test_the_spread_price_of_three_lines_is_exact_for_all_and_for_all_but_one(tariffs):
    weights = np.array([2000, 400, 300])
    package, lines = spread(tariffs, np.array([0]), weights)
    assert package[0] + lines.sum() == tariffs.price(np.array([0]), np.array([2700]))[0, 0]
    assert package[0] + lines[1:].sum() == tariffs.price(np.array([0]), np.array([700]))[0, 0]


def test_lines_never_add_more_than_the_whole_costs(tariffs):
    weights = np.array([400, 400, 400, 400, 400, 3200])
    package, lines = spread(lay_out([Band(100, 5000, 100, 1), Band(100, 10_000, 900, 1)]), np.array([0]), weights)
    assert package[0] >= 0
    assert package[0] + lines.sum() == 900


def test_a_weight_that_a_distance_lacks_has_the_next_heavier_price():
    ragged = lay_out([*BANDS, Band(500, 2000, 600, 2)])
    assert ragged.price(np.array([0, 1]), np.array([1500])).tolist() == [[450, 600]]
