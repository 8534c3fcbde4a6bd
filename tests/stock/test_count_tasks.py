"""What should be counted is proposed by what happens, once an article, never without bound."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from kernel.states import IllegalTransition
from stock import reasons, reservations, sales, shorts
from stock.counting import counts, opening, rules, tasks
from stock.counting.documents import Cause, CountTask, LastCount
from stock.counting.rules import Rule
from stock.errors import UnknownDocument
from stock.models import Article, Node
from stock.reservations import ReservedUnits, rebind
from tests.stock.shelf import NOW, claim, header, stock

BY = {"actor": "ana", "now": NOW}


def asked_for(session, node="MAD"):
    """Cause, status and how often it was proposed, by article."""
    found = session.scalars(select(CountTask).where(CountTask.node == node).order_by(CountTask.sku))
    return {task.sku: (task.cause, task.status, task.times) for task in found.unique()}


def propose(session, *skus, cause=Cause.ZERO_CHECK):
    tasks.propose(session, "MAD", skus, cause=cause, reference="r", now=NOW)


def count_it(session, **results):
    count = opening.open_count(session, node="MAD", skus=list(results), **BY)
    for sku, units in results.items():
        counts.record(session, count.id, sku=sku, units=units, **BY)
    return counts.submit(session, count.id, **BY)


def test_a_short_pick_and_a_rejection_propose_a_count(session):
    stock(session, coat_MAD=3, hat_MAD=3)
    shorts.short(session, header("short_pick"), sku="coat", node="MAD", units=1, reason="not_found")
    shorts.short(
        session, header("reject"), sku="hat", node="MAD", units=1, reason="not_found", use=reasons.REJECT
    )  # fmt: skip
    shorts.short(session, header("short_pick"), sku="scarf", node="MAD", units=1, reason="no_variance")
    assert asked_for(session) == {"coat": ("short_pick", "proposed", 1), "hat": ("rejection", "proposed", 1)}


def test_a_sale_proposes_what_it_emptied_and_what_was_not_known(session):
    stock(session, coat_MAD=2, hat_MAD=1, scarf_MAD=5)
    sold = [("coat", 2), ("hat", 2), ("scarf", 1)]
    sales.sell(session, node="MAD", lines=sold, reference="t", actor="till", occurred_at=NOW)
    assert asked_for(session) == {"coat": ("zero_check", "proposed", 1), "hat": ("sold_beyond_stock", "proposed", 1)}


def test_what_should_be_empty_or_is_all_promised_is_proposed(session):
    stock(session, coat_MAD=2, hat_MAD=2, scarf_MAD=3)
    (id_,) = rebind(session, header(), claims=[claim(units=2)])
    reservations.pick(session, header(), [ReservedUnits("coat", id_, 2)])
    rebind(session, header(), claims=[claim("hat", units=2, reference="line-2")])
    empty = lambda: tasks.propose_where_empty(  # noqa: E731
        session, "MAD", ["coat", "hat", "scarf"], reference="fo", now=NOW
    )
    rules.put(session, "MAD", Rule(zero_checks=False))
    empty()
    assert asked_for(session) == {}
    rules.put(session, "MAD", Rule())
    empty()
    assert sorted(asked_for(session)) == ["coat", "hat"]


def test_an_article_has_one_task_and_the_most_urgent_cause_stands(session):
    propose(session, "coat", cause=Cause.AGE)
    propose(session, "coat", cause=Cause.SHORT_PICK)
    propose(session, "coat", cause=Cause.ZERO_CHECK)
    assert asked_for(session) == {"coat": ("short_pick", "proposed", 3)}


def test_a_count_takes_tasks_up_and_its_posting_closes_them(session):
    propose(session, "coat", "hat")
    count = count_it(session, coat=0)
    assert asked_for(session)["coat"][1] == "counting"
    counts.post(session, count.id, **BY)
    assert (asked_for(session)["coat"][1], asked_for(session)["hat"][1]) == ("done", "proposed")
    propose(session, "coat")
    open_ones = select(CountTask.status).where(CountTask.sku == "coat", CountTask.closed_at.is_(None))
    assert session.scalars(open_ones).all() == ["proposed"]


def test_voiding_a_count_closes_what_it_took_up(session):
    propose(session, "coat", "hat")
    count = count_it(session, coat=0)
    counts.void(session, count.id, **BY)
    assert (asked_for(session)["coat"][1], asked_for(session)["hat"][1]) == ("dropped", "proposed")


def test_a_task_is_dropped_once(session):
    propose(session, "coat")
    (task,) = session.scalars(select(CountTask)).all()
    assert tasks.drop(session, task.id, **BY).closed_by == "ana"
    with pytest.raises(IllegalTransition):
        tasks.drop(session, task.id, **BY)
    with pytest.raises(UnknownDocument):
        tasks.drop(session, "none", **BY)


def test_a_node_has_no_more_tasks_than_it_can_look_at(session, monkeypatch):
    monkeypatch.setattr(tasks, "MOST_OPEN", 2)
    propose(session, "boots", "coat", "hat")
    propose(session, "coat", "scarf")
    assert {sku: times for sku, (_, _, times) in asked_for(session).items()} == {"boots": 1, "coat": 2}


def test_the_longest_uncounted_are_proposed_for_their_value(session):
    for sku, cost in (("boots", 900), ("coat", 50), ("hat", 20), ("scarf", 1)):
        session.get_one(Article, sku).unit_cost_minor = cost
    stock(session, boots_MAD=10, coat_MAD=20, hat_MAD=5, scarf_MAD=5)
    rules.put(session, "MAD", Rule(tasks_a_day=2, max_age_days=30))
    assert tasks.propose_by_age(session, "MAD", now=NOW) == 2
    assert sorted(asked_for(session)) == ["boots", "coat"]
    assert tasks.propose_by_age(session, "MAD", now=NOW) == 0


@pytest.mark.parametrize(
    ("days", "due"), [(29, []), (31, ["boots"]), (61, ["boots", "coat"]), (121, ["boots", "coat", "hat"])]
)
def test_valuable_articles_are_counted_more_often(session, days, due):
    for sku, cost in (("boots", 799), ("coat", 149), ("hat", 49)):
        session.get_one(Article, sku).unit_cost_minor = cost
    stock(session, boots_MAD=1, coat_MAD=1, hat_MAD=1)
    counts.post(session, count_it(session, boots=1, coat=1, hat=1).id, **BY)
    rules.put(session, "MAD", Rule(max_age_days=30))
    tasks.propose_by_age(session, "MAD", now=NOW + timedelta(days=days))
    assert sorted(sku for sku, (_, status, _) in asked_for(session).items() if status == "proposed") == due


def test_the_latest_look_is_remembered(session):
    later = opening.open_count(session, node="MAD", skus=["coat"], **BY)
    earlier = count_it(session, coat=0)
    counts.record(session, later.id, sku="coat", units=0, actor="ana", now=NOW + timedelta(hours=1))
    counts.submit(session, later.id, **BY)
    counts.post(session, later.id, **BY)
    counts.post(session, earlier.id, **BY)
    assert session.get(LastCount, ("coat", "MAD")).count_id == later.id


def test_people_count_where_they_work(session):
    session.add(Node(id="SUP", name="Mill", kind="supplier", status="open", time_zone="Europe/Madrid", version=1))
    session.get_one(Node, "LIS").status = "closed"
    session.flush()
    assert tasks.counted_nodes(session) == ["BCN", "MAD"]
