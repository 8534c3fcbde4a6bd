"""The truth wins: the orders that lose units follow, in the same transaction, whatever they had come to."""

import pytest
from sqlalchemy import select

from fulfillment.work import collecting
from fulfillment.work.models import Method, PutBack, Status
from stock import adjustments, feeds
from tests.fulfillment.work.floor import (
    BY,
    MINUTES,
    NOW,
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


def lose(session, units, sku="coat", node="MAD"):
    adjustments.adjust(session, node=node, sku=sku, units=-units, reason="theft", reference="", actor="ana", now=NOW)


def test_an_order_that_loses_all_it_had_is_superseded_and_waits(session):
    fo, before = ordered(session, coat=2), minutes(session)
    lose(session, 2)
    assert fo.status == Status.SUPERSEDED
    assert counters(session, fo, "coat") == (2, 2, 0, 0)
    assert waiting(session, fo, "coat") == 2
    assert minutes(session) == before - MINUTES
    assert news(session, fo.demand_id) == ["demand.waiting"]
    in_order(session)


def test_an_order_that_loses_a_part_goes_on_with_the_rest(session):
    fo = bring(session, ordered(session, coat=3), Status.PICKING)
    lose(session, 1)
    assert (fo.status, line(fo, "coat").units, waiting(session, fo, "coat")) == (Status.PICKING, 2, 1)
    in_order(session)


def test_the_younger_order_gives_way(session):
    stock(session, coat=2)
    older, younger = (allocate(session, demand(session, coat=1)) for _ in range(2))
    lose(session, 1)
    assert (older.status, younger.status) == (Status.ALLOCATED, Status.SUPERSEDED)
    in_order(session)


@pytest.mark.parametrize("status", [Status.PICKED, Status.PACKED, Status.READY])
def test_even_picked_units_give_way_when_a_feed_says_there_are_none(session, status):
    fo = bring(session, ordered(session, method=Method.COLLECT, coat=2), status)
    feeds.absolute(session, node="MAD", rows=[("coat", 0)], as_of=NOW, reference="pos", actor="feed", now=NOW)
    assert fo.status == Status.SUPERSEDED
    assert (balance(session, "coat"), put_backs(session, fo)) == ((0, 0, 0), [])
    in_order(session)


def test_a_packed_order_that_loses_a_part_is_opened(session):
    fo = bring(session, ordered(session, coat=2), Status.PACKED)
    feeds.absolute(session, node="MAD", rows=[("coat", 1)], as_of=NOW, reference="pos", actor="feed", now=NOW)
    assert (fo.status, line(fo, "coat").units, line(fo, "coat").picked) == (Status.PICKED, 1, 1)
    in_order(session)


def test_what_a_source_loses_the_order_that_awaits_it_loses_too(session):
    awaiting, leg = collected_by_transfer(session, coat=2)
    lose(session, 1, node="WH")
    assert (line(leg, "coat").units, line(awaiting, "coat").units) == (1, 1)
    assert counters(session, awaiting, "coat") == (2, 1, 1, 0)
    in_order(session)
    lose(session, 1, node="WH")
    assert (leg.status, awaiting.status) == (Status.SUPERSEDED, Status.SUPERSEDED)
    in_order(session)


def test_a_put_back_task_shrinks_with_what_there_is_to_put_back(session):
    fo = bring(session, ordered(session, method=Method.COLLECT, coat=2), Status.READY)
    collecting.refuse(session, fo.id, reason="changed_mind", **BY)
    feeds.absolute(session, node="MAD", rows=[("coat", 1)], as_of=NOW, reference="pos", actor="feed", now=NOW)
    task = session.scalars(select(PutBack).where(PutBack.fulfillment_order_id == fo.id)).one()
    assert (task.units, balance(session, "coat")) == (1, (1, 1, 1))
    in_order(session)
