"""Bulk upserts: told row by row, all faults at once, nothing written for nothing."""

import pytest

from stock import catalog
from stock.catalog import InvalidRows
from stock.models import Article, Node, Placement, StockBalance
from stock.reservations import rebind
from stock.rows import ArticleRow, LimitRow, NodeRow, PlacementRow
from tests.stock.shelf import claim, header, stock


def node(id_="OPO", **fields):
    return NodeRow(**({"id": id_, "name": "Porto", "kind": "store", "time_zone": "Europe/Lisbon"} | fields))


def article(sku="glove", **fields):
    return ArticleRow(**({"sku": sku, "name": "Glove", "currency": "EUR"} | fields))


def pointers(refused):
    return [fault.pointer for fault in refused.value.faults]


def test_each_row_is_told_what_happened_to_it(session):
    assert catalog.put_nodes(session, [node(), node("FAO")]) == ["created", "created"]
    assert catalog.put_nodes(session, [node(), node("FAO", status="suspended")]) == ["unchanged", "updated"]
    assert (session.get(Node, "OPO").version, session.get(Node, "FAO").version) == (1, 2)
    assert session.get(Node, "FAO").status == "suspended"


def test_a_loaded_row_shows_what_was_written(session):
    catalog.put_nodes(session, [node()])
    loaded = session.get(Node, "OPO")
    catalog.put_nodes(session, [node(name="Oporto")])
    assert loaded.name == "Oporto"


def test_thousands_of_rows_are_written_in_chunks_and_then_left_alone(session):
    rows = [article(f"sku-{n}") for n in range(1200)]
    assert set(catalog.put_articles(session, rows)) == {"created"}
    assert set(catalog.put_articles(session, rows)) == {"unchanged"}


def test_every_fault_of_every_row_is_named_and_nothing_written(session):
    rows = [
        node("OPO", kind="castle", time_zone="Mars/Olympus"),
        node("FAO"),
        node("FAO", name="  "),
        node("BEJ", status="asleep", name="x\x00y"),
    ]
    with pytest.raises(InvalidRows) as refused:
        catalog.put_nodes(session, rows)
    assert sorted(pointers(refused)) == [
        "/0/kind", "/0/time_zone", "/2/id", "/2/name", "/3/name", "/3/status",
    ]  # fmt: skip
    assert session.get(Node, "FAO") is None


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"gtin": "4006381333932"}, "/0/gtin"),
        ({"weight_g": -1}, "/0/weight_g"),
        ({"price_minor": 10**12}, "/0/price_minor"),
        ({"length_mm": True}, "/0/length_mm"),
        ({"currency": "EURO"}, "/0/currency"),
        ({"family": "f" * 65}, "/0/family"),
        ({"sku": ""}, "/0/sku"),
    ],
)
def test_an_article_that_cannot_be_is_refused(session, fields, pointer):
    with pytest.raises(InvalidRows) as refused:
        catalog.put_articles(session, [article(**fields)])
    assert pointers(refused) == [pointer]


def test_a_gtin_belongs_to_one_article(session):
    catalog.put_articles(session, [article(gtin="4006381333931")])
    with pytest.raises(InvalidRows, match="GTIN of glove"):
        catalog.put_articles(session, [article("mitten", gtin="4006381333931")])
    with pytest.raises(InvalidRows) as refused:
        catalog.put_articles(session, [article("a", gtin="96385074"), article("b", gtin="96385074")])
    assert pointers(refused) == ["/1/gtin"]


def test_two_articles_may_exchange_their_gtins(session):
    catalog.put_articles(session, [article("a", gtin="96385074"), article("b", gtin="4006381333931")])
    catalog.put_articles(session, [article("b", gtin="96385074"), article("a", gtin="4006381333931")])
    assert catalog.find_article(session, "96385074").sku == "b"
    assert session.get(Article, "a").gtin == "4006381333931"


def test_an_article_is_found_by_what_was_scanned(session):
    catalog.put_articles(session, [article(gtin="4006381333931")])
    found = [catalog.find_article(session, code) for code in ("glove", "4006381333931", "unknown")]
    assert [row.sku if row else None for row in found] == ["glove", "glove", None]


def test_placements_name_what_exists(session):
    rows = [PlacementRow(sku="coat", node="MAD", shelf="A-01"), PlacementRow(sku="unicorn", node="OZ", shelf="B")]
    with pytest.raises(InvalidRows) as refused:
        catalog.put_placements(session, rows)
    assert pointers(refused) == ["/1/sku", "/1/node"]
    assert catalog.put_placements(session, rows[:1]) == ["created"]
    assert session.get(Placement, ("coat", "MAD")).shelf == "A-01"


def test_limits_are_set_on_balances_that_may_not_exist_yet(session):
    row = LimitRow(sku="coat", node="MAD", safety_stock=2, backorder_limit=3)
    assert catalog.put_limits(session, [row]) == ["updated"]
    assert catalog.put_limits(session, [row]) == ["unchanged"]
    assert session.get(StockBalance, ("coat", "MAD")).safety_stock == 2


def test_a_backorder_limit_that_claims_rest_on_stays(session):
    catalog.put_limits(session, [LimitRow(sku="coat", node="MAD", backorder_limit=3)])
    stock(session, coat_MAD=1)
    rebind(session, header(), claims=[claim(units=3)])
    with pytest.raises(InvalidRows) as refused:
        catalog.put_limits(
            session, [LimitRow(sku="hat", node="MAD"), LimitRow(sku="coat", node="MAD", backorder_limit=1)]
        )
    assert pointers(refused) == ["/1/backorder_limit"]
    assert catalog.put_limits(session, [LimitRow(sku="coat", node="MAD", backorder_limit=2)]) == ["updated"]
