"""An order is decided, then written whole: with its lines, demands, claims, customer, payment, history and news."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from fulfillment.work.models import Demand, FulfillmentOrder, Method, Status
from kernel.events import OutboxEvent
from oms import customers, orders, payments, view
from oms.errors import DuplicateOrder, OutOfStock
from oms.models import Customer, Hold, Order, OrderHistory, OrderStatus, Payment
from oms.status import PublicStatus
from stock import availability
from tests.factories import (
    NOW,
    VAULT,
    command,
    counters,
    customer,
    euro,
    fulfillment_orders,
    in_order,
    line,
    news,
    place,
    reread,
    ship_to,
    stock,
)


def level(session, sku, node):
    found = availability.levels(session, [sku])[sku, node]
    return found.on_hand, found.reserved


def test_a_parcel_leaves_from_where_it_is_cheapest_and_its_units_are_reserved(session):
    stock(session, "MAD", coat=2)
    stock(session, "BCN", coat=2)
    order = place(session, line(quantity=2))
    (part,) = fulfillment_orders(session, order)
    assert (part.node, part.method, part.status) == ("MAD", Method.SHIP, Status.ALLOCATED)
    assert level(session, "coat", "MAD") == (2, 2)
    assert counters(session, order, "coat") == (2, 0, 2, 0)
    assert reread(session, order).status == OrderStatus.APPROVED
    in_order(session)


def test_what_no_single_node_has_comes_from_two(session):
    stock(session, "MAD", coat=1)
    stock(session, "BCN", hat=1)
    order = place(session, line("coat"), line("hat"))
    assert {part.node for part in fulfillment_orders(session, order)} == {"MAD", "BCN"}
    in_order(session)


def test_goods_are_collected_where_the_customer_wants_them(session):
    stock(session, "BCN", coat=1)
    order = place(session, method="collect", collect_node="BCN")
    (part,) = fulfillment_orders(session, order)
    assert (part.node, part.method) == ("BCN", Method.COLLECT)
    assert len(part.pickup_code) == 6
    in_order(session)


def test_a_store_that_lacks_the_goods_gets_them_by_transfer(session):
    stock(session, "WH", coat=1)
    order = place(session, method="collect", collect_node="MAD")
    parts = {part.method: part for part in fulfillment_orders(session, order)}
    assert parts[Method.COLLECT].status == Status.AWAITING_TRANSFER
    assert (parts[Method.TRANSFER].node, parts[Method.TRANSFER].destination_node) == ("WH", "MAD")
    assert parts[Method.TRANSFER].supplies == parts[Method.COLLECT].id
    in_order(session)


def test_lines_of_one_order_go_different_ways(session):
    stock(session, "MAD", coat=1, hat=1, scarf=1)
    till = {"method": "carry_out", "collect_node": "MAD"}
    order = place(session, line("coat"), line("hat", method="collect", collect_node="MAD"), line("scarf", **till))
    methods = {part.method: part.status for part in fulfillment_orders(session, order)}
    assert methods == {
        Method.SHIP: Status.ALLOCATED, Method.COLLECT: Status.ALLOCATED, Method.CARRY_OUT: Status.HANDED_OVER,
    }  # fmt: skip
    assert reread(session, order).status == OrderStatus.APPROVED
    in_order(session)


def test_what_is_short_waits_and_is_never_oversold(session):
    stock(session, "MAD", coat=1)
    order = place(session, line(quantity=3))
    assert counters(session, order, "coat") == (3, 2, 1, 0)
    assert level(session, "coat", "MAD") == (1, 1)
    (shown,) = view.whole(session, order.id).lines
    assert (shown.counters.waiting, shown.waiting_reason) == (2, "no_stock")
    in_order(session)


def test_a_channel_that_wants_short_orders_refused_is_told_every_short_line(session):
    stock(session, "MAD", coat=1)
    wanted = command(line("coat", 3), line("hat", 1), channel="market")
    with pytest.raises(OutOfStock) as refused:
        orders.prepare(session, wanted, vault=VAULT, now=NOW)
    assert [fault.pointer for fault in refused.value.faults] == ["/lines/0", "/lines/1"]
    assert "2 cannot be served" in refused.value.faults[0].message
    assert session.scalars(select(Order)).all() == []
    assert level(session, "coat", "MAD") == (1, 0)


def test_a_channel_that_refuses_takes_what_can_be_served(session):
    stock(session, "MAD", coat=1)
    assert place(session, channel="market").status == OrderStatus.APPROVED


def test_an_address_that_cannot_be_found_holds_the_order(session):
    stock(session, "MAD", coat=1)
    order = place(session, ship_to=ship_to(postal_code="99999"))
    assert order.status == OrderStatus.HELD
    assert [hold.reason for hold in session.scalars(select(Hold))] == ["address"]
    assert counters(session, order, "coat") == (1, 1, 0, 0)
    shown = view.whole(session, order.id)
    assert shown.lines[0].waiting_reason == "no_address"
    assert shown.public_status == PublicStatus.PROBLEM
    in_order(session)


def test_a_channel_that_refuses_short_orders_still_takes_one_without_an_address(session):
    stock(session, "MAD", coat=1)
    assert place(session, channel="market", ship_to=ship_to(postal_code="")).status == OrderStatus.HELD


def test_coordinates_stand_for_an_unknown_postal_code_and_are_rounded(session):
    stock(session, "MAD", coat=1)
    order = place(session, ship_to=ship_to(postal_code="99999", latitude=40.41684, longitude=-3.70379))
    demand = session.scalars(select(Demand).where(Demand.reference == order.id)).one()
    assert (order.status, demand.latitude, demand.longitude) == (OrderStatus.APPROVED, 40.42, -3.7)


def test_a_sale_over_the_counter_has_left_at_once(session):
    stock(session, "MAD", coat=2)
    order = place(session, channel="till", method="carry_out", collect_node="MAD", customer=None, paid=True)
    assert reread(session, order).status == OrderStatus.COMPLETED
    assert level(session, "coat", "MAD") == (1, 0)
    assert counters(session, order, "coat") == (1, 0, 0, 1)
    assert order.customer_id is None
    assert view.whole(session, order.id).public_status == PublicStatus.DELIVERED
    in_order(session)


def test_a_sale_over_the_counter_of_what_was_promised_takes_it_from_the_promise(session):
    stock(session, "MAD", coat=1)
    promised = place(session, external_id="S-1")
    place(session, channel="till", external_id="T-1", method="carry_out", collect_node="MAD", customer=None)
    assert counters(session, promised, "coat") == (1, 1, 0, 0)
    assert level(session, "coat", "MAD") == (0, 0)
    in_order(session)


def test_a_payment_with_the_order_is_recorded(session):
    stock(session, "MAD", coat=2)
    order = place(
        session, line(quantity=2, price="20.00", discount=euro("5.00")), shipping_price=euro("3.95"), paid=True
    )
    assert order.total_minor == 3895
    assert [payment.amount_minor for payment in session.scalars(select(Payment))] == [3895]
    assert payments.due(session, order) == euro("0.00")


def test_an_order_nobody_paid_is_due(session):
    assert payments.due(session, place(session, shipping_price=euro("3.95"))) == euro("23.95")


def test_the_order_is_told_before_what_follows_from_it(session):
    stock(session, "MAD", coat=1)
    order = place(session, paid=True)
    assert news(session, order.id) == ["order.placed", "order.paid"]
    (part,) = fulfillment_orders(session, order)
    assert news(session, part.id) == ["fulfillment_order.allocated"]
    placed, allocated = (
        session.scalars(select(OutboxEvent).where(OutboxEvent.aggregate_id == of)).first() for of in (order.id, part.id)
    )
    assert placed.id < allocated.id
    assert placed.payload["lines"] == [{"line_id": order.lines[0].id, "sku": "coat", "units": 1}]


def test_history_says_who_placed_it_and_when(session):
    order = place(session, placed_at=NOW - timedelta(minutes=5))
    (row,) = session.scalars(select(OrderHistory).where(OrderHistory.order_id == order.id))
    assert (row.what, row.from_status, row.to_status, row.actor) == ("placed", "created", "approved", "web")
    assert row.occurred_at == NOW
    assert order.placed_at == NOW - timedelta(minutes=5)


def test_the_same_order_sent_again_is_the_order_that_is_there(session):
    first = place(session)
    again = orders.place(
        session, orders.prepare(session, command(), vault=VAULT, now=NOW), vault=VAULT, now=NOW, actor="web"
    )
    assert (again.order.id, again.created) == (first.id, False)
    assert len(session.scalars(select(Order)).all()) == 1


def test_the_same_order_is_found_again_though_its_goods_are_gone(session):
    stock(session, "MAD", coat=1)
    first = place(session, channel="market")
    prepared = orders.prepare(session, command(channel="market"), vault=VAULT, now=NOW)
    assert prepared.existing_id == first.id


def test_another_order_under_the_same_external_id_is_refused_by_name(session):
    first = place(session)
    with pytest.raises(DuplicateOrder, match=first.number):
        orders.prepare(session, command(line(quantity=2)), vault=VAULT, now=NOW)


def test_two_channels_may_use_the_same_external_id(session):
    stock(session, "MAD", coat=2)
    assert place(session).id != place(session, channel="market").id


def test_one_person_is_one_customer_across_channels(session):
    stock(session, "MAD", coat=2)
    first, second = place(session), place(session, channel="market", customer=customer(name="Ana C. Quintela"))
    assert first.customer_id == second.customer_id
    assert len(session.scalars(select(Customer)).all()) == 1
    assert customers.contact(session, VAULT, first.customer_id)["name"] == "Ana C. Quintela"
    assert customers.address(session, VAULT, first)["line1"] == "Calle del Pez 7"


def test_an_order_without_stock_anywhere_has_no_fulfillment_order(session):
    order = place(session)
    assert session.scalars(select(FulfillmentOrder).where(FulfillmentOrder.reference == order.id)).all() == []
    assert view.whole(session, order.id).public_status == PublicStatus.PROCESSING
    in_order(session)
