"""What articles are made of: kits and bundles, one level deep, written whole."""

import pytest

from stock import recipes
from stock.catalog import InvalidRows
from stock.recipes import Component, NoStockOfBundles, RecipeKind, RecipeRow
from tests.stock.shelf import stock


def row(sku="boots", kind="kit", **units):
    return RecipeRow(sku=sku, kind=kind, components=tuple(Component(*part) for part in sorted(units.items())))


def faults(session, *rows):
    with pytest.raises(InvalidRows) as refused:
        recipes.put(session, rows)
    return [(fault.pointer, fault.code) for fault in refused.value.faults]


def test_a_recipe_says_what_one_unit_is_made_of(session):
    assert recipes.put(session, [row(coat=1, hat=2), row("scarf", "bundle", hat=3)]) == ["created", "created"]
    made_of = {"boots": (Component("coat", 1), Component("hat", 2)), "scarf": (Component("hat", 3),)}
    assert recipes.components(session, ["boots", "scarf", "coat"]) == made_of
    assert recipes.components(session, ["boots", "scarf"], kind=RecipeKind.BUNDLE) == {"scarf": made_of["scarf"]}
    assert recipes.kinds(session, ["boots", "scarf", "hat"]) == {"boots": "kit", "scarf": "bundle"}


def test_a_recipe_is_written_whole_and_only_when_it_changed(session):
    recipes.put(session, [row(coat=1, hat=2)])
    assert recipes.put(session, [row(coat=1, hat=2)]) == ["unchanged"]
    assert recipes.put(session, [row(hat=1)]) == ["updated"]
    assert recipes.components(session, ["boots"]) == {"boots": (Component("hat", 1),)}
    (stored,) = recipes.recipes(session, after=None, limit=10).rows
    assert (stored.version, [line.component for line in stored.lines]) == (2, ["hat"])


def test_every_fault_of_a_recipe_is_named(session):
    given = RecipeRow(sku="unicorn", kind="set", components=(Component("horn", 1), Component("hat", 0)))
    assert faults(session, given, row()) == [
        ("/0/sku", "unknown_article"), ("/0/kind", "invalid"), ("/0/components/0/sku", "unknown_article"),
        ("/0/components/1/units", "invalid"), ("/1/components", "invalid"),
    ]  # fmt: skip


def test_a_recipe_is_one_level_deep(session):
    recipes.put(session, [row(coat=1)])
    assert faults(session, row("scarf", boots=1)) == [("/0/components/0/sku", "nested")]
    assert faults(session, row("coat", hat=1)) == [("/0/sku", "nested")]
    assert faults(session, row("hat", hat=1)) == [("/0/components/0/sku", "nested")]
    assert ("/1/sku", "nested") in faults(session, row("scarf", hat=1), row("hat", coat=1))


def test_what_has_stock_is_no_bundle_and_bundles_have_no_stock(session):
    stock(session, boots_MAD=1)
    assert faults(session, row(kind="bundle", coat=1)) == [("/0/kind", "has_stock")]
    recipes.put(session, [row("scarf", "bundle", hat=1)])
    with pytest.raises(NoStockOfBundles) as refused:
        recipes.check_no_bundles(session, ["hat", "scarf"])
    assert [fault.pointer for fault in refused.value.faults] == ["/lines/1/sku"]
