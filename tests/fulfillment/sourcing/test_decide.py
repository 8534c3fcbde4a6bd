"""What is decided: who serves an order, when, at which cost, and why the others do not."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from fulfillment.network import catalog, minutes, pick_success, policies, unit_prices
from fulfillment.network.geography import NOWHERE
from fulfillment.network.pick_success import Looked
from fulfillment.network.unit_prices import MarkdownRow, ShadowPriceRow
from fulfillment.sourcing.decide import CannotCollect, decide
from fulfillment.sourcing.gather import gather
from fulfillment.work.candidates import rows
from fulfillment.work.models import Status
from stock.models import Node
from tests.fulfillment.sourcing.world import BARCELONA, NOW, collected, place, profile, served, stock, wanted

TODAY = date(2026, 11, 17)


def decided(session, *demands, now=NOW):
    return decide(session, demands, now=now, cause="order").changes


def put_policy(session, **settings):
    policies.activate(session, "default", policies.put(session, "default", settings))


def option(change, node):
    """The first candidate of a node."""
    return next(candidate for candidate in rows(change.rationale.candidates) if candidate.get("node") == node)


def fence(change, node):
    """The rule that excluded a node."""
    rules = [each["excluded_by"] for each in rows(change.rationale.candidates) if node in each.get("nodes", ())]
    assert len(rules) == 1
    return rules[0]


def test_one_line_leaves_from_the_cheapest_node(session):
    stock(session, A={"MAD-W": 5, "MAD-S": 5, "BCN-S": 5})
    assert served(place(session, wanted())) == [("MAD-W", "ship", {"A": 1})]


def test_the_cost_of_a_candidate_is_the_sum_of_its_terms(session):
    stock(session, A={"MAD-W": 5, "BCN-S": 5})
    [change] = decided(session, wanted())
    near, far = option(change, "MAD-W"), option(change, "BCN-S")
    assert near["cost"] == {"handling": 120, "carrier": 400, "line_handling": 40, "pick_risk": 3}
    assert far["cost"] == {"handling": 250, "carrier": 600, "line_handling": 70, "pick_risk": 60}
    assert change.rationale.objective_minor == change.rationale.bound_minor == near["total"] == 563
    assert far["gap"] == far["total"] - near["total"]


def test_two_lines_travel_together_where_one_node_has_both(session):
    stock(session, A={"MAD-W": 5, "MAD-S": 5}, B={"MAD-S": 5})
    assert served(place(session, wanted([("A", 1), ("B", 1)]))) == [("MAD-S", "ship", {"A": 1, "B": 1})]


def test_two_lines_are_split_where_no_node_has_both(session):
    stock(session, A={"MAD-W": 5}, B={"BCN-S": 5})
    made = place(session, wanted([("A", 1), ("B", 1)]))
    assert served(made) == [("BCN-S", "ship", {"B": 1}), ("MAD-W", "ship", {"A": 1})]


def test_a_line_is_divided_when_no_node_has_all_its_units(session):
    stock(session, A={"MAD-W": 2, "MAD-S": 2})
    assert sum(line.units for order in place(session, wanted([("A", 3)])) for line in order.lines) == 3


def test_a_line_that_may_not_be_divided_waits(session):
    stock(session, A={"MAD-W": 2, "MAD-S": 2})
    demand = wanted([("A", 3)])
    whole = replace(demand, lines=(replace(demand.lines[0], divisible=False),))
    [change] = decided(session, whole)
    assert [(missing.units, missing.reason) for missing in change.missing] == [(3, "no_stock")]


def test_the_package_limit_leaves_the_rest_waiting(session):
    put_policy(session, max_packages=1)
    stock(session, A={"MAD-W": 5}, B={"BCN-S": 5})
    [change] = decided(session, wanted([("A", 1), ("B", 1)]))
    assert len(change.packages) == 1
    assert [missing.reason for missing in change.missing] == ["package_limit"]


def test_a_promise_is_the_arrival_of_the_last_package(session):
    stock(session, A={"MAD-W": 5}, B={"BCN-S": 5})
    orders = place(session, wanted([("A", 1), ("B", 1)]))
    assert [order.promised_by for order in sorted(orders, key=lambda order: order.node)] == [
        datetime(2026, 11, 19, 19, 0, tzinfo=UTC), datetime(2026, 11, 18, 19, 0, tzinfo=UTC),
    ]  # fmt: skip


def test_work_after_the_cut_off_is_for_tomorrow(session):
    stock(session, A={"MAD-W": 5})
    [change] = decided(session, wanted(), now=datetime(2026, 11, 17, 17, 0, 1, tzinfo=UTC))
    [package] = change.packages
    assert (package.work_on, package.leaves_at) == (date(2026, 11, 18), datetime(2026, 11, 18, 17, 0, tzinfo=UTC))


def test_a_full_node_works_tomorrow_when_that_is_cheapest(session):
    catalog.set_capacity(session, "MAD-W", TODAY, 0)
    stock(session, A={"MAD-W": 5, "BCN-S": 5})
    [change] = decided(session, wanted())
    [package] = change.packages
    assert (package.node, package.work_on) == ("MAD-W", date(2026, 11, 18))
    assert option(change, "MAD-W")["excluded"] == {change.wanted.lines[0].id: "no_capacity"}


def test_lateness_makes_another_node_cheaper_than_tomorrow(session):
    catalog.set_capacity(session, "MAD-W", TODAY, 0)
    stock(session, A={"MAD-W": 5, "MAD-S": 5})
    due = datetime(2026, 11, 18, 19, 0, tzinfo=UTC)
    [change] = decided(session, wanted(wanted_by=due))
    assert [package.node for package in change.packages] == ["MAD-S"]
    tomorrow = [each for each in rows(change.rationale.candidates) if each.get("work_on") == "2026-11-18"]
    assert [each["cost"]["lateness"] for each in tomorrow if each["node"] == "MAD-W"] == [300]


def test_an_order_waits_for_capacity_when_every_day_is_full(session):
    for day in range(7):
        catalog.set_capacity(session, "MAD-W", TODAY + timedelta(days=day), 0)
    stock(session, A={"MAD-W": 5})
    [change] = decided(session, wanted())
    assert [missing.reason for missing in change.missing] == ["no_capacity"]


def test_the_express_service_has_its_own_tariff(session):
    stock(session, A={"MAD-W": 5})
    [change] = decided(session, wanted(service="express"))
    [package] = change.packages
    assert (package.carrier_service, package.arrives_at.date()) == ("EXP", TODAY)


def test_a_service_that_nobody_offers_waits_for_a_node(session):
    stock(session, A={"MAD-W": 5})
    [change] = decided(session, wanted(service="pigeon"))
    assert [missing.reason for missing in change.missing] == ["no_node"]
    assert fence(change, "MAD-W") == "out_of_reach"


def test_an_order_without_a_place_waits_for_its_address(session):
    stock(session, A={"MAD-W": 5})
    [change] = decided(session, wanted(location=NOWHERE))
    assert [missing.reason for missing in change.missing] == ["no_address"]


@pytest.mark.parametrize(
    ("rule", "set_up"),
    [
        ("does_not_ship", lambda session: catalog.put_profiles(session, [profile("MAD-W", ships=False)])),
        ("excluded_by_policy", lambda session: put_policy(session, excluded_nodes=["MAD-W"])),
        ("no_work_day", lambda session: catalog.put_profiles(session, [profile("MAD-W", opening_hours={})])),
    ],
)
def test_a_fence_keeps_a_node_out(session, rule, set_up):
    stock(session, A={"MAD-W": 5, "MAD-S": 5})
    set_up(session)
    [change] = decided(session, wanted())
    assert [package.node for package in change.packages] == ["MAD-S"]
    assert fence(change, "MAD-W") == rule


def test_a_suspended_node_is_kept_out(session):
    stock(session, A={"MAD-W": 5, "MAD-S": 5})
    node = session.get(Node, "MAD-W")
    node.status, node.version = "suspended", node.version + 1
    session.flush()
    [change] = decided(session, wanted())
    assert fence(change, "MAD-W") == "not_open"


def test_a_node_without_the_article_is_listed_as_such(session):
    stock(session, A={"MAD-W": 5})
    [change] = decided(session, wanted())
    assert {fence(change, node) for node in ("MAD-S", "BCN-S", "VLC-S")} == {"no_stock"}


def test_a_line_is_never_offered_to_a_node_that_failed_it(session):
    stock(session, A={"MAD-W": 5, "MAD-S": 5})
    demand = wanted()
    barred = replace(demand, lines=(replace(demand.lines[0], excluded_nodes=("MAD-W",)),))
    [change] = decided(session, barred)
    assert [package.node for package in change.packages] == ["MAD-S"]


def test_a_preference_for_a_kind_of_node_decides_between_near_equals(session):
    stock(session, A={"MAD-W": 5, "MAD-S": 5})
    put_policy(session, kind_minor={"warehouse": 5000})
    [change] = decided(session, wanted())
    assert [package.node for package in change.packages] == ["MAD-S"]


def test_a_later_date_is_met_and_not_beaten(session):
    stock(session, A={"MAD-W": 5})
    wished = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
    [change] = decided(session, wanted(wanted_from=wished, wanted_by=wished + timedelta(days=1)))
    [package] = change.packages
    assert wished <= package.arrives_at <= wished + timedelta(days=1)


def test_a_holiday_in_catalonia_puts_off_only_the_catalan_store(session):
    eve = datetime(2026, 9, 10, 20, 0, tzinfo=UTC)
    stock(session, A={"MAD-S": 5, "BCN-S": 5})
    [change] = decided(session, wanted(placed_at=eve, location=BARCELONA), now=eve)
    assert option(change, "MAD-S")["work_on"] == "2026-09-11"
    assert option(change, "BCN-S")["work_on"] == "2026-09-12"


def test_demands_of_one_order_do_not_take_the_same_unit(session):
    stock(session, A={"MAD-S": 1, "BCN-S": 1})
    made = place(session, wanted(), collected())
    assert served(made) == [("BCN-S", "ship", {"A": 1}), ("MAD-S", "collect", {"A": 1})]


def test_demands_of_one_order_do_not_take_the_same_minutes(session):
    catalog.set_capacity(session, "MAD-S", TODAY, 8)
    stock(session, A={"MAD-S": 1}, B={"MAD-S": 1})
    days = {order.work_on for order in place(session, wanted(), collected([("B", 1)]))}
    assert days == {TODAY, date(2026, 11, 18)}


def test_a_collection_is_served_from_the_stores_own_shelves(session):
    stock(session, A={"MAD-W": 5, "MAD-S": 5})
    [order] = place(session, collected())
    assert (order.node, order.method, order.status) == ("MAD-S", "collect", Status.ALLOCATED)
    assert order.promised_by == NOW + timedelta(minutes=120)
    assert len(order.pickup_code) == 6


def test_a_collection_late_in_the_evening_is_ready_next_morning(session):
    stock(session, A={"MAD-S": 5})
    evening = datetime(2026, 11, 17, 19, 0, tzinfo=UTC)
    [change] = decided(session, collected(placed_at=evening), now=evening)
    assert change.packages[0].arrives_at == datetime(2026, 11, 18, 11, 0, tzinfo=UTC)


def test_what_a_store_lacks_comes_by_a_transfer_leg(session):
    stock(session, A={"MAD-S": 1}, B={"MAD-W": 5, "BCN-S": 5})
    collect, leg = sorted(place(session, collected([("A", 1), ("B", 1)])), key=lambda order: order.method)
    assert (collect.status, leg.status) == (Status.AWAITING_TRANSFER, Status.ALLOCATED)
    assert served([collect, leg]) == [("MAD-S", "collect", {"A": 1, "B": 1}), ("MAD-W", "transfer", {"B": 1})]
    assert (leg.supplies, leg.destination_node) == (collect.id, "MAD-S")
    assert {line.sku: line.reservation_id is None for line in collect.lines} == {"A": False, "B": True}
    # Leaves today, arrives tomorrow, ready when the store closes.
    assert collect.promised_by == datetime(2026, 11, 18, 20, 0, tzinfo=UTC)


def test_a_transfer_leg_costs_the_work_at_both_ends(session):
    stock(session, A={"MAD-W": 5})
    [change] = decided(session, collected())
    [standard] = [each for each in rows(change.rationale.candidates) if each.get("carrier_service") == "STD"]
    assert standard["cost"] == {"handling": 120 + 250, "carrier": 400, "line_handling": 40 + 70, "pick_risk": 3}


def test_a_policy_may_forbid_transfers(session):
    put_policy(session, transfers=False)
    stock(session, A={"MAD-W": 5})
    [change] = decided(session, collected())
    assert fence(change, "MAD-W") == "no_transfers"
    assert [missing.reason for missing in change.missing] == ["no_stock"]


@pytest.mark.parametrize("store", ["MAD-W", "NOWHERE", None])
def test_nobody_collects_where_nothing_is_handed_over(session, store):
    with pytest.raises(CannotCollect):
        decide(session, [collected(store=store)], now=NOW, cause="order")


def test_nobody_collects_at_a_store_closed_for_good(session):
    node = session.get(Node, "MAD-S")
    node.status, node.version = "closed", node.version + 1
    session.flush()
    with pytest.raises(CannotCollect):
        decide(session, [collected()], now=NOW, cause="order")


def test_a_suspended_store_lets_its_collections_wait(session):
    node = session.get(Node, "MAD-S")
    node.status, node.version = "suspended", node.version + 1
    session.flush()
    [change] = decided(session, collected())
    assert [missing.reason for missing in change.missing] == ["no_node"]


def test_a_cut_off_after_closing_still_counts_today(session):
    catalog.put_profiles(session, [profile("MAD-W", cut_off="23:30")])
    stock(session, A={"MAD-W": 5})
    [change] = decided(session, wanted(), now=datetime(2026, 11, 17, 22, 0, tzinfo=UTC))
    assert change.packages[0].work_on == TODAY


def test_a_long_lead_puts_a_collection_off_by_days(session):
    put_policy(session, collect_lead_minutes=3 * 24 * 60)
    stock(session, A={"MAD-S": 5})
    [change] = decided(session, collected())
    assert change.packages[0].work_on == date(2026, 11, 20)


def test_nothing_wanted_is_a_problem_without_orders(session):
    assert gather(session, [], now=NOW).problem.orders == ()


def test_a_node_that_missed_an_article_gives_way_for_that_article_alone(session):
    put_policy(session, resource_minor=6000)
    stock(session, A={"MAD-W": 5, "BCN-S": 5}, B={"MAD-W": 5, "BCN-S": 5})
    pick_success.record(session, [Looked("A", "MAD-W", missed=20)], now=NOW)
    [missed], [other] = decided(session, wanted()), decided(session, wanted([("B", 1)]))
    assert [package.node for package in missed.packages] == ["BCN-S"]
    assert [package.node for package in other.packages] == ["MAD-W"]
    assert option(missed, "MAD-W")["pick_success"] == pytest.approx(0.995 / 2, abs=1e-4)
    assert option(missed, "MAD-W")["cost"]["pick_risk"] == 3015
    assert option(other, "MAD-W")["cost"]["pick_risk"] == 30


def test_a_shadow_price_keeps_units_where_others_will_need_them(session):
    stock(session, A={"MAD-W": 5, "BCN-S": 5})
    row = ShadowPriceRow(sku="A", node="MAD-W", price_minor=1000, valid_from=NOW, source="test")
    unit_prices.put_shadow_prices(session, [row], now=NOW)
    [change] = decided(session, wanted([("A", 2)]))
    assert [package.node for package in change.packages] == ["BCN-S"]
    assert option(change, "MAD-W")["cost"]["shadow_price"] == 2000
    assert "shadow_price" not in option(change, "BCN-S")["cost"]


def test_a_markdown_avoided_pays_for_the_longer_way(session):
    stock(session, A={"MAD-W": 5, "BCN-S": 5})
    row = MarkdownRow(sku="A", node="BCN-S", saved_minor=1500, from_on=TODAY, until_on=TODAY)
    unit_prices.put_markdowns(session, [row])
    [change] = decided(session, wanted())
    assert [package.node for package in change.packages] == ["BCN-S"]
    assert option(change, "BCN-S")["cost"]["markdown"] == -1500
    assert change.rationale.objective_minor == option(change, "BCN-S")["total"] < 0
    assert served(place(session, wanted())) == [("BCN-S", "ship", {"A": 1})]
    [after] = decided(session, wanted(), now=NOW + timedelta(days=1))
    assert [package.node for package in after.packages] == ["MAD-W"]


def test_a_full_day_has_a_price_and_an_empty_one_none(session):
    put_policy(session, capacity_minor=100)
    stock(session, A={"MAD-W": 5, "BCN-S": 5})
    minutes.claim(session, [("MAD-W", TODAY, 590)])
    [change] = decided(session, wanted(wanted_by=NOW + timedelta(days=9)))
    today, later = (each for each in rows(change.rationale.candidates) if each.get("node") == "MAD-W")
    assert (today["work_on"], today["cost"]["capacity"]) == ("2026-11-17", 292 + 97)
    assert (later["work_on"], "capacity" in later["cost"]) == ("2026-11-18", False)
    assert [(package.node, package.work_on) for package in change.packages] == [("MAD-W", date(2026, 11, 18))]


def test_without_a_price_of_minutes_a_day_with_room_is_as_good_as_an_empty_one(session):
    stock(session, A={"MAD-W": 5})
    minutes.claim(session, [("MAD-W", TODAY, 590)])
    [change] = decided(session, wanted(wanted_by=NOW + timedelta(days=9)))
    assert [each["work_on"] for each in rows(change.rationale.candidates) if each.get("node") == "MAD-W"] == [
        "2026-11-17"
    ]


@pytest.mark.parametrize("named", ["wanted_by", "promised_by"])
def test_lateness_bites_one_second_after_due_and_not_when_due(session, named):
    stock(session, A={"MAD-W": 5})
    arrives = datetime(2026, 11, 18, 19, 0, tzinfo=UTC)
    [on_time] = decided(session, wanted(**{named: arrives}))
    [late] = decided(session, wanted(**{named: arrives - timedelta(seconds=1)}))
    assert "lateness" not in option(on_time, "MAD-W")["cost"]
    assert option(late, "MAD-W")["cost"]["lateness"] == 300


def test_a_promise_goes_before_what_was_asked_for(session):
    stock(session, A={"MAD-W": 5})
    long_ago, in_time = NOW - timedelta(days=1), NOW + timedelta(days=9)
    [change] = decided(session, wanted(wanted_by=long_ago, promised_by=in_time))
    assert "lateness" not in option(change, "MAD-W")["cost"]


def test_without_either_the_service_says_when_it_is_late(session):
    """A standard order of Tuesday is due three working days later, on Friday at 20:00 in Madrid."""
    stock(session, A={"MAD-W": 5})
    due = datetime(2026, 11, 20, 19, 0, tzinfo=UTC)
    [last] = decided(session, wanted(), now=datetime(2026, 11, 19, 16, 59, tzinfo=UTC))
    [after] = decided(session, wanted(), now=datetime(2026, 11, 19, 17, 0, 1, tzinfo=UTC))
    assert option(last, "MAD-W")["arrives_at"] == due.isoformat()
    assert "lateness" not in option(last, "MAD-W")["cost"]
    assert option(after, "MAD-W")["cost"]["lateness"] == 300 * 3
