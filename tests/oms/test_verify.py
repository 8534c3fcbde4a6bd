"""The proof finds what does not add up, and nothing where all does."""

import pytest
from sqlalchemy import select, update

from fulfillment.work.models import Demand, DemandLine, Status
from oms import orders, verify
from oms.models import Cancellation, Order, OrderLine
from tests.factories import BY, fulfillment_orders, line, place, stock
from tests.fulfillment.work.floor import bring


@pytest.fixture
def order(session):
    """Three coats: one shipped, one cancelled, one waiting."""
    stock(session, "MAD", coat=1)
    placed = place(session, line(quantity=3))
    bring(session, fulfillment_orders(session, placed)[0], Status.SHIPPED)
    orders.cancel(session, placed.id, {placed.lines[0].id: 1}, reason="changed_mind", **BY)
    session.flush()
    return placed


def found(session):
    return [(finding.invariant, finding.table) for finding in verify.findings(session)]


def test_an_order_that_adds_up_is_found_by_nobody(session, order):
    assert found(session) == []


@pytest.mark.parametrize("change", [{"ordered": 4}, {"returned": 2}])
def test_units_that_stand_nowhere_are_found(session, order, change):
    session.execute(update(OrderLine).values(change))
    assert found(session) == [("I5", "order_line")]


def test_a_line_that_no_demand_wants_is_found(session, order):
    session.add(
        OrderLine(id="stray", order_id=order.id, position=9, sku="hat", ordered=1, unit_price_minor=0, method="ship")
    )
    session.flush()
    assert [(finding.table, finding.key) for finding in verify.findings(session)] == [("order_line", "stray")]


def test_a_cancellation_that_nobody_noted_is_found(session, order):
    session.execute(update(Cancellation).values(units=2))
    assert found(session) == [("I5", "order_line")]


def test_an_order_closed_too_early_is_found(session, order):
    session.execute(update(Order).values(status="completed"))
    assert found(session) == [("I5", "order")]


def test_an_order_left_open_is_found(session, order):
    demand_line = session.scalars(select(DemandLine).join(Demand).where(Demand.reference == order.id)).one()
    demand_line.units -= 1
    session.execute(update(OrderLine).values(cancelled=2))
    session.execute(update(Cancellation).values(units=2))
    session.flush()
    assert found(session) == [("I5", "order")]
