"""Transfer legs: sent by the source, received for the order that awaits them, or short of it."""

import pytest

from fulfillment.work import cancelling, collecting, picking, transfers, transport
from fulfillment.work.errors import NotPossibleNow, WrongMethod
from fulfillment.work.models import Demand, Method, Status
from kernel.ids import new_id
from stock import transfers as stock_transfers
from stock.availability import levels
from stock.errors import UnknownDocument
from stock.transfers import TransferWant
from tests.fulfillment.work.floor import (
    BY,
    allocate,
    balance,
    bring,
    collected_by_transfer,
    counters,
    demand,
    in_order,
    line,
    news,
    ordered,
    pick_all,
    put_backs,
    statuses,
    stock,
    waiting,
)


def send(session, leg):
    return transfers.dispatch(session, bring(session, leg, Status.PICKED).id, **BY)


def test_dispatch_takes_the_units_from_the_source_and_puts_them_on_the_way(session):
    awaiting, leg = collected_by_transfer(session, coat=2)
    transfer = send(session, leg)
    assert (leg.status, transfer.status, transfer.reference) == (Status.SHIPPED, "in_transit", leg.id)
    assert statuses(session, leg)[-2:] == [Status.PACKED, Status.SHIPPED]
    assert balance(session, "coat", "WH") == (0, 0, 0)
    assert levels(session, ["coat"])["coat", "MAD"].in_transit == 2
    assert counters(session, awaiting, "coat") == (2, 0, 2, 0)
    in_order(session)


def test_a_leg_is_dispatched_once_and_only_legs_are(session):
    _, leg = collected_by_transfer(session, coat=1)
    send(session, leg)
    with pytest.raises(NotPossibleNow):
        transfers.dispatch(session, leg.id, **BY)
    with pytest.raises(WrongMethod):
        transfers.dispatch(session, bring(session, ordered(session, coat=1), Status.PACKED).id, **BY)


def test_what_arrives_is_reserved_for_the_order_that_awaits_it(session):
    awaiting, leg = collected_by_transfer(session, coat=2, boots=1)
    receipt = transfers.receive(session, send(session, leg).id, **BY)
    assert (receipt.reserved, receipt.missing) == ({"coat": 2, "boots": 1}, {})
    assert (awaiting.status, leg.status, receipt.transfer.status) == (Status.ALLOCATED, Status.DELIVERED, "received")
    assert balance(session, "coat", "MAD") == (2, 2, 0)
    assert news(session, awaiting.id) == ["fulfillment_order.allocated"]
    in_order(session)


def test_an_arrived_order_is_worked_and_handed_over_as_any_other(session):
    awaiting, leg = collected_by_transfer(session, coat=2)
    transfers.receive(session, send(session, leg).id, **BY)
    bring(session, awaiting, Status.READY)
    collecting.hand_over(session, awaiting.id, code=awaiting.pickup_code, **BY)
    assert counters(session, awaiting, "coat") == (2, 0, 0, 2)
    in_order(session)


def test_what_did_not_come_waits_again(session):
    awaiting, leg = collected_by_transfer(session, coat=3)
    transfer = send(session, leg)
    receipt = transfers.receive(session, transfer.id, {transfer.lines[0].line: 2}, **BY)
    assert (receipt.reserved, receipt.missing) == ({"coat": 2}, {"coat": 1})
    assert (transfer.status, leg.status, awaiting.status) == ("closed_short", Status.DELIVERED, Status.ALLOCATED)
    assert counters(session, awaiting, "coat") == (3, 1, 2, 0)
    assert waiting(session, awaiting, "coat") == 1
    assert news(session, awaiting.demand_id) == ["demand.waiting"]
    in_order(session)


def test_when_nothing_came_the_order_is_superseded(session):
    awaiting, leg = collected_by_transfer(session, coat=1)
    transfer = send(session, leg)
    transfers.receive(session, transfer.id, {}, **BY)
    assert (awaiting.status, leg.status) == (Status.SUPERSEDED, Status.DELIVERED)
    assert counters(session, awaiting, "coat") == (1, 1, 0, 0)
    in_order(session)


def test_a_transfer_comes_in_two_vans(session):
    awaiting, leg = collected_by_transfer(session, coat=3)
    transfer = send(session, leg)
    number = transfer.lines[0].line
    transfers.receive(session, transfer.id, {number: 1}, complete=False, **BY)
    assert (awaiting.status, leg.status, transfer.status) == (
        Status.AWAITING_TRANSFER, Status.SHIPPED, "partly_received",
    )  # fmt: skip
    assert sorted(held.units for held in awaiting.lines) == [1, 2]
    in_order(session)
    transfers.receive(session, transfer.id, {number: 2}, **BY)
    assert (awaiting.status, leg.status) == (Status.ALLOCATED, Status.DELIVERED)
    assert all(held.reservation_id for held in awaiting.lines if held.units)
    in_order(session)
    pick_all(session, bring(session, awaiting, Status.PICKING))
    in_order(session)


def test_an_order_waits_for_the_last_of_its_legs(session):
    wanted = demand(session, Method.COLLECT, "MAD", coat=3)
    awaiting = allocate(session, wanted, "MAD", status=Status.AWAITING_TRANSFER, by_transfer=("coat",))
    legs = []
    for node, units in (("WH", 2), ("BCN", 1)):
        stock(session, node, coat=units)
        legs.append(allocate(session, wanted, node, method=Method.TRANSFER, supplies=awaiting, coat=units))
    transfers.receive(session, send(session, legs[0]).id, **BY)
    assert awaiting.status == Status.AWAITING_TRANSFER
    in_order(session)
    transfers.receive(session, send(session, legs[1]).id, **BY)
    assert awaiting.status == Status.ALLOCATED
    in_order(session)


def test_one_leg_that_comes_short_leaves_the_other_coming(session):
    wanted = demand(session, Method.COLLECT, "MAD", coat=3)
    awaiting = allocate(session, wanted, "MAD", status=Status.AWAITING_TRANSFER, by_transfer=("coat",))
    legs = []
    for node, units in (("WH", 2), ("BCN", 1)):
        stock(session, node, coat=units)
        legs.append(allocate(session, wanted, node, method=Method.TRANSFER, supplies=awaiting, coat=units))
    transfers.receive(session, send(session, legs[0]).id, {}, **BY)
    assert (awaiting.status, line(awaiting, "coat").units, legs[1].status) == (
        Status.AWAITING_TRANSFER, 1, Status.ALLOCATED,
    )  # fmt: skip
    assert waiting(session, awaiting, "coat") == 2
    in_order(session)


def test_a_short_pick_at_the_source_is_lost_at_both_ends(session):
    awaiting, leg = collected_by_transfer(session, coat=2)
    bring(session, leg, Status.PICKING)
    picking.scan(session, leg.id, scan_id=new_id(), code="coat", **BY)
    picking.short(session, leg.id, line_id=line(leg, "coat").id, found=1, reason="not_found", **BY)
    assert (leg.status, line(awaiting, "coat").units) == (Status.PICKED, 1)
    assert waiting(session, awaiting, "coat") == 1
    in_order(session)
    transfer = transfers.dispatch(session, leg.id, **BY)
    assert transfers.receive(session, transfer.id, **BY).missing == {}
    assert (awaiting.status, transfer.status) == (Status.ALLOCATED, "received")
    in_order(session)


def test_a_document_opened_with_the_leg_is_the_one_that_travels(session):
    _, leg = collected_by_transfer(session, coat=2)
    opened = transfers.open_document(session, leg, **BY)
    assert send(session, leg) is opened
    in_order(session)


def test_the_document_of_a_cancelled_leg_is_cancelled(session):
    awaiting, leg = collected_by_transfer(session, coat=1)
    transfers.open_document(session, leg, **BY)
    cancelling.cancel_units(session, lines={line(awaiting, "coat").demand_line_id: 1}, reason="x", **BY)
    assert transport.document(session, leg).status == "cancelled"
    assert put_backs(session, leg) == []
    assert session.get(Demand, awaiting.demand_id).lines[0].units == 0
    in_order(session)


@pytest.mark.parametrize(("choice", "at_source"), [("write_back", 2), ("write_off", 0)])
def test_a_transfer_called_off_on_its_way_leaves_the_order_waiting(session, choice, at_source):
    awaiting, leg = collected_by_transfer(session, coat=2)
    transfers.cancel(session, send(session, leg).id, choice=choice, **BY)
    assert (awaiting.status, leg.status) == (Status.SUPERSEDED, Status.RETURNED_TO_SENDER)
    assert balance(session, "coat", "WH") == (at_source, 0, 0)
    assert waiting(session, awaiting, "coat") == 2
    in_order(session)


def test_a_transfer_called_off_before_dispatch_leaves_the_order_waiting(session):
    awaiting, leg = collected_by_transfer(session, coat=2)
    opened = transfers.open_document(session, leg, **BY)
    transfers.cancel(session, opened.id, **BY)
    assert (awaiting.status, leg.status, opened.status) == (Status.SUPERSEDED, Status.CANCELLED, "cancelled")
    assert balance(session, "coat", "WH") == (2, 0, 0)
    in_order(session)


def test_a_transfer_for_nobody_is_received_as_plain_stock(session):
    stock(session, "WH", coat=2)
    opened = stock_transfers.open_transfer(
        session, source="WH", destination="MAD", reference="", lines=[TransferWant(sku="coat", units=2)], **BY
    )
    stock_transfers.dispatch(session, opened.id, [2], **BY)
    assert transfers.receive(session, opened.id, **BY).reserved == {}
    assert balance(session, "coat", "MAD") == (2, 0, 0)
    in_order(session)


def test_an_unknown_transfer_is_said_to_be_unknown(session):
    with pytest.raises(UnknownDocument):
        transfers.receive(session, "none", **BY)
