"""Counts over HTTP: opened, counted blind by several people, reviewed by another, posted."""

import itertools

import pytest

from tests.api.network import build, receive

numbers = itertools.count(1)
COUNTS, NODE = "/api/v1/counts", "SEV-1"
RULE = {
    "recount_units": 3, "recount_value_minor": 10_000, "four_eyes": True, "zero_checks": True, "max_age_days": 60,
    "tasks_a_day": 30,
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def network(admin):
    build(admin)
    receive(admin, "counts-1", (NODE, "SHIRT", 40), (NODE, "SHOES", 10), (NODE, "LAMP", 5))
    shelves = [{"node": NODE, "sku": sku, "shelf": shelf} for sku, shelf in (("SHIRT", "A-01"), ("SHOES", "B-01"))]
    admin.post("/api/v1/stock/shelves", shelves)


@pytest.fixture(scope="module")
def clerks(client_with):
    """Two people of the store; their keys differ in name, so that they are different counters."""
    return [client_with("stock:read", "stock:write", *more, node=NODE) for more in ((), ("work:read",))]


def on_hand(client, sku):
    (row,) = client.get(f"/api/v1/stock/balances?node={NODE}&sku={sku}")["items"]
    return row["on_hand"]


def opened(client, **what):
    found = client.post(COUNTS, {"node": NODE, **what}, 201)
    return f"{COUNTS}/{found['id']}", found


def begun(client, path, **how):
    return f"{path}/sessions/{client.post(f'{path}/sessions', how, 201)['id']}"


def test_counters_are_blind_and_a_large_difference_is_counted_by_another(admin, clerks):
    ana, ben = clerks
    path, _ = opened(ana, skus=["SHIRT"])
    own = begun(ana, path)
    result = ana.post(f"{own}/lines", {"sku": "SHIRT", "units": 30})
    assert (result["units"], result["shelf"]) == (30, "A-01")
    after = ana.post(f"{own}/hand-in")
    assert (after["status"], after["round"], after["blind"]) == ("counting", 2, True)
    (line,) = after["lines"]
    assert (line["counted"], line["tallies"], line["accepted_round"]) == (False, None, None)
    assert after["sessions"][0]["units"] is None
    ben.get(own, 404)
    ana.post(f"{path}/sessions", {}, 409)

    again = begun(ben, path)
    ben.post(f"{again}/lines", {"sku": "SHIRT", "units": 38})
    assert ben.post(f"{again}/hand-in")["status"] == "review"
    ben.post(f"{path}/post", None, 403)
    assert admin.post(f"{path}/post", None, 409)["code"] == "count_undecided"
    seen = admin.get(path)
    assert [(tally["counted"], tally["difference"]) for tally in seen["lines"][0]["tallies"]] == [(30, -10), (38, -2)]
    admin.post(f"{path}/review", {"accept": [{"sku": "SHIRT", "round": 2}]})
    assert admin.post(f"{path}/post")["status"] == "posted"
    assert on_hand(admin, "SHIRT") == 38


def test_an_area_is_scanned_and_what_is_not_there_is_confirmed(admin, clerks):
    ana, _ = clerks
    path, found = opened(ana, area={"shelf_from": "A-00", "shelf_to": "B-99"})
    assert [(line["sku"], line["shelf"]) for line in found["lines"]] == [("SHIRT", "A-01"), ("SHOES", "B-01")]
    own = begun(ana, path)
    scan = {"scan_id": "area-1", "code": "LAMP", "units": 5, "shelf": "B-02"}
    assert [ana.post(f"{own}/scans", scan)["counted"] for _ in range(2)] == [True, False]
    assert ana.post(f"{path}/submit", None, 422)["code"] == "count_incomplete"
    ana.post(f"{own}/lines", {"sku": "SHIRT", "units": 1})
    assert ana.post(f"{own}/forget", {"shelf": "A-01"}) == {"results": 1}
    rows = ana.post(f"{own}/none", {"skus": ["SHIRT", "SHOES", "LAMP"]})["results"]
    assert {row["sku"]: row["units"] for row in rows} == {"LAMP": 5, "SHIRT": 0, "SHOES": 0}
    assert ana.get(own)["results"] == rows
    assert admin.post(f"{path}/void")["status"] == "void"
    assert path.rsplit("/", 1)[1] in [row["id"] for row in admin.get(f"{COUNTS}?node={NODE}&status=void")["items"]]


def test_a_session_is_discarded_and_its_shelf_counted_by_another(clerks, admin):
    ana, ben = clerks
    path, _ = opened(ben, shelves=["B-01"])
    own = begun(ana, path)
    ana.post(f"{own}/lines", {"sku": "SHOES", "units": 10})
    assert ben.post(f"{path}/lines", {"sku": "SHOES", "units": 10}, 409)["code"] == "shelf_taken"
    assert ben.post(f"{own}/discard")["status"] == "discarded"
    ben.post(f"{path}/lines", {"sku": "SHOES", "units": 10})
    assert ben.post(f"{path}/submit")["status"] == "review"
    assert admin.post(f"{path}/post")["history"][-1]["to_status"] == "posted"


def test_what_should_be_counted_is_listed_and_dropped(admin, clerks):
    ana, _ = clerks
    sale = {"node": NODE, "lines": [{"sku": "LAMP", "units": 6}], "reference": "T-9"}
    admin.post("/api/v1/stock/sales", sale, 201, key="counts-sale")
    (task,) = ana.get("/api/v1/count-tasks?status=proposed")["items"]
    assert (task["sku"], task["cause"], task["reference"]) == ("LAMP", "sold_beyond_stock", "T-9")
    assert ana.post(f"/api/v1/count-tasks/{task['id']}/drop")["status"] == "dropped"
    assert ana.get("/api/v1/count-tasks?status=proposed")["items"] == []


def test_the_rule_of_a_node_is_read_and_set(admin, clerks):
    path = f"/api/v1/count-rules/{NODE}"
    assert clerks[0].get(path)["four_eyes"] is True
    clerks[0].send("PUT", path, 403, body=RULE)
    assert admin.send("PUT", path, body=RULE).get_json() == RULE
    assert admin.get(path) == RULE
    admin.send("PUT", path, 422, body=RULE | {"max_age_days": 0})
    clerks[0].send("DELETE", path, 403)
    admin.send("DELETE", path, 204)
    assert admin.get(path)["max_age_days"] == 90
    assert admin.send("DELETE", path, 404).get_json()["code"] == "count_rule_unknown"


@pytest.mark.parametrize("what", [{}, {"skus": ["LAMP"], "shelves": ["A-01"]}])
def test_a_count_is_of_one_of_three_things(admin, what):
    refused = admin.post(COUNTS, {"node": NODE, **what}, 422)
    assert refused["errors"][0]["code"] == "one_of_three"
