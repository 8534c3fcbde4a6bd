"""Policies over HTTP: drafted, tried, run as shadow, put in force, and followed by the next order."""

import itertools

import pytest
from sqlalchemy import text

from api import jobs
from tests.api import network
from tests.api.network import order

POLICIES = "/api/v1/policies"
numbers = itertools.count(1)
STORES = {"groups": {"stores": {"kinds": ["store"]}}, "fences": [{"rule": "only_groups", "groups": ["stores"]}]}


@pytest.fixture(scope="module", autouse=True)
def built(admin):
    network.build(admin)
    network.receive(admin, "policies", ("MAD-W", "SHIRT", 50), ("SEV-1", "SHIRT", 50), ("MAD-1", "SHIRT", 50))


def key():
    return f"policy-{next(numbers)}"


def draft(admin, settings, policy="default"):
    return admin.post(f"{POLICIES}/{policy}/versions", {"settings": settings, "note": "try"}, 201, key=key())


def at(made, verb=""):
    return f"{POLICIES}/{made['id']}/versions/{made['version']}{verb}"


def served_by(admin, **changes):
    placed = admin.post("/api/v1/orders", order(key(), ("SHIRT", 1), **changes), 201, key=key())
    return placed["fulfillment_orders"][0]["node"]


def settled(house):
    old = text("UPDATE decision SET recorded_at = '2025-01-01 00:00:00+00'")
    house.doors.write(lambda session: session.execute(old))


def test_a_draft_is_tried_runs_as_shadow_and_is_put_in_force(admin, house):
    assert served_by(admin) == "MAD-W"
    made = draft(admin, STORES)
    assert (made["status"], made["note"], made["shadow"]) == ("draft", "try", False)
    tried = admin.post(at(made, "/try"), {"demands": 10})
    assert (tried["demands"], tried["differing"], tried["other_nodes"]) == (1, 1, 1)
    assert tried["pairs"][0]["live"]["nodes"] == ["MAD-W"]
    assert tried["paid"]["difference"]["currency"] == "EUR"
    assert admin.get(at(made))["status"] == "draft"

    etag = admin.send("GET", at(made)).headers["ETag"]
    shadow = admin.send("PUT", at(made, "/shadow"), body={"on": True}, headers={"If-Match": etag}).get_json()
    assert shadow["shadow"]
    assert served_by(admin) == "MAD-W"
    settled(house)
    assert jobs.run_slot(house, next(job for job in jobs.JOBS if job.name == "shadow_policies")) == 1
    seen = admin.get(at(made, "/shadow"))
    assert (seen["demands"], seen["other_nodes"], seen["paid_each"]["low"]) == (1, 1, None)
    assert seen["paid_each"]["mean"] == seen["paid"]["difference"]

    assert admin.send("POST", at(made, "/activate"), 412, headers={"If-Match": etag})
    etag = admin.send("GET", at(made)).headers["ETag"]
    active = admin.send("POST", at(made, "/activate"), headers={"If-Match": etag}).get_json()
    assert (active["status"], active["shadow"]) == ("active", False)
    assert served_by(admin) in {"MAD-1", "SEV-1"}
    last = admin.get("/api/v1/orders?limit=1")["items"][0]["id"]
    [decision] = admin.get(f"/api/v1/orders/{last}/decision")["decisions"]
    assert (decision["policy_version"], decision["relaxed"]) == (active["version"], [])
    assert {"excluded_by": "only_groups", "nodes": ["MAD-W"]} in decision["candidates"]


def test_a_service_of_a_channel_may_have_a_policy_of_its_own(admin):
    made = draft(admin, STORES, "fast")
    etag = admin.send("GET", at(made)).headers["ETag"]
    admin.send("POST", at(made, "/activate"), headers={"If-Match": etag})
    draft(admin, {}, "plain")
    web = {"id": "shop", "name": "Shop", "kind": "web", "currency": "EUR", "policy": "plain"}
    admin.post("/api/v1/channels", [{**web, "service_policies": {"express": "fast"}}])
    assert served_by(admin, channel="shop", service="express") in {"MAD-1", "SEV-1"}
    assert served_by(admin, channel="shop", service="standard") == "MAD-W"


def test_a_draft_is_checked_when_it_is_saved_and_changes_only_while_it_is_one(admin):
    refused = admin.post(f"{POLICIES}/x/versions", {"settings": {"fences": [{"rule": "max_distance"}]}}, 422, key=key())
    assert [error["pointer"] for error in refused["errors"]] == ["/settings/fences/0/km"]
    refused = admin.post(f"{POLICIES}/x/versions", {"settings": {"excluded_nodes": ["MARS"]}}, 422, key=key())
    assert refused["errors"][0]["pointer"] == "/settings/excluded_nodes/0"
    made = draft(admin, {"max_packages": 2}, "x")
    body = {"settings": {"max_packages": 1}}
    assert admin.send("PUT", at(made), 428, body=body)
    etag = admin.send("GET", at(made)).headers["ETag"]
    revised = admin.send("PUT", at(made), body=body, headers={"If-Match": etag})
    assert (revised.get_json()["settings"]["max_packages"], revised.get_json()["note"]) == (1, "try")
    assert admin.send("PUT", at(made), 412, body=body, headers={"If-Match": etag})
    etag = admin.send("GET", at(made)).headers["ETag"]
    admin.send("POST", at(made, "/archive"), headers={"If-Match": etag})
    etag = admin.send("GET", at(made)).headers["ETag"]
    assert admin.send("PUT", at(made), 409, body=body, headers={"If-Match": etag})
    assert [each["status"] for each in admin.get(f"{POLICIES}/x")["items"]] == ["archived"]
    assert {"default", "x"} <= {each["id"] for each in admin.get(POLICIES)["items"]}
    assert admin.get(f"{POLICIES}/nowhere", 404)["code"] == "policy_unknown"
    assert admin.get(f"{POLICIES}/x/versions/99999999999", 404)["code"] == "policy_unknown"
