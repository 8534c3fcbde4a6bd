"""Goods come back to any node that takes them, never more than were had, and land where their grade belongs."""

import pytest
from sqlalchemy import select

from fulfillment.work.models import Status
from kernel.states import IllegalTransition
from oms import returns, view
from oms.commands import ReturnBrought, ReturnFound, ReturnWanted
from oms.errors import InvalidRequest, NotReturnable, TakesNoReturns, UnknownReturn
from oms.models import RETURN_TRANSITIONS, Return, ReturnStatus
from oms.status import PublicStatus
from stock import supply
from stock.models import Node, StockBalance
from tests.factories import BY, fulfillment_orders, in_order, line, news, place, reread, stock
from tests.fulfillment.work.floor import bring


@pytest.fixture
def order(session):
    """Two coats and a hat, shipped from Madrid."""
    stock(session, "MAD", coat=2, hat=1)
    placed = place(session, line("coat", 2), line("hat"))
    for part in fulfillment_orders(session, placed):
        bring(session, part, Status.SHIPPED)
    return placed


def line_id(order, sku):
    return next(line.id for line in order.lines if line.sku == sku)


def wanted(order, sku="coat", units=1, reason="too_small"):
    return ReturnWanted(line_id=line_id(order, sku), units=units, reason=reason)


def found(order, sku="coat", units=1, grade="resell"):
    return ReturnFound(line_id=line_id(order, sku), units=units, grade=grade)


def brought(order, sku="coat", units=1, grade="resell"):
    return ReturnBrought(line_id=line_id(order, sku), units=units, reason="too_small", grade=grade)


def authorised(session, order, *lines):
    made = returns.request(session, order.id, lines or [wanted(order)], **BY)
    return returns.authorise(session, made.id, **BY)


def balance(session, node, sku):
    row = session.get(StockBalance, (sku, node), populate_existing=True)
    return (row.on_hand, row.damaged, row.quarantine) if row else (0, 0, 0)


def test_a_return_is_received_at_another_node_and_sold_again(session, order):
    made = returns.at_counter(session, order.id, node="BCN", brought=[brought(order)], **BY)
    assert (made.status, made.node) == (ReturnStatus.CLOSED, "BCN")
    assert balance(session, "BCN", "coat") == (1, 0, 0)
    assert [line.returned for line in reread(session, order).lines] == [1, 0]
    in_order(session)


@pytest.mark.parametrize(
    ("grade", "counters"), [("resell", (1, 0, 0)), ("damaged", (0, 1, 0)), ("quarantine", (0, 0, 1))]
)
def test_units_land_where_their_grade_belongs(session, order, grade, counters):
    returns.at_counter(session, order.id, node="BCN", brought=[brought(order, "hat", grade=grade)], **BY)
    assert balance(session, "BCN", "hat") == counters
    in_order(session)


def test_units_of_one_line_may_be_graded_differently(session, order):
    made = authorised(session, order, wanted(order, units=2))
    graded = [found(order, grade="resell"), found(order, grade="damaged")]
    made = returns.receive(session, made.id, node="BCN", found=graded, **BY)
    assert sorted((line.units, line.grade) for line in made.lines) == [(1, "damaged"), (1, "resell")]
    assert balance(session, "BCN", "coat") == (1, 1, 0)


def test_what_did_not_come_is_not_returned_and_may_come_another_day(session, order):
    made = authorised(session, order, wanted(order, units=2))
    returns.receive(session, made.id, node="BCN", found=[found(order)], **BY)
    assert order.lines[0].returned == 1
    returns.at_counter(session, order.id, node="MAD", brought=[brought(order)], **BY)
    assert reread(session, order).lines[0].returned == 2
    in_order(session)


def test_more_than_was_had_is_refused_with_every_line(session, order):
    with pytest.raises(NotReturnable) as refused:
        returns.request(session, order.id, [wanted(order, units=3), wanted(order, "hat", 2)], **BY)
    assert len(refused.value.faults) == 2


def test_units_on_their_way_back_are_not_asked_for_twice(session, order):
    authorised(session, order, wanted(order, "hat"))
    with pytest.raises(NotReturnable, match="0 units can be returned, not 1"):
        returns.request(session, order.id, [wanted(order, "hat")], **BY)


def test_a_rejected_return_leaves_its_units_free_for_another(session, order):
    made = returns.request(session, order.id, [wanted(order, "hat")], **BY)
    returns.reject(session, made.id, reason="worn", **BY)
    assert authorised(session, order, wanted(order, "hat")).status == ReturnStatus.AUTHORISED


def test_what_has_not_left_cannot_come_back(session):
    stock(session, "MAD", coat=1)
    waiting = place(session)
    with pytest.raises(NotReturnable):
        returns.request(session, waiting.id, [wanted(waiting)], **BY)


@pytest.mark.parametrize("node", ["WH", "MAD"])
def test_a_node_that_takes_no_returns_refuses_them(session, order, node):
    session.get(Node, "MAD").status = "closed"
    session.flush()
    with pytest.raises(TakesNoReturns, match=node):
        returns.at_counter(session, order.id, node=node, brought=[brought(order)], **BY)


def test_faults_of_a_return_are_all_named(session, order):
    with pytest.raises(InvalidRequest) as refused:
        returns.request(session, order.id, [ReturnWanted(line_id="x", units=0, reason="")], **BY)
    assert [fault.pointer for fault in refused.value.faults] == [
        "/lines/0/line_id",
        "/lines/0/units",
        "/lines/0/reason",
    ]
    made = authorised(session, order)
    wrong = [found(order, "hat"), found(order, units=2), found(order, grade="shiny")]
    with pytest.raises(InvalidRequest) as refused:
        returns.receive(session, made.id, node="BCN", found=wrong, **BY)
    codes = {(fault.pointer, fault.code) for fault in refused.value.faults}
    assert {("/lines/0/line_id", "unknown_line"), ("/lines/2/grade", "unknown_grade")} <= codes
    with pytest.raises(InvalidRequest):
        returns.receive(session, made.id, node="XYZ", found=[found(order)], **BY)


def test_a_return_is_received_once(session, order):
    made = authorised(session, order)
    returns.receive(session, made.id, node="BCN", found=[found(order)], **BY)
    with pytest.raises(IllegalTransition, match="final"):
        returns.receive(session, made.id, node="BCN", found=[found(order)], **BY)


def test_a_return_that_nobody_authorised_is_not_received(session, order):
    made = returns.request(session, order.id, [wanted(order)], **BY)
    with pytest.raises(IllegalTransition, match="requested"):
        returns.receive(session, made.id, node="BCN", found=[found(order)], **BY)


def test_a_return_may_be_given_up_until_it_comes(session, order):
    made = authorised(session, order)
    assert returns.cancel(session, made.id, **BY).status == ReturnStatus.CANCELLED
    with pytest.raises(UnknownReturn):
        returns.cancel(session, "nothing", **BY)


def test_the_order_remembers_its_returns_and_the_world_is_told(session, order):
    made = returns.at_counter(session, order.id, node="BCN", brought=[brought(order)], **BY)
    steps = ["requested", "authorised", "received", "inspected", "closed"]
    assert news(session, made.id) == [f"return.{step}" for step in steps]
    moments = [moment for moment in view.whole(session, order.id).timeline if moment.what == "return"]
    assert [moment.to_status for moment in moments] == steps
    assert [kept.id for kept in session.scalars(select(Return))] == [made.id]


def test_an_order_of_which_all_came_back_is_returned(session, order):
    returns.at_counter(session, order.id, node="BCN", brought=[brought(order, units=2), brought(order, "hat")], **BY)
    assert view.whole(session, order.id).public_status == PublicStatus.RETURNED


def test_every_state_of_a_return_is_in_the_table():
    assert set(RETURN_TRANSITIONS) == set(ReturnStatus)


def test_what_is_authorised_is_to_come_until_it_came_or_is_given_up(session, order):
    def units():
        return [(each.kind, each.units) for each in supply.coming(session, ["coat"]).get("coat", [])]

    made = authorised(session, order, wanted(order, units=2))
    assert units() == [("return", 2)]
    returns.receive(session, made.id, node="BCN", found=[found(order)], **BY)
    assert units() == []
    returns.cancel(session, authorised(session, order).id, **BY)
    assert units() == []
