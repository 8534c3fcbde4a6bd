"""Promises over REST: who sees what, and what is refused. The stories of them stand in tests/journeys."""

import pytest
from sqlalchemy import event

from stock import recipes
from stock.recipes import Component, RecipeRow
from tests.api import network

PATH = "/api/v1/promises"
MADRID = {"latitude": 40.4, "longitude": -3.7}


@pytest.fixture(scope="module", autouse=True)
def built(admin):
    network.build(admin)


def ask(client, expect=200, **fields):
    question = {"channel": "web", "place": MADRID, "lines": [{"sku": "LAMP", "quantity": 1}]} | fields
    return client.post(PATH, question, expect)


def in_stock(admin, sku, reference):
    admin.post("/api/v1/articles", [network.article(sku)])
    network.receive(admin, reference, ("MAD-1", sku, 2), ("SEV-1", sku, 9))


def test_a_public_key_sees_no_costs_and_holds_nothing(admin, client_with):
    in_stock(admin, "VASE", "public")
    public, wanted = client_with("availability:read"), [{"sku": "VASE", "quantity": 1}]
    ways = ask(public, lines=wanted)["ways"]
    assert ways
    assert {(way["cost"], way["by_term"]) for way in ways} == {(None, None)}
    assert public.post(f"{PATH}/{ways[0]['id']}/hold", {}, 403)["code"] == "missing_scope"
    cheapest = min(ask(admin, lines=wanted)["ways"], key=lambda way: float(way["cost"]["amount"]))
    assert sum(float(money["amount"]) for money in cheapest["by_term"].values()) == pytest.approx(
        float(cheapest["cost"]["amount"])
    )


def test_the_same_question_with_its_key_has_the_same_answer(admin):
    in_stock(admin, "MIRROR", "keys")
    question = {"channel": "web", "place": MADRID, "lines": [{"sku": "MIRROR", "quantity": 1}]}
    first, again = (admin.post(PATH, question, key="ask-1") for _ in range(2))
    assert first == again
    held, repeated = (admin.post(f"{PATH}/{first['ways'][0]['id']}/hold", {}, key="hold-1") for _ in range(2))
    assert held == repeated


def test_a_bundle_is_promised_by_its_components(admin, house):
    for sku in ("TABLE", "CHAIR"):
        in_stock(admin, sku, f"bundle {sku}")
    admin.post("/api/v1/articles", [network.article("SET")])
    row = RecipeRow(sku="SET", kind="bundle", components=(Component("TABLE", 1), Component("CHAIR", 2)))
    house.doors.write(lambda session: recipes.put(session, [row]))
    best = ask(admin, lines=[{"sku": "SET", "quantity": 1}], limit=1)["ways"][0]
    lines = [line for package in best["packages"] for line in package["lines"]]
    assert sorted((line["line"], line["sku"], line["units"]) for line in lines) == [(1, "CHAIR", 2), (1, "TABLE", 1)]


def test_every_fault_is_named(client_with):
    public = client_with("availability:read")
    wrong = {
        "channel": "none", "lines": [{"sku": "GHOST", "quantity": 1}], "place": {"latitude": 40.4},
        "services": ["pigeon"],
    }  # fmt: skip
    told = {(fault["pointer"], fault["code"]) for fault in ask(public, 422, **wrong)["errors"]}
    assert told == {
        ("/channel", "unknown_channel"), ("/lines/0/sku", "unknown_sku"), ("/place/latitude", "incomplete"),
        ("/services/0", "unknown_service"),
    }  # fmt: skip
    told = ask(public, 422, lines=[], place=None)["errors"]
    assert {(fault["pointer"], fault["code"]) for fault in told} == {("/lines", "required"), ("/place", "required")}
    assert ask(public, 422, lines=[{"sku": "GHOST", "quantity": 0}], limit=21)["errors"]


def test_a_place_that_is_not_known_has_no_way_to_ship_and_no_nearest_store(admin):
    in_stock(admin, "RUG", "nowhere")
    answer = ask(admin, lines=[{"sku": "RUG", "quantity": 1}], place={"postal_code": "99999"}, methods=["ship"])
    assert (answer["geocode"], answer["ways"]) == ("none", [])
    assert [(each["units"], each["reason"]) for each in answer["missing"]] == [(1, "no_address")]
    for place in ({}, {"postal_code": "99999"}):
        ways = ask(admin, lines=[{"sku": "RUG", "quantity": 1}], place=place, methods=["collect"])["ways"]
        assert {way["store"]["distance_km"] for way in ways} == {None}
        assert not any("nearest" in way["labels"] for way in ways)


def test_more_ways_cost_no_more_statements(admin, house):
    in_stock(admin, "DESK", "statements")
    engine, sent = house.doors.database.reader, []

    def note(*_):
        sent.append(1)

    counts = []
    for stores in (0, 0, 3):
        sent.clear()
        event.listen(engine, "before_cursor_execute", note)
        ask(admin, lines=[{"sku": "DESK", "quantity": 1}], stores=stores)
        event.remove(engine, "before_cursor_execute", note)
        counts.append(len(sent))
    assert counts[1] == counts[2] > 0
