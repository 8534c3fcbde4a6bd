"""What other policies would have decided: on recent orders, beside live ones, and how sure the difference is."""

import pytest
from sqlalchemy import select, update

from fulfillment.network import policies
from fulfillment.network.models import NodeDay, Policy
from fulfillment.sourcing import shadow, trial
from fulfillment.sourcing.comparison import compared, estimate
from fulfillment.sourcing.trial import Outcome, Pair
from fulfillment.work.models import Decision, ShadowDecision
from stock.models import Posting, StockBalance
from tests.fulfillment.sourcing.world import NOW, place, stock, wanted

EAST = {"groups": {"east": {"nodes": ["BCN-S"]}}, "fences": [{"rule": "only_groups", "groups": ["east"]}]}


def outcome(nodes=("N",), waiting=0, **by_term):
    return Outcome(by_term=by_term, nodes=tuple(nodes), packages=len(nodes), waiting=waiting)


def changed(session):
    """What a trial might have left behind."""
    return [session.execute(select(each.__table__)).all() for each in (StockBalance, NodeDay, Posting, Decision)]


def settle(session):
    """Let every decision be as old as a shadow wants it."""
    session.execute(update(Decision).values(recorded_at=NOW.replace(year=2025)))


def test_recent_orders_are_decided_as_if_they_came_now_and_nothing_changes(session):
    stock(session, A={"MAD-W": 1, "BCN-S": 1})
    draft = policies.put(session, "default", EAST)
    place(session, first := wanted())
    before = changed(session)
    [pair] = trial.tried(session, "default", draft, most=10, now=NOW)
    # The one unit in Madrid is the order's own, and so are its minutes.
    assert (pair.reference, pair.live.nodes, pair.draft.nodes) == (first.reference, ("MAD-W",), ("BCN-S",))
    assert pair.live.by_term == {"handling": 120, "carrier": 400, "line_handling": 40, "pick_risk": 3}
    assert changed(session) == before
    assert len(trial.tried(session, "other", 0, most=10, now=NOW)) == 1
    with pytest.raises(policies.UnknownPolicy):
        trial.tried(session, "default", 9, most=10, now=NOW)


def test_a_shadow_compares_each_decision_once(session):
    stock(session, A={"MAD-W": 3, "BCN-S": 9})
    place(session, wanted())
    draft = policies.put(session, "default", EAST)
    policies.shadow(session, "default", draft, after=shadow.newest_decision(session))
    place(session, second := wanted([("A", 2)]))
    assert shadow.work_out(session, limit=10) == []
    settle(session)
    [found] = shadow.work_out(session, limit=10)
    assert [shadow.keep(session, found) for _ in range(2)] == [1, 0]
    assert shadow.work_out(session, limit=10) == []
    [pair] = shadow.pairs(session, "default", draft)
    assert (pair.reference, pair.live.nodes, pair.draft.nodes) == (second.reference, ("MAD-W",), ("BCN-S",))


def test_what_a_shadow_worked_out_is_not_kept_once_it_runs_no_longer(session):
    stock(session, A={"MAD-W": 3})
    draft = policies.put(session, "default", EAST)
    policies.shadow(session, "default", draft, after="")
    place(session, wanted())
    settle(session)
    [found] = shadow.work_out(session, limit=10)
    policies.shadow(session, "default", draft, after=None)
    assert shadow.keep(session, found) == 0
    assert session.scalars(select(ShadowDecision)).all() == []
    assert session.get(Policy, ("default", draft)).shadow_after is None


def test_costs_are_compared_where_as_many_units_wait(session):
    pairs = [Pair("1", outcome(carrier=100, lateness=7), outcome(("N", "O"), carrier=90, handling=30))]
    pairs.append(Pair("2", outcome(carrier=100), outcome((), waiting=1)))
    found = compared(pairs)
    assert (found.demands, found.alike, found.differing, found.more_packages, found.fewer_packages) == (2, 1, 2, 1, 1)
    assert {term: totals.difference_minor for term, totals in found.by_term.items()} == {
        "carrier": -10, "handling": 30, "lateness": -7,
    }  # fmt: skip
    assert (found.paid.difference_minor, found.paid_each.mean, found.draft_waiting) == (20, 20.0, 1)


@pytest.mark.parametrize(
    ("count", "quantile"), [(5, 2.7764), (10, 2.2622), (30, 2.0452), (1000, 1.9623)]
)  # fmt: skip
def test_an_interval_is_as_wide_as_students_tables_say(count, quantile):
    differences = [(-1.0) ** number for number in range(count)]
    found = estimate(differences)
    mean = sum(differences) / count
    spread = (sum((each - mean) ** 2 for each in differences) / (count - 1)) ** 0.5
    assert found.high - found.mean == pytest.approx(quantile * spread / count**0.5, rel=2e-3)
    assert found.mean - found.low == pytest.approx(found.high - found.mean)


def test_too_few_differences_have_no_interval():
    assert (estimate([1.0] * 4).low, estimate([]).mean) == (None, 0.0)
