"""/shadow-prices and /markdowns over HTTP."""

from datetime import timedelta

import pytest

from tests.api import network
from tests.api.conftest import NOW

PRICES, MARKDOWNS = "/api/v1/shadow-prices", "/api/v1/markdowns"


@pytest.fixture(scope="module", autouse=True)
def built(admin):
    network.build(admin)


def price(amount, **changed):
    usual = {
        "sku": "SHIRT",
        "node": "MAD-1",
        "price": network.euros(amount),
        "valid_from": NOW.isoformat(),
        "source": "run-1",
    }
    return usual | changed


def put(client, address, rows, status=200):
    return client.send("PUT", address, status, body=rows).get_json()


def test_shadow_prices_are_set_in_bulk_and_read_page_by_page(admin):
    rows = [
        price("1.50"),
        price("0.40", node="SEV-1"),
        price("1.00", sku="NOTHING"),
        price("1.00", price=network.euros("-1")),
    ]
    answers = put(admin, PRICES, rows)["results"]
    assert [answer["result"] for answer in answers] == ["created", "created", "failed", "failed"]
    assert answers[2]["errors"][0]["code"] == "unknown_sku"
    assert put(admin, PRICES, rows[:1])["results"][0]["result"] == "unchanged"
    first = admin.get(f"{PRICES}?limit=1")
    second = admin.get(f"{PRICES}?limit=1&cursor={first['next_cursor']}")
    assert [(row["node"], row["price"]["amount"]) for page in (first, second) for row in page["items"]] == [
        ("MAD-1", "1.50"), ("SEV-1", "0.40"),
    ]  # fmt: skip
    assert (first["items"][0]["version"], first["items"][0]["source"]) == (1, "run-1")
    assert second["next_cursor"] is None
    later = price("2.00", node="SEV-1", valid_from=(NOW + timedelta(days=1)).isoformat())
    put(admin, PRICES, [later])
    assert len(admin.get(f"{PRICES}?node=SEV-1")["items"]) == 2


def test_markdowns_are_set_for_articles_or_families(admin):
    rows = [
        {
            "family": "shirts",
            "node": "MAD-1",
            "saved": network.euros("6.00"),
            "from_on": "2026-11-01",
            "until_on": "2027-01-06",
        },
        {"sku": "SHIRT", "node": "MAD-1", "saved": network.euros("9.00"), "from_on": "2026-11-01"},
        {"node": "MAD-1", "saved": network.euros("9.00"), "from_on": "2026-11-01"},
    ]
    results = put(admin, MARKDOWNS, rows)["results"]
    assert [answer["result"] for answer in results] == ["created", "created", "failed"]
    assert results[2]["errors"][0]["code"] == "one_of_two"
    first = admin.get(f"{MARKDOWNS}?limit=1")
    second = admin.get(f"{MARKDOWNS}?limit=1&cursor={first['next_cursor']}")
    assert [row["family"] or row["sku"] for page in (first, second) for row in page["items"]] == ["shirts", "SHIRT"]
    assert (first["items"][0]["saved"], first["items"][0]["until_on"]) == (network.euros("6.00"), "2027-01-06")


@pytest.mark.parametrize("address", [PRICES, MARKDOWNS])
def test_only_who_plans_sets_what_units_are_worth(client_with, address):
    client_with("stock:write").send("PUT", address, 403, body=[price("1.00")])


def test_amounts_are_in_the_currency_of_the_network(admin):
    dollars = price("1.00", price={"amount": "1.00", "currency": "USD"})
    assert put(admin, PRICES, [dollars], 422)["errors"][0]["code"] == "other_currency"
