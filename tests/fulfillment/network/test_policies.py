"""Policies as documents and as versions: what is refused and where, who is in a group, which version is in force."""

import pytest

from fulfillment.network import policies, snapshot
from fulfillment.network.models import Policy
from fulfillment.network.settings import InvalidPolicy, Settings, document_of, parse
from stock.models import Article, Node
from tests.fulfillment.sourcing.world import NOW

GOOD = {
    "groups": {"stores": {"kinds": ["store"], "countries": ["ES"]}, "depot": {"nodes": ["MAD-W"]}},
    "bands": [{"group": "depot"}, {"group": "stores", "minor": 300}],
    "fences": [
        {"rule": "max_distance", "km": 300, "soft": True, "name": "near"},
        {"rule": "max_distance", "km": 900},
        {"rule": "articles_only", "skus": ["A"], "groups": ["depot"]},
        {"rule": "min_part_value", "minor": 2500, "soft": True},
        {"rule": "same_day"},
        {"rule": "in_time", "soft": True},
    ],
}


def pointers(document):
    with pytest.raises(InvalidPolicy) as refusal:
        parse(document)
    return {fault.pointer.removeprefix("/settings/") for fault in refusal.value.faults}


def test_a_document_comes_back_as_it_was_given():
    settings = parse(GOOD)
    assert parse(document_of(settings)) == settings
    assert [(fence.name, fence.number, fence.soft) for fence in settings.fences[:2]] == [
        ("near", 300, True), ("max_distance", 900, False),
    ]  # fmt: skip


def test_a_document_of_before_keeps_its_meaning():
    before = {"max_packages": 2, "excluded_nodes": ["MAD-W"], "kind_minor": {"store": 5}}
    assert parse(before) == Settings(max_packages=2, excluded_nodes=("MAD-W",), kind_minor={"store": 5})


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"groups": []}, {"groups"}),
        ({"groups": {"x": {}, "y/z": {"nodes": "N"}, "v": {"colour": ["red"]}}},
         {"groups/x", "groups/y~1z/nodes", "groups/v/colour"}),
        ({"bands": [{"group": "gone"}, {"minor": -1}, 3, {"group": []}]},
         {"bands/0/group", "bands/1/group", "bands/1/minor", "bands/2", "bands/3/group"}),
        ({"groups": GOOD["groups"], "bands": [{"group": "depot", "minor": 5}, {"group": "stores", "minor": 4}]},
         {"bands/1/minor"}),
        ({"groups": GOOD["groups"], "unfilled_minor": 100, "bands": [{"group": "depot", "minor": 100}]},
         {"bands/0/minor"}),
        ({"fences": [{"rule": "sometimes"}, {"km": 3}, {"rule": "max_distance"}, {"rule": "max_distance", "km": 0}]},
         {"fences/0/rule", "fences/1/rule", "fences/2/km", "fences/3/km", "fences/3/name"}),
        ({"fences": [{"rule": "only_groups"}, {"rule": "not_groups", "groups": ["gone"], "soft": "yes"}]},
         {"fences/0/groups", "fences/1/groups/0", "fences/1/soft"}),
        ({"service_days": {"standard": 10**20}, "kind_minor": {"store": 10**20}, "attempts_hours": 10**9},
         {"service_days", "kind_minor", "attempts_hours"}),
        ({"fences": [{"rule": "together", "groups": ["x"]}]}, {"fences/0/groups", "fences/0/families"}),
    ],
)  # fmt: skip
def test_every_fault_is_named_where_it_stands(document, where):
    assert pointers(document) == where


def test_names_that_stand_for_nothing_are_refused(session):
    document = {
        "excluded_nodes": ["MAD-W", "NOWHERE"], "kind_minor": {"castle": 1},
        "groups": {
            "g": {"nodes": ["X"], "kinds": ["kiosk"], "countries": ["ES", "FR"], "regions": ["ES-XX"], "tags": ["t"]},
            "a/b": {"nodes": ["Y"]},
        },
        "fences": [{"rule": "together", "families": ["hats"], "skus": ["A", "Z"]}],
    }  # fmt: skip
    with pytest.raises(InvalidPolicy) as refusal:
        policies.put(session, "default", document)
    assert {fault.pointer.removeprefix("/settings/") for fault in refusal.value.faults} == {
        "excluded_nodes/1", "kind_minor/castle", "groups/g/nodes/0", "groups/g/kinds/0", "groups/g/countries/1",
        "groups/g/regions/0", "groups/g/tags/0", "groups/a~1b/nodes/0", "fences/0/families/0", "fences/0/skus/1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("group", "members"),
    [
        ({"nodes": ["VLC-S"]}, {"VLC-S"}),
        ({"kinds": ["store"], "regions": ["ES-MD"]}, {"MAD-S"}),
        ({"kinds": ["warehouse"], "nodes": ["BCN-S"]}, {"MAD-W", "BCN-S"}),
        ({"countries": ["ES"]}, {"MAD-W", "MAD-S", "BCN-S", "VLC-S"}),
        ({"tags": ["flagship"]}, {"BCN-S"}),
    ],
)
def test_a_group_is_who_is_listed_and_who_fits_all_that_is_said(session, group, members):
    node = session.get(Node, "BCN-S")
    node.group, node.version = "flagship", node.version + 1
    session.get(Article, "A").family = "shirts"
    session.flush()
    net = snapshot.load(session)
    (typed,) = parse({"groups": {"g": group}}).groups.values()
    assert {node for node, inside in zip(net.nodes, net.within(typed), strict=True) if inside} == members


def test_a_draft_changes_until_it_is_in_force_and_an_old_version_can_come_back(session):
    first = policies.put(session, "fast", GOOD, note="first", actor="ana")
    policies.revise(session, "fast", first, {**GOOD, "max_packages": 1}, note=None)
    policies.activate(session, "fast", first, now=NOW)
    with pytest.raises(policies.NoDraft):
        policies.revise(session, "fast", first, {}, note=None)
    with pytest.raises(policies.NoDraft):
        policies.archive(session, "fast", first)
    second = policies.put(session, "fast", {})
    policies.activate(session, "fast", second, now=NOW)
    policies.activate(session, "fast", first, now=NOW)
    statuses = {each.version: each.status for each in policies.versions_of(session, "fast")}
    assert statuses == {first: "active", second: "archived"}
    active = policies.active(session, "fast")
    assert (active.version, active.settings.max_packages) == (first, 1)
    row = session.get(Policy, ("fast", first))
    assert (row.note, row.author, row.activated_at) == ("first", "ana", NOW)


def test_one_draft_at_a_time_runs_as_shadow_and_ceases_when_it_is_in_force(session):
    drafts = [policies.put(session, "fast", {}) for _ in range(2)]
    for draft in drafts:
        policies.shadow(session, "fast", draft, after="")
    assert [each.shadow_after for each in policies.versions_of(session, "fast")] == ["", None]
    policies.activate(session, "fast", drafts[1], now=NOW)
    assert [each.shadow_after for each in policies.versions_of(session, "fast")] == [None, None]
