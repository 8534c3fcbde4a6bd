"""Rules of safety stock on the wire: what is null fits everything."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, pre_dump

from api.schemas.base import Schema, at_most, code, units
from stock.models import NodeKind, SafetyRule
from stock.safety_rules import SCOPE, RuleRow

EXAMPLE = {"id": "stores-shirts", "family": "shirts", "kind": "store", "channel": "market", "units": 2}


def _named(**metadata: Any) -> fields.String:
    return fields.String(load_default=None, allow_none=True, validate=at_most(64), metadata=metadata)


class SafetyRuleRowSchema(Schema):
    """Units that are kept back: of an article or a family, at a node, a group or a kind of nodes, from a channel."""

    id = code(metadata={"example": "stores-shirts"})
    units = units(0)
    sku = _named(description="Of this article alone.")
    family = _named(description="Of all articles of this family.")
    node = _named(description="At this node alone.")
    group = _named(description="At the nodes of this group.")
    kind = _named(description="At nodes of this kind.", enum=[*NodeKind, None])
    channel = _named(description="From this channel alone.")
    active = fields.Boolean(load_default=True)

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> RuleRow:
        """Return what the stock room takes."""
        everything: dict[str, Any] = {name: "" for name, value in values.items() if value is None}
        return RuleRow(**(values | everything))


class SafetyRuleSchema(SafetyRuleRowSchema):
    """A rule as it stands."""

    @pre_dump
    def show(self, rule: SafetyRule, **_: Any) -> dict[str, Any]:
        """Say null where everything fits."""
        shown = {name: getattr(rule, name) for name in ("id", "units", "active")}
        return shown | {name: getattr(rule, name) or None for name in SCOPE}


class SafetyRulesSchema(Schema):
    """All rules."""

    items = fields.List(fields.Nested(SafetyRuleSchema))
