"""Carts over HTTP: what every channel may do with one, and what no answer but one tells."""

import pytest

from tests.api import network
from tests.api.network import euros

CARTS = "/api/v1/carts"
BASKET = {
    "channel": "web", "currency": "EUR", "ship_to": network.MADRID,
    "customer": {"name": "Ana García", "email": "ana@example.com"},
    "lines": [{"sku": "SHIRT", "quantity": 2, "unit_price": euros("20.00")}],
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def built(admin):
    network.build(admin)
    network.receive(admin, "opening", ("MAD-W", "SHIRT", 500))


@pytest.fixture
def cart(admin):
    return admin.post(CARTS, BASKET, 201)


def test_only_whoever_looks_at_a_cart_is_told_who_shops(admin, cart):
    held = admin.post(f"{CARTS}/{cart['id']}/hold", {})
    found = admin.get(f"{CARTS}?code={cart['code']}")["items"]
    assert not any("ana" in str(answer).casefold() for answer in (cart, held, found))
    whole = admin.get(f"{CARTS}/{cart['id']}")
    assert (whole["customer"]["email"], whole["ship_to"]["line1"]) == ("ana@example.com", "Calle Mayor 1")
    assert whole["total"] == euros("40.00")


def test_a_till_bound_to_its_store_goes_on_with_a_cart(client_with, cart):
    till = client_with("orders:read", "orders:write", node="MAD-1")
    (found,) = till.get(f"{CARTS}?code={cart['code'].lower()}")["items"]
    assert till.post(f"{CARTS}/{found['id']}/continue", {"channel": "market"})["channel"] == "market"
    assert till.post(f"{CARTS}/{found['id']}/hold", {"minutes": 5})["lines"][0]["held"] == 2


def test_a_cart_is_changed_only_by_whoever_has_seen_it(admin, cart):
    path = f"{CARTS}/{cart['id']}"
    tag = admin.send("GET", path).headers["ETag"]
    assert admin.send("PUT", path, 428, body=BASKET).get_json()["code"] == "precondition_required"
    changed = admin.send("PUT", path, body={**BASKET, "lines": []}, headers={"If-Match": tag}).get_json()
    assert (changed["lines"], changed["version"]) == ([], cart["version"] + 1)
    admin.send("PUT", path, 412, body=BASKET, headers={"If-Match": tag})


def test_holding_does_not_change_what_was_seen(admin, cart):
    path = f"{CARTS}/{cart['id']}"
    tag = admin.send("GET", path).headers["ETag"]
    assert admin.post(f"{path}/hold", {})["held_until"] is not None
    assert admin.send("GET", path).headers["ETag"] == tag


def test_a_cart_is_begun_once_with_a_key(admin):
    first, again = (admin.post(CARTS, BASKET, 201, key="one-cart") for _ in range(2))
    assert first["id"] == again["id"]


def test_every_fault_of_a_cart_is_named(admin):
    wrong = {**BASKET, "channel": "nowhere", "lines": [{"sku": "NOTHING", "quantity": 0, "unit_price": euros("1.00")}]}
    problem = admin.post(CARTS, wrong, 422)
    assert problem["code"] == "invalid_cart"
    assert {fault["pointer"] for fault in problem["errors"]} == {"/channel", "/lines/0/sku", "/lines/0/quantity"}


def test_a_cart_that_there_is_not(admin):
    for method, path in (("GET", "/x"), ("POST", "/x/hold"), ("POST", "/x/release"), ("POST", "/x/abandon")):
        body = {} if path.endswith("hold") else None
        assert admin.send(method, CARTS + path, 404, body=body).get_json()["code"] == "unknown_cart"
    order = {"channel": "web", "external_id": "C-1", "cart": "x"}
    assert admin.post("/api/v1/orders", order, 404, key="c-1")["code"] == "unknown_cart"


def test_an_order_without_a_cart_says_what_it_needs(admin):
    problem = admin.post("/api/v1/orders", {"channel": "web", "external_id": "C-2"}, 422, key="c-2")
    needed = {fault["pointer"] for fault in problem["errors"] if fault["code"] == "required"}
    assert needed == {"/currency", "/lines"}


def test_a_cart_becomes_an_order_whose_lines_it_need_not_repeat(admin, cart):
    admin.post(f"{CARTS}/{cart['id']}/hold", {"minutes": 5})
    body = {"channel": "market", "external_id": "C-3", "cart": cart["id"]}
    made = admin.post("/api/v1/orders", body, 201, key="c-3")
    assert ([line["sku"] for line in made["lines"]], made["total"]) == (["SHIRT"], euros("40.00"))
    assert admin.post("/api/v1/orders", body, 200, key="c-3-again")["id"] == made["id"]
