"""I5 finds what a hand in the database has broken, and nothing where all is well."""

import pytest
from sqlalchemy import delete, update

from fulfillment.network import held_minutes
from fulfillment.network.models import HeldMinutes, NodeDay
from fulfillment.work import cancelling, collecting, orders, repair, verify
from fulfillment.work.models import DemandLine, FulfillmentLine, FulfillmentOrder, Method, PutBack, Status
from kernel.proofs import WHOLE
from stock.models import OpenDemand, Reservation
from tests.fulfillment.work.floor import (
    BY,
    MINUTES,
    NOW,
    bring,
    collected_by_transfer,
    demand,
    in_order,
    line,
    minutes,
    ordered,
)  # fmt: skip


def tables(session):
    session.flush()
    return {(found.invariant, found.table) for found in verify.findings(session)}


@pytest.mark.parametrize("status", [Status.ALLOCATED, Status.PICKED, Status.SHIPPED])
def test_nothing_is_found_where_all_is_well(session, status):
    demand(session, coat=2)
    collected_by_transfer(session, boots=1)
    bring(session, ordered(session, coat=2), status)
    in_order(session)


def test_waiting_units_without_open_demand_are_found(session):
    demand(session, coat=2)
    session.execute(delete(OpenDemand))
    assert tables(session) == {("I5", "demand_line")}


def test_open_demand_of_nobody_is_found(session):
    session.add(OpenDemand(sku="coat", reference="nobody", units=1))
    assert tables(session) == {("I5", "open_demand")}


def test_counters_that_no_order_holds_are_found(session):
    wanted = demand(session, coat=2)
    session.execute(delete(OpenDemand))
    session.execute(update(DemandLine).where(DemandLine.demand_id == wanted.id).values(allocated=1, fulfilled=1))
    assert tables(session) == {("I5", "demand_line")}


@pytest.mark.parametrize("wrong", [{"units": 3}, {"picked": 1}, {"reservation_id": "gone"}])
def test_a_line_that_holds_what_its_reservation_does_not_is_found(session, wrong):
    fo = ordered(session, coat=2)
    session.execute(update(FulfillmentLine).where(FulfillmentLine.fulfillment_order_id == fo.id).values(**wrong))
    assert ("I5", "fulfillment_line") in tables(session)


def test_a_reservation_left_open_for_a_closed_order_is_found(session):
    fo = ordered(session, coat=2)
    session.execute(update(FulfillmentOrder).where(FulfillmentOrder.id == fo.id).values(status=Status.CANCELLED))
    assert ("I5", "reservation") in tables(session)


def test_units_that_are_awaited_and_do_not_come_are_found(session):
    _, leg = collected_by_transfer(session, coat=2)
    session.execute(update(FulfillmentOrder).where(FulfillmentOrder.id == leg.id).values(status=Status.CANCELLED))
    session.execute(delete(Reservation))
    assert tables(session) == {("I5", "fulfillment_order")}


def held(session, minutes):
    session.add(HeldMinutes(reference="promise", node="MAD", on_date=NOW.date(), minutes=minutes))


def test_a_day_is_claimed_by_its_work_and_by_what_is_held_and_by_nothing_else(session):
    taken_back, done = ordered(session, coat=2), bring(session, ordered(session, boots=1), Status.PACKED)
    orders.reject(session, taken_back.id, reason="no_staff", **BY)
    cancelling.cancel_units(session, lines={done.lines[0].demand_line_id: 1}, reason="customer", **BY)
    held_minutes.hold(session, "promise", [("MAD", NOW.date(), 5)])
    assert minutes(session) == MINUTES + 5
    in_order(session)


@pytest.mark.parametrize(
    "forge",
    [
        lambda session: session.execute(update(NodeDay).values(claimed_minutes=NodeDay.claimed_minutes + 1)),
        lambda session: session.execute(delete(NodeDay)),
        lambda session: held(session, 5),
        lambda session: session.execute(update(FulfillmentOrder).values(work_minutes=3)),
    ],
)
def test_minutes_that_belong_to_nothing_are_found_and_counted_anew(session, forge):
    ordered(session, coat=2)
    forge(session)
    assert tables(session) == {("I5", "node_day")}
    [mend] = repair.by_node(session, WHOLE)
    assert mend.rows == {("node_day", f"MAD on {NOW.date()}")}
    assert [mend.write(session, **BY) for _ in range(2)] == [True, False]
    in_order(session)


def test_a_put_back_task_without_its_units_is_found(session):
    fo = bring(session, ordered(session, method=Method.COLLECT, coat=2), Status.READY)
    collecting.refuse(session, fo.id, reason="changed_mind", **BY)
    session.execute(update(PutBack).where(PutBack.fulfillment_order_id == fo.id).values(done=1))
    assert tables(session) == {("I5", "put_back")}
    assert line(fo, "coat").units == 2
