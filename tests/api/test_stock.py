"""The ledger over HTTP."""

from datetime import datetime, timedelta
from urllib.parse import quote

import pytest

from api import jobs
from tests.api import network
from tests.api.conftest import NOW

BALANCES = "/api/v1/stock/balances"
RULES = "/api/v1/stock/safety-rules"


@pytest.fixture(scope="module", autouse=True)
def built(admin):
    network.build(admin)


def on_hand(client, node, sku):
    rows = client.get(f"{BALANCES}?node={node}&sku={sku}")["items"]
    return rows[0]["on_hand"] if rows else 0


def test_a_receipt_puts_units_on_hand_once(admin):
    before = on_hand(admin, "MAD-W", "SHIRT")
    first = network.receive(admin, "receipt-1", ("MAD-W", "SHIRT", 5))
    assert network.receive(admin, "receipt-1", ("MAD-W", "SHIRT", 5)) == first
    assert on_hand(admin, "MAD-W", "SHIRT") == before + 5


def test_a_receipt_without_a_key_is_refused(admin):
    body = {"lines": [{"node": "MAD-W", "sku": "SHIRT", "units": 5}]}
    assert admin.post("/api/v1/stock/receipts", body, 400)["code"] == "idempotency_key_missing"


@pytest.mark.parametrize(
    ("line", "pointer"),
    [
        ({"node": "MAD-W", "sku": "SHIRT", "units": 0}, "/lines/0/units"),
        ({"node": "MAD-W", "sku": "SHIRT", "units": -3}, "/lines/0/units"),
        ({"node": "MAD-W", "sku": "SHIRT", "units": 10**12}, "/lines/0/units"),
        ({"node": "MAD-W", "sku": "SHIRT", "units": 1.5}, "/lines/0/units"),
        ({"node": "MAD-W", "sku": "SHIRT"}, "/lines/0/units"),
        ({"node": "MAD-W", "sku": "SHIRT", "units": 1, "colour": "red"}, "/lines/0/colour"),
    ],
)
def test_units_that_cannot_be_are_named(admin, line, pointer):
    problem = admin.post("/api/v1/stock/receipts", {"lines": [line]}, 422, key=f"bad-{line}")
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


@pytest.mark.parametrize(("node", "sku"), [("NOWHERE", "SHIRT"), ("MAD-W", "NOTHING")])
def test_an_unknown_node_or_article_is_refused_and_nothing_written(admin, node, sku):
    lines = [{"node": "MAD-W", "sku": "LAMP", "units": 1}, {"node": node, "sku": sku, "units": 1}]
    before = on_hand(admin, "MAD-W", "LAMP")
    problem = admin.post("/api/v1/stock/receipts", {"lines": lines}, 422, key=f"unknown-{node}-{sku}")
    assert problem["errors"]
    assert on_hand(admin, "MAD-W", "LAMP") == before


def test_damage_moves_units_off_the_shelf(admin):
    network.receive(admin, "receipt-2", ("SEV-1", "LAMP", 4))
    body = {"node": "SEV-1", "sku": "LAMP", "units": -1, "reason": "damage"}
    admin.post("/api/v1/stock/adjustments", body, 201, key="damage-1")
    (row,) = admin.get(f"{BALANCES}?node=SEV-1&sku=LAMP")["items"]
    assert (row["on_hand"], row["damaged"]) == (3, 1)


def test_an_unknown_reason_is_refused_with_those_there_are(admin):
    body = {"node": "MAD-W", "sku": "SHIRT", "units": -1, "reason": "magic"}
    assert "recount" in admin.post("/api/v1/stock/adjustments", body, 422, key="magic-1")["detail"]


def test_a_sale_of_what_the_ledger_lacks_is_the_truth(admin):
    body = {"node": "SEV-1", "lines": [{"sku": "SHOES", "units": 2}], "reference": "T-1"}
    admin.post("/api/v1/stock/sales", body, 201, key="sale-1")
    assert on_hand(admin, "SEV-1", "SHOES") == 0


def test_an_absolute_feed_sets_and_a_relative_one_changes(admin):
    body = {"node": "MAD-1", "kind": "absolute", "rows": [{"sku": "SHOES", "units": 7}]}
    admin.post("/api/v1/stock/feeds", body, 201, key="feed-1")
    assert on_hand(admin, "MAD-1", "SHOES") == 7
    assert admin.post("/api/v1/stock/feeds", body, 201, key="feed-2")["posting_id"] is None
    admin.post(
        "/api/v1/stock/feeds", {**body, "kind": "relative", "rows": [{"sku": "SHOES", "units": -3}]}, 201, key="feed-3"
    )
    assert on_hand(admin, "MAD-1", "SHOES") == 4


def test_entries_tell_what_moved_and_why(admin):
    network.receive(admin, "receipt-3", ("MAD-W", "LAMP", 2))
    entry = admin.get("/api/v1/stock/entries?sku=LAMP&node=MAD-W&limit=200")["items"][-1]
    assert (entry["kind"], entry["units"]) == ("receipt", 2)
    assert (entry["source"]["account"], entry["target"]["account"]) == ("supplier", "on_hand")


def test_limits_and_shelves_are_set_row_by_row(admin):
    network.receive(admin, "receipt-4", ("MAD-1", "SHIRT", 3))
    rows = [{"sku": "SHIRT", "node": "MAD-1", "safety_stock": 1}, {"sku": "NOTHING", "node": "MAD-1"}]
    good, bad = admin.post("/api/v1/stock/limits", rows)["results"]
    assert (good["result"], bad["result"]) == ("updated", "failed")
    shelf = [{"sku": "SHIRT", "node": "MAD-1", "shelf": "A-01-1"}]
    assert admin.post("/api/v1/stock/shelves", shelf)["results"][0]["result"] == "created"
    assert admin.post("/api/v1/stock/shelves", shelf)["results"][0]["result"] == "unchanged"


def test_a_key_of_one_node_reaches_no_other(client_with):
    store = client_with("stock:read", "stock:write", node="MAD-1")
    assert {row["node"] for row in store.get(f"{BALANCES}?limit=200")["items"]} <= {"MAD-1"}
    assert store.get(f"{BALANCES}?node=SEV-1", 403)["code"] == "other_node"
    body = {"node": "SEV-1", "sku": "LAMP", "units": -1, "reason": "damage"}
    assert store.post("/api/v1/stock/adjustments", body, 403, key="other-1")["code"] == "other_node"
    lines = [{"node": "MAD-1", "sku": "LAMP", "units": 1}, {"node": "SEV-1", "sku": "LAMP", "units": 1}]
    store.post("/api/v1/stock/receipts", {"lines": lines}, 403, key="other-2")
    store.post("/api/v1/stock/receipts", {"lines": lines[:1]}, 201, key="own-1")


def on_hand_then(client, **asked):
    query = "&".join(f"{name}={quote(str(value))}" for name, value in asked.items())
    answer = client.get(f"{BALANCES}?sku=SHIRT&node=SEV-1&{query}")
    return answer["position"], [row["on_hand"] for row in answer["items"]]


def place(house):
    for job in ("place_events", "place_postings"):
        jobs.attempt(house, next(each for each in jobs.JOBS if each.name == job))


def receive_at(client, key, units, minutes):
    line = {"node": "SEV-1", "sku": "SHIRT", "units": units}
    occurred_at = (NOW - timedelta(minutes=minutes)).isoformat()
    client.post("/api/v1/stock/receipts", {"lines": [line], "occurred_at": occurred_at}, 201, key=key)


def test_the_past_is_told_by_position_and_by_business_time(admin, house):
    receive_at(admin, "past-1", 4, 60)
    place(house)
    then, known = on_hand_then(admin, at=NOW)
    assert known == [4]
    receive_at(admin, "past-2", 3, 90)
    receive_at(admin, "past-3", 2, 30)
    place(house)
    now = on_hand_then(admin, at=NOW)[0]
    assert now == then + 2
    assert on_hand_then(admin, position=then) == (then, [4])
    assert on_hand_then(admin, position=now) == (now, [9])
    assert on_hand_then(admin, at=NOW - timedelta(minutes=45)) == (now, [7])
    assert on_hand_then(admin, at=NOW - timedelta(minutes=75)) == (now, [3])
    assert on_hand_then(admin, at=NOW - timedelta(minutes=75), position=then) == (then, [0])


def test_pages_of_the_past_stay_at_their_position(admin, house):
    place(house)
    first = admin.get(f"{BALANCES}?limit=1&at={quote(NOW.isoformat())}")
    row = first["items"][0]
    assert (row["safety_stock"], row["version"]) == (None, None)
    network.receive(admin, "past-4", ("MAD-W", "SHIRT", 1))
    place(house)
    second = admin.get(f"{BALANCES}?limit=1&at={quote(NOW.isoformat())}&cursor={first['next_cursor']}")
    assert second["position"] == first["position"]
    assert second["items"][0]["sku"] >= row["sku"]
    assert "position" not in admin.get(f"{BALANCES}?limit=1"), "the present is ahead of the positions"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("position=1000000", "/position"), ("position=-1", "/position"), ("position=soon", "/position"),
        ("at=yesterday", "/at"), ("at=2026-11-17", "/at"), ("at=2026-11-17T09:00:00", "/at"),
        ("at=2026-11-17T09:00:00Z&cursor=abc", "/cursor"),
    ],
)  # fmt: skip
def test_a_past_that_cannot_be_told_is_refused(admin, query, pointer):
    problem = admin.get(f"{BALANCES}?{query}", 422)
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


def test_what_is_told_to_come_is_taken_as_now(admin, house):
    line = {"node": "SEV-1", "sku": "LAMP", "units": 1}
    told = {"lines": [line], "occurred_at": (NOW + timedelta(days=900)).isoformat()}
    admin.post("/api/v1/stock/receipts", told, 201, key="to-come")
    entry = admin.get("/api/v1/stock/entries?sku=LAMP&node=SEV-1&limit=200")["items"][-1]
    assert datetime.fromisoformat(entry["occurred_at"]) == NOW


def test_a_key_of_one_node_sees_no_other_past(client_with, house):
    place(house)
    store = client_with("stock:read", node="MAD-1")
    assert {row["node"] for row in store.get(f"{BALANCES}?position=1&limit=200")["items"]} <= {"MAD-1"}
    assert store.get(f"{BALANCES}?node=SEV-1&position=1", 403)["code"] == "other_node"


def test_safety_rules_are_written_listed_and_taken_away(admin, client_with):
    rows = [
        {"id": "market-stores", "kind": "store", "channel": "market", "units": 2},
        {"id": "wrong", "channel": "nowhere", "units": 1},
        {"id": "two", "sku": "LAMP", "family": "lamps", "units": 1},
    ]
    answers = admin.send("PUT", RULES, body=rows).get_json()["results"]
    assert [answer["result"] for answer in answers] == ["created", "failed", "failed"]
    assert [answers[1]["errors"][0]["code"], answers[2]["errors"][0]["code"]] == ["unknown_channel", "one_too_many"]
    (rule,) = admin.get(RULES)["items"]
    assert (rule["kind"], rule["sku"], rule["units"], rule["active"]) == ("store", None, 2, True)
    client_with("stock:write").send("PUT", RULES, 403, body=rows[:1])
    admin.send("DELETE", f"{RULES}/market-stores", 204)
    assert admin.send("DELETE", f"{RULES}/market-stores", 404).get_json()["code"] == "safety_rule_unknown"


def test_a_marketplace_is_refused_what_is_kept_for_the_shop(admin):
    network.receive(admin, "receipt-6", ("SEV-1", "SHOES", 3))
    spare = sum(row["available"] for row in admin.get("/api/v1/availability?sku=SHOES")["items"][0]["nodes"])
    admin.send("PUT", RULES, body=[{"id": "for-web", "sku": "SHOES", "channel": "market", "units": 100}])
    path = "/api/v1/availability?sku=SHOES&channel="
    assert admin.get(f"{path}market")["items"][0]["network"] == 0
    assert admin.get(f"{path}web")["items"][0]["network"] == spare
    refused = admin.post("/api/v1/orders", network.order("R-1", ("SHOES", 1), channel="market"), 409, key="rule-1")
    assert refused["code"] == "out_of_stock"
    admin.post("/api/v1/orders", network.order("R-2", ("SHOES", 1)), 201, key="rule-2")
    admin.send("DELETE", f"{RULES}/for-web", 204)
