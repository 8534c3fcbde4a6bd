"""The ways an order in trouble may go on, and the choice of one."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load

from api.schemas.base import MoneyField, Schema, at_most, code, instant, one_of
from fulfillment.sourcing.recovery import Choice, Remedy
from kernel.money import Money
from oms.recovery import Asked, Trouble


class RemedySchema(Schema):
    """One way to go on: what it serves and leaves, from where, when, at which cost, and how likely all is found."""

    choice = fields.String(metadata={"description": "ship, collect, substitute, wait or cancel."})
    node = fields.String(allow_none=True, metadata={"description": "The store of a collection."})
    substitutes = fields.Dict(keys=fields.String(), values=fields.String())
    nodes = fields.List(fields.String(), metadata={"description": "Where the units come from."})
    units = fields.Integer()
    left = fields.Integer(metadata={"description": "Units that this does not serve."})
    arrives_at = instant(allow_none=True)
    cost = MoneyField(metadata={"description": "The retailer's; of a cancel what it is worth to avoid it."})
    probability = fields.Float(allow_none=True)


class RemainingLineSchema(Schema):
    """Units of a line that nobody works on."""

    line_id = fields.String(attribute="id")
    sku = fields.String()
    units = fields.Integer()


class FailureSchema(Schema):
    """A node that did not serve what it was given."""

    node = fields.String()
    sku = fields.String()
    cause = fields.String()
    reason = fields.String()
    failed_at = instant()


class TroubleSchema(Schema):
    """Lines of an order that can still be decided, what went wrong with them, and the ways they may go on."""

    demand_id = fields.String()
    method = fields.String()
    collect_node = fields.String(allow_none=True)
    waiting_reason = fields.String(allow_none=True)
    person_since = instant(allow_none=True, metadata={"description": "Since when a person has to decide, if so."})
    lines = fields.List(fields.Nested(RemainingLineSchema))
    failures = fields.List(fields.Nested(FailureSchema))
    choices = fields.List(fields.Nested(RemedySchema))


class RecoverySchema(Schema):
    """How an order may go on."""

    demands = fields.List(fields.Nested(TroubleSchema))


class ChooseSchema(Schema):
    """What was chosen for some lines of an order, and why."""

    demand_id = code()
    choice = fields.String(required=True, validate=one_of(*Choice))
    reason = code()
    node = fields.String(load_default=None, allow_none=True)
    substitutes = fields.Dict(
        keys=fields.String(), values=fields.String(), load_default=dict, validate=at_most(200)
    )  # fmt: skip

    @post_load
    def asked(self, values: dict[str, Any], **_: Any) -> Asked:
        """Return what was chosen."""
        return Asked(**values)


def show_trouble(trouble: Trouble, currency: str) -> dict[str, Any]:
    """Return how some lines may go on, as it is sent."""
    demand, wanted = trouble.demand, trouble.wanted
    names = ("method", "collect_node", "waiting_reason", "person_since")
    return {name: getattr(demand, name) for name in names} | {
        "demand_id": demand.id,
        "lines": wanted.lines,
        "failures": wanted.failures,
        "choices": [_remedy(remedy, currency) for remedy in trouble.remedies],
    }


def _remedy(remedy: Remedy, currency: str) -> dict[str, Any]:
    return vars(remedy) | {"choice": remedy.choice.value, "cost": Money(remedy.cost_minor, currency)}
