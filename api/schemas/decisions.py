"""Why an order is served from where it is, and what would have changed that, as it is sent."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from api.schemas.base import MoneyField, Schema, instant
from fulfillment.sourcing import explain
from fulfillment.work.models import Decision
from kernel.money import Money


class DecisionSummarySchema(Schema):
    """Why an order is served from where it is, in figures."""

    id = fields.String()
    cause = fields.String()
    status = fields.String(metadata={"description": "`optimal` is proven."})
    cost = MoneyField()
    by_term = fields.Dict(keys=fields.String(), values=MoneyField())
    gap = MoneyField(example="0.00")
    nodes = fields.List(fields.String())
    packages = fields.Integer()
    waiting = fields.Integer(metadata={"description": "Units that no node serves yet."})
    relaxed = fields.List(
        fields.String(), metadata={"description": "Soft fences of the policy that did not bind, by name."}
    )
    decided_at = instant()
    solve_ms = fields.Float()


class DecisionSchema(DecisionSummarySchema):
    """A decision whole: the words, what was chosen, what waits, and every candidate with its cost or its fence."""

    words = fields.List(fields.String())
    assignments = fields.List(fields.Dict())
    unfilled = fields.List(fields.Dict())
    candidates = fields.List(fields.Dict())
    policy = fields.String()
    policy_version = fields.Integer()


class DecisionsSchema(Schema):
    """Every decision about an order, oldest first."""

    decisions = fields.List(fields.Nested(DecisionSchema))


class FlipQuery(Schema):
    """Which decision to ask about."""

    decision_id = fields.String(load_default=None, metadata={"description": "The newest of each demand by default."})


class FlipSchema(Schema):
    """A change that would have flipped a decision."""

    kind = fields.String(metadata={"description": "stock, packages, minutes, cost, fence or cut_off."})
    amount = fields.Integer(metadata={"description": "So many units, packages, minutes or minor units of money."})
    saves = MoneyField(metadata={"description": "What the better plan costs less."})
    node = fields.String(allow_none=True)
    sku = fields.String(allow_none=True)
    arrives_at = instant(allow_none=True)
    exact = fields.Boolean(metadata={"description": "False for a cost that is the least that it could be."})
    words = fields.String()


class FlippedDecisionSchema(Schema):
    """What would have flipped one decision: the nearest change, then all, each kind from its smallest on."""

    decision_id = fields.String()
    decided_at = instant()
    nearest = fields.Nested(FlipSchema, allow_none=True)
    flips = fields.List(fields.Nested(FlipSchema))


class FlipsSchema(Schema):
    """What would have flipped the decisions about an order; empty for those made before that was kept."""

    decisions = fields.List(fields.Nested(FlippedDecisionSchema))


def show_decision(decision: Decision, currency: str) -> dict[str, Any]:
    """Return a decision's summary as it is sent; its money is in the network's currency."""
    found = explain.summary(decision)
    terms = {term: Money(minor, currency) for term, minor in found["by_term"].items()}
    return found | {
        "cost": Money(found["cost_minor"], currency),
        "gap": Money(found["gap_minor"], currency),
        "by_term": terms,
    }
