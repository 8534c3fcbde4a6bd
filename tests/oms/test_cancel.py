"""Cancelling releases exactly what it must, in every state before the goods leave."""

import pytest
from sqlalchemy import select

from fulfillment.work.errors import LinesAlreadyShipped
from fulfillment.work.models import Status
from oms import orders, view
from oms.errors import InvalidRequest, NothingToCancel, UnknownOrder
from oms.models import Cancellation, OrderStatus
from oms.status import PublicStatus
from stock import availability
from tests.factories import BY, counters, fulfillment_orders, in_order, line, news, place, reread, stock
from tests.fulfillment.work.floor import bring

CHANGED_MIND = {"reason": "changed_mind"} | BY
BEFORE_LEAVING = (Status.ALLOCATED, Status.ACCEPTED, Status.PICKING, Status.PICKED, Status.PACKED)


def cancel(session, order, lines=None):
    return orders.cancel(session, order.id, lines, **CHANGED_MIND)


def units_of(order, *units):
    return dict(zip((line.id for line in order.lines), units, strict=True))


@pytest.mark.parametrize("status", BEFORE_LEAVING)
def test_a_whole_order_is_cancelled_in_every_state_before_it_leaves(session, status):
    stock(session, "MAD", coat=2)
    order = place(session, line(quantity=2))
    (part,) = fulfillment_orders(session, order)
    bring(session, part, status)
    cancel(session, order)
    assert reread(session, order).status == OrderStatus.CANCELLED
    assert counters(session, order, "coat") == (0, 0, 0, 0)
    assert part.status == Status.CANCELLED
    in_order(session)


def test_goods_that_lie_ready_may_still_be_cancelled(session):
    stock(session, "MAD", coat=1)
    order = place(session, method="collect", collect_node="MAD")
    (part,) = fulfillment_orders(session, order)
    bring(session, part, Status.READY)
    cancel(session, order)
    assert (part.status, reread(session, order).status) == (Status.CANCELLED, OrderStatus.CANCELLED)
    in_order(session)


def test_goods_on_their_way_to_a_store_may_still_be_cancelled(session):
    stock(session, "WH", coat=1)
    order = place(session, method="collect", collect_node="MAD")
    cancel(session, order)
    assert reread(session, order).status == OrderStatus.CANCELLED
    assert availability.levels(session, ["coat"])["coat", "WH"].reserved == 0
    in_order(session)


def test_waiting_units_are_cancelled_before_those_that_have_a_node(session):
    stock(session, "MAD", coat=1)
    order = place(session, line(quantity=3))
    cancel(session, order, units_of(order, 2))
    assert counters(session, order, "coat") == (1, 0, 1, 0)
    assert reread(session, order).status == OrderStatus.APPROVED
    assert order.lines[0].cancelled == 2
    in_order(session)


def test_cancelling_some_units_is_remembered_with_reason_and_author(session):
    order = place(session, line(quantity=3))
    cancel(session, order, units_of(order, 1))
    (row,) = session.scalars(select(Cancellation).where(Cancellation.order_line_id == order.lines[0].id))
    assert (row.units, row.reason, row.actor, row.occurred_at) == (1, "changed_mind", "ana", BY["now"])
    assert news(session, order.id) == ["order.placed", "order.lines_cancelled"]
    assert "lines_cancelled" in [moment.what for moment in view.whole(session, order.id).timeline]


def test_when_the_rest_is_cancelled_what_has_left_completes_the_order(session):
    stock(session, "MAD", coat=1)
    order = place(session, line(quantity=3))
    (part,) = fulfillment_orders(session, order)
    bring(session, part, Status.SHIPPED)
    assert reread(session, order).status == OrderStatus.APPROVED
    cancel(session, order)
    assert reread(session, order).status == OrderStatus.COMPLETED
    assert news(session, order.id)[-2:] == ["order.lines_cancelled", "order.completed"]
    assert view.whole(session, order.id).public_status == PublicStatus.IN_TRANSIT
    in_order(session)


def test_an_order_completes_when_its_last_parcel_leaves(session):
    stock(session, "MAD", coat=1)
    order = place(session)
    (part,) = fulfillment_orders(session, order)
    bring(session, part, Status.SHIPPED)
    assert reread(session, order).status == OrderStatus.COMPLETED
    in_order(session)


def test_what_has_left_is_refused_and_called_a_return(session):
    stock(session, "MAD", coat=1)
    order = place(session)
    (part,) = fulfillment_orders(session, order)
    bring(session, part, Status.SHIPPED)
    with pytest.raises(NothingToCancel, match="return"):
        cancel(session, order)
    assert counters(session, order, "coat") == (1, 0, 0, 1)


def test_more_than_is_still_here_is_refused_whole(session):
    stock(session, "MAD", coat=1)
    order = place(session, line(quantity=2))
    (part,) = fulfillment_orders(session, order)
    bring(session, part, Status.SHIPPED)
    with pytest.raises(LinesAlreadyShipped, match="only 1 can still be cancelled"):
        cancel(session, order, units_of(order, 2))
    assert counters(session, order, "coat") == (2, 1, 0, 1)


def test_an_order_cancelled_twice_is_cancelled_once(session):
    order = place(session)
    cancel(session, order)
    with pytest.raises(NothingToCancel):
        cancel(session, order)
    assert news(session, order.id).count("order.cancelled") == 1


def test_lines_and_units_that_cannot_be_are_all_named(session):
    order = place(session)
    with pytest.raises(InvalidRequest) as refused:
        cancel(session, order, units_of(order, 0) | {"nothing": 1})
    assert [fault.code for fault in refused.value.faults] == ["out_of_range", "unknown_line"]


def test_an_unknown_order_is_said_to_be_unknown(session):
    with pytest.raises(UnknownOrder):
        orders.cancel(session, "nothing", None, **CHANGED_MIND)
