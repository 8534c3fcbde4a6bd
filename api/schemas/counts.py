"""Counts, their sessions, proposals and rules on the wire.

A caller who may not review gets null wherever a figure would tell what the shelf should hold, or what others found.
"""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, post_load

from api.errors import Message
from api.schemas.base import (
    MAX_ROWS,
    MoneyField,
    PageQuery,
    Schema,
    at_most,
    code,
    instant,
    one_of,
    page_of,
    text,
    units,
    whole,
)
from stock.counting.documents import Cause, CountScope, CountStatus, SessionStatus, TaskStatus
from stock.counting.rules import LIMITS, Rule

BLIND = {"description": "Null for callers who may not review."}


def shelf(**options: Any) -> fields.String:
    """Return a field for the name of a shelf; null and absent mean the article's own."""
    return fields.String(load_default=None, allow_none=True, validate=at_most(64), **options)


class AreaSchema(Schema):
    """A range of shelves, bounds included; without bounds the whole node."""

    shelf_from = shelf()
    shelf_to = shelf()


class OpenCountSchema(Schema):
    """What is to be counted at a node: articles, shelves, or an area; exactly one of them."""

    node = code()
    skus = fields.List(code(), load_default=None, validate=at_most(MAX_ROWS, at_least=1))
    shelves = fields.List(code(), load_default=None, validate=at_most(MAX_ROWS, at_least=1))
    area = fields.Nested(AreaSchema, load_default=None)
    reason = text(64, load_default="recount")

    @ma.validates_schema
    def one_way(self, values: dict[str, Any], **_: Any) -> None:
        """Refuse none or several of the ways to say what is counted."""
        if sum(values.get(name) is not None for name in ("skus", "shelves", "area")) != 1:
            raise ma.ValidationError({"skus": [Message("Give skus, shelves or area: one of them.", "one_of_three")]})


class BeginSessionSchema(Schema):
    """Whether nobody else is there, so that the same person counts a second time."""

    alone = fields.Boolean(load_default=False)


class CountedSchema(Schema):
    """What a shelf holds of an article, in place of what the caller wrote there before."""

    sku = code()
    units = units(0)
    shelf = shelf()


class CountScanSchema(Schema):
    """A scan on top of what was counted; the device makes `scan_id`, and the same id counts once."""

    scan_id = code()
    code = code()
    units = units(required=False, load_default=1)
    shelf = shelf()


class NoneThereSchema(Schema):
    """Articles of which there are none, each named."""

    skus = fields.List(code(), required=True, validate=at_most(MAX_ROWS, at_least=1))


class ForgetShelfSchema(Schema):
    """The shelf that is counted from the beginning."""

    shelf = fields.String(required=True, validate=at_most(64))


class ForgottenSchema(Schema):
    """How many results were taken back."""

    results = fields.Integer()


class AcceptedSchema(Schema):
    """Which round's result of an article is right."""

    sku = code()
    round = whole(1, 100)


class ReviewSchema(Schema):
    """What a reviewer says of articles: accept a round's result, or have them counted once more."""

    accept = fields.List(fields.Nested(AcceptedSchema), load_default=list, validate=at_most(MAX_ROWS))
    recount = fields.List(code(), load_default=list, validate=at_most(MAX_ROWS))


class CountResultSchema(Schema):
    """What a session found of an article on a shelf."""

    session_id = fields.String()
    sku = fields.String()
    shelf = fields.String()
    units = fields.Integer()
    counted_at = instant()


class CountScannedSchema(Schema):
    """What a scan led to; `counted` is false when it had been counted before."""

    result = fields.Nested(CountResultSchema)
    counted = fields.Boolean()


class CountSessionSchema(Schema):
    """One counter's part in a round."""

    id = fields.String()
    count_id = fields.String()
    round = fields.Integer()
    counter = fields.String()
    status = fields.String(metadata={"enum": list(SessionStatus)})
    alone = fields.Boolean()
    begun_at = instant()
    ended_at = instant(allow_none=True)
    ended_by = fields.String(allow_none=True)


class OwnSessionSchema(CountSessionSchema):
    """A session with what it found."""

    results = fields.List(fields.Nested(CountResultSchema))


class SessionSumSchema(Schema):
    """A session of a count, and how much it has."""

    id = fields.String()
    round = fields.Integer()
    counter = fields.String()
    status = fields.String(metadata={"enum": list(SessionStatus)})
    alone = fields.Boolean()
    begun_at = instant()
    ended_at = instant(allow_none=True)
    ended_by = fields.String(allow_none=True)
    articles = fields.Integer()
    units = fields.Integer(allow_none=True, metadata=BLIND)


class TallySchema(Schema):
    """What a round found; from `low` to `high` every figure is right, since units moved while it was counted."""

    round = fields.Integer()
    counted = fields.Integer()
    low = fields.Integer()
    high = fields.Integer()
    difference = fields.Integer(metadata={"description": "Units missing (negative) or too many."})
    value = MoneyField(example="-19.90", metadata={"description": "The difference at unit cost."})
    counted_at = instant()
    counters = fields.List(fields.String())


class CountLineSchema(Schema):
    """An article of a count; not `asked` when it was found without being expected."""

    sku = fields.String()
    shelf = fields.String(allow_none=True)
    asked = fields.Boolean()
    round = fields.Integer(metadata={"description": "The last round that wants it."})
    counted = fields.Boolean(metadata={"description": "Whether the count's present round has a result of it."})
    tallies = fields.List(fields.Nested(TallySchema), allow_none=True, metadata=BLIND)
    accepted_round = fields.Integer(allow_none=True, metadata=BLIND)
    accepted_by = fields.String(allow_none=True, metadata=BLIND)


class StepSchema(Schema):
    """A step that somebody took."""

    from_status = fields.String()
    to_status = fields.String()
    round = fields.Integer()
    actor = fields.String()
    occurred_at = instant()


class CountSchema(Schema):
    """A count."""

    id = fields.String()
    node = fields.String()
    status = fields.String(metadata={"enum": list(CountStatus)})
    reason = fields.String()
    scope = fields.String(metadata={"enum": list(CountScope)})
    shelf_from = fields.String(allow_none=True)
    shelf_to = fields.String(allow_none=True)
    round = fields.Integer()
    version = fields.Integer()


class WholeCountSchema(CountSchema):
    """A count with its articles, sessions and steps."""

    id = fields.String(attribute="count.id")
    node = fields.String(attribute="count.node")
    status = fields.String(attribute="count.status", metadata={"enum": list(CountStatus)})
    reason = fields.String(attribute="count.reason")
    scope = fields.String(attribute="count.scope", metadata={"enum": list(CountScope)})
    shelf_from = fields.String(attribute="count.shelf_from", allow_none=True)
    shelf_to = fields.String(attribute="count.shelf_to", allow_none=True)
    round = fields.Integer(attribute="count.round")
    version = fields.Integer(attribute="count.version")
    blind = fields.Boolean(metadata={"description": "Whether figures are left out, since the caller may not review."})
    lines = fields.List(fields.Nested(CountLineSchema))
    sessions = fields.List(fields.Nested(SessionSumSchema))
    history = fields.List(fields.Nested(StepSchema))


class CountQuery(PageQuery):
    """Which counts are wanted."""

    node = fields.String(load_default=None)
    status = fields.String(load_default=None, validate=one_of(*CountStatus))


CountPage = page_of(CountSchema)


class CountTaskSchema(Schema):
    """A proposal to count an article at a node; `reference` is what gave the sign, `times` how often one came."""

    id = fields.String()
    node = fields.String()
    sku = fields.String()
    cause = fields.String(metadata={"enum": list(Cause)})
    reference = fields.String()
    status = fields.String(metadata={"enum": list(TaskStatus)})
    times = fields.Integer()
    proposed_at = instant()
    count_id = fields.String(allow_none=True)
    closed_at = instant(allow_none=True)
    closed_by = fields.String(allow_none=True)


class CountTaskQuery(PageQuery):
    """Which proposals are wanted."""

    node = fields.String(load_default=None)
    status = fields.String(load_default=None, validate=one_of(*TaskStatus))
    cause = fields.String(load_default=None, validate=one_of(*Cause))


CountTaskPage = page_of(CountTaskSchema)


class CountRuleSchema(Schema):
    """How a node counts; values are at unit cost, in minor units of the network's currency."""

    recount_units = whole(
        *LIMITS["recount_units"], metadata={"description": "A larger difference is counted a second time."}
    )
    recount_value_minor = whole(
        *LIMITS["recount_value_minor"], metadata={"description": "So is one of a larger value."}
    )
    four_eyes = fields.Boolean(
        required=True, metadata={"description": "Large differences are not posted by the only person who counted them."}
    )
    zero_checks = fields.Boolean(
        required=True, metadata={"description": "A pick or sale that should have emptied a shelf proposes a count."}
    )
    max_age_days = whole(
        *LIMITS["max_age_days"], metadata={"description": "How often articles with most of the value are counted."}
    )
    tasks_a_day = whole(
        *LIMITS["tasks_a_day"], metadata={"description": "Most proposals because of age that stand at once."}
    )

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> Rule:
        """Return what the stock room takes."""
        return Rule(**values)
