"""What the network holds, node by node, on both databases."""

import pytest

from kernel.db import connect
from stock import reports
from stock.models import Article, Node, StockBalance


@pytest.fixture(scope="module")
def session(database_url):
    database = connect(database_url)
    with database.write() as session:
        session.add_all(
            Node(id=name, name=name.title(), kind="store", time_zone="Europe/Madrid") for name in ("a", "b")
        )
        session.add_all(Article(sku=sku, name=sku, currency="EUR", unit_cost_minor=cost) for sku, cost in COSTS.items())
        session.flush()
        session.add_all(
            [
                StockBalance(sku="X", node="a", on_hand=3, reserved=1, damaged=2, quarantine=1),
                StockBalance(sku="Y", node="a", on_hand=0, in_transit=4),
            ]
        )
        session.flush()
        yield session
    database.dispose()


COSTS = {"X": 250, "Y": 100}


def test_a_node_is_summed_over_its_articles(session):
    expected = reports.NodeStock(articles=1, on_hand=3, reserved=1, in_transit=4, unsellable=3, value_minor=750)
    assert reports.by_node(session) == {"a": expected}


def test_one_node_may_be_asked_for(session):
    assert reports.by_node(session, "b") == {}
    assert reports.by_node(session, "a")["a"].on_hand == 3


def test_nodes_come_by_name(session):
    assert [node.id for node in reports.nodes(session)] == ["a", "b"]


def test_unknown_articles_are_absent(session):
    assert set(reports.articles(session, {"X", "Z"})) == {"X"}
    assert reports.articles(session, set()) == {}
