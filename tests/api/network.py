"""A small network, set up over HTTP as a retailer would: a warehouse, two stores, three articles, two channels."""

import copy

from api.rest.carriers import EXAMPLE_BAND
from api.rest.catalog import EXAMPLE_NODE

EVERY_DAY = {str(day): [["09:00", "21:00"]] for day in range(7)}
STORES = {"MAD-1": (40.4168, -3.7038), "SEV-1": (37.3891, -5.9845)}
SKUS = ("SHIRT", "SHOES", "LAMP")
MADRID = {
    "name": "Ana García", "line1": "Calle Mayor 1", "city": "Madrid", "postal_code": "28013", "country": "ES",
    "latitude": 40.42, "longitude": -3.70,
}  # fmt: skip


def euros(amount):
    return {"amount": amount, "currency": "EUR"}


def node(name, kind, latitude, longitude, **changes):
    return {
        **copy.deepcopy(EXAMPLE_NODE), "id": name, "name": name, "kind": kind, "latitude": latitude,
        "longitude": longitude, "opening_hours": EVERY_DAY, "cut_off": "20:00", **changes,
    }  # fmt: skip


def article(sku, **changes):
    return {"sku": sku, "name": sku.title(), "weight_g": 300, "price": euros("20.00"), **changes}


def build(client):
    """Write the network; doing it twice changes nothing."""
    nodes = [node(name, "store", *place) for name, place in STORES.items()]
    nodes.append(node("MAD-W", "warehouse", 40.31, -3.71, collects=False, package_cost=euros("1.00")))
    client.post("/api/v1/nodes", nodes)
    client.post("/api/v1/articles", [article(sku) for sku in SKUS])
    client.post("/api/v1/channels", [
        {"id": "web", "name": "Online shop", "kind": "web", "currency": "EUR"},
        {"id": "market", "name": "Marketplace", "kind": "marketplace", "currency": "EUR", "shortage": "refuse"},
    ])  # fmt: skip
    band = {**EXAMPLE_BAND, "max_distance_km": 3000, "max_weight_g": 30_000}
    client.post(
        "/api/v1/carriers", [band, {**band, "carrier_service": "MESETA-10", "service": "express", "transit_days": 0}]
    )


def receive(client, key, *lines):
    """Put units on hand: (node, sku, units)."""
    rows = [{"node": where, "sku": sku, "units": units} for where, sku, units in lines]
    return client.post("/api/v1/stock/receipts", {"lines": rows}, 201, key=key)


def order(external_id, *lines, **changes):
    """Return the body of an order: lines are (sku, quantity)."""
    body = {
        "channel": "web", "external_id": external_id, "currency": "EUR",
        "customer": {"name": "Ana García", "email": "ana@example.com", "phone": "+34 600 000 000", "language": "es"},
        "method": "ship", "service": "standard", "ship_to": MADRID,
        "lines": [{"sku": sku, "quantity": quantity, "unit_price": euros("20.00")} for sku, quantity in lines],
    }  # fmt: skip
    return {**copy.deepcopy(body), **changes}
