"""Each fence of a policy: that it bites, that it does not, and in which order soft ones give way."""

from datetime import UTC, datetime, timedelta

import pytest

from fulfillment.network import policies
from fulfillment.sourcing import explain
from fulfillment.sourcing.commit import StalePlan, commit
from fulfillment.sourcing.decide import decide
from fulfillment.sourcing.demanded import read_many
from fulfillment.sourcing.gather import gather
from fulfillment.work.candidates import rows
from fulfillment.work.models import Decision, Demand
from stock.models import Article
from tests.fulfillment.sourcing.world import BARCELONA, NOW, collected, place, served, stock, wanted

GROUPS = {"stores": {"kinds": ["store"]}, "madrid": {"regions": ["ES-MD"]}, "east": {"nodes": ["BCN-S", "VLC-S"]}}
FIRST, EAST = "MAD-W", ["east"]
BOTH = [("A", 1), ("B", 1)]


def follow(session, *fences, **settings):
    """Put a policy with these fences in force."""
    document = {"groups": GROUPS, "fences": list(fences), **settings}
    policies.activate(session, "default", policies.put(session, "default", document))


def decided(session, *demands, now=NOW):
    return decide(session, demands, now=now, cause="order").changes


def nodes(change):
    return [package.node for package in change.packages]


def rules(change):
    return {each["excluded_by"]: each["nodes"] for each in rows(change.rationale.candidates) if "excluded_by" in each}


def families(session):
    session.get(Article, "A").family = "shirts"
    session.get(Article, "B").family = "knives"
    session.flush()


def fence(rule, **fields):
    return {"rule": rule, **fields}


@pytest.mark.parametrize(
    ("bites", "leaves"),
    [
        (fence("only_groups", groups=["stores"]), fence("only_groups", groups=["madrid", "stores"])),
        (fence("not_groups", groups=["madrid"]), fence("not_groups", groups=EAST)),
        (fence("articles_only", families=["shirts"], groups=EAST), fence("articles_only", skus=["B"], groups=EAST)),
        (fence("articles_not", skus=["A"], groups=["madrid"]), fence("articles_not", families=["shirts"], groups=EAST)),
        (fence("min_stock", units=6), fence("min_stock", units=5)),
    ],
)  # fmt: skip
def test_a_fence_keeps_out_its_nodes_and_no_others(session, bites, leaves):
    families(session)
    stock(session, A={"MAD-W": 5, "BCN-S": 9})
    follow(session, leaves)
    assert nodes(*decided(session, wanted())) == [FIRST]
    follow(session, bites)
    [change] = decided(session, wanted())
    assert nodes(change) == ["BCN-S"]
    assert FIRST in rules(change)[bites["rule"]]


def test_a_distance_keeps_out_what_is_farther(session):
    stock(session, A={"MAD-W": 5})
    follow(session, fence("max_distance", km=500))
    assert nodes(*decided(session, wanted(location=BARCELONA))) == []
    follow(session, fence("max_distance", km=510))
    assert nodes(*decided(session, wanted(location=BARCELONA))) == [FIRST]


def test_what_may_not_cross_a_border_stays_in_its_country(session):
    stock(session, A={"MAD-W": 5})
    follow(session, fence("domestic"))
    assert nodes(*decided(session, wanted())) == [FIRST]
    [abroad] = decided(session, wanted(country="PT"))
    assert (nodes(abroad), abroad.missing[0].reason) == ([], "no_node")


def test_same_day_is_the_day_of_the_order_by_the_clock_of_the_place(session):
    stock(session, A={"MAD-W": 5, "MAD-S": 5})
    follow(session, fence("same_day"))
    assert nodes(*decided(session, wanted(service="express"))) == [FIRST]
    assert nodes(*decided(session, wanted(service="standard"))) == []
    after_cut_off = NOW.replace(hour=17, minute=30)
    assert nodes(*decided(session, wanted(service="express", placed_at=after_cut_off), now=after_cut_off)) == []
    before_midnight = datetime(2026, 11, 16, 22, 59, tzinfo=UTC)
    assert nodes(*decided(session, wanted(service="express", placed_at=before_midnight))) == []
    after_midnight = before_midnight + timedelta(minutes=1)
    assert nodes(*decided(session, wanted(service="express", placed_at=after_midnight))) == [FIRST]
    assert nodes(*decided(session, collected())) == ["MAD-S"]


def test_a_fence_of_packages_is_stricter_than_the_setting_or_does_nothing(session):
    stock(session, A={"MAD-W": 5}, B={"BCN-S": 5})
    follow(session, fence("max_packages", packages=9))
    assert len(nodes(*decided(session, wanted(BOTH)))) == 2
    follow(session, fence("max_packages", packages=1))
    [change] = decided(session, wanted(BOTH))
    assert [missing.reason for missing in change.missing] == ["package_limit"]


@pytest.mark.parametrize(("least", "expected"), [(2000, ["MAD-S", "MAD-W"]), (2001, ["VLC-S"]), (99_999, ["VLC-S"])])
def test_no_part_of_a_split_is_worth_less_than_asked(session, least, expected):
    stock(session, A={"MAD-W": 5, "VLC-S": 5}, B={"MAD-S": 5, "VLC-S": 5})
    dear = [{"group": "madrid", "minor": 0}, {"group": "east", "minor": 5000}]
    follow(session, fence("min_part_value", minor=least), bands=dear)
    assert sorted(nodes(*decided(session, wanted(BOTH)))) == expected


def test_what_must_leave_together_waits_where_no_node_has_all_of_it(session):
    families(session)
    stock(session, A={"MAD-W": 5}, B={"BCN-S": 5})
    follow(session, fence("together", families=["shirts"]))
    assert len(nodes(*decided(session, wanted(BOTH)))) == 2
    follow(session, fence("together", families=["shirts"], skus=["B"]))
    assert nodes(*decided(session, wanted(BOTH))) == []
    stock(session, A={"VLC-S": 5}, B={"VLC-S": 5})
    assert nodes(*decided(session, wanted(BOTH))) == ["VLC-S"]


def test_a_band_is_left_only_for_what_saves_more_than_it_asks(session):
    stock(session, A={"MAD-W": 5, "MAD-S": 5})
    bands = [{"group": "stores", "minor": 0}, {"group": "madrid", "minor": 216}]
    follow(session, bands=bands)
    # The store costs 217 more than the warehouse.
    assert nodes(*decided(session, wanted())) == [FIRST]
    follow(session, bands=[bands[0], {"group": "madrid", "minor": 218}])
    [change] = decided(session, wanted())
    assert nodes(change) == ["MAD-S"]
    assert sum(change.rationale.by_term.values()) - change.rationale.by_term.get("preference", 0) == 780


def test_a_hard_fence_leaves_units_waiting(session):
    stock(session, A={"MAD-W": 5})
    follow(session, fence("only_groups", groups=EAST))
    [change] = decided(session, wanted())
    assert (nodes(change), change.relaxed, change.missing[0].reason) == ([], (), "no_stock")


def test_soft_fences_give_way_in_their_order_until_all_is_served(session):
    stock(session, A={"MAD-W": 5})
    near, east, home = (
        fence("max_distance", km=10, soft=True, name="near"),
        fence("not_groups", groups=["madrid"], soft=True),
        fence("only_groups", groups=["madrid"], soft=True),
    )
    follow(session, home, near, east)
    [order] = place(session, demand := wanted())
    decision = session.get(Decision, order.decision_id)
    assert [each["name"] for each in decision.relaxed] == ["near", "not_groups"]
    assert session.get(Demand, demand.demand_id).relaxed == ["near", "not_groups"]
    sentence = next(each for each in explain.words(decision, names={}, currency="EUR") if each.code == "relaxed")
    assert sentence.values["fences"] == "near (10 km), not groups"


def test_what_was_given_up_for_a_demand_stays_so_in_the_night(session):
    stock(session, A={"MAD-W": 5})
    follow(session, fence("only_groups", groups=EAST, soft=True))
    place(session, demand := wanted())
    [again] = read_many(session, [demand.demand_id])
    gathered = gather(session, [again], now=NOW)
    assert {gathered.net.nodes[node] for node in gathered.options[0].node} == {FIRST}


def test_only_the_first_of_two_that_both_would_help_gives_way(session):
    stock(session, A={"BCN-S": 5}, B={"MAD-W": 5})
    follow(session, fence("max_distance", km=100, soft=True), fence("max_packages", packages=1, soft=True))
    [change] = decided(session, wanted())
    assert (nodes(change), [each["name"] for each in change.relaxed]) == (["BCN-S"], ["max_distance"])
    [both] = decided(session, wanted(BOTH))
    assert (len(nodes(both)), [each["name"] for each in both.relaxed]) == (2, ["max_distance", "max_packages"])


@pytest.mark.parametrize(
    ("soft", "lines"),
    [
        (fence("same_day"), [("A", 1)]),
        (fence("domestic"), [("A", 1)]),
        (fence("min_stock", units=6), [("A", 1)]),
        (fence("articles_only", skus=["A"], groups=EAST), [("A", 1)]),
        (fence("max_packages", packages=1), BOTH),
        (fence("min_part_value", minor=2001), BOTH),
        (fence("together", skus=["A", "B"]), BOTH),
    ],
)
def test_each_soft_fence_gives_way_where_it_alone_leaves_units_waiting(session, soft, lines):
    stock(session, A={"MAD-W": 5}, B={"BCN-S": 5})
    follow(session, {**soft, "soft": True})
    [change] = decided(session, wanted(lines, country="PT" if soft["rule"] == "domestic" else "ES"))
    assert (change.missing, [each["rule"] for each in change.relaxed]) == ((), [soft["rule"]])


@pytest.mark.parametrize("soft", [fence("only_groups", groups=EAST), fence("same_day"), fence("in_time")])
def test_what_no_node_has_gives_no_fence_up(session, soft):
    follow(session, {**soft, "soft": True}, fence("max_packages", packages=1, soft=True))
    [change] = decided(session, wanted())
    assert (change.relaxed, change.missing[0].reason) == ((), "no_stock")


def test_a_fence_whose_giving_up_serves_nothing_more_stays(session):
    stock(session, A={"MAD-W": 1})
    follow(session, fence("max_packages", packages=1, soft=True))
    [change] = decided(session, wanted([("A", 2)]))
    assert (change.missing[0].units, change.relaxed) == (1, ())


def test_a_plan_of_a_policy_that_was_replaced_meanwhile_is_stale(session):
    stock(session, A={"MAD-W": 5})
    follow(session, fence("domestic"))
    proposal = decide(session, [wanted()], now=NOW, cause="order")
    follow(session, fence("only_groups", groups=EAST))
    with pytest.raises(StalePlan, match="policy default has a new version"):
        commit(session, proposal, now=NOW, actor="test")
    assert served(place(session, wanted())) == []
