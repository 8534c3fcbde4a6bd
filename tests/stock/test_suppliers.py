"""A supplier that ships for us: what it sends comes in as it leaves, and nowhere else does that happen."""

import pytest
from sqlalchemy import select

from stock import reservations
from stock.errors import InsufficientStock
from stock.models import Node, StockBalance, StockEntry
from stock.proof import verify
from stock.reservations import ReservedUnits, rebind
from tests.stock.shelf import claim, counters, header, reservation, stock


@pytest.fixture
def acme(session):
    """A supplier whose stock nobody knows, who may be asked for a hundred coats."""
    session.add(Node(id="ACME", name="Acme", kind="supplier", status="open", time_zone="Europe/Madrid", version=1))
    session.flush()
    session.add(StockBalance(sku="coat", node="ACME", backorder_limit=100))
    session.flush()
    return "ACME"


def promised(session, node, units=3):
    (id_,) = rebind(session, header(), claims=[claim(node=node, units=units)])
    return ReservedUnits("coat", id_, units)


def physical(session, posting_id):
    sides = select(StockEntry.from_account, StockEntry.to_account, StockEntry.units)
    of_it = sides.where(StockEntry.posting_id == posting_id, StockEntry.to_account.in_(("on_hand", "customer")))
    return session.execute(of_it.order_by(StockEntry.line)).all()


def test_what_a_supplier_ships_comes_in_and_goes_out_in_one_posting(session, acme):
    units = promised(session, acme)
    posting_id = reservations.consume(session, header("ship"), [units])
    assert physical(session, posting_id) == [("supplier", "on_hand", 3), ("on_hand", "customer", 3)]
    assert counters(session, "coat", acme) == {}
    assert reservation(session, units.reservation_id) == (3, 0, 3, 0)
    assert list(verify.findings(session)) == []


def test_what_a_supplier_picks_comes_in_when_it_is_picked(session, acme):
    stock(session, coat_ACME=1)
    units = promised(session, acme)
    posting_id = reservations.pick(session, header("pick"), [units])
    assert physical(session, posting_id) == [("supplier", "on_hand", 2)]
    assert counters(session, "coat", acme) == {"on_hand": 3, "reserved": 3, "picked": 3}
    reservations.consume(session, header("ship"), [units])
    assert counters(session, "coat", acme) == {}


def test_units_in_the_totes_of_others_are_not_the_ones_that_leave(session, acme):
    stock(session, coat_ACME=2)
    picked, other = promised(session, acme, 2), promised(session, acme, 2)
    reservations.pick(session, header("pick"), [picked])
    reservations.consume(session, header("ship"), [other])
    assert counters(session, "coat", acme) == {"on_hand": 2, "reserved": 2, "picked": 2}


def test_elsewhere_what_is_not_on_hand_does_not_leave(session):
    stock(session, coat_MAD=1)
    session.get(StockBalance, ("coat", "MAD")).backorder_limit = 5
    units = promised(session, "MAD")
    for verb in (reservations.pick, reservations.consume):
        with pytest.raises(InsufficientStock):
            verb(session, header(), [units])


def test_a_supplier_does_not_make_up_for_what_another_node_lacks(session, acme):
    session.add(StockBalance(sku="coat", node="MAD", backorder_limit=5))
    session.flush()
    units = [promised(session, acme), promised(session, "MAD")]
    with pytest.raises(InsufficientStock) as refused:
        reservations.consume(session, header("ship"), units)
    assert {short.node for short in refused.value.shortages} == {"ACME", "MAD"}
