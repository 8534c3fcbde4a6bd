"""Ways to promise beside the decision of the order that would follow."""

from dataclasses import replace

from fulfillment.network import nearby, policies
from fulfillment.network.geography import Destination
from fulfillment.sourcing.decide import decide
from fulfillment.sourcing.promises import instead_of, ways_to_serve
from kernel.ids import new_id
from tests.fulfillment.sourcing.world import MADRID, NOW, collected, stock, wanted

BOTH = [("A", 1), ("B", 1)]


def ways(session, demand, most=10):
    """The ways by both services, and at the stores near."""
    shipped = [replace(demand, service=name, demand_id=new_id()) for name in ("express", "standard")]
    stores = [
        replace(demand.collected_at(store.node), demand_id=new_id()) for store in nearby.stores(session, MADRID, 3)
    ]
    return ways_to_serve(session, [*shipped, *stores], now=NOW, most=most)


def cheapest(choice, service):
    [found] = [way for way in choice.ways if way.kind == ("ship", service) and "cheapest" in way.labels]
    return found


def test_the_cheapest_way_is_what_the_order_would_get(session):
    stock(session, A={"MAD-W": 5, "BCN-S": 5}, B={"MAD-S": 5, "BCN-S": 5})
    demand = wanted(BOTH)
    [change] = decide(session, [demand], now=NOW, cause="order").changes
    way = cheapest(ways(session, demand), "standard")
    assert way.packages == change.packages
    assert (way.cost_minor, dict(way.by_term)) == (change.rationale.objective_minor, dict(change.rationale.by_term))


def test_ways_differ_in_packages_date_or_nodes_and_stores_come_by_distance(session):
    stock(session, A={"MAD-W": 5, "BCN-S": 5}, B={"MAD-S": 5, "BCN-S": 5})
    choice = ways(session, wanted(BOTH), most=20)
    contents = [
        (way.kind, way.wanted.collect_node, way.arrives_at, tuple((p.node, p.lines) for p in way.packages))
        for way in choice.ways
    ]
    assert len(set(contents)) == len(contents) > 6
    assert [way.arrives_at for way in choice.ways] == sorted(way.arrives_at for way in choice.ways)
    [nearest] = [way for way in choice.ways if "nearest" in way.labels]
    assert nearest.wanted.collect_node == "MAD-S"
    assert choice.missing == ()


def test_a_soft_fence_gives_way_as_it_would_for_the_order(session):
    near = {"rule": "max_distance", "km": 50, "soft": True}
    policies.activate(session, "default", policies.put(session, "default", {"fences": [near]}))
    stock(session, A={"MAD-W": 5, "BCN-S": 5}, B={"BCN-S": 5})
    demand = wanted(BOTH)
    [change] = decide(session, [demand], now=NOW, cause="order").changes
    assert change.missing == ()
    assert cheapest(ways(session, demand), "standard").packages == change.packages
    # Where the fence leaves nothing waiting, it stands.
    assert {p.node for way in ways(session, wanted()).ways for p in way.packages if way.kind[0] == "ship"} == {"MAD-W"}


def test_each_store_near_and_the_address_are_offered_once_instead(session):
    policies.activate(session, "default", policies.put(session, "default", {"transfers": False}))
    stock(session, A={"MAD-W": 5, "BCN-S": 5})
    home = Destination(MADRID, country="ES", postal_code="28013")
    offered = instead_of(session, collected(), home, now=NOW)
    assert sorted((each.way.wanted.method, each.way.packages[0].node) for each in offered) == [
        ("collect", "BCN-S"), ("ship", "MAD-W"),
    ]  # fmt: skip


def test_without_time_each_way_is_looked_for_once(session):
    stock(session, A={"MAD-W": 5, "BCN-S": 5}, B={"MAD-S": 5, "BCN-S": 5})
    demand = wanted(BOTH)
    shipped = [replace(demand, service=name, demand_id=new_id()) for name in ("express", "standard")]
    found = ways_to_serve(session, shipped, now=NOW, most=10, seconds=0)
    assert sorted(way.wanted.service for way in found.ways) == ["express", "standard"]
    assert found.missing == ()
