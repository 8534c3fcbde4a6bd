"""The demo's orders: the same for a seed, spread as the story says, and possible in the network."""

import json
import re
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice

import pytest

from demo import BUSINESS_CLOCK, ORDER_COUNT, SEED, network, orders, stock

STORY = list(orders.orders(SEED, ORDER_COUNT))
MANY = list(orders.orders(SEED, 5000))
REQUIRED = {
    "channel",
    "external_id",
    "currency",
    "placed_at",
    "customer",
    "method",
    "service",
    "ship_to",
    "lines",
    "shipping_price",
    "paid",
}


def share(story, test):
    return sum(map(test, story)) / len(story)


def is_collected(order):
    return order["method"] == "collect"


def lines_per_order(story):
    return sum(len(order["lines"]) for order in story) / len(story)


def test_one_seed_tells_the_same_story_and_another_seed_another():
    assert list(orders.orders(SEED, ORDER_COUNT)) == STORY
    assert next(orders.orders(SEED + 1, 1)) != STORY[0]


def test_a_body_is_plain_json_with_the_fields_of_an_order():
    for order in STORY:
        assert json.loads(json.dumps(order)) == order
        assert order.keys() - {"collect_node"} == REQUIRED


@pytest.mark.parametrize("story", [STORY, MANY], ids=["the story", "a long one"])
def test_a_basket_has_1_7_lines_and_one_order_in_four_is_collected(story):
    assert lines_per_order(story) == pytest.approx(1.7, abs=0.1)
    assert share(story, is_collected) == pytest.approx(0.25, abs=0.03)


def test_orders_name_what_the_network_has():
    prices = {article.sku: article.price for article in network.articles()}
    channels = {channel.id for channel in network.channels()}
    for order in MANY:
        assert order["channel"] in channels
        for line in order["lines"]:
            assert Decimal(line["unit_price"]["amount"]) == prices[line["sku"]]
            assert line["quantity"] >= 1
        assert len({line["sku"] for line in order["lines"]}) == len(order["lines"])


def test_collected_orders_name_a_store_that_hands_over_and_others_name_none():
    offering = {node.id for node in network.nodes() if node.collects}
    for order in MANY:
        assert ("collect_node" in order) == is_collected(order)
        assert not is_collected(order) or order["collect_node"] in offering


def test_channels_and_external_ids_are_told_apart():
    assert len({(order["channel"], order["external_id"]) for order in MANY}) == len(MANY)
    assert {order["channel"] for order in STORY} == {channel.id for channel in network.channels()}


def test_orders_come_in_time_and_before_the_business_clock():
    placed = [datetime.fromisoformat(order["placed_at"]) for order in STORY]
    assert placed == sorted(placed)
    assert timedelta(0) < BUSINESS_CLOCK - placed[-1]
    assert BUSINESS_CLOCK - placed[0] <= timedelta(hours=len(orders.HOURS))


def test_only_collected_orders_may_be_unpaid():
    unpaid = [order for order in MANY if not order["paid"]]
    assert unpaid
    assert all(is_collected(order) for order in unpaid)


def test_only_shipped_orders_are_express():
    express = [order for order in MANY if order["service"] == "express"]
    assert express
    assert not any(is_collected(order) for order in express)


def test_most_addresses_have_coordinates_and_towns_the_postal_table_lacks_have_none():
    known = {(code.country, code.postal_code) for code in network.postal_codes()}
    by_prefix = [order["ship_to"] for order in MANY if not is_known(order["ship_to"], known)]
    assert share(MANY, lambda order: "latitude" in order["ship_to"]) == pytest.approx(5 / 6, abs=0.03)
    assert by_prefix
    assert not any("latitude" in address for address in by_prefix)


def is_known(address, known):
    return (address["country"], address["postal_code"]) in known


def test_large_cities_order_more():
    cities = [order["ship_to"]["city"] for order in MANY]
    assert cities.count("Madrid") > cities.count("Barcelona") > cities.count("Zaragoza") > cities.count("Soria")


def test_customers_come_back_and_keep_their_address():
    addresses = {}
    for order in STORY:
        addresses.setdefault(order["customer"]["email"], set()).add(order["ship_to"]["line1"])
    assert len(addresses) < ORDER_COUNT
    assert all(len(lines) == 1 for lines in addresses.values())


def test_nobody_real_can_be_reached():
    for order in MANY:
        assert re.fullmatch(r"[a-z]+\.[a-z]+\.\d+@example\.com", order["customer"]["email"])
        assert re.fullmatch(r"\+344\d{8}|\+3515\d{8}", order["customer"]["phone"])


def test_money_is_a_decimal_string_with_its_currency():
    for order in STORY:
        for money in (order["shipping_price"], *(line["unit_price"] for line in order["lines"])):
            assert money.keys() == {"amount", "currency"}
            assert money["currency"] == order["currency"] == "EUR"
            assert re.fullmatch(r"\d+\.\d\d", money["amount"])


def test_some_baskets_fit_no_single_node_and_some_units_are_missing_altogether():
    promised = {}
    for row in stock.rows(SEED):
        promised.setdefault(row.node, {})[row.sku] = row.units - row.safety_stock
    split = [order for order in STORY if not any(fits(order, shelf) for shelf in promised.values())]
    wanted, held = {}, {}
    for order in STORY:
        for line in order["lines"]:
            wanted[line["sku"]] = wanted.get(line["sku"], 0) + line["quantity"]
    for shelf in promised.values():
        for sku, units in shelf.items():
            held[sku] = held.get(sku, 0) + units
    short = sum(max(0, units - held.get(sku, 0)) for sku, units in wanted.items())
    assert 5 <= len(split) <= 50
    assert 5 <= short <= 50


def fits(order, shelf):
    return all(shelf.get(line["sku"], 0) >= line["quantity"] for line in order["lines"])


def test_a_story_is_told_one_order_at_a_time():
    assert list(islice(orders.orders(SEED, ORDER_COUNT), 3)) == STORY[:3]
