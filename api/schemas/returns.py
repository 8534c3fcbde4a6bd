"""Returns on the wire."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load

from api.schemas.base import PageQuery, Schema, at_most, code, page_of, text, whole
from oms.checks import MOST_UNITS
from oms.commands import ReturnBrought, ReturnFound, ReturnWanted
from oms.returns import GRADES


class _Line(Schema):
    line_id = code()
    units = whole(1, MOST_UNITS)


def _lines(schema: type[Schema]) -> fields.List[Any]:
    return fields.List(fields.Nested(schema), required=True, validate=at_most(200, at_least=1))


def _grade() -> fields.String:
    return fields.String(required=True, metadata={"enum": list(GRADES)})


class WantedLineSchema(_Line):
    """Units of an order line that shall come back, and why."""

    reason = code(metadata={"example": "too_small"})

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> ReturnWanted:
        """Return what the order service takes."""
        return ReturnWanted(**values)


class FoundLineSchema(_Line):
    """Units of an order line that came back, and in which grade."""

    grade = _grade()

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> ReturnFound:
        """Return what the order service takes."""
        return ReturnFound(**values)


class BroughtLineSchema(_Line):
    """Units of an order line that a shopper brings, why, and in which grade."""

    reason = code(metadata={"example": "too_small"})
    grade = _grade()

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> ReturnBrought:
        """Return what the order service takes."""
        return ReturnBrought(**values)


class RequestReturnSchema(Schema):
    """What shall come back; a person authorises it."""

    lines = _lines(WantedLineSchema)


class ReceiveReturnSchema(Schema):
    """What came back, where, and in which grade."""

    node = code()
    lines = _lines(FoundLineSchema)


class CounterReturnSchema(Schema):
    """What a shopper brings to a counter, taken back in one step."""

    order_id = code()
    node = code()
    lines = _lines(BroughtLineSchema)


class WhySchema(Schema):
    """Why."""

    reason = text(64, load_default="")


class ReturnLineSchema(Schema):
    """Units of an order line in a return."""

    line_id = fields.String(attribute="order_line_id")
    sku = fields.String()
    units = fields.Integer()
    reason = fields.String()
    grade = fields.String(allow_none=True)


class ReturnSchema(Schema):
    """A return."""

    id = fields.String()
    number = fields.String()
    order_id = fields.String()
    node = fields.String(allow_none=True)
    status = fields.String()
    version = fields.Integer()
    lines = fields.List(fields.Nested(ReturnLineSchema))


class ReturnQuery(PageQuery):
    """Which returns are wanted."""

    order_id = fields.String(load_default=None)
    node = fields.String(load_default=None)
    status = fields.String(load_default=None)


ReturnPage = page_of(ReturnSchema)
