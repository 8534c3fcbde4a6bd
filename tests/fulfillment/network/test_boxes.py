"""The smallest box that fits: each rule bites, and does not."""

import numpy as np
import pytest

from fulfillment.network.boxes import Box, Goods, kinds_of, packed

SMALL = Box("S", 200, 150, 100, 60, 2000, 20)
LARGE = Box("L", 400, 300, 200, 250, 10_000, 55)
KINDS = kinds_of([LARGE, SMALL])


def goods(*lines):
    """Lines are (units, grams, sides)."""
    units, weights, sides = zip(*lines, strict=True)
    ordered = [sorted(each, reverse=True) for each in sides]
    return Goods(np.array(units), np.array(weights), np.array(ordered))


def pack(*lines, kinds=KINDS):
    """Pack all lines together."""
    return packed(kinds, goods(*lines), np.ones((1, len(lines)), dtype=np.bool_))


def chosen(boxed):
    return int(boxed.count[0]), KINDS.boxes[boxed.kind[0]].id if boxed.kind[0] >= 0 else None


@pytest.mark.parametrize(
    ("line", "box"),
    [
        ((1, 500, (100, 200, 150)), (1, "S")),
        ((1, 500, (201, 10, 10)), (1, "L")),
        ((2, 1000, (10, 10, 10)), (1, "S")),
        ((2, 1001, (10, 10, 10)), (1, "L")),
        ((8, 100, (100, 75, 50)), (1, "S")),
        ((9, 100, (100, 75, 50)), (1, "L")),
    ],
)
def test_the_smallest_box_that_fits_by_side_weight_and_rows(line, box):
    assert chosen(pack(line)) == box


def test_mixed_goods_fill_three_quarters_of_a_box_at_most():
    cube = (1, 100, (100, 100, 100))
    assert chosen(pack(cube, (1, 100, (125, 100, 100)))) == (1, "S")
    assert chosen(pack(cube, (1, 100, (126, 100, 100)))) == (1, "L")


def test_a_box_weighs_measures_and_costs():
    boxed = pack((1, 500, (100, 100, 100)))
    found = (boxed.weight_g, boxed.volume_mm3, boxed.longest_mm, boxed.cost_minor)
    assert [int(each[0]) for each in found] == [560, 3_000_000, 200, 20]


def test_goods_that_no_box_holds_go_in_several_of_the_largest():
    boxed = pack((30, 1000, (100, 100, 100)))
    assert chosen(boxed) == (3, "L")
    assert (int(boxed.weight_g[0]), int(boxed.cost_minor[0])) == (10_250, 165)


def test_a_line_too_large_for_every_box_travels_as_it_is_and_the_rest_in_a_box():
    boxed = pack((2, 900, (1200, 50, 50)), (1, 500, (100, 100, 100)))
    assert boxed.bare.tolist() == [True, False]
    assert chosen(boxed) == (1, "S")
    assert int(boxed.weight_g[0]) == 560


def test_what_travels_as_it_is_alone_needs_no_box():
    boxed = pack((1, 900, (1200, 50, 50)))
    assert (int(boxed.count[0]), int(boxed.cost_minor[0]), int(boxed.kind[0])) == (0, 0, -1)


def test_without_boxes_goods_are_as_large_as_they_are():
    boxed = pack((2, 500, (100, 100, 100)), (1, 300, (400, 20, 10)), kinds=kinds_of([]))
    found = (boxed.count, boxed.weight_g, boxed.volume_mm3, boxed.longest_mm, boxed.cost_minor)
    assert [int(each[0]) for each in found] == [1, 1300, 2_080_000, 400, 0]


def test_an_article_without_measures_counts_by_its_weight():
    assert chosen(pack((1, 2000, (0, 0, 0)))) == (1, "S")
    assert chosen(pack((1, 2001, (0, 0, 0)))) == (1, "L")
