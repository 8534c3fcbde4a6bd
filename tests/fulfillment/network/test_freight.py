"""What a carrier asks for an order from each node, and how it is split over lines."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.network import tariffs
from fulfillment.network.boxes import Box, Goods, kinds_of
from fulfillment.network.freight import asked_for, carriable, load_of, within
from fulfillment.network.offers import CarrierOffer, Limits
from fulfillment.network.surcharges import Surcharge
from fulfillment.network.tariffs import Band
from fulfillment.network.zones import Area

MADRID = Area("ES", "MD", "28013")
BANDS = [Band(100, 1000, 300, 1), Band(100, 5000, 450, 2)]
PLAIN = CarrierOffer("STD", "Carrier", "standard", tariffs.lay_out(BANDS))
NODES, BAND = np.array([0, 1]), np.array([0, 0])
BOX = Box("B", 300, 200, 150, 200, 8000, 40)


def goods(*lines):
    """Lines are (units, grams, sides)."""
    units, weights, sides = zip(*lines, strict=True)
    return Goods(np.array(units), np.array(weights), np.array([sorted(each, reverse=True) for each in sides]))


def asked(offer, *lines, own=()):
    """Ask for goods from two nodes, the second of which has boxes of its own."""
    load = load_of(goods(*lines), (kinds_of([]), kinds_of(own)), np.array([0, 1]))
    return asked_for(offer, load, NODES, BAND, MADRID)


def whole(split):
    return (split.package + split.lines.sum(axis=0)).tolist()


def test_without_anything_to_measure_the_price_is_that_of_the_weight():
    found = asked(PLAIN, (2, 300, (10, 10, 10)), (1, 500, (10, 10, 10)))
    package, lines = tariffs.spread(PLAIN.tariffs, BAND, np.array([600, 500]))
    assert (found.charges[0].package.tolist(), found.charges[0].lines.tolist()) == (package.tolist(), lines.tolist())
    assert whole(found.charges[1]) == whole(found.charges[2]) == [0, 0]
    assert found.travel_days.tolist() == [2, 2]


@pytest.mark.parametrize(("divisor", "price", "days"), [(None, 300, 1), (5000, 300, 1), (4000, 450, 2)])
def test_what_takes_more_room_than_its_weight_is_billed_by_room(divisor, price, days):
    found = asked(replace(PLAIN, dimensional_divisor=divisor), (1, 800, (250, 200, 100)))
    assert (whole(found.charges[0])[0], int(found.travel_days[0])) == (price, days)


def test_a_box_costs_weighs_and_takes_room_where_the_node_has_one():
    found = asked(PLAIN, (1, 900, (100, 100, 100)), own=[BOX])
    assert (whole(found.charges[0]), whole(found.charges[2])) == ([300, 450], [0, 40])
    found = asked(replace(PLAIN, dimensional_divisor=5000), (1, 100, (100, 100, 100)), own=[BOX])
    assert whole(found.charges[0]) == [300, 450]


def test_units_that_no_box_holds_are_packages_of_their_own():
    fuel = replace(PLAIN, surcharges=(Surcharge(code="fuel", percent_bp=1000),))
    found = asked(fuel, (2, 700, (900, 10, 10)), (1, 500, (100, 100, 100)), own=[BOX])
    assert whole(found.charges[0]) == [450, 2 * 300 + 300]
    assert whole(found.charges[1]) == [45, 90]
    assert whole(found.charges[2]) == [0, 40]


def test_surcharges_add_up_where_their_conditions_hold_and_dated_ones_stand_apart():
    offer = replace(
        PLAIN,
        surcharges=(
            Surcharge(code="fuel", percent_bp=1000),
            Surcharge(code="remote", package_minor=900, country="ES", prefixes=("07",)),
            Surcharge(code="long", package_minor=70, over_length_mm=500),
            Surcharge(code="heavy", kg_minor=5, over_weight_g=1500),
            Surcharge(code="peak", package_minor=100, from_on=date(2026, 11, 20)),
        ),
    )
    light = asked(offer, (1, 800, (100, 100, 100)))
    assert whole(light.charges[1]) == [30, 30]
    large = asked(offer, (2, 900, (600, 10, 10)))
    assert whole(large.charges[1]) == [45 + 70 + 10] * 2
    ((surcharge, split),) = large.dated
    assert (surcharge.code, whole(split)) == ("peak", [100, 100])


def test_a_carrier_takes_what_keeps_its_limits():
    lines = goods((1, 5000, (900, 200, 100)), (1, 5001, (10, 10, 10)), (1, 10, (901, 1, 1)), (1, 10, (600, 250, 200)))
    assert carriable(replace(PLAIN, limits=Limits()), lines).all()
    assert carriable(replace(PLAIN, limits=Limits(parcel_g=5000)), lines).tolist() == [True, False, True, True]
    assert carriable(replace(PLAIN, limits=Limits(length_mm=900)), lines).tolist() == [True, True, False, True]
    assert carriable(replace(PLAIN, limits=Limits(girth_mm=1499)), lines).tolist() == [False, True, True, False]


LINES = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 3000), st.tuples(*[st.integers(0, 400)] * 3)), min_size=1, max_size=4
)
SURCHARGES = st.lists(
    st.builds(
        Surcharge,
        code=st.just("any"),
        percent_bp=st.integers(0, 3000),
        package_minor=st.integers(0, 300),
        kg_minor=st.integers(0, 50),
    ),
    max_size=1,
).map(tuple)


@given(LINES, SURCHARGES, st.sampled_from([None, 4000]), st.lists(st.just(BOX), max_size=1), st.booleans())
def test_the_split_is_the_whole_for_all_lines_and_exact_for_two_unless_apart_is_cheaper(
    lines, extra, divisor, own, further
):
    bands = [replace(band, further_kg_minor=60 if further else None) for band in BANDS]
    offer = replace(PLAIN, tariffs=tariffs.lay_out(bands), surcharges=extra, dimensional_divisor=divisor)
    together = asked(offer, *lines, own=own)
    alone = [asked(offer, line, own=own) for line in lines]
    for place, split in enumerate(together.charges):
        apart = [np.array(whole(each.charges[place])) for each in alone]
        total = np.array(whole(split))
        assert (split.package >= 0).all()
        assert (split.lines >= 0).all()
        assert (split.lines.sum(axis=0) <= total).all()
        if len(lines) != 2:
            continue
        ordinary = (total <= sum(apart)) & (total >= np.maximum(*apart))
        for line, price in enumerate(apart):
            assert ((split.package + split.lines[line] == price) | ~ordinary).all()


def test_a_box_keeps_the_limits_of_the_carrier_that_takes_it():
    small = replace(BOX, id="S", length_mm=150, width_mm=150, height_mm=150)
    kinds = kinds_of([BOX, small])

    def left(**limits):
        return [(box.id, box.max_weight_g) for box in within(kinds, Limits(**limits)).boxes]

    assert left() == left(length_mm=300) == left(girth_mm=1000) == [("S", 8000), ("B", 8000)]
    assert left(length_mm=299) == left(girth_mm=999) == [("S", 8000)]
    assert left(parcel_g=5000) == [("S", 4800), ("B", 4800)]
    assert left(parcel_g=200) == []
