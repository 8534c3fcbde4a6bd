"""What may be promised, over HTTP: in figures for those who may see them, in words for everybody."""

from datetime import datetime

import pytest
from sqlalchemy import event

from stock import purchasing, recipes
from stock.purchasing import OrderedRow
from stock.recipes import Component, RecipeRow
from tests.api import network
from tests.api.conftest import NOW

PATH = "/api/v1/availability"
SOON, LATER = "2026-11-20T08:00:00Z", "2026-11-25T08:00:00Z"


@pytest.fixture(scope="module", autouse=True)
def built(admin):
    network.build(admin)


def article(admin, sku, **fields):
    admin.post("/api/v1/articles", [network.article(sku, **fields)])


def ask(client, query, expect=200):
    return client.get(f"{PATH}?{query}", expect)


def row(client, query):
    (found,) = ask(client, query)["items"]
    return found


def buy(house, sku, units, expected_at):
    wanted = OrderedRow(
        supplier="ACME", node="MAD-W", lines=((sku, units),), expected_at=datetime.fromisoformat(expected_at)
    )
    house.doors.write(lambda session: purchasing.open_order(session, wanted, actor="ana", now=NOW))


def test_a_public_key_hears_words_and_sees_no_figures(admin, client_with):
    article(admin, "VASE")
    network.receive(admin, "public", ("MAD-1", "VASE", 2), ("SEV-1", "VASE", 9))
    public = client_with("availability:read")
    found = row(public, "sku=VASE&latitude=40.4&longitude=-3.7&supply=true")
    assert (found["status"], found["network"], found["supply"], found["dates"]) == ("in_stock", None, None, [])
    here = {node["node"]: node for node in found["nodes"]}
    assert {name: node["status"] for name, node in here.items()} == {"MAD-1": "low", "SEV-1": "in_stock"}
    assert {node[figure] for node in here.values() for figure in ("available", "in_transit", "version")} == {None}
    assert here["MAD-1"]["ready_at"]
    assert ask(public, "sku=VASE&channel=none", 422)["code"] == "unknown_names"
    assert public.get("/api/v1/stock/balances", 403)["code"] == "missing_scope"


def test_a_channel_says_what_is_low(admin):
    article(admin, "BOWL")
    network.receive(admin, "low", ("MAD-1", "BOWL", 5))
    assert row(admin, "sku=BOWL")["status"] == "in_stock"
    channel = {"id": "boutique", "name": "Boutique", "kind": "web", "currency": "EUR", "low_stock": 5}
    admin.post("/api/v1/channels", [channel])
    assert row(admin, "sku=BOWL&channel=boutique")["status"] == "low"


def test_a_back_order_is_expected_after_those_who_wait(admin, house):
    article(admin, "SOFA", backorder=True)
    buy(house, "SOFA", 2, SOON)
    buy(house, "SOFA", 3, LATER)
    found = row(admin, "sku=SOFA&supply=true")
    assert (found["status"], found["network"], found["expected_at"]) == ("back_order", 0, "2026-11-20T08:00:00+00:00")
    assert [(each["kind"], each["units"]) for each in found["supply"]] == [("purchase_order", 2), ("purchase_order", 3)]
    placed = admin.post("/api/v1/orders", network.order("B-1", ("SOFA", 2)), 201, key="back-1")
    assert placed["lines"][0]["expected_at"] == "2026-11-20T08:00:00+00:00"
    found = row(admin, "sku=SOFA&supply=true")
    assert (found["expected_at"], [each["units"] for each in found["dates"]]) == ("2026-11-25T08:00:00+00:00", [0, 3])


def test_a_pre_order_is_expected_when_the_sale_begins(admin):
    article(admin, "PHONE", available_from=LATER)
    network.receive(admin, "early", ("MAD-W", "PHONE", 4))
    found = row(admin, "sku=PHONE")
    assert (found["status"], found["network"]) == ("pre_order", 0)
    assert found["expected_at"] == "2026-11-25T08:00:00+00:00"
    assert [node["available"] for node in found["nodes"]] == [0]
    placed = admin.post("/api/v1/orders", network.order("P-1", ("PHONE", 1)), 201, key="pre-1")
    assert (placed["fulfillment_orders"], placed["lines"][0]["waiting"]) == ([], 1)


def test_a_bundle_is_as_many_as_its_least_component_allows(admin, house):
    for sku in ("CUP", "PLATE", "SET"):
        article(admin, sku)
    row_of_set = RecipeRow(sku="SET", kind="bundle", components=(Component("CUP", 2), Component("PLATE", 1)))
    house.doors.write(lambda session: recipes.put(session, [row_of_set]))
    network.receive(admin, "sets", ("MAD-1", "CUP", 5), ("MAD-1", "PLATE", 9), ("SEV-1", "PLATE", 1))
    found = row(admin, "sku=SET")
    assert (found["network"], found["status"]) == (2, "low")
    assert {node["node"]: node["available"] for node in found["nodes"]} == {"MAD-1": 2, "SEV-1": 0}
    placed = admin.post("/api/v1/orders", network.order("S-1", ("SET", 2)), 201, key="set-1")
    assert [(line["sku"], line["ordered"], line["bundle"]["line"]) for line in placed["lines"]] == [
        ("CUP", 4, 1), ("PLATE", 2, 1),
    ]  # fmt: skip
    assert [part["node"] for part in placed["fulfillment_orders"]] == ["MAD-1"]
    assert row(admin, "sku=SET")["network"] == 0


def test_up_to_200_articles_cost_as_many_statements_as_one(admin, house):
    skus = [f"MANY-{number}" for number in range(201)]
    for start in (0, 101):
        admin.post("/api/v1/articles", [network.article(sku) for sku in skus[start : start + 101]])
    network.receive(admin, "many", *(("MAD-W", sku, 2) for sku in skus[:200]))
    query = "&".join(f"sku={sku}" for sku in skus[:200])
    assert [found["network"] for found in ask(admin, query)["items"]] == [2] * 200
    assert statements(house, admin, query) == statements(house, admin, "sku=MANY-0")
    problem = ask(admin, f"{query}&sku=MANY-200", 422)
    assert [fault["code"] for fault in problem["errors"]] == ["wrong_length"]


def statements(house, client, query):
    """How many statements a question costs, but for those that find out whose key it is."""
    seen = []
    engine = house.doors.database.reader
    note = lambda *arguments: seen.append(arguments[2])  # noqa: E731
    event.listen(engine, "before_cursor_execute", note)
    ask(client, query)
    event.remove(engine, "before_cursor_execute", note)
    return sum(1 for each in seen if each.startswith("SELECT") and "api_key" not in each)


def test_what_is_shown_is_what_the_balance_of_that_version_can_promise(admin):
    network.receive(admin, "shown", ("MAD-1", "LAMP", 6))
    admin.post("/api/v1/orders", network.order("V-1", ("LAMP", 2)), 201, key="shown-1")
    balances = {each["node"]: each for each in admin.get("/api/v1/stock/balances?sku=LAMP")["items"]}
    for node in row(admin, "sku=LAMP")["nodes"]:
        balance = balances[node["node"]]
        assert node["version"] == balance["version"]
        assert node["available"] == balance["on_hand"] - balance["reserved"] - balance["safety_stock"]
