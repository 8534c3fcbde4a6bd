"""What suppliers are asked for: opened, changed, called off, given up."""

from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import select

from kernel import states
from kernel.events import OutboxEvent
from kernel.states import IllegalTransition
from stock import purchasing, recipes
from stock.errors import UnknownDocument
from stock.models import Node
from stock.purchasing import (
    PURCHASE_ORDER_TRANSITIONS,
    InvalidPurchaseOrder,
    NumberTaken,
    OrderedRow,
    PurchaseOrderStatus,
)
from stock.recipes import Component, RecipeRow
from tests.stock.shelf import NOW

BY = {"actor": "buyer", "now": NOW}


def row(**fields):
    units = {sku: fields.pop(sku) for sku in ("boots", "coat", "hat", "scarf", "unicorn") if sku in fields}
    usual = {"supplier": "ACME", "node": "MAD", "number": "PO-1", "lines": tuple(units.items()) or (("coat", 5),)}
    return OrderedRow(**(usual | fields))


def lines(order):
    return {line.sku: (line.ordered, line.received, line.cancelled) for line in order.lines}


def faults(call, *args):
    with pytest.raises(InvalidPurchaseOrder) as refused:
        call(*args, **BY)
    return [(fault.pointer, fault.code) for fault in refused.value.faults]


def test_a_purchase_order_expects_what_was_ordered(session):
    later = purchasing.open_order(session, row(number="PO-2", expected_at=NOW + timedelta(days=4)), **BY)
    undated = purchasing.open_order(session, row(number="PO-3"), **BY)
    order = purchasing.open_order(session, row(coat=5, hat=2, expected_at=NOW + timedelta(days=1)), **BY)
    assert (order.status, lines(order)) == ("open", {"coat": (5, 0, 0), "hat": (2, 0, 0)})
    assert purchasing.expected(session, "MAD") == [order, later, undated]
    assert purchasing.expected(session, "BCN") == []
    found = purchasing.orders(session, node="MAD", supplier="ACME", status="open", after=None, limit=2)
    assert (found.rows, found.last) == ([later, undated], [undated.id])


def test_without_a_number_it_gets_one_and_a_number_is_given_once(session):
    assert purchasing.open_order(session, row(number=None), **BY).number.startswith("PO")
    order = purchasing.open_order(session, row(), **BY)
    assert purchasing.by_number(session, "PO-1") is order
    with pytest.raises(NumberTaken):
        purchasing.open_order(session, row(), **BY)


def test_every_fault_is_named(session):
    recipes.put(session, [RecipeRow(sku="scarf", kind="bundle", components=(Component("hat", 1),))])
    assert faults(purchasing.open_order, session, row(supplier="BCN", lines=())) == [
        ("/supplier", "not_a_supplier"), ("/lines", "no_lines"),
    ]  # fmt: skip
    assert faults(purchasing.open_order, session, row(lines=(("coat", 0), ("hat", 10**9)))) == [
        ("/lines/0/units", "invalid_units"), ("/lines/1/units", "invalid_units"),
    ]  # fmt: skip
    assert faults(purchasing.open_order, session, row(unicorn=1)) == [("", "unknown_stock")]
    assert faults(purchasing.open_order, session, row(scarf=1)) == [("/lines/0/sku", "bundle_has_no_stock")]


def test_a_supplier_may_be_a_node_of_that_kind(session):
    session.add(Node(id="ACME", name="Acme", kind="supplier", status="open", time_zone="Europe/Madrid", version=1))
    session.flush()
    assert purchasing.open_order(session, row(), **BY).supplier == "ACME"


def test_rows_open_orders_and_change_them_as_long_as_they_are_expected(session):
    rows = [row(coat=5), row(number="PO-2", hat=3)]
    assert purchasing.put(session, rows, **BY) == ["created", "created"]
    assert purchasing.put(session, rows, **BY) == ["unchanged", "unchanged"]
    assert purchasing.put(session, [row(boots=1, hat=2), rows[1]], **BY) == ["updated", "unchanged"]
    order = purchasing.by_number(session, "PO-1")
    assert {sku: counts[0] for sku, counts in lines(order).items() if counts[0]} == {"boots": 1, "hat": 2}
    assert faults(purchasing.put, session, [row(node="BCN")]) == [("/0/number", "other_order")]
    purchasing.close_short(session, order.id, **BY)
    assert faults(purchasing.put, session, [rows[1], row(coat=9)]) == [("/1/number", "closed")]


def test_an_order_is_called_off_or_given_up(session):
    order = purchasing.open_order(session, row(coat=5, hat=2), **BY)
    purchasing.cancel(session, order.id, **BY)
    assert (order.status, lines(order)) == ("cancelled", {"coat": (5, 0, 5), "hat": (2, 0, 2)})
    assert purchasing.expected(session, "MAD") == []
    with pytest.raises(IllegalTransition):
        purchasing.close_short(session, order.id, **BY)
    with pytest.raises(UnknownDocument):
        purchasing.cancel(session, "none", **BY)
    told = select(OutboxEvent.type).where(OutboxEvent.aggregate_id == order.id).order_by(OutboxEvent.sequence)
    assert session.scalars(told).all() == ["purchase_order.open", "purchase_order.cancelled"]


@pytest.mark.parametrize(("current", "target"), list(product(PurchaseOrderStatus, repeat=2)))
def test_only_these_steps_are_possible(current, target):
    steps = {
        "open": {"partly_received", "received", "closed_short", "cancelled"},
        "partly_received": {"partly_received", "received", "closed_short"},
    }
    if target in steps.get(current, set()):
        assert states.advance(PURCHASE_ORDER_TRANSITIONS, current, target, what="it") == target
    else:
        with pytest.raises(IllegalTransition):
            states.advance(PURCHASE_ORDER_TRANSITIONS, current, target, what="it")
