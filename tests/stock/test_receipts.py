"""What suppliers bring is posted as it came, and a purchase order counts exactly that."""

import pytest
from sqlalchemy import select, update

from stock import purchasing, receipts, recipes
from stock.errors import InvalidUnits, UnknownDocument, UnknownReason, UnknownStock
from stock.models import Posting, StockEntry
from stock.proof import verify
from stock.purchasing import OrderedRow, PurchaseOrderLine
from stock.receipts import BeyondOrder, Delivered
from stock.recipes import Component, NoStockOfBundles, RecipeRow
from tests.stock.shelf import NOW, counters, header

BY = {"actor": "clerk", "now": NOW}


def ordered(session, tolerance=0, **units):
    row = OrderedRow(
        supplier="ACME", node="MAD", number="PO-1", lines=tuple(units.items()), tolerance_percent=tolerance
    )
    return purchasing.open_order(session, row, **BY)


def came(session, order, *lines, **said):
    return receipts.receive_ordered(session, order.id, [(*line, "good")[:3] for line in lines], **said, **BY)


def line(order, sku):
    """Ordered, received, set aside, given up."""
    found = next(line for line in order.lines if line.sku == sku)
    return found.ordered, found.received, found.set_aside, found.cancelled


def reasons_of(session, order):
    return session.scalars(select(Posting.reason).where(Posting.reference == order.id).order_by(Posting.id)).all()


def test_each_unit_goes_where_its_state_says(session):
    posting_id = receipts.receive(
        session, header("receipt"), [Delivered("MAD", "coat", 3), Delivered("MAD", "coat", 2, "damaged")]
    )
    sides = select(StockEntry.from_account, StockEntry.to_account, StockEntry.units)
    assert session.execute(sides.where(StockEntry.posting_id == posting_id).order_by(StockEntry.line)).all() == [
        ("supplier", "on_hand", 3), ("supplier", "damaged", 2),
    ]  # fmt: skip
    with pytest.raises(UnknownReason, match="use one of: damaged, good"):
        receipts.receive(session, header("receipt"), [Delivered("MAD", "coat", 3, "pretty")])


def test_a_bundle_is_not_received(session):
    recipes.put(session, [RecipeRow(sku="scarf", kind="bundle", components=(Component("hat", 1),))])
    with pytest.raises(NoStockOfBundles):
        receipts.receive(session, header("receipt"), [("MAD", "scarf", 1)])


def test_what_has_not_come_stays_expected_until_it_comes(session):
    order = ordered(session, coat=5, hat=2)
    came(session, order, ("coat", 3))
    assert (order.status, line(order, "coat"), line(order, "hat")) == ("partly_received", (5, 3, 0, 0), (2, 0, 0, 0))
    assert counters(session, "coat", "MAD") == {"on_hand": 3}
    came(session, order, ("coat", 2), ("hat", 2))
    assert (order.status, [line.difference for line in order.lines]) == ("received", [0, 0])
    assert reasons_of(session, order) == ["good", "good"]


def test_what_will_not_come_is_given_up(session):
    order = ordered(session, coat=5, hat=2)
    came(session, order, ("coat", 3), complete=True)
    assert (order.status, line(order, "coat"), line(order, "hat")) == ("closed_short", (5, 3, 0, 2), (2, 0, 0, 2))


def test_more_than_expected_needs_a_reason_and_nothing_is_written_without(session):
    order = ordered(session, coat=5)
    with pytest.raises(BeyondOrder, match="over_delivery") as refused:
        came(session, order, ("coat", 7), ("hat", 1))
    assert [fault.code for fault in refused.value.faults] == ["too_many", "not_ordered"]
    assert (order.status, line(order, "coat"), counters(session, "coat", "MAD")) == ("open", (5, 0, 0, 0), {})


def test_what_is_beyond_the_order_goes_where_the_reason_says(session):
    order = ordered(session, coat=5)
    came(session, order, ("coat", 7), ("hat", 1), beyond="over_delivery")
    assert (order.status, line(order, "coat"), line(order, "hat")) == ("received", (5, 7, 2, 0), (0, 1, 1, 0))
    assert counters(session, "coat", "MAD") == {"on_hand": 5, "quarantine": 2}
    assert counters(session, "hat", "MAD") == {"quarantine": 1}
    assert [line.difference for line in order.lines] == [2, 1]


def test_a_tolerance_lets_a_few_more_in(session):
    order = ordered(session, tolerance=20, coat=5)
    came(session, order, ("coat", 6))
    assert (order.status, counters(session, "coat", "MAD")) == ("received", {"on_hand": 6})
    with pytest.raises(BeyondOrder):
        came(session, order, ("coat", 1))


def test_what_comes_damaged_is_counted_as_received_and_set_aside(session):
    order = ordered(session, coat=5)
    came(session, order, ("coat", 3), ("coat", 3, "damaged"), beyond="good")
    assert (order.status, line(order, "coat")) == ("received", (5, 6, 3, 0))
    assert counters(session, "coat", "MAD") == {"on_hand": 3, "damaged": 3}
    assert reasons_of(session, order) == [""]


def test_late_goods_of_a_closed_order_are_taken_in_as_beyond_it(session):
    order = ordered(session, coat=5)
    came(session, order, ("coat", 3), complete=True)
    with pytest.raises(BeyondOrder):
        came(session, order, ("coat", 2))
    came(session, order, ("coat", 2), beyond="good")
    assert (order.status, line(order, "coat")) == ("closed_short", (5, 5, 0, 2))
    assert counters(session, "coat", "MAD") == {"on_hand": 5}


def test_what_cannot_have_come_is_refused(session):
    order = ordered(session, coat=5)
    with pytest.raises(InvalidUnits):
        came(session, order, ("coat", 0))
    with pytest.raises(UnknownReason):
        came(session, order, ("coat", 1, "pretty"))
    with pytest.raises(UnknownReason):
        came(session, order, ("coat", 9), beyond="pretty")
    with pytest.raises(UnknownStock):
        came(session, order, ("unicorn", 1), beyond="good")
    with pytest.raises(UnknownDocument):
        receipts.receive_ordered(session, "none", [], **BY)
    assert list(verify.findings(session)) == []


def test_a_hand_in_the_order_is_found(session):
    order = ordered(session, coat=5, hat=1)
    came(session, order, ("coat", 3))
    assert list(verify.findings(session)) == []
    session.execute(update(PurchaseOrderLine).where(PurchaseOrderLine.sku == "coat").values(received=4))
    assert [finding.key for finding in verify.findings(session)] == [f"coat of {order.id}"]
