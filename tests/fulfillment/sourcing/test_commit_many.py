"""Several proposals are committed together: each with a posting of its own, and who does not fit is told apart."""

from datetime import date

import pytest
from sqlalchemy import func, select

from fulfillment.network import catalog
from fulfillment.sourcing.commit import StalePlan, commit_many
from fulfillment.sourcing.decide import decide, decide_again
from fulfillment.sourcing.taken import Taken
from stock.models import Posting
from tests.fulfillment.sourcing.world import NOW, collected, place, prove, served, stock, wanted

TODAY = date(2026, 11, 17)


def proposed(session, *demands):
    """Decide demands that do not know of one another."""
    return [decide(session, [demand], now=NOW, cause="order") for demand in demands]


def in_turn(session, *demands):
    """Decide demands, each with what those before it take away."""
    taken, proposals = Taken(), []
    for demand in demands:
        proposals.append(decide(session, [demand], now=NOW, cause="order", taken=taken))
        taken.add(proposals[-1])
    return proposals


def committed(session, proposals):
    made = commit_many(session, proposals, now=NOW, actor="test")
    prove(session)
    assert [[each.demand_id for each in one.decisions] for one in made] == [
        [change.wanted.demand_id for change in proposal.changes] for proposal in proposals
    ]
    return [each.orders for each in made]


def postings(session):
    return session.scalar(select(func.count()).where(Posting.kind == "allocation"))


def test_each_proposal_has_its_own_posting_and_its_own_fulfillment_orders(session):
    stock(session, A={"MAD-W": 2}, B={"MAD-S": 5})
    demands = wanted(), collected([("B", 2)]), wanted([("C", 1)])
    made = committed(session, in_turn(session, *demands))
    assert [served(orders) for orders in made] == [
        [("MAD-W", "ship", {"A": 1})], [("MAD-S", "collect", {"B": 2})], [],
    ]  # fmt: skip
    assert postings(session) == 3


def test_who_is_decided_in_turn_sees_what_those_before_take(session):
    stock(session, A={"MAD-W": 1, "MAD-S": 1})
    made = committed(session, in_turn(session, wanted(), wanted(), wanted()))
    assert [served(orders) for orders in made] == [
        [("MAD-W", "ship", {"A": 1})], [("MAD-S", "ship", {"A": 1})], [],
    ]  # fmt: skip


def test_who_is_decided_in_turn_sees_which_minutes_those_before_take(session):
    stock(session, A={"MAD-W": 9})
    for day in range(17, 25):
        catalog.set_capacity(session, "MAD-W", date(2026, 11, day), 4 if day == TODAY.day else 0)
    made = committed(session, in_turn(session, wanted(), wanted()))
    assert [len(orders) for orders in made] == [1, 0]


def test_those_who_came_too_late_for_the_last_units_are_told_apart(session):
    stock(session, A={"MAD-W": 2})
    proposals = proposed(session, wanted([("A", 2)]), wanted(), collected([("B", 1)]), wanted())
    with pytest.raises(StalePlan) as refused:
        commit_many(session, proposals, now=NOW, actor="test")
    assert sorted(refused.value.of) == [1, 3]
    assert "A available" in refused.value.of[1].message


def test_those_who_came_too_late_for_the_last_minutes_are_told_apart(session):
    stock(session, A={"MAD-W": 9})
    proposals = proposed(session, *(wanted() for _ in range(4)))
    catalog.set_capacity(session, "MAD-W", TODAY, 9)
    with pytest.raises(StalePlan) as refused:
        commit_many(session, proposals, now=NOW, actor="test")
    assert sorted(refused.value.of) == [2, 3]


def test_a_demand_that_changed_meanwhile_is_told_apart(session):
    stock(session, A={"MAD-W": 1})
    demand = wanted()
    place(session, demand)
    proposals = [*proposed(session, wanted([("B", 1)])), stale_again(session, demand)]
    with pytest.raises(StalePlan) as refused:
        commit_many(session, proposals, now=NOW, actor="test")
    assert list(refused.value.of) == [1]


def stale_again(session, demand):
    """Decide a demand again, and let others change it before the decision is committed."""
    proposal = decide_again(session, demand.demand_id, now=NOW, cause="again")
    committed(session, [decide_again(session, demand.demand_id, now=NOW, cause="again")])
    return proposal
