"""Goods that come in, change what they are or go missing, over HTTP."""

import pytest

from tests.api import network

API = "/api/v1"


@pytest.fixture(scope="module", autouse=True)
def built(admin):
    network.build(admin)


def balance(client, node, sku):
    rows = client.get(f"{API}/stock/balances?node={node}&sku={sku}")["items"]
    names = ("on_hand", "damaged", "quarantine", "in_transit")
    return {name: row[name] for row in rows for name in names if row[name]}


def buy(admin, number, node="MAD-W", **units):
    lines = [{"sku": sku, "units": count} for sku, count in units.items()]
    body = {"number": number, "supplier": "ACME", "node": node, "lines": lines}
    return admin.post(f"{API}/purchase-orders", body, 201, key=f"buy-{number}")


def deliver(client, order, *lines, expect=200, key=None, **said):
    rows = [
        {"sku": sku, "units": units, **dict(zip(["reason"], reason, strict=False))} for sku, units, *reason in lines
    ]
    body = {"lines": rows, **said}
    path = f"{API}/purchase-orders/{order['id']}/receive"
    return client.post(path, body, expect, key=key or f"{order['number']}-{lines}-{said}")


def test_a_purchase_order_is_received_in_parts_and_states(admin):
    order = buy(admin, "A-1", node="SEV-1", SHOES=5)
    assert (order["status"], order["lines"][0]["outstanding"]) == ("open", 5)
    assert deliver(admin, order, ("SHOES", 2))["status"] == "partly_received"
    done = deliver(admin, order, ("SHOES", 1), ("SHOES", 1, "damaged"), complete=True)
    assert done["status"] == "closed_short"
    assert done["lines"] == [
        {"sku": "SHOES", "ordered": 5, "received": 4, "set_aside": 1, "cancelled": 1, "outstanding": 0, "difference": 0}
    ]
    assert balance(admin, "SEV-1", "SHOES") == {"on_hand": 3, "damaged": 1}
    assert admin.get(f"{API}/purchase-orders/{order['id']}") == done
    assert done in admin.get(f"{API}/purchase-orders?supplier=ACME&status=closed_short")["items"]


def test_a_delivery_sent_twice_is_received_once(admin):
    order = buy(admin, "A-2", SHOES=5)
    before = balance(admin, "MAD-W", "SHOES").get("on_hand", 0)
    first = deliver(admin, order, ("SHOES", 3), key="lorry-1")
    assert deliver(admin, order, ("SHOES", 3), key="lorry-1") == first
    assert balance(admin, "MAD-W", "SHOES")["on_hand"] == before + 3


def test_more_or_other_than_was_ordered_needs_a_reason(admin):
    order = buy(admin, "A-3", SHIRT=2)
    problem = deliver(admin, order, ("SHIRT", 3), ("LAMP", 1), expect=422)
    assert (problem["code"], [fault["code"] for fault in problem["errors"]]) == (
        "beyond_order", ["too_many", "not_ordered"],
    )  # fmt: skip
    before = balance(admin, "MAD-W", "LAMP").get("quarantine", 0)
    done = deliver(admin, order, ("SHIRT", 3), ("LAMP", 1), beyond="wrong_item")
    assert {line["sku"]: line["difference"] for line in done["lines"]} == {"SHIRT": 1, "LAMP": 1}
    assert balance(admin, "MAD-W", "LAMP")["quarantine"] == before + 1


def test_goods_that_came_serve_who_waits(admin):
    order = admin.post(f"{API}/orders", network.order("W-1", ("LAMP", 1)), 201, key="W-1")
    assert order["lines"][0]["waiting"] == 1
    deliver(admin, buy(admin, "A-4", LAMP=1), ("LAMP", 1))
    assert admin.get(f"{API}/orders/{order['id']}")["lines"][0]["allocated"] == 1


def test_a_purchase_order_is_called_off_only_before_anything_came(admin):
    order, other = buy(admin, "A-5", SHIRT=2), buy(admin, "A-6", SHIRT=2)
    assert admin.post(f"{API}/purchase-orders/{order['id']}/cancel")["status"] == "cancelled"
    deliver(admin, other, ("SHIRT", 1))
    assert admin.post(f"{API}/purchase-orders/{other['id']}/cancel", expect=409)["code"] == "illegal_transition"
    assert admin.post(f"{API}/purchase-orders/{other['id']}/close-short")["status"] == "closed_short"
    body = {"number": "A-6", "supplier": "ACME", "node": "MAD-W", "lines": [{"sku": "SHIRT", "units": 1}]}
    assert admin.post(f"{API}/purchase-orders", body, 409, key="again")["code"] == "purchase_order_exists"


def test_staff_of_a_node_receive_what_is_theirs_only(admin, client_with):
    clerk = client_with("stock:read", "stock:write", node="MAD-1")
    theirs, others = buy(admin, "A-7", node="MAD-1", SHIRT=2), buy(admin, "A-8", SHIRT=2)
    assert deliver(clerk, theirs, ("SHIRT", 2))["status"] == "received"
    deliver(clerk, others, ("SHIRT", 2), expect=404)
    assert {order["node"] for order in clerk.get(f"{API}/purchase-orders")["items"]} == {"MAD-1"}
    clerk.post(f"{API}/purchase-orders/{theirs['id']}/cancel", expect=403)


def test_a_blind_receipt_says_in_what_state_goods_came(admin):
    line = {"node": "SEV-1", "sku": "LAMP", "units": 2, "reason": "quarantine"}
    admin.post(f"{API}/stock/receipts", {"lines": [line]}, 201, key="blind-1")
    assert balance(admin, "SEV-1", "LAMP") == {"quarantine": 2}
    release = {"node": "SEV-1", "sku": "LAMP", "units": -1, "reason": "release"}
    admin.post(f"{API}/stock/adjustments", release, 201, key="blind-2")
    assert balance(admin, "SEV-1", "LAMP") == {"on_hand": 1, "quarantine": 1}


def test_a_retailer_adds_a_reason_and_takes_it_out_of_use(admin):
    row = {"use": "adjustment", "code": "mouldy", "from_account": "on_hand", "to_account": "damaged"}
    answer = admin.send("PUT", f"{API}/stock/reasons", body=[row]).get_json()
    assert answer["results"][0]["result"] == "created"
    network.receive(admin, "mould-0", ("SEV-1", "SHIRT", 3))
    body = {"node": "SEV-1", "sku": "SHIRT", "units": -1, "reason": "mouldy"}
    admin.post(f"{API}/stock/adjustments", body, 201, key="mould-1")
    admin.send("PUT", f"{API}/stock/reasons", body=[row | {"active": False}])
    assert admin.post(f"{API}/stock/adjustments", body, 422, key="mould-2")["code"] == "unknown_reason"
    (shown,) = [r for r in admin.get(f"{API}/stock/reasons?use=adjustment")["items"] if r["code"] == "mouldy"]
    assert shown["active"] is False
    wrong = row | {"to_account": "customer"}
    problem = admin.send("PUT", f"{API}/stock/reasons", 422, body=[wrong]).get_json()
    assert {fault["pointer"] for fault in problem["errors"]} == {"/to_account", "/code"}


def test_kits_are_assembled_from_what_nobody_has_claimed(admin):
    admin.post(f"{API}/articles", [network.article("SET")])
    recipe = {"sku": "SET", "kind": "kit", "components": [{"sku": "SHIRT", "units": 2}]}
    admin.post(f"{API}/recipes", [recipe])
    assert admin.get(f"{API}/recipes")["items"] == [recipe | {"version": 1}]
    network.receive(admin, "kit-0", ("MAD-1", "SHIRT", 5))
    before = balance(admin, "MAD-1", "SHIRT")["on_hand"]
    body = {"node": "MAD-1", "sku": "SET", "units": 2, "direction": "assemble"}
    admin.post(f"{API}/stock/conversions", body, 201, key="kit-1")
    assert balance(admin, "MAD-1", "SET") == {"on_hand": 2}
    assert balance(admin, "MAD-1", "SHIRT")["on_hand"] == before - 4
    too_many = body | {"units": 500}
    assert admin.post(f"{API}/stock/conversions", too_many, 409, key="kit-2")["code"] == "insufficient_stock"


def send(admin, key, units):
    network.receive(admin, f"{key}-0", ("MAD-W", "SHOES", units))
    body = {"source": "MAD-W", "destination": "MAD-1", "lines": [{"sku": "SHOES", "units": units}]}
    transfer = admin.post(f"{API}/transfers", body, 201, key=key)
    return admin.post(f"{API}/transfers/{transfer['id']}/dispatch", {}, key=f"{key}-1")


def test_the_differences_of_a_transfer_are_followed_to_zero(admin):
    transfer = send(admin, "T-1", 5)
    path = f"{API}/transfers/{transfer['id']}"
    before = balance(admin, "MAD-1", "SHOES").get("on_hand", 0)
    arrived = {
        "lines": [{"line": 1, "units": 1}, {"line": 1, "units": 1, "reason": "damaged"}], "complete": False,
        "surplus": [{"sku": "SHIRT", "units": 1}],
    }  # fmt: skip
    assert admin.post(f"{path}/receive", arrived, key="T-1-2")["status"] == "partly_received"
    assert transfer["id"] in {item["id"] for item in admin.get(f"{API}/transfers?differences=open")["items"]}
    assert admin.post(f"{path}/close-short", {})["lines"][0]["written_off"] == 3
    assert transfer["id"] in {item["id"] for item in admin.get(f"{API}/transfers?differences=lost")["items"]}
    found = {"lines": [{"line": 1, "units": 3}]}
    (line,) = admin.post(f"{path}/found", found, key="T-1-3")["lines"]
    assert (line["dispatched"], line["received"], line["written_off"], line["found"]) == (5, 5, 0, 3)
    assert balance(admin, "MAD-1", "SHOES") == {"on_hand": before + 4, "damaged": 1}
    assert admin.get(f"{API}/transfers?differences=lost")["items"] == []
    admin.post(f"{path}/found", found, 422, key="T-1-4")


def test_what_is_sent_back_is_at_its_source_again(admin):
    before = balance(admin, "MAD-W", "SHOES").get("on_hand", 0)
    transfer = send(admin, "T-2", 2)
    admin.post(f"{API}/transfers/{transfer['id']}/close-short", {"reason": "sent_back"})
    assert balance(admin, "MAD-W", "SHOES")["on_hand"] == before + 2


def test_the_ledger_proves_itself(house):
    from api import proof

    assert house.doors.read(lambda session: list(proof.findings(session))) == []
