"""Proposals that are held for a reference, and decisions to which what is held is available."""

import pytest
from sqlalchemy import func, select, update

from fulfillment.sourcing import holding
from fulfillment.sourcing.commit import StalePlan, commit
from fulfillment.sourcing.decide import decide
from fulfillment.sourcing.proposal import NOTHING
from fulfillment.work.models import Demand, FulfillmentOrder
from stock import holds, safety_rules
from stock.holds import Term
from stock.models import Posting, StockBalance
from stock.postings import Header
from stock.safety_rules import RuleRow
from tests.fulfillment.sourcing.world import NOW, collected, place, prove, served, stock, wanted

PROMISE = "promise-1"
TERM = Term(minutes=10, most_minutes=60)


def proposed(session, *demands, reference=None):
    held = holding.of(session, reference) if reference else NOTHING
    return decide(session, demands, now=NOW, cause="order", held=held)


def hold(session, *demands, reference=PROMISE):
    proposal = proposed(session, *demands, reference=reference)
    return holding.hold(session, proposal, reference, term=TERM, now=NOW, actor="test")


def taken(session, proposal):
    return commit(session, proposal, now=NOW, actor="test")


def held(session, reference=PROMISE):
    return {(each.sku, each.node): each.units for each in holds.open_of(session, reference)}


def reserved(session):
    query = select(StockBalance.sku, StockBalance.node, StockBalance.reserved).where(StockBalance.reserved > 0)
    return {(sku, node): units for sku, node, units in session.execute(query)}


def test_a_proposal_is_held_at_its_nodes_and_nothing_else_is_written(session):
    stock(session, A={"MAD-W": 1}, B={"MAD-S": 2})
    assert hold(session, wanted([("A", 1), ("B", 2)])) is not None
    assert held(session) == reserved(session) == {("A", "MAD-W"): 1, ("B", "MAD-S"): 2}
    assert [session.scalar(select(func.count()).select_from(each)) for each in (Demand, FulfillmentOrder)] == [0, 0]


def test_what_comes_to_a_store_by_transfer_is_held_at_its_source(session):
    stock(session, A={"MAD-W": 1})
    hold(session, collected([("A", 1)], store="MAD-S"))
    assert held(session) == {("A", "MAD-W"): 1}


def test_nothing_to_hold_is_said(session):
    assert hold(session, wanted([("A", 1)])) is None


def test_the_order_takes_what_was_held_in_one_posting(session):
    stock(session, A={"MAD-W": 1})
    hold(session, wanted([("A", 1)]))
    assert served(place(session, wanted([("A", 1)]))) == []
    before = session.scalar(select(func.count()).select_from(Posting))
    made = taken(session, proposed(session, wanted([("A", 1)]), reference=PROMISE))
    assert served(made) == [("MAD-W", "ship", {"A": 1})]
    assert session.scalar(select(func.count()).select_from(Posting)) == before + 1
    assert (held(session), reserved(session)) == ({}, {("A", "MAD-W"): 1})
    prove(session)


def test_what_is_held_and_not_needed_is_free_again(session):
    stock(session, A={"MAD-W": 2}, B={"MAD-W": 1})
    hold(session, wanted([("A", 2), ("B", 1)]))
    taken(session, proposed(session, wanted([("A", 1)]), reference=PROMISE))
    assert reserved(session) == {("A", "MAD-W"): 1}


def test_a_hold_serves_two_demands_of_one_order_once(session):
    stock(session, A={"MAD-S": 1})
    hold(session, wanted([("A", 1)]))
    both = proposed(session, wanted([("A", 1)]), collected([("A", 1)], store="MAD-S"), reference=PROMISE)
    assert sum(missing.units for missing in both.unfilled) == 1
    taken(session, both)
    assert reserved(session) == {("A", "MAD-S"): 1}


def test_a_held_unit_can_be_had_though_the_safety_stock_has_grown_over_it(session):
    stock(session, A={"MAD-W": 1})
    hold(session, wanted([("A", 1)]))
    session.execute(update(StockBalance).values(safety_stock=3))
    assert served(taken(session, proposed(session, wanted([("A", 1)]), reference=PROMISE))) != []


def test_what_is_kept_back_from_a_channel_is_not_held_for_it(session):
    stock(session, A={"MAD-W": 2})
    proposal = proposed(session, wanted([("A", 2)], channel="market"))
    safety_rules.put(session, [RuleRow(id="rule", channel="market", units=1)])
    with pytest.raises(StalePlan):
        holding.hold(session, proposal, PROMISE, term=TERM, now=NOW, actor="test")
    hold(session, wanted([("A", 2)], channel="market"))
    assert held(session) == {("A", "MAD-W"): 1}


def test_a_plan_that_counted_on_a_hold_that_was_swept_is_stale(session):
    stock(session, A={"MAD-W": 1})
    hold(session, wanted([("A", 1)]))
    proposal = proposed(session, wanted([("A", 1)]), reference=PROMISE)
    holds.release_all(session, Header(kind="release", actor="test", occurred_at=NOW), [PROMISE])
    with pytest.raises(StalePlan):
        taken(session, proposal)


def test_holding_again_moves_to_where_it_is_better_served_without_a_gap(session):
    stock(session, A={"VLC-S": 1})
    hold(session, wanted([("A", 1)]))
    assert held(session) == {("A", "VLC-S"): 1}
    stock(session, A={"MAD-W": 1})
    hold(session, wanted([("A", 1)]))
    assert held(session) == reserved(session) == {("A", "MAD-W"): 1}
