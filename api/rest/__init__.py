"""The REST resources under /api/v1, one file each: decode, call one verb, return its value."""

from __future__ import annotations

from api.rest import catalog, events, stock

RESOURCES = (catalog.resource, events.resource, stock.resource)
