"""Channels that share nodes: what a node keeps back from one is not promised to it, and never sold twice."""

import pytest

from fulfillment.network import snapshot
from fulfillment.sourcing.commit import StalePlan, commit
from fulfillment.sourcing.decide import decide, decide_again
from fulfillment.sourcing.stocked import read_stock
from stock import revisions, safety_rules
from stock.models import Article
from stock.safety_rules import RuleRow
from tests.fulfillment.sourcing.world import NOW, place, place_again, prove, served, stock, wanted


def keep(session, **row):
    safety_rules.put(session, [RuleRow(**({"id": "rule"} | row))])


def test_a_node_serves_a_channel_only_above_what_it_keeps_back_from_it(session):
    stock(session, A={"MAD-W": 3})
    keep(session, kind="warehouse", channel="market", units=2)
    assert served(place(session, wanted([("A", 1)], channel="market"))) == [("MAD-W", "ship", {"A": 1})]
    assert place(session, wanted([("A", 1)], channel="market")) == []
    assert served(place(session, wanted([("A", 2)], channel="web"))) == [("MAD-W", "ship", {"A": 2})]


def test_a_rule_that_comes_between_makes_a_plan_stale(session):
    stock(session, A={"MAD-W": 1})
    proposal = decide(session, [wanted(channel="market")], now=NOW, cause="order")
    keep(session, channel="market", units=1)
    with pytest.raises(StalePlan):
        commit(session, proposal, now=NOW, actor="test")


def test_two_channels_that_decided_on_the_same_unit_never_both_get_it(session):
    stock(session, A={"MAD-W": 1})
    keep(session, channel="market", units=0)
    of_web, of_market = (
        decide(session, [wanted(channel=channel)], now=NOW, cause="order") for channel in ("web", "market")
    )
    commit(session, of_web, now=NOW, actor="test")
    with pytest.raises(StalePlan):
        commit(session, of_market, now=NOW, actor="test")
    prove(session)


def test_what_stands_may_stay_where_a_new_rule_would_not_have_put_it(session):
    stock(session, A={"MAD-W": 2})
    demand = wanted([("A", 2)], channel="web")
    place(session, demand)
    keep(session, channel="web", units=2)
    assert place_again(session, demand) == []
    assert decide_again(session, demand.demand_id, now=NOW, cause="again").unfilled == ()


def test_channels_decided_together_keep_to_the_stricter_rule(session):
    stock(session, A={"MAD-W": 5})
    keep(session, channel="market", units=2)
    net, versions = snapshot.load(session), revisions.versions(session)
    both = [wanted(channel="web"), wanted(channel="market")]
    units = {
        count: read_stock(session, net, asked, versions, now=NOW).units.sum()
        for count, asked in (("web", both[:1]), ("both", both))
    }
    assert units == {"web": 5, "both": 3}


def test_nothing_is_served_of_an_article_that_is_not_on_sale_yet(session):
    stock(session, A={"MAD-W": 1})
    session.get(Article, "A").available_from = NOW.replace(day=18)
    session.flush()
    demand = wanted(channel="web")
    assert place(session, demand) == []
    assert served(place_again(session, demand, now=NOW.replace(day=18))) == [("MAD-W", "ship", {"A": 1})]
