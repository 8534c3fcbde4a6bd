"""What would have flipped a stored decision, from what the solver saw; and every node with its cost or its rule."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from fulfillment.network import catalog, policies
from fulfillment.optimizer.solve import solve
from fulfillment.sourcing import seen
from fulfillment.sourcing.decide import decide
from fulfillment.sourcing.flip import flips_of
from fulfillment.sourcing.gather import gather
from fulfillment.sourcing.proposal import Failure
from fulfillment.work.candidates import rows
from fulfillment.work.models import Decision
from tests.fulfillment.sourcing.world import NOW, PLACES, collected, place, profile, stock, wanted

NAMES = {node: node for node in PLACES}


def decided(session, *demands, now=NOW):
    """Place demands together and return their decisions."""
    place(session, *demands, now=now)
    session.flush()
    by_demand = {each.demand_id: each for each in session.scalars(select(Decision))}
    return [by_demand[demand.demand_id] for demand in demands]


def flipped(session, decision, kind):
    return [each for each in flips_of(session, decision) if each.kind == kind]


def told(flip):
    return flip.sentence(NAMES, "EUR").text


@pytest.mark.parametrize("demand", [wanted([("A", 2), ("B", 1)]), collected([("A", 3)]), wanted([("C", 1)])])
def test_the_problem_kept_is_the_one_that_was_solved(session, demand):
    stock(session, A={"MAD-W": 1, "MAD-S": 2, "BCN-S": 4}, B={"VLC-S": 2, "MAD-S": 1})
    solved = gather(session, [demand], now=NOW).problem
    [decision] = decided(session, demand)
    problem = seen.restored(decision.problem)
    plan = seen.decided(problem, decision.candidates)
    assert plan.objective == decision.objective_minor == solve(problem).objective == solve(solved).objective


def test_what_others_in_the_same_plan_took_is_gone(session):
    stock(session, A={"MAD-W": 2})
    shipped, fetched = decided(session, wanted(), collected())
    assert [seen.restored(each.problem).stock.max() for each in (shipped, fetched)] == [1, 1]


def test_a_unit_more_and_some_cents_less_would_have_flipped_it(session):
    stock(session, A={"MAD-S": 1, "MAD-W": 2}, B={"MAD-S": 1, "BCN-S": 1})
    [decision] = decided(session, wanted([("A", 1), ("B", 1)]))
    assert {package["node"] for package in decision.assignments} == {"MAD-S"}
    [one, *_] = flipped(session, decision, "cost")
    assert (one.amount, one.saves_minor) == (min(each["gap"] for each in decision.candidates if "gap" in each) + 1, 1)
    assert told(one) == f"{one.node} would serve it if that cost {one.amount / 100:.2f} EUR less."


def test_a_package_more_would_have_flipped_it(session):
    policies.activate(session, "default", policies.put(session, "default", {"max_packages": 1}))
    stock(session, A={"MAD-W": 1}, B={"MAD-S": 1})
    [decision] = decided(session, wanted([("A", 1), ("B", 1)]))
    [flip] = flipped(session, decision, "packages")
    assert flip.amount == 1
    assert "1 more packages allowed" in told(flip)
    assert flips_of(session, decision)[0].amount == 1


def test_minutes_more_would_have_flipped_it(session):
    catalog.put_profiles(session, [profile("MAD-W", capacity_minutes=2)])
    stock(session, A={"MAD-W": 1, "BCN-S": 1})
    [decision] = decided(session, wanted())
    [flip, *_] = flipped(session, decision, "minutes")
    assert (flip.node, flip.amount) == ("MAD-W", 2)


def test_coming_before_the_cut_off_would_have_flipped_it(session):
    stock(session, A={"MAD-S": 1})
    # 25 minutes after 17:00 in Madrid.
    now = NOW + timedelta(hours=7, minutes=25)
    [decision] = decided(session, wanted(placed_at=now), now=now)
    [flip] = flipped(session, decision, "cut_off")
    assert (flip.node, flip.amount) == ("MAD-S", 25)
    assert flip.arrives_at < NOW + timedelta(days=2)
    assert told(flip).startswith("25 minutes earlier, or with the cut-off of MAD-S so much later")


def test_asking_a_node_that_is_barred_would_have_flipped_it(session):
    stock(session, A={"MAD-W": 1, "BCN-S": 1}, B={"MAD-W": 1, "BCN-S": 1})
    failure = Failure(sku="A", node="MAD-W", cause="rejection", reason="damaged", failed_at=NOW, attempt="1")
    demand = wanted([("A", 1), ("B", 1)], failures=(failure,))
    [decision] = decided(session, demand)
    [flip] = flipped(session, decision, "fence")
    assert (flip.node, flip.sku) == ("MAD-W", "A")
    excluded = [each["excluded"] for each in decision.candidates if each.get("node") == "MAD-W"]
    assert all(each[demand.lines[0].id] == "barred" for each in excluded)


def test_every_node_is_a_candidate_or_stands_with_its_rule(session):
    stock(session, A={"MAD-W": 1, "BCN-S": 1})
    failure = Failure(sku="A", node="BCN-S", cause="rejection", reason="damaged", failed_at=NOW, attempt="1")
    for demand in (
        wanted(failures=(failure,)),
        collected(failures=(failure,)),
        wanted(location=replace(wanted().location, latitude=None)),
    ):
        (change,) = decide(session, [demand], now=NOW, cause="order").changes
        named = {each["node"] for each in rows(change.rationale.candidates) if "node" in each}
        fenced = [node for each in rows(change.rationale.candidates) for node in each.get("nodes", ())]
        assert named | set(fenced) == set(PLACES)
        assert len(fenced) == len(set(fenced))
        assert not named & set(fenced)


def test_a_decision_without_its_problem_is_answered_with_nothing(session):
    stock(session, A={"MAD-W": 1})
    [decision] = decided(session, wanted())
    decision.problem = None
    assert flips_of(session, decision) == []
