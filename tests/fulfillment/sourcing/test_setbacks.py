"""What a node's failure means for the next decision, by its reason, and when a person takes over."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from fulfillment.network import policies
from fulfillment.network.policies import InvalidPolicy
from fulfillment.sourcing import waiting
from fulfillment.sourcing.commit import commit
from fulfillment.sourcing.decide import decide, decide_again
from fulfillment.sourcing.proposal import Failure
from fulfillment.work import orders, setbacks, unstarted
from fulfillment.work.models import Decision, Demand, Status
from stock.models import Node
from tests.fulfillment.sourcing.world import NOW, collected, place, place_again, served, stock, wanted

TOMORROW = NOW + timedelta(days=1)


def failed(node, reason, **changed):
    usual = Failure(sku="A", node=node, cause="rejection", reason=reason, failed_at=NOW, attempt=f"{node}-{reason}")
    return replace(usual, **changed)


def nodes(session, demand, now=NOW):
    proposal = decide(session, [demand], now=now, cause="order")
    return [package.node for change in proposal.changes for package in change.packages]


def keep(session, **settings):
    policies.activate(session, "default", policies.put(session, "default", settings))


@pytest.mark.parametrize(
    ("reason", "today", "tomorrow"),
    [("not_found", "MAD-S", "MAD-S"), ("no_staff", "MAD-S", "MAD-W"), ("too_dear", "MAD-S", "MAD-S")],
)
def test_the_reason_says_for_how_long_a_node_is_barred(session, reason, today, tomorrow):
    stock(session, A={"MAD-W": 5, "MAD-S": 5})
    demand = wanted(failures=(failed("MAD-W", reason),))
    assert nodes(session, demand) == [today]
    assert nodes(session, demand, TOMORROW) == [tomorrow]
    assert nodes(session, replace(demand, lines=wanted([("B", 1)]).lines)) == []


def test_a_failure_may_have_a_price_or_mean_nothing(session):
    stock(session, A={"MAD-W": 5, "MAD-S": 5})
    demand = wanted(failures=(failed("MAD-W", "late"),))
    for consequence, minor, node in [("nothing", 9999, "MAD-W"), ("price", 9999, "MAD-S"), ("price", 1, "MAD-W")]:
        keep(session, after_failure={"late": consequence}, failed_minor=minor)
        assert nodes(session, demand) == [node]


def test_who_forgives_pays_but_bars_nobody(session):
    stock(session, A={"MAD-W": 5})
    demand = wanted(failures=(failed("MAD-W", "not_found"),))
    assert nodes(session, demand) == []
    (change,) = decide(session, [replace(demand, forgiving=True)], now=NOW, cause="order").changes
    assert change.rationale.by_term["failed_before"] == 500


def test_settings_refuse_a_consequence_that_there_is_not(session):
    with pytest.raises(InvalidPolicy, match="cannot be"):
        policies.put(session, "default", {"after_failure": {"late": "shout"}})


def test_after_so_many_attempts_in_so_long_a_person_decides(session):
    keep(session, most_attempts=2, attempts_hours=24)
    stock(session, A={"MAD-W": 1, "MAD-S": 1, "VLC-S": 1})
    demand = wanted()
    [first] = place(session, demand)
    [second] = _rejected(session, first)
    assert _rejected(session, second) == []

    row = session.get(Demand, demand.demand_id)
    assert (row.waiting_reason, row.person_since) == ("needs_person", NOW)
    assert waiting.due(session, now=NOW, limit=9) == waiting.for_skus(session, ["A"], limit=9) == []
    assert place_again(session, demand) == []
    assert session.scalars(_decisions(demand)).all()[-1].status == "handed_over"

    assert served(place_again(session, demand, insist=True)) == [("VLC-S", "ship", {"A": 1})]
    assert row.person_since is None


def test_attempts_that_a_person_settled_or_that_are_long_ago_do_not_count(session):
    keep(session, most_attempts=1, attempts_hours=2)
    stock(session, A={"MAD-W": 1, "MAD-S": 1})
    demand = wanted()
    [order] = place(session, demand)
    [other] = place(session, wanted())
    assert _rejected(session, order) == _rejected(session, other) == []
    stock(session, A={"MAD-S": 1, "VLC-S": 1})
    setbacks.settle(session, other.demand_id, now=NOW)
    assert len(place_again(session, other)) == 1
    assert place_again(session, demand) == []
    assert len(place_again(session, demand, now=NOW + timedelta(hours=3))) == 1


def test_what_no_node_has_begun_when_it_was_to_leave_goes_on_elsewhere(session):
    stock(session, A={"MAD-W": 2})
    late, begun = wanted(), wanted()
    [missed] = place(session, late)
    [accepted] = place(session, begun)
    orders.accept(session, accepted.id, actor="clerk", now=NOW)
    after = missed.ship_by + timedelta(minutes=1)
    assert _mark(session, now=missed.ship_by) == []
    assert _mark(session, now=after) == [(late.demand_id, "missed_cut_off")] == waiting.marked(session, limit=9)

    [dated] = place_again(session, late, now=after)
    assert (missed.status, accepted.status, dated.node) == (Status.SUPERSEDED, Status.ACCEPTED, "MAD-W")
    assert dated.work_on > missed.work_on
    assert waiting.marked(session, limit=9) == _mark(session, now=after) == []


def test_a_departure_missed_at_a_price_goes_from_another_node(session):
    keep(session, failed_minor=5000)
    stock(session, A={"MAD-W": 1, "MAD-S": 1})
    [missed] = place(session, demand := wanted())
    after = missed.ship_by + timedelta(minutes=1)
    _mark(session, now=after)
    assert served(place_again(session, demand, now=after)) == [("MAD-S", "ship", {"A": 1})]


def test_a_node_that_closed_or_is_suspended_gives_back_what_it_has_not_begun(session):
    stock(session, A={"MAD-S": 2})
    shipped, fetched = wanted(), collected()
    place(session, shipped, fetched)
    stock(session, A={"BCN-S": 2})
    node = session.get(Node, "MAD-S")
    node.status = "suspended"
    session.flush()
    # Who wants to collect waits for the store to come back.
    assert _mark(session) == [(shipped.demand_id, "node_closed")]
    node.status = "closed"
    session.flush()
    assert _mark(session) == [(fetched.demand_id, "node_closed")]


def _mark(session, now=NOW):
    return unstarted.mark(session, now=now, limit=9, actor="job")


def _rejected(session, order):
    """Reject an order because it was not found, and return what is made instead."""
    orders.reject(session, order.id, reason="not_found", actor="clerk", now=NOW)
    proposal = decide_again(session, order.demand_id, now=NOW, cause="rejection")
    return commit(session, proposal, now=NOW, actor="test")


def _decisions(demand):
    return select(Decision).where(Decision.demand_id == demand.demand_id).order_by(Decision.id)
