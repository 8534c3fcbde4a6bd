"""Kits: components out and kits in, in one posting, without taking anything from anybody."""

import pytest

from stock import conversions, recipes
from stock.conversions import NoKit
from stock.errors import InsufficientStock, InvalidUnits, UnknownStock
from stock.models import StockBalance
from stock.proof import verify
from stock.recipes import Component, RecipeRow
from stock.reservations import rebind
from tests.stock.shelf import NOW, claim, counters, header, stock


@pytest.fixture
def kit(session):
    """A pair of boots comes with a coat and two hats."""
    parts = (Component("coat", 1), Component("hat", 2))
    recipes.put(session, [RecipeRow(sku="boots", kind="kit", components=parts)])


def convert(session, units, direction="assemble", **fields):
    return conversions.convert(
        session, **({"node": "MAD", "sku": "boots"} | fields), units=units, direction=direction, actor="ana", now=NOW
    )


def levels(session):
    return {sku: counters(session, sku, "MAD").get("on_hand", 0) for sku in ("boots", "coat", "hat")}


@pytest.mark.usefixtures("kit")
def test_kits_are_assembled_and_taken_apart(session):
    stock(session, coat_MAD=5, hat_MAD=5)
    convert(session, 2)
    assert levels(session) == {"boots": 2, "coat": 3, "hat": 1}
    convert(session, 1, "take_apart")
    assert levels(session) == {"boots": 1, "coat": 4, "hat": 3}
    assert list(verify.findings(session)) == []


@pytest.mark.usefixtures("kit")
def test_all_that_lacks_is_told_and_nothing_moves(session):
    stock(session, coat_MAD=1, hat_MAD=3)
    with pytest.raises(InsufficientStock) as refused:
        convert(session, 2)
    assert [(short.sku, short.wanted, short.available) for short in refused.value.shortages] == [
        ("coat", 2, 1), ("hat", 4, 3),
    ]  # fmt: skip
    with pytest.raises(InsufficientStock):
        convert(session, 1, "take_apart")
    assert levels(session) == {"boots": 0, "coat": 1, "hat": 3}


@pytest.mark.usefixtures("kit")
def test_claimed_units_are_left_alone_even_where_more_may_be_promised(session):
    stock(session, coat_MAD=3, hat_MAD=9)
    session.get(StockBalance, ("coat", "MAD")).backorder_limit = 10
    rebind(session, header(), claims=[claim(units=2)])
    with pytest.raises(InsufficientStock):
        convert(session, 2)
    convert(session, 1)
    assert counters(session, "coat", "MAD") == {"on_hand": 2, "reserved": 2}


@pytest.mark.usefixtures("kit")
def test_only_kits_are_converted_where_there_is_a_node(session):
    recipes.put(session, [RecipeRow(sku="scarf", kind="bundle", components=(Component("hat", 1),))])
    for sku in ("scarf", "coat"):
        with pytest.raises(NoKit):
            convert(session, 1, sku=sku)
    with pytest.raises(UnknownStock):
        convert(session, 1, node="OZ")
    with pytest.raises(InvalidUnits):
        convert(session, 0)
