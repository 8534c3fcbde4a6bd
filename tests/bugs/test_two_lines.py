"""One order named an article twice."""

from dataclasses import replace

from stock import catalog, recipes
from stock.recipes import Component, RecipeRow
from tests import factories
from tests.bugs.conftest import numbers
from tests.journeys.order import refused


def twice(retailer, channel, sku, *quantities):
    """A basket with a line of the article for each quantity."""
    basket = retailer.basket(channel, **{sku: 1})
    (line,) = basket["lines"]
    return basket | {"lines": [line | {"quantity": quantity} for quantity in quantities]}


def test_two_lines_of_an_article_were_each_checked_against_the_same_stock(retailer, sku):
    """https://github.com/medusajs/medusa/issues/16502"""
    retailer.gets("WH", **{sku: 1})
    with refused("out_of_stock"):
        retailer.takes(twice(retailer, "market", sku, 1, 1))
    order = retailer.takes(twice(retailer, "web", sku, 1, 1))
    lines = order.whole["lines"]
    assert sorted((line["allocated"], line["waiting"]) for line in lines) == [(0, 1), (1, 0)]
    assert retailer.stock("WH", sku) == {"on_hand": 1, "reserved": 1}


def test_an_order_that_named_an_article_twice_waited_for_itself(retailer, sku):
    """https://github.com/medusajs/medusa/pull/11403

    Three lines and a bundle of one article lock one balance, once.
    """
    bundle = f"bundle-{next(numbers)}"
    retailer.house.doors.write(lambda session: _put_bundle(session, bundle, sku))
    retailer.gets("WH", **{sku: 9})
    basket = twice(retailer, "market", sku, 1, 2, 1)
    basket["lines"].append(basket["lines"][0] | {"sku": bundle})
    order = retailer.takes(basket)
    assert [line["allocated"] for line in order.whole["lines"]] == [1, 2, 1, 2]
    assert retailer.stock("WH", sku) == {"on_hand": 9, "reserved": 6}


def test_the_second_line_of_an_article_was_subtracted_from_a_number_read_before_the_first(retailer, sku):
    """https://github.com/vendurehq/vendure/issues/1028"""
    retailer.gets("WH", **{sku: 5})
    order = retailer.takes(twice(retailer, "market", sku, 2, 3))
    assert retailer.stock("WH", sku) == {"on_hand": 5, "reserved": 5}
    retailer.picks_and_packs(order.part)
    retailer.ships(order.part)
    assert retailer.stock("WH", sku) == {}


def _put_bundle(session, bundle, sku):
    catalog.put_articles(session, [replace(factories.article("coat"), sku=bundle, name=bundle, gtin=None)])
    recipes.put(session, [RecipeRow(sku=bundle, kind="bundle", components=(Component(sku, 2),))])
