"""Each surcharge and each of its conditions: that it bites, and that it does not."""

from datetime import date

import numpy as np
import pytest

from fulfillment.network import surcharges
from fulfillment.network.surcharges import Surcharge
from fulfillment.network.zones import Area

PALMA = Area("ES", "IB", "07001")
MADRID = Area("ES", "MD", "28013")
FRIDAY = date(2026, 11, 20)


def test_a_percentage_is_of_the_price_and_rounded_up():
    fuel = Surcharge(code="fuel", percent_bp=1250)
    assert surcharges.of_price(fuel, np.array([400, 401, 0])).tolist() == [50, 51, 0]
    assert surcharges.of_price(Surcharge(code="flat", package_minor=90), np.array([400])).tolist() == [0]


def test_an_amount_is_for_each_package():
    assert surcharges.of_packages(Surcharge(code="flat", package_minor=90), np.array([1, 3])).tolist() == [90, 270]
    assert surcharges.of_packages(Surcharge(code="fuel", percent_bp=1), np.array([3])).tolist() == [0]


def test_a_kilogram_begun_counts():
    heavy = Surcharge(code="heavy", kg_minor=20)
    assert surcharges.of_weight(heavy, np.array([0, 1, 1000, 1001])).tolist() == [0, 20, 20, 40]
    assert surcharges.of_weight(Surcharge(code="flat", package_minor=90), np.array([5000])).tolist() == [0]


@pytest.mark.parametrize(
    ("changes", "palma", "madrid"),
    [
        ({}, True, True),
        ({"country": "ES", "prefixes": ("07", "35")}, True, False),
        ({"country": "PT"}, False, False),
        ({"country": "PT", "prefixes": ("07",)}, False, False),
    ],
)
def test_a_remote_destination_is_known_by_its_prefix(changes, palma, madrid):
    remote = Surcharge(code="remote", package_minor=900, **changes)
    assert [surcharges.goes_to(remote, place) for place in (PALMA, MADRID)] == [palma, madrid]


def test_what_is_longer_than_allowed_is_oversize():
    long = Surcharge(code="long", package_minor=700, over_length_mm=1000)
    assert surcharges.oversize(long, np.array([1000, 1001])).tolist() == [False, True]
    assert surcharges.oversize(Surcharge(code="flat", package_minor=1), np.array([0])).tolist() == [True]


def test_what_is_heavier_than_allowed_is_overweight():
    heavy = Surcharge(code="heavy", package_minor=700, over_weight_g=20_000)
    assert surcharges.overweight(heavy, np.array([20_000, 20_001])).tolist() == [False, True]
    assert surcharges.overweight(Surcharge(code="flat", package_minor=1), np.array([0])).tolist() == [True]


def test_saturdays_are_charged_by_the_day_of_arrival():
    saturday = Surcharge(code="saturday", package_minor=500, delivered_on=(5,))
    leaves = np.array([[FRIDAY.toordinal()] * 3])
    assert surcharges.on_days(saturday, leaves, leaves + np.array([0, 1, 3])).tolist() == [[False, True, False]]


def test_a_peak_is_charged_by_the_day_of_leaving_from_its_first_to_its_last():
    peak = Surcharge(code="peak", package_minor=100, from_on=date(2026, 11, 21), until_on=date(2026, 11, 22))
    leaves = np.array([FRIDAY.toordinal() + step for step in range(4)])
    assert surcharges.on_days(peak, leaves, leaves).tolist() == [False, True, True, False]
    assert surcharges.on_days(Surcharge(code="flat", package_minor=1), leaves, leaves).all()
