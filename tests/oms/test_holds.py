"""An order is held while one of its holds stands; a wrong address is lifted by a right one."""

import pytest
from sqlalchemy import select

from fulfillment.sourcing import commit, decide, waiting
from fulfillment.work import orders as work_orders
from fulfillment.work import picking, shipping
from fulfillment.work.errors import NothingToPick, OnHold
from fulfillment.work.models import Demand, Status
from kernel.states import IllegalTransition
from oms import addresses, customers, holds, orders
from oms.errors import AddressFixed, AddressNeeded, InvalidRequest, NotOnHold
from oms.models import ORDER_TRANSITIONS, OrderStatus
from tests.factories import BY, NOW, VAULT, fulfillment_orders, in_order, line, news, place, reread, ship_to, stock
from tests.fulfillment.work.floor import bring

NOWHERE = {"ship_to": ship_to(postal_code="99999")}


def test_an_order_goes_on_when_its_last_hold_is_lifted(session):
    order = place(session)
    holds.place(session, order.id, reason="fraud", **BY)
    holds.place(session, order.id, reason="payment", **BY)
    assert reread(session, order).status == OrderStatus.HELD
    holds.lift(session, order.id, reason="fraud", **BY)
    assert reread(session, order).status == OrderStatus.HELD
    holds.lift(session, order.id, reason="payment", **BY)
    assert reread(session, order).status == OrderStatus.APPROVED
    assert news(session, order.id) == ["order.placed", "order.held", "order.approved"]


def test_the_same_hold_is_placed_once(session):
    order = place(session)
    first, again = (holds.place(session, order.id, reason="fraud", **BY) for _ in range(2))
    assert first.id == again.id


def test_a_hold_that_does_not_stand_cannot_be_lifted(session):
    order = place(session)
    with pytest.raises(NotOnHold):
        holds.lift(session, order.id, reason="fraud", **BY)


def test_a_hold_needs_a_reason(session):
    with pytest.raises(InvalidRequest):
        holds.place(session, place(session).id, reason="", **BY)


def test_a_closed_order_cannot_be_held(session):
    order = place(session)
    orders.cancel(session, order.id, None, reason="changed_mind", **BY)
    with pytest.raises(IllegalTransition):
        holds.place(session, order.id, reason="fraud", **BY)


def test_cancelling_a_held_order_ends_its_holds(session):
    order = place(session, **NOWHERE)
    orders.cancel(session, order.id, None, reason="changed_mind", **BY)
    assert reread(session, order).status == OrderStatus.CANCELLED
    assert holds.open_holds(session, order.id) == []
    in_order(session)


def test_a_held_order_of_which_nothing_is_left_completes_when_it_is_lifted(session):
    stock(session, "MAD", coat=1)
    order = place(session, line(quantity=2))
    bring(session, fulfillment_orders(session, order)[0], Status.SHIPPED)
    holds.place(session, order.id, reason="fraud", **BY)
    orders.cancel(session, order.id, None, reason="changed_mind", **BY)
    assert reread(session, order).status == OrderStatus.HELD
    holds.lift(session, order.id, reason="fraud", **BY)
    assert reread(session, order).status == OrderStatus.COMPLETED


def test_nobody_starts_on_a_held_order_until_it_is_lifted(session):
    stock(session, "MAD", coat=1)
    order = place(session)
    (part,) = fulfillment_orders(session, order)
    holds.place(session, order.id, reason="fraud", **BY)
    with pytest.raises(NothingToPick):
        picking.propose(session, "MAD", max_orders=5, **BY)
    with pytest.raises(OnHold, match=part.number):
        work_orders.accept(session, part.id, **BY)
    holds.lift(session, order.id, reason="fraud", **BY)
    picking.propose(session, "MAD", max_orders=5, **BY)
    assert part.status == Status.PICKING


def test_nothing_of_a_held_order_leaves_though_it_is_packed(session):
    stock(session, "MAD", coat=1)
    order = place(session)
    part = bring(session, fulfillment_orders(session, order)[0], Status.PACKED)
    holds.place(session, order.id, reason="fraud", **BY)
    with pytest.raises(OnHold):
        shipping.ship(session, part.id, **BY)
    assert part.status == Status.PACKED


def test_a_held_order_is_not_decided_again_when_stock_comes_in(session):
    order = place(session)
    holds.place(session, order.id, reason="fraud", **BY)
    stock(session, "MAD", coat=1)
    assert waiting.for_skus(session, ["coat"], limit=9) == []
    holds.lift(session, order.id, reason="fraud", **BY)
    assert len(waiting.for_skus(session, ["coat"], limit=9)) == 1


def test_the_other_lines_of_an_order_without_an_address_wait_with_it(session):
    stock(session, "MAD", coat=1, hat=1)
    order = place(session, line("coat"), line("hat", method="collect", collect_node="MAD"), **NOWHERE)
    (part,) = fulfillment_orders(session, order)
    with pytest.raises(OnHold):
        work_orders.accept(session, part.id, **BY)


def test_a_hold_for_the_address_is_lifted_by_an_address_only(session):
    order = place(session, **NOWHERE)
    with pytest.raises(AddressNeeded):
        holds.lift(session, order.id, reason="address", **BY)


def test_a_right_address_lets_the_order_go_on_and_names_what_to_decide_again(session):
    order = place(session, **NOWHERE)
    again = addresses.correct_address(session, order.id, ship_to(line1="Calle Nueva 1"), vault=VAULT, **BY)
    demand = session.scalars(select(Demand).where(Demand.reference == order.id)).one()
    assert again == [demand.id]
    assert (demand.postal_code, demand.geocode, demand.version) == ("28001", "postal_code", 2)
    assert reread(session, order).status == OrderStatus.APPROVED
    assert customers.address(session, VAULT, order)["line1"] == "Calle Nueva 1"
    assert news(session, order.id) == ["order.placed", "order.address_corrected", "order.approved"]


def test_what_waited_for_its_address_is_served_once_it_is_decided_again(session):
    stock(session, "MAD", coat=1)
    order = place(session, **NOWHERE)
    for demand_id in addresses.correct_address(session, order.id, ship_to(), vault=VAULT, **BY):
        decided = decide.decide_again(session, demand_id, now=NOW, cause="edit")
        commit.commit(session, decided, **BY)
    assert [part.node for part in fulfillment_orders(session, order)] == ["MAD"]
    in_order(session)


def test_another_unknown_address_leaves_the_order_held(session):
    order = place(session, **NOWHERE)
    addresses.correct_address(session, order.id, ship_to(postal_code="88888"), vault=VAULT, **BY)
    assert reread(session, order).status == OrderStatus.HELD


def test_an_address_with_faults_is_refused_and_nothing_changes(session):
    order = place(session)
    with pytest.raises(InvalidRequest):
        addresses.correct_address(session, order.id, ship_to(country="XX", line1=""), vault=VAULT, **BY)
    assert customers.address(session, VAULT, order)["line1"] == "Calle del Pez 7"


def test_an_order_of_which_a_parcel_has_left_goes_where_it_goes(session):
    stock(session, "MAD", coat=1)
    order = place(session, line(quantity=2))
    bring(session, fulfillment_orders(session, order)[0], Status.SHIPPED)
    with pytest.raises(AddressFixed, match="has left"):
        addresses.correct_address(session, order.id, ship_to(), vault=VAULT, **BY)


def test_what_is_collected_has_no_address(session):
    order = place(session, method="collect", collect_node="MAD")
    with pytest.raises(AddressFixed, match="nothing of it is shipped"):
        addresses.correct_address(session, order.id, ship_to(), vault=VAULT, **BY)


def test_every_state_of_an_order_is_in_the_table():
    assert set(ORDER_TRANSITIONS) == set(OrderStatus)
