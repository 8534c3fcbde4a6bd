"""Balances, entries, availability, and the postings that others send."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, pre_dump

from api.schemas.base import (
    MAX_INTEGER,
    MAX_ROWS,
    MAX_UNITS,
    PageQuery,
    Schema,
    at_most,
    between,
    code,
    instant,
    one_of,
    page_of,
    text,
    units,
    whole,
)
from stock.reasons import USES, ReasonRow


def _lines(schema: type[Schema]) -> fields.List[Any]:
    return fields.List(fields.Nested(schema), required=True, validate=at_most(MAX_ROWS, at_least=1))


class ReceiptLineSchema(Schema):
    """Units of an article that came in."""

    node = code(metadata={"example": "MAD-1"})
    sku = code(metadata={"example": "SHI01-WHT-M"})
    units = units()
    reason = text(64, load_default="good", metadata={"description": "A reason for receipts: in what state they are."})


class ReceiptSchema(Schema):
    """Goods from a supplier."""

    reference = text(64, load_default="", metadata={"description": "The purchase order or delivery note."})
    occurred_at = instant(load_default=None)
    lines = _lines(ReceiptLineSchema)


class AdjustmentSchema(Schema):
    """A correction of one article at a node; `units` is signed, as seen from the shelf for most reasons."""

    node = code()
    sku = code()
    units = whole(-MAX_UNITS, MAX_UNITS, metadata={"description": "Signed; -2 with `damage` takes two off the shelf."})
    reason = code(metadata={"example": "damage"})
    reference = text(64, load_default="")


class StockReasonRowSchema(Schema):
    """A reason code: what it is for, and between which accounts it moves units; both null moves none."""

    use = fields.String(required=True, metadata={"enum": list(USES)})
    code = code(metadata={"example": "mouldy"})
    from_account = fields.String(load_default=None, allow_none=True, metadata={"example": "on_hand"})
    to_account = fields.String(load_default=None, allow_none=True, metadata={"example": "damaged"})
    active = fields.Boolean(load_default=True, metadata={"description": "False takes it out of use; none is deleted."})

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> ReasonRow:
        """Return what the stock room takes."""
        return ReasonRow(**values)


class ReasonQuery(Schema):
    """Which reasons are wanted."""

    use = fields.String(load_default=None, validate=one_of(*USES))
    active = fields.Boolean(load_default=False, metadata={"description": "Only those in use."})


class StockReasonSchema(Schema):
    """A reason code."""

    use = fields.String()
    code = fields.String()
    from_account = fields.String(allow_none=True)
    to_account = fields.String(allow_none=True)
    active = fields.Boolean()


class StockReasonsSchema(Schema):
    """All reasons asked for."""

    items = fields.List(fields.Nested(StockReasonSchema))


class ConversionSchema(Schema):
    """Kits to put together or to take apart at a node, by their recipe."""

    node = code()
    sku = code(metadata={"description": "The kit.", "example": "SET01"})
    units = units(metadata={"description": "Kits."})
    direction = fields.String(required=True, validate=one_of("assemble", "take_apart"))
    reference = text(64, load_default="")


class SaleLineSchema(Schema):
    """Units sold over the counter."""

    sku = code()
    units = units()


class SaleSchema(Schema):
    """A sale at a till; it is the truth even where the ledger lacks the units."""

    node = code()
    reference = text(64, load_default="", metadata={"description": "The receipt's number."})
    occurred_at = instant(load_default=None)
    lines = _lines(SaleLineSchema)


class FeedRowSchema(Schema):
    """Units of an article: how many there are, or by how many they changed."""

    sku = code()
    units = whole(-MAX_UNITS, MAX_UNITS)


class FeedSchema(Schema):
    """What another system says a node has (`absolute`, as of an instant) or how it changed (`relative`)."""

    node = code()
    kind = fields.String(required=True, metadata={"enum": ["absolute", "relative"]})
    as_of = instant(load_default=None, metadata={"description": "When an absolute feed was counted; now when absent."})
    reference = text(64, load_default="")
    rows = _lines(FeedRowSchema)


class PostingSchema(Schema):
    """What was posted; null when nothing differed."""

    posting_id = fields.String(allow_none=True)


class ShelfRowSchema(Schema):
    """The shelf of an article at a node; shelves sort in walking order."""

    sku = code()
    node = code()
    shelf = code(metadata={"example": "A-03-2"})


class LimitRowSchema(Schema):
    """Units that are not promised to anybody, and units that may be promised beyond what is there."""

    sku = code()
    node = code()
    safety_stock = units(0, required=False, load_default=0)
    backorder_limit = units(0, required=False, load_default=0)


class BalanceQuery(PageQuery):
    """Which balances are wanted."""

    sku = fields.String(load_default=None)
    node = fields.String(load_default=None)
    position = fields.Integer(
        load_default=None,
        validate=between(0, MAX_INTEGER),
        metadata={"description": "As they were known when the ledger had come to this position."},
    )
    at = instant(
        load_default=None,
        metadata={"description": "As they were at this business time, by what is known at the position, or now."},
    )


class BalanceSchema(Schema):
    """The units of an article at a node, by account."""

    sku = fields.String()
    node = fields.String()
    on_hand = fields.Integer()
    reserved = fields.Integer()
    picked = fields.Integer()
    damaged = fields.Integer()
    quarantine = fields.Integer()
    in_transit = fields.Integer()
    safety_stock = fields.Integer(
        allow_none=True, metadata={"description": "Null in the past: limits have no history."}
    )
    backorder_limit = fields.Integer(allow_none=True, metadata={"description": "Null in the past."})
    version = fields.Integer(allow_none=True, metadata={"description": "Null about a business time."})


class BalancePageSchema(page_of(BalanceSchema)):  # type: ignore[misc]
    """A page of balances, and what they are true for."""

    position = fields.Integer(
        metadata={"description": "The position of the ledger for which a past is true; absent for the present."}
    )


class EntryQuery(PageQuery):
    """Which entries are wanted."""

    sku = code()
    node = fields.String(load_default=None)


class SideSchema(Schema):
    """One side of an entry."""

    node = fields.String(allow_none=True)
    account = fields.String()
    version = fields.Integer(allow_none=True, metadata={"description": "The version that the balance reached."})


class EntrySchema(Schema):
    """Units that moved from one account to another, and why."""

    posting_id = fields.String()
    line = fields.Integer()
    sku = fields.String()
    units = fields.Integer()
    source = fields.Nested(SideSchema)
    target = fields.Nested(SideSchema)
    reservation_id = fields.String(allow_none=True)
    kind = fields.String()
    reason = fields.String()
    reference = fields.String()
    actor = fields.String()
    occurred_at = instant()
    recorded_at = instant()

    @pre_dump
    def join(self, pair: tuple[Any, Any], **_: Any) -> dict[str, Any]:
        """Put the entry and its posting side by side."""
        entry, posting = pair
        shown = {name: getattr(entry, name) for name in ("posting_id", "line", "sku", "units", "reservation_id")}
        shown |= {name: getattr(posting, name) for name in POSTING}
        for side, name in (("from", "source"), ("to", "target")):
            shown[name] = {part: getattr(entry, f"{side}_{part}") for part in ("node", "account", "version")}
        return shown


POSTING = ("kind", "reason", "reference", "actor", "occurred_at", "recorded_at")
EntryPage = page_of(EntrySchema)
