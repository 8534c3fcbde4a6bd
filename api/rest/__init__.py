"""The REST resources under /api/v1, one file each: decode, call one verb, return its value."""

from __future__ import annotations

from api.rest import (
    availability,
    carriers,
    carts,
    catalog,
    counts,
    events,
    fulfillment_orders,
    orders,
    pick_lists,
    policies,
    promises,
    purchasing,
    returns,
    runs,
    safety_rules,
    stock,
    transfers,
    unit_prices,
)  # fmt: skip

RESOURCES = (
    orders.resource, carts.resource, availability.resource, promises.resource, fulfillment_orders.resource,
    pick_lists.resource, returns.resource, stock.resource, safety_rules.resource, purchasing.resource,
    transfers.resource, counts.resource, runs.resource, policies.resource, catalog.resource, carriers.resource,
    unit_prices.resource, events.resource,
)  # fmt: skip
