"""Physical work over HTTP, from the scan to the hand-over, the return and the transfer."""

import itertools

import pytest

from tests.api import network
from tests.api.network import order

FO = "/api/v1/fulfillment-orders"
LISTS = "/api/v1/pick-lists"
numbers = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def built(admin):
    network.build(admin)
    network.receive(
        admin,
        "opening",
        ("MAD-W", "SHIRT", 200),
        ("SEV-1", "SHIRT", 100),
        ("MAD-1", "SHOES", 50),
        ("MAD-W", "LAMP", 50),
    )


def key():
    return f"work-{next(numbers)}"


def place(admin, *lines, **changes):
    return admin.post("/api/v1/orders", order(key(), *lines, **changes), 201, key=key())


def collected(admin, *lines, node="MAD-1", **changes):
    return place(admin, *lines, method="collect", collect_node=node, ship_to=None, **changes)


def picking(admin, made):
    """Put the order's only fulfillment order on a list and return it."""
    (part,) = made["fulfillment_orders"]
    admin.post(LISTS, {"node": part["node"], "fulfillment_orders": [part["id"]]}, 201)
    return admin.get(f"{FO}/{part['id']}")


def picked(admin, made):
    fo = picking(admin, made)
    for line in fo["lines"]:
        admin.post(f"{FO}/{fo['id']}/pick", {"scan_id": key(), "code": line["sku"], "units": line["units"]})
    return fo


def ready(admin, made):
    fo = picked(admin, made)
    return admin.post(f"{FO}/{fo['id']}/ready", {"shelf": "C-1"})


def test_an_order_is_picked_packed_and_shipped(admin):
    made = place(admin, ("SHIRT", 2))
    fo = picked(admin, made)
    path = f"{FO}/{fo['id']}"
    assert admin.post(f"{path}/pack", {"weight_g": 650})["status"] == "packed"
    shipped = key()
    shipment = admin.post(f"{path}/ship", {}, 201, key=shipped)
    assert admin.post(f"{path}/ship", {}, 201, key=shipped) == shipment
    problem = admin.post(f"{path}/ship", {}, 409, key=key())
    assert (problem["code"], "return" in problem["detail"]) == ("already_shipped", True)
    whole = admin.get(f"/api/v1/orders/{made['id']}")
    assert (whole["status"], whole["public_status"]) == ("completed", "OrderInTransit")
    assert whole["fulfillment_orders"][0]["tracking_number"] == shipment["tracking_number"]
    assert admin.post(f"{path}/deliver")["status"] == "delivered"
    for paper in ("label", "slip"):
        assert admin.send("GET", f"{path}/{paper}").data.startswith(b"%PDF")


def test_a_list_is_walked_claimed_and_taken_over(admin, client_with):
    places = [place(admin, ("LAMP", 1)) for _ in range(2)]
    ids = [made["fulfillment_orders"][0]["id"] for made in places]
    walk = admin.post(LISTS, {"node": "MAD-W", "fulfillment_orders": ids}, 201)
    path = f"{LISTS}/{walk['pick_list']['id']}"
    assert len(walk["stops"]) == 2
    other = client_with("work:read", "work:write")
    assert other.post(f"{path}/claim", None, 409)["code"] == "claimed_by_other"
    assert other.post(f"{path}/take-over")["claimed_by"] == other.get(f"{LISTS}?node=MAD-W")["items"][-1]["claimed_by"]
    for _ in range(2):
        scanned = other.post(f"{path}/scan", {"scan_id": key(), "code": "LAMP"})
        assert scanned["counted"]
    assert other.get(path)["picked"] == 2


def test_a_wrong_scan_and_one_too_many_are_said_and_not_counted(admin):
    fo = picking(admin, place(admin, ("SHIRT", 1)))
    path = f"{FO}/{fo['id']}/pick"
    wrong = admin.post(path, {"scan_id": key(), "code": "SHOES"}, 422)
    assert (wrong["code"], "SHIRT" in wrong["detail"]) == ("wrong_article", True)
    assert admin.post(path, {"scan_id": key(), "code": "SHIRT", "units": 2}, 409)["code"] == "too_many"
    assert admin.get(f"{FO}/{fo['id']}")["lines"][0]["picked"] == 0
    scan = {"scan_id": key(), "code": "SHIRT"}
    assert [admin.post(path, scan)["counted"] for _ in range(2)] == [True, False]


def test_a_short_pick_is_served_from_elsewhere_at_once(admin):
    made = place(admin, ("SHIRT", 3))
    fo = picking(admin, made)
    body = {"line_id": fo["lines"][0]["id"], "found": 1, "reason": "not_found"}
    admin.post(f"{FO}/{fo['id']}/short", body, key=key())
    parts = admin.get(f"/api/v1/orders/{made['id']}")["fulfillment_orders"]
    units = {part["node"]: sum(line["units"] for line in part["lines"]) for part in parts if part["lines"]}
    assert units == {fo["node"]: 1, "SEV-1": 2}


def test_a_rejected_order_is_served_from_elsewhere_and_its_old_work_says_so(admin):
    made = place(admin, ("SHIRT", 1))
    old = made["fulfillment_orders"][0]
    rejected = admin.post(f"{FO}/{old['id']}/reject", {"reason": "no_staff"}, key=key())["fulfillment_orders"]
    assert [fo["status"] for fo in rejected] == ["rejected"]
    parts = admin.get(f"/api/v1/orders/{made['id']}")["fulfillment_orders"]
    assert {part["node"]: part["status"] for part in parts} == {old["node"]: "rejected", "SEV-1": "allocated"}
    problem = admin.post(LISTS, {"node": old["node"], "fulfillment_orders": [old["id"]]}, 409)
    assert "elsewhere" in problem["detail"]


@pytest.mark.parametrize("path", ["short", "reject"])
def test_a_reason_that_there_is_not_is_refused(admin, path):
    fo = picking(admin, place(admin, ("SHIRT", 1)))
    body = {"reason": "magic"} | ({"line_id": fo["lines"][0]["id"], "found": 0} if path == "short" else {})
    admin.post(f"{FO}/{fo['id']}/{path}", body, 422, key=key())
    assert admin.get(f"{FO}/{fo['id']}")["status"] == "picking"


def test_a_collected_order_is_handed_over_against_its_code_and_paid(admin):
    made = collected(admin, ("SHOES", 1))
    code = made["fulfillment_orders"][0]["pickup_code"]
    fo = ready(admin, made)
    assert "pickup_code" not in fo
    path = f"{FO}/{fo['id']}/hand-over"
    assert admin.post(path, {"code": code}, 409, key=key())["code"] == "payment_due"
    wrong = "000000" if code != "000000" else "111111"
    assert admin.post(path, {"code": wrong, "paid_by": "cash"}, 422, key=key())["code"] == "wrong_code"
    assert admin.post(path, {"code": code, "paid_by": "cash"}, key=key())["status"] == "handed_over"
    assert admin.get(f"/api/v1/orders/{made['id']}")["due"] == network.euros("0.00")


def test_wrong_codes_stay_counted_and_lock(admin):
    fo = ready(admin, collected(admin, ("SHOES", 1), paid=True))
    path = f"{FO}/{fo['id']}/hand-over"
    codes = [admin.send("POST", path, None, body={"code": "no"}, key=key()).get_json()["code"] for _ in range(6)]
    assert codes[0] == "wrong_code"
    assert codes[-1] == "code_locked"
    assert admin.post(path, {"identified_by": "id_card"}, key=key())["status"] == "handed_over"


def test_what_the_shopper_refuses_is_put_back(admin):
    fo = ready(admin, collected(admin, ("SHOES", 1), paid=True))
    assert admin.post(f"{FO}/{fo['id']}/refuse", {"reason": "wrong_size"})["status"] == "refused"
    task = next(
        task for task in admin.get("/api/v1/put-backs?node=MAD-1")["items"] if task["fulfillment_order_id"] == fo["id"]
    )
    done = admin.post(f"/api/v1/put-backs/{task['id']}/scan", {"scan_id": key(), "code": "SHOES"})
    assert done["done"] == 1


def test_a_store_that_lacks_the_unit_gets_it_by_transfer(admin):
    made = collected(admin, ("LAMP", 1), paid=True)
    parts = {part["method"]: part for part in made["fulfillment_orders"]}
    assert (parts["collect"]["status"], parts["transfer"]["destination_node"]) == ("awaiting_transfer", "MAD-1")
    leg = parts["transfer"]["id"]
    admin.post(LISTS, {"node": "MAD-W", "fulfillment_orders": [leg]}, 201)
    admin.post(f"{FO}/{leg}/pick", {"scan_id": key(), "code": "LAMP"})
    transfer = admin.post(f"{FO}/{leg}/dispatch", {}, 201, key=key())
    assert admin.post(f"/api/v1/transfers/{transfer['id']}/cancel", {}, 409)["code"] == "transfer_serves_order"
    received = admin.post(f"/api/v1/transfers/{transfer['id']}/receive", {}, key=key())
    assert received["status"] == "received"
    assert admin.get(f"{FO}/{parts['collect']['id']}")["status"] == "allocated"


def test_a_return_is_taken_back_at_the_counter(admin):
    made = place(admin, ("SHIRT", 1))
    fo = picked(admin, made)
    admin.post(f"{FO}/{fo['id']}/pack", {})
    admin.post(f"{FO}/{fo['id']}/ship", {}, 201, key=key())
    line = {"line_id": made["lines"][0]["id"], "units": 1, "reason": "too_small", "grade": "resell"}
    body = {"order_id": made["id"], "node": "SEV-1", "lines": [line]}
    back = admin.post("/api/v1/returns", body, 201, key=key())
    assert back["status"] == "closed"
    assert admin.get(f"/api/v1/returns/{back['id']}") == back
    assert admin.get(f"/api/v1/returns?order_id={made['id']}")["items"] == [back]
    assert admin.post("/api/v1/returns", body, 409, key=key())["code"] == "not_returnable"
    assert admin.get(f"/api/v1/orders/{made['id']}")["public_status"] == "OrderReturned"


def test_a_return_is_requested_authorised_and_received(admin):
    made = place(admin, ("SHIRT", 2))
    fo = picked(admin, made)
    admin.post(f"{FO}/{fo['id']}/pack", {})
    admin.post(f"{FO}/{fo['id']}/ship", {}, 201, key=key())
    wanted = {"lines": [{"line_id": made["lines"][0]["id"], "units": 2, "reason": "late"}]}
    asked = admin.post(f"/api/v1/orders/{made['id']}/returns", wanted, 201, key=key())
    path = f"/api/v1/returns/{asked['id']}"
    assert admin.post(f"{path}/authorise")["status"] == "authorised"
    found = {"node": "SEV-1", "lines": [{"line_id": made["lines"][0]["id"], "units": 1, "grade": "damaged"}]}
    assert admin.post(f"{path}/receive", found, key=key())["status"] == "closed"


def test_plain_stock_is_transferred(admin):
    body = {"source": "MAD-W", "destination": "SEV-1", "lines": [{"sku": "LAMP", "units": 3}]}
    opened = admin.post("/api/v1/transfers", body, 201, key=key())
    path = f"/api/v1/transfers/{opened['id']}"
    assert admin.post(f"{path}/dispatch", {}, key=key())["status"] == "in_transit"
    partly = admin.post(
        f"{path}/receive", {"lines": [{"line": opened["lines"][0]["line"], "units": 2}], "complete": False}, key=key()
    )
    assert partly["status"] == "partly_received"
    assert admin.post(f"{path}/close-short", {})["lines"][0]["written_off"] == 1


def test_staff_of_another_store_do_not_even_learn_that_it_exists(admin, client_with):
    part = place(admin, ("SHIRT", 1))["fulfillment_orders"][0]
    stranger = client_with("work:read", "work:write", node="MAD-1")
    assert stranger.get(f"{FO}/{part['id']}", 404)["code"] == "not_found"
    stranger.post(f"{FO}/{part['id']}/accept", None, 404)
    assert part["id"] not in [row["id"] for row in stranger.get(f"{FO}?limit=200")["items"]]


def test_what_can_be_promised_is_told_with_the_nearest_store_first(admin):
    path = "/api/v1/availability?sku=SHOES&sku=LAMP&latitude=37.4&longitude=-5.9"
    shoes, lamps = admin.get(path)["items"]
    assert [near["node"] for near in shoes["nodes"]] == ["MAD-1"]
    distances = [near["distance_km"] for near in lamps["nodes"]]
    assert distances == sorted(distances)
    assert admin.get("/api/v1/availability?sku=NOTHING&node=NOWHERE&channel=none", 422)["errors"].__len__() == 3


def test_the_ledger_proves_itself_after_all_this(house):
    from api import proof

    assert house.doors.read(lambda session: list(proof.findings(session))) == []
