"""Everything wrong with an order is said at once, each fault under the pointer of its field."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.money import Money, parse
from oms import orders
from oms.errors import InvalidOrder
from oms.models import Order
from stock.models import Node
from tests.factories import NOW, VAULT, command, customer, euro, line, ship_to

HUGE = euro("9999999999999.99")


def faults(session, wanted):
    with pytest.raises(InvalidOrder) as refused:
        orders.prepare(session, wanted, vault=VAULT, now=NOW)
    return {(fault.pointer, fault.code) for fault in refused.value.faults}


COLLECT = {"method": "collect", "ship_to": None}
CASES = {
    "unknown channel": (command(channel="fax"), ("/channel", "unknown_channel")),
    "closed channel": (command(channel="old"), ("/channel", "unknown_channel")),
    "null in the channel": (command(channel="we\0b"), ("/channel", "unknown_channel")),
    "no external id": (command(external_id=""), ("/external_id", "invalid")),
    "long external id": (command(external_id="x" * 65), ("/external_id", "invalid")),
    "unprintable external id": (command(external_id="a\0"), ("/external_id", "invalid")),
    "unknown currency": (
        command(replace(line(), unit_price=Money(100, "XXX")), currency="XXX"), ("/currency", "unknown_currency"),
    ),
    "unknown method": (replace(command(), method="teleport"), ("/method", "unknown_method")),
    "unknown service": (command(service="teleport"), ("/service", "unknown_service")),
    "no lines": (replace(command(), lines=()), ("/lines", "required")),
    "too many lines": (command(*[line()] * 201), ("/lines", "too_many")),
    "unknown sku": (command(line("ghost")), ("/lines/0/sku", "unknown_sku")),
    "null in the sku": (command(line("co\0at")), ("/lines/0/sku", "unknown_sku")),
    "no units": (command(line(quantity=0)), ("/lines/0/quantity", "out_of_range")),
    "negative units": (command(line(quantity=-1)), ("/lines/0/quantity", "out_of_range")),
    "huge quantity": (command(line(quantity=10_000)), ("/lines/0/quantity", "out_of_range")),
    "negative price": (command(line(price="-1.00")), ("/lines/0/unit_price/amount", "negative")),
    "price in another currency": (
        command(replace(line(), unit_price=parse("5.00", "USD"))), ("/lines/0/unit_price/currency", "other_currency"),
    ),
    "discount above the price": (command(line(discount=euro("20.01"))), ("/lines/0/discount", "too_large")),
    "negative discount": (command(line(discount=euro("-1.00"))), ("/lines/0/discount/amount", "negative")),
    "tax above the price": (command(line(tax=euro("20.01"))), ("/lines/0/tax", "too_large")),
    "a total beyond all money": (command(*[line(quantity=9999, price=HUGE.amount)] * 200), ("/lines", "too_large")),
    "negative shipping price": (command(shipping_price=euro("-1.00")), ("/shipping_price/amount", "negative")),
    "no customer": (command(customer=None), ("/customer", "required")),
    "nobody": (command(customer=customer(name=None, email=None, phone=None)), ("/customer", "required")),
    "unknown customer": (command(customer=customer(id="nobody")), ("/customer/id", "unknown_customer")),
    "no mail address": (command(customer=customer(email="ana")), ("/customer/email", "invalid")),
    "no language": (command(customer=customer(language="?")), ("/customer/language", "invalid")),
    "no address": (command(ship_to=None), ("/ship_to", "required")),
    "unknown country": (command(ship_to=ship_to(country="XX")), ("/ship_to/country", "unknown_country")),
    "no street": (command(ship_to=ship_to(line1=" ")), ("/ship_to/line1", "required")),
    "half a place": (command(ship_to=ship_to(latitude=40.0)), ("/ship_to/latitude", "incomplete")),
    "beyond the pole": (
        command(ship_to=ship_to(latitude=90.1, longitude=0.0)), ("/ship_to/latitude", "out_of_range"),
    ),
    "nowhere": (
        command(ship_to=ship_to(latitude=math.nan, longitude=0.0)), ("/ship_to/latitude", "out_of_range"),
    ),
    "collected nowhere": (command(**COLLECT), ("/collect_node", "required")),
    "collected at an unknown node": (command(**COLLECT, collect_node="XYZ"), ("/collect_node", "unknown_node")),
    "collected where nobody can": (command(**COLLECT, collect_node="WH"), ("/collect_node", "cannot_collect")),
    "line collected where nobody can": (
        command(line(method="collect", collect_node="SVQ")), ("/lines/0/collect_node", "cannot_collect"),
    ),
    "wanted before it is wanted": (
        command(requested_from=NOW, requested_by=NOW - timedelta(hours=1)), ("/requested/to", "before_from"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("wanted", "fault"), CASES.values(), ids=CASES.keys())
def test_a_fault_is_found_and_nothing_is_written(session, wanted, fault):
    assert faults(session, wanted) == {fault}
    assert session.query(Order).count() == 0


def test_a_store_that_closed_for_good_is_refused(session):
    session.get(Node, "MAD").status = "closed"
    session.flush()
    assert faults(session, command(**COLLECT, collect_node="MAD")) == {("/collect_node", "node_closed")}


def test_all_faults_of_an_order_are_said_at_once(session):
    wanted = command(line("ghost", 0), line(price="-1.00"), channel="fax", ship_to=ship_to(country="XX"))
    assert faults(session, wanted) == {
        ("/channel", "unknown_channel"),
        ("/lines/0/sku", "unknown_sku"),
        ("/lines/0/quantity", "out_of_range"),
        ("/lines/1/unit_price/amount", "negative"),
        ("/ship_to/country", "unknown_country"),
    }


def test_no_fault_repeats_what_a_person_wrote(session):
    secret = "Quintela\0"
    wrong = command(
        customer=customer(name=secret, email=secret), ship_to=ship_to(name=secret, line1=secret, city=secret)
    )
    with pytest.raises(InvalidOrder) as refused:
        orders.prepare(session, wrong, vault=VAULT, now=NOW)
    assert "Quintela" not in refused.value.message + str(refused.value.faults)
