"""A night from the queue to what it changes: proposed, accepted whole or in part, overtaken, rejected."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fulfillment.optimizer.solve import SolveParams
from fulfillment.planning import night, runs
from fulfillment.planning.errors import NotMoved, RunNotFound, RunUnderWay
from fulfillment.planning.models import RunStatus
from fulfillment.work.models import Decision, FulfillmentOrder, Status
from kernel.states import IllegalTransition
from stock.past import positions
from tests.fulfillment.sourcing.world import BARCELONA, NOW, place, place_again, prove, served, stock, wanted
from tests.stock import past

PARAMS = SolveParams(time_limit_s=10, seed=1)
BY = {"actor": "planner", "now": NOW}


def a_night(session, now=NOW):
    run = runs.start(session, cause="test", seed=1, actor="planner", now=now)
    runs.begin(session, run.id, time_limit_s=10)
    gathered = night.gather_night(session, night.scope(session), now=now)
    runs.propose(session, run.id, gathered, night.solve_night(gathered, PARAMS))
    return runs.view(session, run.id)


def accept(session, run, demand_ids=None):
    outcome = runs.accept(session, run.id, runs.consider(session, run.id, demand_ids, now=NOW), **BY)
    prove(session)
    return outcome


def alive(session, demand):
    query = session.query(FulfillmentOrder).filter_by(demand_id=demand.demand_id)
    return [order for order in query if order.status != Status.SUPERSEDED]


def badly_placed(session):
    """An order for Barcelona that Madrid serves, since Barcelona's unit came later."""
    stock(session, A={"MAD-W": 3})
    demand = wanted((("A", 1),), location=BARCELONA, postal_code="08001")
    place(session, demand)
    stock(session, A={"BCN-S": 3})
    return demand


def waiting(session, sku="B"):
    """An order that nobody could serve, and then somebody can."""
    demand = wanted(((sku, 1),))
    place(session, demand)
    stock(session, **{sku: {"MAD-W": 1}})
    return demand


def test_a_run_names_the_position_of_the_ledger_that_it_saw(session):
    badly_placed(session)
    past.place(session)
    seen = positions.newest(session)
    gathered = night.gather_night(session, night.scope(session), now=NOW)
    run = runs.start(session, cause="test", seed=1, actor="planner", now=NOW)
    runs.begin(session, run.id, time_limit_s=10)
    stock(session, A={"BCN-S": 1})
    past.place(session)
    runs.propose(session, run.id, gathered, night.solve_night(gathered, PARAMS))
    assert runs.view(session, run.id).ledger_position == seen > 0


def test_a_run_proposes_what_waits_and_says_what_it_costs(session):
    demand = waiting(session)
    run = a_night(session)
    assert run.status == RunStatus.PROPOSED
    assert [movement.demand_id for movement in run.movements] == [demand.demand_id]
    (movement,) = run.movements
    assert movement.before == []
    assert [(part["node"], part["units"]) for part in movement.after] == [("MAD-W", 1)]
    assert run.cost_before_minor - run.cost_after_minor == movement.saving_minor > 0
    assert run.bound_minor <= run.cost_after_minor
    assert sum(run.after_by_term.values()) == run.cost_after_minor
    assert alive(session, demand) == [], "a proposal changes nothing"


def test_accepting_serves_what_waited(session):
    demand = waiting(session)
    run = a_night(session)
    outcome = accept(session, run)
    assert outcome.applied == (demand.demand_id,)
    assert served(alive(session, demand)) == [("MAD-W", "ship", {"B": 1})]
    assert run.status == RunStatus.ACCEPTED
    assert session.query(Decision).filter_by(demand_id=demand.demand_id, run_id=run.id).count() == 1


def test_a_placed_order_moves_only_when_it_earns_its_churn(session):
    demand = badly_placed(session)
    (before,) = alive(session, demand)
    run = a_night(session)
    for movement in run.movements:
        assert movement.saving_minor > 0
    accept(session, run)
    (after,) = alive(session, demand)
    assert (after.node != before.node) == bool(run.movements)
    assert after.promised_by <= before.promised_by


def test_only_the_movements_chosen_are_applied(session):
    first, second = waiting(session, "B"), waiting(session, "C")
    run = a_night(session)
    outcome = accept(session, run, [first.demand_id])
    assert outcome.applied == (first.demand_id,)
    assert alive(session, second) == []
    fates = {movement.demand_id: movement.fate for movement in run.movements}
    assert fates == {first.demand_id: "applied", second.demand_id: "declined"}
    assert run.status == RunStatus.PARTLY_ACCEPTED


def test_a_movement_whose_units_are_gone_lapses_with_its_reason(session):
    first, second = waiting(session, "B"), waiting(session, "C")
    run = a_night(session)
    other = wanted((("B", 1),))
    place(session, other)
    outcome = accept(session, run)
    assert outcome.applied == (second.demand_id,)
    assert outcome.lapsed == {first.demand_id: "no_longer_possible"}
    assert alive(session, first) == []


def test_of_two_movements_for_the_last_unit_one_lapses(session):
    demands = [wanted((("B", 1),)), wanted((("B", 1),))]
    for demand in demands:
        place(session, demand)
    stock(session, B={"MAD-W": 2})
    run = a_night(session)
    assert len(run.movements) == 2
    place(session, wanted((("B", 1),)))
    outcome = accept(session, run)
    assert len(outcome.applied) == 1
    assert list(outcome.lapsed.values()) == ["no_room"]


def test_a_movement_of_a_demand_that_changed_lapses(session):
    demand = waiting(session)
    run = a_night(session)
    place_again(session, demand)
    assert runs.consider(session, run.id, None, now=NOW).lapsed == {demand.demand_id: "changed"}


def test_a_movement_whose_day_has_passed_lapses(session):
    demand = waiting(session)
    run = a_night(session)
    later = runs.consider(session, run.id, None, now=NOW + timedelta(days=1))
    assert later.lapsed == {demand.demand_id: "no_longer_possible"}


def test_accepting_a_newer_run_makes_older_proposals_stale(session):
    waiting(session)
    older = a_night(session)
    newer = a_night(session)
    accept(session, newer)
    session.refresh(older)
    assert older.status == RunStatus.STALE
    with pytest.raises(IllegalTransition):
        runs.consider(session, older.id, None, now=NOW)


def test_rejecting_changes_nothing(session):
    demand = waiting(session)
    run = a_night(session)
    runs.reject(session, run.id, **BY)
    assert alive(session, demand) == []
    assert {movement.fate for movement in run.movements} == {"declined"}


def test_one_run_at_a_time_is_worked_out(session):
    run = runs.start(session, cause="test", seed=1, actor="planner", now=NOW)
    with pytest.raises(RunUnderWay):
        runs.start(session, cause="test", seed=1, actor="planner", now=NOW)
    assert runs.next_queued(session) == run.id
    runs.cancel(session, run.id, **BY)
    assert runs.next_queued(session) is None


def test_what_is_being_worked_on_stays_out_of_the_night(session):
    stock(session, A={"MAD-W": 3})
    demand = wanted()
    (order,) = place(session, demand)
    assert demand.demand_id in night.scope(session)
    order.status = Status.PICKING
    session.flush()
    assert demand.demand_id not in night.scope(session)


def test_a_night_without_anything_to_decide_proposes_nothing(session):
    stock(session, A={"MAD-W": 1, "BCN-S": 1})
    run = a_night(session)
    assert run.movements == []
    assert run.cost_before_minor == run.cost_after_minor == 0


def test_an_unknown_run_is_not_found(session):
    with pytest.raises(RunNotFound):
        runs.view(session, "nothing")


def test_a_demand_that_the_run_does_not_move_cannot_be_accepted(session):
    waiting(session)
    run = a_night(session)
    with pytest.raises(NotMoved):
        runs.consider(session, run.id, ["another"], now=NOW)


def test_nobody_loses_units_to_somebody_who_waits(session):
    stock(session, B={"MAD-W": 1})
    served_already = wanted((("B", 1),), value_minor=100)
    place(session, served_already)
    dearer = wanted((("B", 1),))
    place(session, replace(dearer, lines=tuple(replace(line, unit_value_minor=90_000) for line in dearer.lines)))
    assert a_night(session).movements == []
