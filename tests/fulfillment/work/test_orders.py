"""A node takes work on or refuses it: what it refuses waits again, and the reason says what becomes of the stock."""

import pytest

from fulfillment.work import orders, picking, setbacks
from fulfillment.work.errors import AlreadyShipped, NotPossibleNow, UnknownLines
from fulfillment.work.models import Method, Status
from kernel.ids import new_id
from stock.errors import UnknownReason
from tests.fulfillment.work.floor import (
    BY,
    MINUTES,
    allocate,
    balance,
    bring,
    counters,
    demand,
    in_order,
    line,
    minutes,
    news,
    ordered,
    put_backs,
    statuses,
    stock,
    waiting,
)


def reject(session, fo, reason="not_found", **more):
    return orders.reject(session, fo.id, reason=reason, **more, **BY)


def test_an_accepted_order_stays_where_it_is(session):
    fo = orders.accept(session, ordered(session, coat=1).id, **BY)
    assert fo.status == Status.ACCEPTED
    assert statuses(session, fo) == [Status.ACCEPTED]
    with pytest.raises(NotPossibleNow, match="pick list"):
        orders.accept(session, fo.id, **BY)


def test_a_rejected_order_waits_again_without_its_minutes(session):
    fo, before = ordered(session, coat=2), minutes(session)
    assert reject(session, fo) == [fo]
    assert fo.status == Status.REJECTED
    assert counters(session, fo, "coat") == (2, 2, 0, 0)
    assert waiting(session, fo, "coat") == 2
    assert minutes(session) == before - MINUTES
    assert news(session, fo.demand_id) == ["demand.waiting"]
    (setback,) = setbacks.of_demands(session, [fo.demand_id])[fo.demand_id]
    assert (setback.cause, setback.reason, setback.node, setback.units) == ("rejection", "not_found", "MAD", 2)
    in_order(session)


@pytest.mark.parametrize(("reason", "left"), [("not_found", 0), ("damaged", 0), ("no_staff", 2), ("closing", 2)])
def test_the_reason_says_what_becomes_of_the_stock(session, reason, left):
    reject(session, ordered(session, coat=2), reason)
    assert balance(session, "coat") == (left, 0, 0)
    in_order(session)


def test_an_unknown_reason_is_refused_with_the_known_ones(session):
    fo = ordered(session, coat=1)
    with pytest.raises(UnknownReason, match="no_staff"):
        reject(session, fo, "bored")
    assert fo.status == Status.ALLOCATED


def test_a_line_is_rejected_alone(session):
    fo = ordered(session, coat=1, boots=1)
    reject(session, fo, lines=[line(fo, "coat").id])
    assert (fo.status, line(fo, "coat").units, line(fo, "boots").units) == (Status.ALLOCATED, 0, 1)
    assert counters(session, fo, "coat") == (1, 1, 0, 0)
    assert counters(session, fo, "boots") == (1, 0, 1, 0)
    in_order(session)
    with pytest.raises(UnknownLines):
        reject(session, fo, lines=[line(fo, "coat").id])


def test_rejecting_the_last_line_rejects_the_order(session):
    fo = ordered(session, coat=1, boots=1)
    reject(session, fo, lines=[line(fo, "coat").id])
    reject(session, fo, lines=[line(fo, "boots").id])
    assert fo.status == Status.REJECTED
    in_order(session)


def test_rejecting_what_is_left_to_pick_completes_the_picking(session):
    fo = bring(session, ordered(session, coat=1, boots=1), Status.PICKING)
    picking.scan(session, fo.id, scan_id=new_id(), code="coat", **BY)
    reject(session, fo, lines=[line(fo, "boots").id])
    assert fo.status == Status.PICKED
    in_order(session)


def test_units_already_in_the_tote_are_put_back_and_stay_in_stock(session):
    fo = bring(session, ordered(session, coat=3), Status.PICKING)
    picking.scan(session, fo.id, scan_id=new_id(), code="coat", units=2, **BY)
    reject(session, fo)
    assert put_backs(session, fo) == [("coat", 2, 0)]
    assert balance(session, "coat") == (2, 2, 2)
    assert waiting(session, fo, "coat") == 3
    in_order(session)


def test_a_collateral_rejection_takes_the_article_off_the_nodes_other_orders(session):
    fo, same, other = ordered(session, coat=1), ordered(session, coat=1, boots=1), ordered(session, boots=1)
    elsewhere = ordered(session, "BCN", coat=1)
    touched = reject(session, fo, collateral=True)
    assert touched == [fo, same]
    assert (fo.status, same.status) == (Status.REJECTED, Status.ALLOCATED)
    assert (line(same, "coat").units, line(same, "boots").units) == (0, 1)
    assert (other.status, elsewhere.status) == (Status.ALLOCATED, Status.ALLOCATED)
    assert balance(session, "coat") == (0, 0, 0)
    in_order(session)


def test_a_collateral_rejection_leaves_what_is_in_a_tote(session):
    picked = bring(session, ordered(session, coat=1), Status.PICKED)
    reject(session, ordered(session, coat=1), collateral=True)
    assert picked.status == Status.PICKED
    assert balance(session, "coat") == (1, 1, 1)
    in_order(session)


@pytest.mark.parametrize("status", [Status.PICKED, Status.PACKED])
def test_what_is_picked_is_not_rejected(session, status):
    fo = bring(session, ordered(session, coat=1), status)
    with pytest.raises(NotPossibleNow):
        reject(session, fo)


def test_what_has_left_is_not_rejected(session):
    with pytest.raises(AlreadyShipped):
        reject(session, bring(session, ordered(session, coat=1), Status.SHIPPED))


def test_a_demand_split_over_two_nodes_loses_only_what_was_rejected(session):
    stock(session, "MAD", coat=1)
    stock(session, "BCN", coat=2)
    wanted = demand(session, Method.SHIP, coat=3)
    here, there = allocate(session, wanted, "MAD", coat=1), allocate(session, wanted, "BCN", coat=2)
    reject(session, here)
    assert there.status == Status.ALLOCATED
    assert counters(session, there, "coat") == (3, 1, 2, 0)
    in_order(session)
