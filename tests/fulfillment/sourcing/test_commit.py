"""What a commit makes true, what it refuses, and what is decided again."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from fulfillment.network import catalog, policies
from fulfillment.network.models import NodeDay
from fulfillment.sourcing import explain, waiting
from fulfillment.sourcing.commit import StalePlan, commit
from fulfillment.sourcing.decide import decide, decide_again
from fulfillment.sourcing.demanded import UnknownDemand
from fulfillment.sourcing.proposal import Assumption, Failure, Proposal
from fulfillment.work import orders
from fulfillment.work.models import Decision, Demand, FulfillmentHistory, FulfillmentOrder, Status
from kernel.events import OutboxEvent
from stock.documents import Transfer
from stock.models import OpenDemand, Posting, Reservation, StockBalance
from tests.fulfillment.sourcing.world import NOW, collected, place, place_again, prove, served, stock, wanted

TODAY = date(2026, 11, 17)


def taken(session, proposal):
    return commit(session, proposal, now=NOW, actor="test")


def proposed(session, *demands):
    return decide(session, demands, now=NOW, cause="order")


def claimed(session):
    return dict(session.execute(select(NodeDay.node, NodeDay.claimed_minutes).where(NodeDay.claimed_minutes > 0)).all())


def open_units(session):
    return dict(session.execute(select(OpenDemand.sku, OpenDemand.units)).all())


def reserved(session):
    query = select(StockBalance.node, StockBalance.reserved).where(StockBalance.reserved > 0)
    return dict(session.execute(query).all())


def refusal(order, **changed):
    """What a rejection of the order's only line says about its node."""
    (line,) = order.lines
    usual = Failure(
        sku=line.sku, node=order.node, cause="rejection", reason="no_staff", failed_at=NOW, attempt=order.id
    )  # fmt: skip
    return replace(usual, **changed)


def event_types(session):
    return set(session.scalars(select(OutboxEvent.type)))


def test_a_commit_writes_demand_decision_order_history_and_news(session):
    stock(session, A={"MAD-W": 5})
    demand = wanted([("A", 2)])
    [order] = place(session, demand)
    row = session.get(Demand, demand.demand_id)
    assert (row.promised_by, row.waiting_reason, row.lines[0].allocated) == (order.promised_by, None, 2)
    decision = session.get(Decision, order.decision_id)
    assert (decision.status, decision.cause, decision.assignments[0]["node"]) == ("optimal", "order", "MAD-W")
    history = session.scalar(select(FulfillmentHistory).where(FulfillmentHistory.fulfillment_order_id == order.id))
    assert (history.from_status, history.to_status, history.actor) == (None, "allocated", "test")
    assert "fulfillment_order.allocated" in event_types(session)
    assert reserved(session) == {"MAD-W": 2}
    assert claimed(session) == {"MAD-W": order.work_minutes} == {"MAD-W": 4}


def test_orders_are_known_to_the_session_as_they_are_in_the_database(session):
    stock(session, A={"MAD-W": 5})
    [order] = place(session, wanted())
    before = {column.name: getattr(order, column.name) for column in FulfillmentOrder.__table__.columns}
    session.expire_all()
    assert before == {name: getattr(order, name) for name in before}


def test_what_nobody_has_waits_as_open_demand(session):
    demand = wanted([("A", 2)])
    assert place(session, demand) == []
    row = session.get(Demand, demand.demand_id)
    assert (row.waiting_reason, row.attempts, row.promised_by) == ("no_stock", 1, None)
    assert open_units(session) == {"A": 2}
    assert "demand.waiting" in event_types(session)


def test_what_waits_is_served_when_stock_comes_in(session):
    demand = wanted([("A", 2)])
    place(session, demand)
    assert waiting.due(session, now=NOW, limit=10) == []
    stock(session, A={"MAD-W": 5})
    assert waiting.due(session, now=NOW, limit=10) == waiting.for_skus(session, ["A"], limit=10) == [demand.demand_id]
    assert served(place_again(session, demand)) == [("MAD-W", "ship", {"A": 2})]
    assert open_units(session) == {}
    assert waiting.for_skus(session, ["A"], limit=10) == []


def test_the_higher_rank_and_then_the_older_is_decided_first(session):
    low, high = wanted(), wanted(rank=5)
    for demand in (low, high, wanted([("B", 1)])):
        place(session, demand)
    assert waiting.for_skus(session, ["A"], limit=10) == [high.demand_id, low.demand_id]
    assert waiting.for_skus(session, ["A"], limit=1) == [high.demand_id]


def test_a_demand_tried_in_vain_is_not_tried_at_once_again(session):
    for day in range(17, 25):
        catalog.set_capacity(session, "MAD-W", date(2026, 11, day), 0)
    stock(session, A={"MAD-W": 5})
    demand = wanted()
    place(session, demand)
    for _ in range(2):
        assert waiting.due(session, now=NOW, limit=10) == [demand.demand_id]
        place_again(session, demand)
    assert waiting.due(session, now=NOW, limit=10) == []


def test_waiting_is_told_once_while_the_same_units_wait(session):
    demand = wanted()
    place(session, demand)
    place_again(session, demand)
    news = session.scalar(select(func.count()).where(OutboxEvent.type == "demand.waiting"))
    assert (news, session.get(Demand, demand.demand_id).attempts) == (1, 2)


def test_a_plan_is_stale_when_a_unit_it_uses_is_gone_and_is_decided_again(session):
    stock(session, A={"MAD-W": 1, "MAD-S": 1})
    demand = wanted()
    slow = proposed(session, demand)
    place(session, wanted())
    with pytest.raises(StalePlan):
        taken(session, slow)
    assert served(place(session, demand)) == [("MAD-S", "ship", {"A": 1})]


def test_a_plan_holds_while_a_moved_balance_still_covers_it(session):
    stock(session, A={"MAD-W": 5})
    slow = proposed(session, wanted())
    place(session, wanted([("A", 4)]))
    assert served(taken(session, slow)) == [("MAD-W", "ship", {"A": 1})]
    prove(session)


def test_a_plan_is_stale_when_its_minutes_are_gone(session):
    catalog.set_capacity(session, "MAD-W", TODAY, 4)
    stock(session, A={"MAD-W": 5})
    slow = proposed(session, wanted())
    place(session, wanted())
    with pytest.raises(StalePlan):
        taken(session, slow)


def test_a_plan_is_stale_when_its_policy_has_a_new_version(session):
    stock(session, A={"MAD-W": 5})
    slow = proposed(session, wanted())
    policies.activate(session, "default", policies.put(session, "default", {}))
    with pytest.raises(StalePlan):
        taken(session, slow)


def test_a_plan_is_stale_when_its_demand_has_changed(session):
    demand = wanted()
    place(session, demand)
    stock(session, A={"MAD-W": 5})
    slow = decide_again(session, demand.demand_id, now=NOW, cause="again")
    session.get(Demand, demand.demand_id).version += 1
    with pytest.raises(StalePlan) as refusal:
        taken(session, slow)
    assert refusal.value.demand_ids == (demand.demand_id,)


def test_a_plan_is_stale_when_what_it_takes_along_was_accepted(session):
    stock(session, A={"MAD-S": 5})
    demand = wanted()
    [order] = place(session, demand)
    stock(session, A={"MAD-W": 5})
    slow = decide_again(session, demand.demand_id, now=NOW, cause="again")
    orders.accept(session, order.id, actor="clerk", now=NOW)
    with pytest.raises(StalePlan):
        taken(session, slow)


def test_a_plan_cannot_be_committed_twice(session):
    demand = wanted()
    place(session, demand)
    stock(session, A={"MAD-W": 5})
    again = decide_again(session, demand.demand_id, now=NOW, cause="again")
    taken(session, again)
    with pytest.raises(StalePlan):
        taken(session, again)


def test_an_order_that_is_still_best_stays_as_it_is(session):
    stock(session, A={"MAD-W": 5})
    demand = wanted([("A", 1), ("B", 1)])
    [order] = place(session, demand)
    stock(session, B={"MAD-W": 5, "BCN-S": 1})
    assert served(place_again(session, demand)) == [("MAD-W", "ship", {"A": 1, "B": 1})]
    assert order.status == Status.SUPERSEDED
    [kept] = session.scalars(select(FulfillmentOrder).where(FulfillmentOrder.status == Status.ALLOCATED))
    assert place_again(session, demand) == []
    assert kept.status == Status.ALLOCATED
    assert claimed(session) == {"MAD-W": kept.work_minutes}


def test_an_accepted_order_stands_and_counts_as_a_package(session):
    policies.activate(session, "default", policies.put(session, "default", {"max_packages": 1}))
    stock(session, A={"MAD-W": 5})
    demand = wanted([("A", 1), ("B", 1)])
    [order] = place(session, demand)
    orders.accept(session, order.id, actor="clerk", now=NOW)
    stock(session, B={"MAD-W": 5})
    assert place_again(session, demand) == []
    assert session.get(Demand, demand.demand_id).waiting_reason == "package_limit"


def test_a_promise_counts_what_was_placed_before(session):
    stock(session, A={"BCN-S": 5})
    demand = wanted([("A", 1), ("B", 1)])
    [far] = place(session, demand)
    assert session.get(Demand, demand.demand_id).promised_by is None
    orders.accept(session, far.id, actor="clerk", now=NOW)
    stock(session, B={"MAD-W": 5})
    [near] = place_again(session, demand)
    assert near.promised_by < far.promised_by == session.get(Demand, demand.demand_id).promised_by


def test_churn_keeps_a_line_where_it_is(session):
    stock(session, A={"MAD-S": 5})
    demand = wanted()
    place(session, demand)
    policies.activate(session, "default", policies.put(session, "default", {"churn_minor": 10_000}))
    stock(session, A={"MAD-W": 5})
    assert place_again(session, demand) == []
    policies.activate(session, "default", policies.put(session, "default", {"churn_minor": 0}))
    assert served(place_again(session, demand)) == [("MAD-W", "ship", {"A": 1})]
    assert reserved(session) == {"MAD-W": 1}


def test_a_rejection_is_decided_as_if_it_had_happened(session):
    stock(session, A={"MAD-W": 1, "MAD-S": 1})
    demand = wanted()
    [order] = place(session, demand)
    lost = Assumption(lost=[(order.lines[0].id, 1)], failed=[refusal(order)])
    proposal = decide_again(session, demand.demand_id, now=NOW, cause="rejection", assume=lost)
    orders.reject(session, order.id, reason="no_staff", actor="clerk", now=NOW)
    assert served(taken(session, proposal)) == [("MAD-S", "ship", {"A": 1})]
    prove(session)
    assert order.status == Status.REJECTED
    assert claimed(session) == {"MAD-S": 8}


def test_a_decision_under_an_assumption_that_did_not_come_true_is_stale(session):
    stock(session, A={"MAD-W": 1, "MAD-S": 1})
    demand = wanted()
    [order] = place(session, demand)
    lost = Assumption(lost=[(order.lines[0].id, 1)], failed=[refusal(order)])
    proposal = decide_again(session, demand.demand_id, now=NOW, cause="rejection", assume=lost)
    with pytest.raises(StalePlan):
        taken(session, proposal)


def test_a_transfer_leg_opens_its_transfer_and_cancels_it_when_superseded(session):
    stock(session, A={"MAD-W": 5})
    demand = collected()
    place(session, demand)
    [transfer] = session.scalars(select(Transfer))
    assert (transfer.source, transfer.destination, transfer.status) == ("MAD-W", "MAD-S", "approved")
    assert place_again(session, demand) == []
    stock(session, A={"MAD-S": 5})
    assert served(place_again(session, demand)) == [("MAD-S", "collect", {"A": 1})]
    assert transfer.status == "cancelled"
    assert reserved(session) == {"MAD-S": 1}


def test_a_leg_under_way_keeps_its_collection_where_it_is(session):
    stock(session, A={"MAD-W": 5})
    demand = collected()
    leg = next(order for order in place(session, demand) if order.method == "transfer")
    orders.accept(session, leg.id, actor="clerk", now=NOW)
    stock(session, A={"MAD-S": 5})
    assert decide_again(session, demand.demand_id, now=NOW, cause="again").changes == ()


def test_two_demands_exchange_their_last_units_in_one_commit(session):
    stock(session, A={"MAD-W": 1, "MAD-S": 1})
    first, second = wanted(), wanted()
    place(session, first)
    place(session, second)
    changes = {}
    for demand in (first, second):
        [changes[demand.demand_id]] = decide_again(session, demand.demand_id, now=NOW, cause="night").changes
    mine, other = changes[first.demand_id], changes[second.demand_id]
    exchanged = Proposal(
        cause="night",
        changes=(_served_by(mine, other), _served_by(other, mine)),
    )
    assert served(taken(session, exchanged)) == [("MAD-S", "ship", {"A": 1}), ("MAD-W", "ship", {"A": 1})]
    prove(session)
    assert reserved(session) == {"MAD-W": 1, "MAD-S": 1}
    assert session.scalar(select(func.count()).where(Posting.reason == "night")) == 1
    assert session.scalar(select(func.count()).where(Reservation.released == 0)) == 2


def _served_by(change, other):
    """The change with the other's packages, for its own line."""
    lines = (replace(other.packages[0].lines[0], line_id=change.wanted.lines[0].id),)
    return replace(change, packages=(replace(other.packages[0], lines=lines),))


def test_a_proposal_without_changes_changes_nothing(session):
    stock(session, A={"MAD-W": 5})
    demand = wanted()
    [order] = place(session, demand)
    orders.accept(session, order.id, actor="clerk", now=NOW)
    proposal = decide_again(session, demand.demand_id, now=NOW, cause="again")
    assert (proposal.changes, taken(session, proposal)) == ((), [])


def test_an_unknown_demand_is_not_found(session):
    with pytest.raises(UnknownDemand):
        decide_again(session, "nobody", now=NOW, cause="again")


def test_a_decision_is_told_in_words(session):
    stock(session, A={"MAD-W": 5, "MAD-S": 5})
    [order] = place(session, wanted())
    decision = session.get(Decision, order.decision_id)
    texts = [sentence.text for sentence in explain.words(decision, names={"MAD-W": "Getafe"}, currency="EUR")]
    assert texts[:2] == [
        "Getafe ships 1 units with STD, to arrive by 2026-11-18 19:00.",
        "This costs 5.63 EUR, which is 2.17 EUR less than the best plan with MAD-S.",
    ]
    assert "2 nodes have none of it: BCN-S, VLC-S." in texts
    assert explain.summary(decision)["by_term"] == {
        "handling": 120, "carrier": 400, "line_handling": 40, "pick_risk": 3,
    }  # fmt: skip


def test_what_waits_is_told_with_its_reason(session):
    demand = wanted([("A", 2)])
    place(session, demand)
    decision = session.scalar(select(Decision).where(Decision.demand_id == demand.demand_id))
    texts = [sentence.text for sentence in explain.words(decision, names={}, currency="EUR")]
    assert texts[0] == "2 units of A wait: no node has them."
    assert explain.summary(decision)["waiting"] == 2


def test_every_template_takes_its_values(session):
    names = "node units service arrives_at cost gap other sku why count nodes fences saved amount others day"
    values = dict.fromkeys(names.split(), "x")
    assert all("%" not in template % values for template in explain.TEMPLATES.values())
