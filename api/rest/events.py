"""/events: what happened, in the one order in which everybody reads it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from api.openapi import PREFIX
from api.rest.operation import Call, Resource
from api.schemas.events import EventFeedSchema, EventQuery
from kernel import events

resource = Resource("events", __name__, url_prefix=PREFIX, description="What happened, to be followed by position.")


@resource.operation("GET", "/events", scope="events:read", query=EventQuery, answer=EventFeedSchema)
def follow_events(session: Session, call: Call) -> dict[str, Any]:
    """Read the events after a position.

    At least once, in order for each aggregate; keep `last_position` and ask again.
    """
    found = events.after(session, call.query["after"], limit=call.query["limit"])
    rows = [{"position": position, **_row(event)} for position, event in found]
    return {"events": rows, "last_position": found[-1][0] if found else call.query["after"]}


def _row(event: events.OutboxEvent) -> dict[str, Any]:
    return {
        name: getattr(event, name)
        for name in ("id", "type", "aggregate", "aggregate_id", "sequence", "payload", "recorded_at")
    }
