"""The menu of recovery beside what choosing from it gives."""

from dataclasses import replace

from fulfillment.network import policies
from fulfillment.sourcing import recovery
from tests.fulfillment.sourcing.world import NOW, place, stock, wanted


def test_the_menu_tells_what_a_choice_gives_where_a_soft_fence_gives_way(session):
    near = {"rule": "max_distance", "km": 50, "soft": True}
    policies.activate(session, "default", policies.put(session, "default", {"fences": [near]}))
    demand = wanted()
    place(session, demand)
    stock(session, A={"BCN-S": 5})
    remaining = recovery.remaining(session, demand.demand_id)
    menu = recovery.remedies(session, remaining, None, now=NOW)
    [shipped] = [remedy for remedy in menu if remedy.choice == "ship"]
    [change] = recovery.propose(session, remaining, now=NOW).changes
    assert (shipped.units, shipped.nodes) == (1, ("BCN-S",))
    assert [package.node for package in change.packages] == ["BCN-S"]


def test_what_is_collected_after_all_keeps_no_address(session):
    demand = wanted()
    place(session, demand)
    stock(session, A={"MAD-S": 5})
    remaining = recovery.remaining(session, demand.demand_id)
    proposal = recovery.propose(session, remaining.collected_at("MAD-S"), now=NOW)
    recovery.choose(session, proposal, now=NOW, actor="clerk")
    stored = recovery.lock_unchanged(session, replace(remaining, version=remaining.version + 1))
    assert (stored.method, stored.collect_node) == ("collect", "MAD-S")
    assert (stored.latitude, stored.country, stored.postal_code, stored.geocode) == (None, None, None, "none")
