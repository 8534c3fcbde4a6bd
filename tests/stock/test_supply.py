"""What is to come is counted once: from suppliers, on its way between nodes, and as declared from above."""

from datetime import timedelta

from sqlalchemy import update

from stock import arrivals, purchasing, supply, transfers
from stock.documents import TransferStatus
from stock.models import OpenDemand
from stock.postings import DemandChange
from stock.purchasing import OrderedRow
from stock.reservations import rebind
from stock.transfers import TransferWant
from tests.stock.shelf import NOW, header, stock

BY = {"actor": "ana", "now": NOW}
SOON, LATER = NOW + timedelta(days=2), NOW + timedelta(days=5)


def told(session, sku="coat"):
    return [(each.kind, each.node, each.units, each.adds) for each in supply.coming(session, [sku]).get(sku, [])]


def order(session, units, expected_at=SOON):
    row = OrderedRow(supplier="ACME", node="MAD", lines=(("coat", units),), expected_at=expected_at)
    return purchasing.open_order(session, row, **BY)


def test_what_a_supplier_owes_is_to_come_until_it_came_or_is_given_up(session):
    made = order(session, 5)
    assert told(session) == [("purchase_order", "MAD", 5, True)]
    made.lines[0].received = 3
    session.flush()
    assert told(session) == [("purchase_order", "MAD", 2, True)]
    purchasing.cancel(session, made.id, **BY)
    assert told(session) == []


def test_a_transfer_adds_to_the_network_once_it_has_left(session):
    stock(session, coat_MAD=9)
    lines = [TransferWant(sku="coat", units=4), TransferWant(sku="coat", units=1, reference="order-line")]
    made = transfers.open_transfer(
        session, source="MAD", destination="BCN", reference="", lines=lines, expected_at=SOON, **BY
    )
    assert told(session) == [("transfer", "BCN", 4, False)]
    transfers.dispatch(session, made.id, [4, 1], **BY)
    assert told(session) == [("transfer", "BCN", 4, True)]
    arrivals.receive(session, made.id, {1: 3}, **BY)
    assert told(session) == [("transfer", "BCN", 1, True)]
    assert made.status == TransferStatus.PARTLY_RECEIVED


def test_what_a_room_above_declares_is_replaced_and_withdrawn_by_its_reference(session):
    for units in (2, 3):
        supply.declare(session, {"coat": units, "hat": 0}, reference="return-1", kind="return", expected_at=LATER)
    order(session, 5)
    order(session, 1, expected_at=None)
    assert told(session) == [
        ("purchase_order", "MAD", 5, True),
        ("return", None, 3, True),
        ("purchase_order", "MAD", 1, True),
    ]
    assert told(session, "hat") == []
    supply.withdraw(session, "return-1")
    assert supply.at_nodes(supply.coming(session, ["coat"]), {"BCN"}) == {"coat": []}


def wait(session, reference, units, *, since):
    rebind(session, header(), demand=[DemandChange("coat", reference, units)])
    session.execute(update(OpenDemand).where(OpenDemand.reference == reference).values(since=since))


def test_who_has_waited_longer_has_theirs_first(session):
    wait(session, "late", 2, since=NOW)
    wait(session, "early", 3, since=NOW - timedelta(days=1))
    wait(session, "last", 2, since=NOW + timedelta(days=1))
    order(session, 4)
    order(session, 2, expected_at=LATER)
    waiting = dict.fromkeys(("early", "late", "last"), "coat")
    assert supply.expected(session, waiting, now=NOW) == {"early": SOON, "late": LATER}
    assert supply.expected(session, {}, now=NOW) == {}
