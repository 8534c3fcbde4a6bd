"""The demo's opening stock: skewed, the same for a seed, and never more than the network can place."""

import csv
from collections import Counter, defaultdict

import pytest

from demo import SEED, network, popularity, stock

ROWS = list(stock.rows(SEED))
KINDS = {node.id: node.kind for node in network.nodes()}


def articles_by_node():
    carried = Counter(row.node for row in ROWS)
    assert carried.keys() == KINDS.keys()
    return carried


def test_one_seed_lays_out_the_same_stock_and_another_seed_another():
    assert list(stock.rows(SEED)) == ROWS
    assert list(stock.rows(SEED + 1)) != ROWS


def test_an_article_has_one_row_at_a_node_and_one_shelf_to_itself():
    assert len({(row.sku, row.node) for row in ROWS}) == len(ROWS)
    assert len({(row.node, row.shelf) for row in ROWS}) == len(ROWS)


def test_rows_name_articles_of_the_network_and_keep_something_to_promise():
    skus = {article.sku for article in network.articles()}
    assert all(row.sku in skus and 0 <= row.safety_stock < row.units for row in ROWS)


def test_warehouses_carry_four_in_five_and_stores_one_in_three():
    shares = defaultdict(list)
    for node, count in articles_by_node().items():
        shares[KINDS[node]].append(count / 400)
    assert shares["warehouse"] == pytest.approx([0.8, 0.8], abs=0.03)
    assert sum(shares["store"]) / 40 == pytest.approx(0.35, abs=0.03)


def test_shelves_follow_the_walk():
    for node in KINDS:
        shelves = [row.shelf for row in ROWS if row.node == node]
        assert shelves == sorted(shelves)


def test_best_sellers_lie_deeper():
    units = Counter()
    for row in ROWS:
        units[row.sku] += row.units
    ranked = [units[article.sku] for article in popularity.ranking(SEED)]
    assert sum(ranked[:100]) > 2 * sum(ranked[-100:])


def test_scarce_articles_are_in_no_warehouse_and_in_few_stores():
    scarce = stock.scarce_articles(SEED)
    places = Counter(row.sku for row in ROWS if row.sku in scarce)
    assert places.keys() == scarce
    assert max(places.values()) <= 3
    assert all(KINDS[row.node] == "store" and row.units <= 2 for row in ROWS if row.sku in scarce)


def test_the_file_holds_every_row(tmp_path):
    count = stock.write(tmp_path / "stock.csv", SEED)
    with (tmp_path / "stock.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert count == len(lines) == len(ROWS)
    assert lines[0] == {
        "sku": ROWS[0].sku,
        "node": ROWS[0].node,
        "units": str(ROWS[0].units),
        "shelf": ROWS[0].shelf,
        "safety_stock": str(ROWS[0].safety_stock),
    }
