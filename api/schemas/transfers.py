"""Transfers on the wire."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load

from api.schemas.base import MAX_ROWS, PageQuery, Schema, at_most, code, instant, one_of, page_of, text, units, whole
from stock.documents import TransferStatus
from stock.transfers import TransferWant


class WantSchema(Schema):
    """Units wanted at the destination."""

    sku = code()
    units = units()

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> TransferWant:
        """Return what the stock room takes."""
        return TransferWant(**values)


class OpenTransferSchema(Schema):
    """Units that should go from one node to another."""

    source = code()
    destination = code()
    expected_at = instant(load_default=None, allow_none=True)
    lines = fields.List(fields.Nested(WantSchema), required=True, validate=at_most(MAX_ROWS, at_least=1))


class NumberedUnitsSchema(Schema):
    """Units of a line, by its number."""

    line = whole(0, MAX_ROWS)
    units = units(0)


class SentSchema(Schema):
    """What leaves; all of it when no line is named."""

    lines = fields.List(fields.Nested(NumberedUnitsSchema), load_default=None, allow_none=True)


class ArrivedLineSchema(NumberedUnitsSchema):
    """Units of a line that arrived; with a reason when they cannot be sold as they are."""

    reason = fields.String(load_default=None, allow_none=True, validate=at_most(64), metadata={"example": "damaged"})


class SurplusSchema(Schema):
    """Units that came along without having been sent."""

    sku = code()
    units = units()
    reason = text(64, load_default="surplus")


class ArrivedSchema(Schema):
    """What arrived, all of it when no line is named; `complete` false when more is still to come."""

    lines = fields.List(fields.Nested(ArrivedLineSchema), load_default=None, allow_none=True)
    surplus = fields.List(fields.Nested(SurplusSchema), load_default=list, validate=at_most(MAX_ROWS))
    complete = fields.Boolean(load_default=True)


class CancelTransferSchema(Schema):
    """What becomes of units that are already on their way."""

    choice = fields.String(load_default=None, allow_none=True, validate=one_of("write_back", "write_off"))


class CloseShortSchema(Schema):
    """Why what is missing will not come: `lost`, or `sent_back` to its source."""

    reason = text(64, load_default="lost")


class FoundSchema(Schema):
    """Units that had been written off and turned up, at the destination when no node is named."""

    lines = fields.List(fields.Nested(NumberedUnitsSchema), required=True, validate=at_most(MAX_ROWS, at_least=1))
    node = fields.String(load_default=None, allow_none=True)
    reason = text(64, load_default="found")


class TransferLineSchema(Schema):
    """Units of an article in a transfer; with a reference they are for an order line."""

    line = fields.Integer()
    sku = fields.String()
    reference = fields.String()
    units = fields.Integer()
    dispatched = fields.Integer()
    received = fields.Integer()
    written_off = fields.Integer()
    found = fields.Integer(metadata={"description": "Of the received: came after having been written off."})
    surplus = fields.Integer(metadata={"description": "Came without having been sent."})


class TransferSchema(Schema):
    """A transfer; its reference is the fulfillment order it serves, if any."""

    id = fields.String()
    number = fields.String()
    source = fields.String()
    destination = fields.String()
    reference = fields.String()
    status = fields.String(metadata={"enum": list(TransferStatus)})
    expected_at = instant(allow_none=True)
    dispatched_at = instant(allow_none=True)
    version = fields.Integer()
    lines = fields.List(fields.Nested(TransferLineSchema))


class TransferQuery(PageQuery):
    """Which transfers are wanted; `node` is the source or the destination."""

    node = fields.String(load_default=None)
    status = fields.String(load_default=None, validate=one_of(*TransferStatus))
    differences = fields.String(
        load_default=None, validate=one_of("open", "lost", "surplus"),
        metadata={"description": "`open`: overdue or partly received; `lost`: written off and not found; `surplus`."},
    )  # fmt: skip


TransferPage = page_of(TransferSchema)
