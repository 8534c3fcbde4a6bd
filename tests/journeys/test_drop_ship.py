"""A supplier ships for us: its units are promised, picked and sent as ours, and come in as they leave."""

import copy

import pytest

from api import access
from api.rest.catalog import EXAMPLE_NODE
from tests.factories import ALL_WEEK
from tests.journeys.order import refused


@pytest.fixture
def acme(retailer):
    """A supplier outside Madrid, who may be asked for twenty coats without telling what it has."""
    node = {
        **copy.deepcopy(EXAMPLE_NODE), "id": "ACME", "name": "Acme", "kind": "supplier", "latitude": 40.3,
        "longitude": -3.7, "collects": False, "takes_returns": False, "opening_hours": ALL_WEEK, "cut_off": "20:00",
    }  # fmt: skip
    retailer.post("/nodes", [node])
    retailer.post("/stock/limits", [{"sku": "coat", "node": "ACME", "backorder_limit": 20}])
    return Supplier(retailer)


class Supplier:
    """The supplier's own system, with a key that is bound to its node."""

    def __init__(self, retailer):
        self.retailer, self.ours = retailer, retailer.key
        scopes = ["work:read", "work:write", "stock:write"]
        self.key = retailer.house.doors.write(lambda session: access.add_key(session, "acme", scopes, node="ACME"))

    def __enter__(self):
        self.retailer.key = self.key

    def __exit__(self, *_):
        self.retailer.key = self.ours


def test_an_order_is_shipped_by_a_supplier_who_tells_no_stock(retailer, acme):
    order = retailer.sells(coat=2)
    parcel = order.part
    assert (parcel["node"], parcel["method"]) == ("ACME", "ship")
    assert retailer.stock("ACME", "coat") == {"reserved": 2}
    with acme:
        retailer.picks_and_packs(parcel)
        retailer.ships(parcel)
    retailer.came_in["coat"] += 2
    assert (order.status, order.units("coat")) == ("completed", {"ordered": 2, "fulfilled": 2})
    assert retailer.stock("ACME", "coat") == {}
    moved = [
        (entry["source"]["account"], entry["target"]["account"], entry["units"])
        for entry in retailer.get("/stock/entries", sku="coat", node="ACME")["items"]
        if {entry["source"]["account"], entry["target"]["account"]} & {"supplier", "customer"}
    ]
    assert moved == [("supplier", "on_hand", 1), ("supplier", "on_hand", 1), ("on_hand", "customer", 2)]


def test_a_supplier_who_feeds_its_stock_is_promised_no_more_than_that(retailer, acme):
    retailer.post("/stock/limits", [{"sku": "coat", "node": "ACME", "backorder_limit": 0}])
    with acme:
        retailer.post("/stock/feeds", {"node": "ACME", "kind": "absolute", "rows": [{"sku": "coat", "units": 3}]})
    first, second = retailer.sells(coat=2), retailer.sells(coat=2)
    parcel = first.part
    assert parcel["node"] == "ACME"
    assert second.units("coat") == {"ordered": 2, "waiting": 1, "allocated": 1}
    with acme:
        retailer.picks_and_packs(parcel)
        retailer.ships(parcel)
        # What the supplier sold to others meanwhile is the truth, as at any node.
        retailer.post("/stock/feeds", {"node": "ACME", "kind": "relative", "rows": [{"sku": "coat", "units": -1}]})
    assert retailer.stock("ACME", "coat") == {}
    assert second.units("coat") == {"ordered": 2, "waiting": 2}


def test_a_supplier_sees_and_does_what_is_its_own_only(retailer, acme):
    mine = retailer.sells(coat=1)
    retailer.gets("WH", hat=1)
    other = retailer.sells(hat=1)
    parcel, foreign = mine.part, other.part
    with acme:
        shown = retailer.get("/fulfillment-orders")["items"]
        assert [each["id"] for each in shown] == [parcel["id"]]
        for path in (f"/fulfillment-orders/{foreign['id']}", f"/fulfillment-orders/{foreign['id']}/slip"):
            with refused("not_found", 404):
                retailer.get(path)
        with refused("not_found", 404):
            retailer.accepts(foreign)
        with refused("other_node", 403):
            retailer.get("/fulfillment-orders", node="WH")
        for path in ("/stock/balances", f"/orders/{mine.id}", "/articles", "/purchase-orders"):
            with refused("missing_scope", 403):
                retailer.get(path)
        lines = [{"node": "WH", "sku": "coat", "units": 1}]
        with refused("other_node", 403):
            retailer.post("/stock/receipts", {"lines": lines})
        retailer.accepts(parcel)
    assert mine.part["status"] == "accepted"


def test_a_supplier_that_cannot_ship_refuses_and_another_place_does(retailer, acme):
    order = retailer.sells(coat=1)
    retailer.gets("SVQ", coat=1)
    parcel = order.part
    with acme:
        retailer.rejects(parcel)
    assert order.part["node"] == "SVQ"
