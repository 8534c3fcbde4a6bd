"""What may be promised, by node and over the network."""

from sqlalchemy import update

from stock import availability
from stock.models import Node, StockBalance
from stock.postings import DemandChange
from stock.reservations import rebind
from tests.stock.shelf import claim, header, stock


def test_atp_is_on_hand_less_claims_and_safety_stock(session):
    stock(session, coat_MAD=9)
    rebind(session, header(), claims=[claim(units=4)])
    session.execute(update(StockBalance).where(StockBalance.sku == "coat").values(safety_stock=2, backorder_limit=1))
    level = availability.levels(session, ["coat"])["coat", "MAD"]
    assert (level.on_hand, level.reserved, level.atp, level.version) == (9, 4, 4, 2)


def test_levels_are_read_for_some_nodes_or_all(session):
    stock(session, coat_MAD=1, coat_BCN=2, hat_MAD=3)
    assert set(availability.levels(session, ["coat"])) == {("coat", "MAD"), ("coat", "BCN")}
    assert set(availability.levels(session, ["coat", "hat"], nodes=["MAD"])) == {("coat", "MAD"), ("hat", "MAD")}


def test_the_network_promises_what_is_open_and_not_waited_for(session):
    stock(session, coat_MAD=5, coat_BCN=5, coat_LIS=1)
    rebind(session, header(), demand=[DemandChange("coat", "line-1", 2)])
    session.execute(update(Node).where(Node.id == "BCN").values(status="suspended"))
    assert availability.network(session, ["coat", "boots"]) == {"coat": 4, "boots": 0}


def test_a_node_deep_in_its_safety_stock_takes_nothing_from_the_others(session):
    stock(session, coat_MAD=5, coat_BCN=5)
    session.execute(update(StockBalance).where(StockBalance.node == "BCN").values(safety_stock=8))
    assert availability.network(session, ["coat"]) == {"coat": 5}


def test_many_articles_are_read_in_chunks(session):
    stock(session, coat_MAD=5)
    skus = [f"sku-{n}" for n in range(availability.LOOKUP * 2)] + ["coat"]
    assert set(availability.levels(session, skus)) == {("coat", "MAD")}
