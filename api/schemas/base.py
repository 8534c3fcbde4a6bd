"""The fields and rules that all schemas share: unknown fields are refused, every fault has a code, numbers have bounds.

Imported by the other schemas. Invariant: no value that passes here can overflow a column or break a driver.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from api.errors import Message
from kernel.money import CURRENCIES, InvalidMoney, Money, parse

MAX_UNITS = 1_000_000
MAX_INTEGER = 2**31 - 1
MAX_ROWS = 1_000
MAX_PAGE = 200
DEFAULT_PAGE = 50


def between(low: int, high: int) -> validate.Range:
    """Return the rule for a whole number with bounds."""
    return validate.Range(low, high, error=Message(f"Must be from {low} to {high}.", "out_of_range"))


def at_most(length: int, *, at_least: int = 0) -> validate.Length:
    """Return the rule for how long a text or a list may be."""
    return validate.Length(
        at_least, length, error=Message(f"Must have from {at_least} to {length} characters or entries.", "wrong_length")
    )


def one_of(*choices: str) -> validate.OneOf:
    """Return the rule for a closed set of words."""
    return validate.OneOf(choices, error=Message("Must be one of " + ", ".join(choices) + ".", "not_a_choice"))


class Schema(ma.Schema):
    """The base of every schema: unknown fields are refused, order is kept, each message carries its code."""

    error_messages = {
        "unknown": Message("Unknown field.", "unknown_field"),
        "type": Message("Must be an object.", "not_an_object"),
    }

    class Meta:
        unknown = ma.RAISE

    def on_bind_field(self, field_name: str, field_obj: ma.fields.Field[Any]) -> None:
        """Give each message of the field its code, once the field is part of a schema."""
        _code_messages(field_obj)


def _code_messages(field: ma.fields.Field[Any]) -> None:
    field.error_messages = {key: _coded(text, key) for key, text in field.error_messages.items()}
    if isinstance(field, fields.List):
        _code_messages(field.inner)


def _coded(text: Any, key: str) -> Any:
    return Message(text, key) if isinstance(text, str) and not isinstance(text, Message) else text


def code(*, required: bool = True, **options: Any) -> fields.String:
    """Return a field for an identifier that people or other systems chose."""
    return fields.String(required=required, validate=at_most(64, at_least=1), **options)


def text(length: int = 200, *, required: bool = False, **options: Any) -> fields.String:
    """Return a field for free text."""
    return fields.String(required=required, validate=at_most(length), **options)


def whole(low: int, high: int, *, required: bool = True, **options: Any) -> fields.Integer:
    """Return a field for a whole number with bounds."""
    return fields.Integer(required=required, strict=True, validate=between(low, high), **options)


def units(low: int = 1, *, required: bool = True, **options: Any) -> fields.Integer:
    """Return a field for a number of units."""
    return whole(low, MAX_UNITS, required=required, **options)


def count(**metadata: Any) -> fields.Integer:
    """Return a field for a whole number that we only send."""
    return fields.Integer(dump_only=True, metadata=metadata)


def instant(*, required: bool = False, **options: Any) -> Instant:
    """Return a field for a moment, with its offset."""
    return Instant(required=required, **options)


class Instant(fields.AwareDateTime):
    """A moment as ISO 8601 with an offset, from 2000 to 2100, so that arithmetic on it cannot overflow."""

    default_error_messages = {
        "invalid": "Must be a moment of ISO 8601 with an offset, such as 2026-03-17T10:30:00+01:00.",
        "invalid_awareness": "Must have an offset, such as +01:00 or Z.",
        "out_of_range": "Must be between the years 2000 and 2100.",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        moment: datetime = super()._deserialize(value, attr, data, **kwargs)
        if not 2000 <= moment.year <= 2100:
            raise self.make_error("out_of_range")
        return moment


class MoneyField(fields.Field[Money]):
    """An amount with its currency: `{"amount": "19.90", "currency": "EUR"}`; the amount is a decimal string."""

    default_error_messages = {
        "shape": 'Must be {{"amount": "19.90", "currency": "EUR"}}, the amount a decimal string.',
    }

    def __init__(self, *, example: str = "19.90", **options: Any) -> None:
        metadata = options.pop("metadata", {}) | {"example": {"amount": example, "currency": "EUR"}}
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Money:
        texts = isinstance(value, dict) and all(isinstance(part, str) for part in value.values())
        if not texts or set(value) != {"amount", "currency"}:
            raise self.make_error("shape")
        try:
            money = parse(value["amount"], value["currency"])
        except InvalidMoney as error:
            fault, member = (
                ("invalid_amount", "amount") if value["currency"] in CURRENCIES else ("unknown_currency", "currency")
            )
            raise ma.ValidationError({member: [Message(f"{error}.", fault)]}) from error
        if money.minor < 0:
            raise ma.ValidationError({"amount": [Message("Must not be negative.", "negative")]})
        return money

    def _serialize(self, value: Money | None, attr: str | None, obj: Any, **kwargs: Any) -> dict[str, str] | None:
        return None if value is None else {"amount": value.amount, "currency": value.currency}


def money_properties(_converter: Any, field: ma.fields.Field[Any], **_: Any) -> dict[str, Any]:
    """Describe money to OpenAPI: an object of two strings."""
    if not isinstance(field, MoneyField):
        return {}
    return {
        "type": ["object", "null"] if field.allow_none else "object",
        "required": ["amount", "currency"],
        "additionalProperties": False,
        "properties": {
            "amount": {"type": "string", "pattern": r"^-?\d{1,15}(\.\d{1,3})?$", "description": "Decimal string."},
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217."},
        },
    }


class PageQuery(Schema):
    """How a list is paged."""

    cursor = fields.String(
        load_default=None, validate=at_most(400), metadata={"description": "`next_cursor` of the page before."}
    )
    limit = fields.Integer(
        load_default=DEFAULT_PAGE, validate=between(1, MAX_PAGE), metadata={"description": "Rows on a page."}
    )


def page_of(row: type[Schema]) -> type[Schema]:
    """Return the schema of a page of rows."""
    name = row.__name__.removesuffix("Schema")
    members = {
        "items": fields.List(fields.Nested(row)),
        "next_cursor": fields.String(
            allow_none=True, metadata={"description": "Ask for the next page with it; null on the last."}
        ),
    }
    return type(f"{name}PageSchema", (Schema,), members)


class RowAnswerSchema(Schema):
    """What became of one row of a bulk request."""

    row = fields.Integer(metadata={"description": "Its place in the request, from 0."})
    result = fields.String(metadata={"description": "created, updated, unchanged or failed."})
    id = fields.String(metadata={"description": "The identifier of what was written."})
    errors = fields.List(fields.Nested("ProblemFaultSchema"), metadata={"description": "Why it failed."})


class BulkAnswerSchema(Schema):
    """What became of each row of a bulk request."""

    results = fields.List(fields.Nested(RowAnswerSchema))


class ProblemFaultSchema(Schema):
    """One thing wrong with the request."""

    pointer = fields.String(
        metadata={"description": "JSON pointer to the field; empty for the whole.", "example": "/lines/0/quantity"}
    )
    code = fields.String(metadata={"example": "out_of_range"})
    message = fields.String(metadata={"example": "Must be from 1 to 1000000."})


class ProblemSchema(Schema):
    """Why a request was refused (RFC 9457); `code` is stable, `detail` is for people."""

    type = fields.String(metadata={"example": "about:blank"})
    title = fields.String(metadata={"example": "Unprocessable Content"})
    status = fields.Integer(metadata={"example": 422})
    code = fields.String(metadata={"example": "invalid"})
    detail = fields.String(metadata={"example": "The request has 1 fault."})
    instance = fields.String(metadata={"example": "/api/v1/orders"})
    errors = fields.List(fields.Nested(ProblemFaultSchema))
    alternatives = fields.List(
        fields.Nested("AlternativeSchema"),
        metadata={"description": "With out_of_stock: how else a collection could be had that its store cannot serve."},
    )
