"""Cancelling: in every state before units leave, exactly the units asked for, waiting ones first."""

import pytest

from fulfillment.work import cancelling, picking, transfers
from fulfillment.work.errors import InvalidUnits, LinesAlreadyShipped, UnknownLines
from fulfillment.work.models import Demand, Method, Status
from kernel.ids import new_id
from tests.fulfillment.work.floor import (
    BY,
    MINUTES,
    allocate,
    balance,
    bring,
    collected_by_transfer,
    counters,
    demand,
    in_order,
    line,
    minutes,
    news,
    ordered,
    put_backs,
    stock,
    waiting,
)

NOT_PICKED = [Status.ALLOCATED, Status.ACCEPTED, Status.PICKING]
IN_TOTES = [Status.PICKED, Status.PACKED, Status.READY]
GONE = [Status.SHIPPED, Status.DELIVERED]


def cancel(session, fo, **units):
    lines = {line(fo, sku).demand_line_id: count for sku, count in units.items()}
    return cancelling.cancel_units(session, lines=lines, reason="changed_mind", **BY)


def where(cancelled):
    return [(taken.units, taken.taken_from) for taken in cancelled.units]


def order_at(session, status, **units):
    method = Method.COLLECT if status in {Status.READY, Status.HANDED_OVER} else Method.SHIP
    return bring(session, ordered(session, method=method, **units), status)


@pytest.mark.parametrize("status", NOT_PICKED)
def test_before_picking_a_cancelled_order_frees_its_units_and_its_minutes(session, status):
    fo = order_at(session, status, coat=2)
    before = minutes(session)
    assert where(cancel(session, fo, coat=2)) == [(2, fo.number)]
    assert fo.status == Status.CANCELLED
    assert balance(session, "coat") == (2, 0, 0)
    assert counters(session, fo, "coat") == (0, 0, 0, 0)
    assert (waiting(session, fo, "coat"), put_backs(session, fo)) == (0, [])
    assert minutes(session) == before - MINUTES
    assert news(session, fo.demand_id) == ["demand.cancelled"]
    in_order(session)


@pytest.mark.parametrize("status", IN_TOTES)
def test_after_picking_a_cancelled_order_is_put_back_and_its_work_was_done(session, status):
    fo = order_at(session, status, coat=2)
    before = minutes(session)
    cancel(session, fo, coat=2)
    assert fo.status == Status.CANCELLED
    assert balance(session, "coat") == (2, 2, 2)
    assert put_backs(session, fo) == [("coat", 2, 0)]
    assert minutes(session) == before
    in_order(session)


@pytest.mark.parametrize("status", [*NOT_PICKED, *IN_TOTES])
def test_a_part_of_an_order_is_cancelled_in_any_state(session, status):
    fo = order_at(session, status, coat=3, boots=1)
    cancel(session, fo, coat=2)
    assert fo.status == (Status.PICKED if status == Status.PACKED else status)
    assert (line(fo, "coat").units, line(fo, "boots").units) == (1, 1)
    picked = status in IN_TOTES
    assert balance(session, "coat") == (3, 3 if picked else 1, 3 if picked else 0)
    assert put_backs(session, fo) == ([("coat", 2, 0)] if picked else [])
    assert counters(session, fo, "coat") == (1, 0, 1, 0)
    in_order(session)


@pytest.mark.parametrize("status", [*GONE, Status.HANDED_OVER])
def test_what_has_left_is_a_return(session, status):
    fo = order_at(session, status, coat=2)
    with pytest.raises(LinesAlreadyShipped, match="comes back as a return") as refused:
        cancel(session, fo, coat=1)
    assert refused.value.left == {line(fo, "coat").demand_line_id: 0}
    assert counters(session, fo, "coat") == (2, 0, 0, 2)


def test_all_lines_that_are_too_late_are_named_and_nothing_is_cancelled(session):
    fo = order_at(session, Status.SHIPPED, coat=1, boots=1)
    other = order_at(session, Status.ALLOCATED, scarf=1)
    lines = {line(fo, sku).demand_line_id: 1 for sku in ("coat", "boots")} | {line(other, "scarf").demand_line_id: 1}
    with pytest.raises(LinesAlreadyShipped) as refused:
        cancelling.cancel_units(session, lines=lines, reason="late", **BY)
    assert len(refused.value.faults) == 2
    assert other.status == Status.ALLOCATED


def test_waiting_units_go_first(session):
    stock(session, coat=1)
    wanted = demand(session, coat=3)
    fo = allocate(session, wanted, coat=1)
    assert where(cancel(session, fo, coat=2)) == [(2, "waiting")]
    assert (fo.status, waiting(session, fo, "coat")) == (Status.ALLOCATED, 0)
    assert where(cancel(session, fo, coat=1)) == [(1, fo.number)]
    in_order(session)


def test_a_demand_that_waits_whole_is_cancelled(session):
    wanted = demand(session, coat=2)
    wanted.waiting_reason = "no_stock"
    cancelling.cancel_units(session, lines={wanted.lines[0].id: 2}, reason="too_slow", **BY)
    assert (wanted.lines[0].units, wanted.waiting_reason) == (0, None)
    in_order(session)


def test_then_units_of_the_order_that_has_come_least_far(session):
    stock(session, "MAD", coat=1)
    stock(session, "BCN", coat=1)
    stock(session, "WH", coat=1)
    wanted = demand(session, coat=3)
    packed, fresh, picking_now = (allocate(session, wanted, node, coat=1) for node in ("MAD", "BCN", "WH"))
    bring(session, packed, Status.PACKED)
    bring(session, picking_now, Status.PICKING)
    assert where(cancel(session, packed, coat=1)) == [(1, fresh.number)]
    assert where(cancel(session, packed, coat=2)) == [(1, picking_now.number), (1, packed.number)]
    in_order(session)


def test_within_a_line_units_still_on_the_shelf_go_first(session):
    fo = order_at(session, Status.PICKING, coat=3)
    picking.scan(session, fo.id, scan_id=new_id(), code="coat", units=2, **BY)
    cancel(session, fo, coat=1)
    assert (fo.status, put_backs(session, fo)) == (Status.PICKED, [])
    assert balance(session, "coat") == (3, 2, 2)
    in_order(session)


def test_cancelling_changes_the_demand_so_that_no_stale_decision_commits(session):
    fo = order_at(session, Status.PICKED, coat=2)
    before = session.get(Demand, fo.demand_id).version
    cancel(session, fo, coat=1)
    assert session.get(Demand, fo.demand_id).version > before


@pytest.mark.parametrize("units", [0, -3])
def test_impossible_units_are_refused(session, units):
    with pytest.raises(InvalidUnits):
        cancel(session, order_at(session, Status.ALLOCATED, coat=1), coat=units)


def test_unknown_lines_and_no_lines_are_refused(session):
    with pytest.raises(UnknownLines):
        cancelling.cancel_units(session, lines={"nothing": 1}, reason="x", **BY)
    with pytest.raises(InvalidUnits):
        cancelling.cancel_units(session, lines={}, reason="x", **BY)


@pytest.mark.parametrize("status", [*NOT_PICKED, Status.PICKED, Status.PACKED])
def test_before_dispatch_cancelling_what_awaits_a_transfer_ends_its_leg_too(session, status):
    awaiting, leg = collected_by_transfer(session, coat=2)
    bring(session, leg, status)
    assert where(cancel(session, awaiting, coat=2)) == [(2, awaiting.number)]
    assert (awaiting.status, leg.status) == (Status.CANCELLED, Status.CANCELLED)
    picked = status in IN_TOTES
    assert balance(session, "coat", "WH") == (2, 2 if picked else 0, 2 if picked else 0)
    assert put_backs(session, leg) == ([("coat", 2, 0)] if picked else [])
    in_order(session)


def test_a_part_of_what_awaits_a_transfer_is_cancelled_at_both_ends(session):
    awaiting, leg = collected_by_transfer(session, coat=3)
    cancel(session, awaiting, coat=1)
    assert (line(awaiting, "coat").units, line(leg, "coat").units) == (2, 2)
    assert (awaiting.status, leg.status) == (Status.AWAITING_TRANSFER, Status.ALLOCATED)
    assert balance(session, "coat", "WH") == (3, 2, 0)
    in_order(session)


def test_what_is_in_transit_for_a_cancelled_order_arrives_as_plain_stock(session):
    awaiting, leg = collected_by_transfer(session, coat=2)
    transfer = transfers.dispatch(session, bring(session, leg, Status.PACKED).id, **BY)
    cancel(session, awaiting, coat=2)
    assert (awaiting.status, leg.status) == (Status.CANCELLED, Status.SHIPPED)
    in_order(session)
    receipt = transfers.receive(session, transfer.id, **BY)
    assert (receipt.reserved, receipt.missing, leg.status) == ({}, {}, Status.DELIVERED)
    assert balance(session, "coat", "MAD") == (2, 0, 0)
    in_order(session)


def test_a_part_cancelled_in_transit_arrives_unreserved(session):
    awaiting, leg = collected_by_transfer(session, coat=3)
    transfer = transfers.dispatch(session, bring(session, leg, Status.PACKED).id, **BY)
    cancel(session, awaiting, coat=1)
    in_order(session)
    assert transfers.receive(session, transfer.id, **BY).reserved == {"coat": 2}
    assert (awaiting.status, balance(session, "coat", "MAD")) == (Status.ALLOCATED, (3, 2, 0))
    in_order(session)
