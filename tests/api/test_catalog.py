"""Nodes, articles, channels and postal codes over HTTP."""

import copy

import pytest

from api.rest.catalog import EXAMPLE_ARTICLE, EXAMPLE_CHANNEL, EXAMPLE_NODE, EXAMPLE_PLACE

NODES, ARTICLES = "/api/v1/nodes", "/api/v1/articles"
KINDS = [
    ("nodes", EXAMPLE_NODE, "MAD-1"),
    ("articles", EXAMPLE_ARTICLE, "SHI01-WHT-M"),
    ("channels", EXAMPLE_CHANNEL, "web"),
    ("postal-codes", EXAMPLE_PLACE, "ES-28013"),
]


def other(example, **changes):
    return {**copy.deepcopy(example), **changes}


@pytest.mark.parametrize(("path", "example", "name"), KINDS)
def test_a_row_is_created_once_and_then_unchanged(admin, path, example, name):
    path = f"/api/v1/{path}"
    first = admin.post(path, [example])["results"]
    assert (first[0]["result"], first[0]["id"]) == ("created", name)
    assert admin.post(path, [example])["results"][0]["result"] == "unchanged"


def test_a_bad_row_does_not_spoil_the_others(admin):
    rows = [
        other(EXAMPLE_ARTICLE, sku="GOOD", gtin=None),
        other(EXAMPLE_ARTICLE, sku="BAD", gtin="2040000100208", size=5),
    ]
    good, bad = admin.post(ARTICLES, rows)["results"]
    assert good["result"] == "created"
    assert bad["result"] == "failed"
    assert bad["errors"][0]["pointer"] == "/size"


def test_a_row_that_the_room_refuses_does_not_spoil_the_others(admin):
    rows = [other(EXAMPLE_ARTICLE, sku="BAD", gtin="2040000100208"), other(EXAMPLE_ARTICLE, sku="FINE", gtin=None)]
    bad, good = admin.post(ARTICLES, rows)["results"]
    assert (bad["result"], bad["errors"][0]["pointer"], bad["errors"][0]["code"]) == ("failed", "/gtin", "invalid_gtin")
    assert good["result"] == "created"
    admin.get(f"{ARTICLES}/BAD", 404)
    assert admin.get(f"{ARTICLES}/FINE")["price"] == {"amount": "29.95", "currency": "EUR"}


def test_when_no_row_is_good_every_fault_is_told_and_nothing_written(admin):
    rows = [other(EXAMPLE_NODE, id="X-1", kind="castle", time_zone="Mars"), other(EXAMPLE_NODE, id="X-2", latitude=99)]
    problem = admin.post(NODES, rows, 422)
    assert {fault["pointer"] for fault in problem["errors"]} == {"/0/kind", "/0/time_zone", "/1/latitude"}
    admin.get(f"{NODES}/X-2", 404)


def test_a_single_object_is_a_row(admin):
    problem = admin.post(ARTICLES, other(EXAMPLE_ARTICLE, sku="ONE", gtin="123"), 422)
    assert problem["errors"][0]["pointer"] == "/gtin"


def test_costs_are_in_the_currency_of_the_network(admin):
    node = other(EXAMPLE_NODE, id="X-3", package_cost={"amount": "2.00", "currency": "USD"})
    assert admin.post(NODES, node, 422)["errors"][0]["code"] == "other_currency"


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("1.999", "invalid_amount"),
        ("-1", "negative"),
        ("many", "invalid_amount"),
        ("1e3", "invalid_amount"),
        (1.5, "shape"),
    ],
)
def test_an_amount_that_is_none_is_named(admin, amount, code):
    row = other(EXAMPLE_ARTICLE, sku="X", gtin=None, price={"amount": amount, "currency": "EUR"})
    assert admin.post(ARTICLES, row, 422)["errors"][0]["code"] == code


def test_an_edit_needs_the_tag_of_what_was_read(admin):
    admin.post(NODES, [EXAMPLE_NODE])
    path = f"{NODES}/MAD-1"
    tag = admin.send("GET", path).headers["ETag"]
    assert admin.send("PATCH", path, 428, body={"pick_success": 0.8}).get_json()["code"] == "precondition_required"
    changed = admin.send("PATCH", path, body={"pick_success": 0.8}, headers={"If-Match": tag})
    assert changed.get_json()["pick_success"] == 0.8
    admin.send("PATCH", path, 412, body={"pick_success": 0.7}, headers={"If-Match": tag})
    assert admin.get(path)["pick_success"] == 0.8


def test_hours_and_capacity_are_set_and_shown(admin):
    admin.post(NODES, [EXAMPLE_NODE])
    path = f"{NODES}/MAD-1"
    tag = admin.send("GET", path).headers["ETag"]
    hours = {"0": [["09:00", "20:00"]]}
    admin.send("PUT", f"{path}/hours", body={"opening_hours": hours}, headers={"If-Match": tag})
    assert admin.get(path)["opening_hours"] == hours
    tag = admin.send("GET", path).headers["ETag"]
    body = {"days": [{"on_date": "2026-11-17", "minutes": 0}]}
    days = admin.send("PUT", f"{path}/capacity", body=body, headers={"If-Match": tag}).get_json()["days"]
    assert (days[0]["on_date"], days[0]["set_minutes"], days[0]["capacity_minutes"]) == ("2026-11-17", 0, 0)


def test_hours_that_cannot_be_are_refused(admin):
    admin.post(NODES, [EXAMPLE_NODE])
    tag = admin.send("GET", f"{NODES}/MAD-1").headers["ETag"]
    body = {"opening_hours": {"0": [["25:00", "26:00"]]}}
    admin.send("PUT", f"{NODES}/MAD-1/hours", 422, body=body, headers={"If-Match": tag})


def test_a_list_goes_on_where_the_last_page_ended(admin):
    admin.post(ARTICLES, [other(EXAMPLE_ARTICLE, sku=f"PAGE-{number}", gtin=None) for number in range(5)])
    seen, path = [], f"{ARTICLES}?limit=2"
    while path:
        answer = admin.send("GET", path)
        seen += [row["sku"] for row in answer.get_json()["items"]]
        link = answer.headers.get("Link")
        path = link.split(">")[0].removeprefix("<") if link else None
    assert seen == sorted(set(seen))
    assert {f"PAGE-{number}" for number in range(5)} <= set(seen)


@pytest.mark.parametrize("cursor", ["x", "W10", "WyIxIiwgMl0", "bnVsbA"])
def test_a_cursor_we_did_not_make_is_refused(admin, cursor):
    assert admin.get(f"{ARTICLES}?cursor={cursor}", 422)["errors"][0]["code"] == "invalid_cursor"


@pytest.mark.parametrize(
    "data", ["{", "", "[1, NaN]", "[" * 100_000, '{"sku": "\\ud800"}', '{"sku": "\\u0000"}', "\xff"]
)
def test_what_is_no_json_is_refused_with_its_reason(admin, data):
    problem = admin.send("POST", ARTICLES, 422, data=data.encode("latin-1")).get_json()
    assert problem["code"] in {"malformed_json", "invalid"}
    assert problem["errors"]


def test_another_content_type_is_refused(admin):
    admin.send("POST", ARTICLES, 415, body=[EXAMPLE_ARTICLE], headers={"Content-Type": "text/plain"})


def test_a_body_too_large_is_refused(admin):
    assert admin.send("POST", ARTICLES, 413, data=b" " * 8_000_001).get_json()["code"] == "too_large"


def test_the_same_key_is_answered_the_same(admin):
    row = other(EXAMPLE_ARTICLE, sku="KEYED", gtin=None)
    first = admin.send("POST", ARTICLES, body=[row], key="catalog-1")
    again = admin.send("POST", ARTICLES, body=[row], key="catalog-1")
    assert first.get_json() == again.get_json()
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    problem = admin.send("POST", ARTICLES, 422, body=[other(row, size="L")], key="catalog-1").get_json()
    assert problem["code"] == "idempotency_key_reused"
