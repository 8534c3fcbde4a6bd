"""The feed of events as others read it."""

from __future__ import annotations

from marshmallow import fields

from api.schemas.base import DEFAULT_PAGE, MAX_INTEGER, MAX_PAGE, Schema, between, instant


class EventQuery(Schema):
    """Which events are wanted."""

    after = fields.Integer(
        load_default=0, validate=between(0, MAX_INTEGER), metadata={"description": "Events after this position."}
    )
    limit = fields.Integer(
        load_default=DEFAULT_PAGE, validate=between(1, MAX_PAGE), metadata={"description": "At most so many."}
    )


class EventSchema(Schema):
    """A fact; the same `id` may come twice, `sequence` is dense from 1 for each aggregate."""

    position = fields.Integer(metadata={"description": "Its place in the feed."})
    id = fields.String()
    type = fields.String(metadata={"example": "order.placed"})
    aggregate = fields.String(metadata={"example": "order"})
    aggregate_id = fields.String()
    sequence = fields.Integer()
    payload = fields.Dict(metadata={"description": "Ids and values; never personal data."})
    recorded_at = instant()


class EventFeedSchema(Schema):
    """A stretch of the feed."""

    events = fields.List(fields.Nested(EventSchema))
    last_position = fields.Integer(metadata={"description": "Ask next for what is after this."})
