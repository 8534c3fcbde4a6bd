"""/availability: what can be promised, and which stores near a place have it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from api import availability
from api.openapi import PREFIX
from api.rest.operation import Call, Resource, anywhere
from api.schemas.availability import AvailabilityQuery, AvailabilitySchema

resource = Resource("availability", __name__, url_prefix=PREFIX, description="What can be promised.")


@resource.operation(
    "GET", "/availability", scope="availability:read", query=AvailabilityQuery, answer=AvailabilitySchema, at=anywhere
)
def show_availability(session: Session, call: Call) -> Any:
    """Tell what can be promised of up to 200 articles, by node, the nearest first, and over the network.

    A key with `availability:read` alone hears words and dates, and sees no figures.
    """
    exact, country = call.caller.may("stock:read"), call.config.network.country
    return {"items": availability.find(session, call.query, exact=exact, country=country, now=call.now)}
