"""The REST resources under /api/v1, one file each: decode, call one verb, return its value."""

from __future__ import annotations

from api.rest import catalog, events, orders, stock

RESOURCES = (catalog.resource, events.resource, orders.resource, stock.resource)
