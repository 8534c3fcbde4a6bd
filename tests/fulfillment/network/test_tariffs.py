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


def test_a_zone_has_a_row_of_its_own():
    zoned = lay_out([*BANDS, Band(0, 5000, 990, 4, zone="islands")])
    row = np.array([0, zoned.zones["islands"]])
    assert zoned.price(row, np.array([900])).tolist() == [[300, 990]]
    assert zoned.travel_days(row, 900).tolist() == [1, 4]
    assert zoned.reach(np.array([501.0]))[1].tolist() == [False]


def test_without_bands_by_distance_no_distance_is_reached():
    assert not lay_out([Band(0, 5000, 990, 4, zone="islands")]).reach(np.array([0.0]))[1].any()


def test_a_volume_break_asks_more_for_what_takes_more_room():
    tariffs = lay_out([Band(100, 5000, 300, 1, max_volume_cm3=10_000), Band(100, 5000, 420, 2, max_volume_cm3=30_000)])
    band = np.array([0])
    volumes = np.array([[10_000], [10_001], [30_000]])
    assert tariffs.price(band, np.array([900] * 3), volumes).tolist() == [[300], [420], [420]]
    assert tariffs.travel_days(band, 900, np.array([10_001])).tolist() == [2]
    assert tariffs.price(band, np.array([900]), np.array([[60_001]])).tolist() == [[3 * 420]]


def test_a_band_without_a_volume_takes_any():
    tariffs = lay_out([Band(100, 1000, 300, 1, max_volume_cm3=10_000), Band(100, 5000, 450, 1)])
    assert tariffs.price(np.array([0]), np.array([900] * 2), np.array([[10_000], [10_001]])).tolist() == [[300], [450]]


def test_further_kilograms_are_priced_where_the_heaviest_band_says_so():
    tariffs = lay_out([Band(100, 1000, 300, 1), Band(100, 5000, 450, 1, further_kg_minor=40)])
    assert tariffs.price(np.array([0]), np.array([5000, 5001, 7000])).tolist() == [[450], [490], [530]]
    assert tariffs.packages(np.array([0]), np.array([50_000])).tolist() == [[1]]


def test_a_parcel_is_as_heavy_as_the_carrier_allows():
    tariffs = lay_out(BANDS, max_parcel_g=2000)
    band = np.array([0])
    assert tariffs.price(band, np.array([2000, 2001, 4000])).tolist() == [[450], [450 + 300], [900]]
    assert tariffs.packages(band, np.array([2000, 2001, 4000])).tolist() == [[1], [2], [2]]
