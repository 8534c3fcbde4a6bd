"""Policies on the wire: versions with their settings, and what a draft would change.

Invariant: settings are taken as they come and checked by the room that owns them, which names every fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marshmallow import fields

from api.schemas.base import MoneyField, Schema, at_most, instant, text, whole
from fulfillment.network.models import Policy
from fulfillment.sourcing.comparison import Comparison, TermTotals, differs
from fulfillment.sourcing.trial import MOST_TRIED, Outcome, Pair
from kernel.money import Money

EXAMPLE_SETTINGS = {
    "max_packages": 2,
    "groups": {"stores": {"kinds": ["store"]}, "depots": {"kinds": ["warehouse"]}},
    "bands": [{"group": "depots"}, {"group": "stores", "minor": 250}],
    "fences": [
        {"rule": "min_stock", "units": 2},
        {"rule": "max_distance", "km": 600, "soft": True},
        {"rule": "min_part_value", "minor": 2500, "soft": True},
    ],
}
MOST_SHOWN = 100


class DraftSchema(Schema):
    """What a draft says."""

    settings = fields.Dict(
        required=True,
        metadata={
            "description": "Weights, groups of nodes, bands and fences; amounts in minor units of the network's "
            "currency. What is left out has its default.",
            "example": EXAMPLE_SETTINGS,
        },
    )
    note = text(load_default=None, allow_none=True)


class TrySchema(Schema):
    """How many of the newest demands are decided."""

    demands = whole(1, MOST_TRIED, required=False, load_default=100)


class ShadowSwitchSchema(Schema):
    """Whether a draft runs beside the version in force."""

    on = fields.Boolean(required=True)


class PolicyVersionSchema(Schema):
    """A version of a policy."""

    id = fields.String()
    version = fields.Integer()
    status = fields.String(metadata={"enum": ["draft", "active", "archived"]})
    note = fields.String()
    author = fields.String()
    shadow = fields.Boolean(metadata={"description": "It runs beside the version in force, without effect."})
    activated_at = instant(allow_none=True)
    recorded_at = instant()


class WholePolicySchema(PolicyVersionSchema):
    """A version with what it says."""

    settings = fields.Dict()


class PoliciesSchema(Schema):
    """Versions of policies, by id, the newest first."""

    items = fields.List(fields.Nested(PolicyVersionSchema))


class VersionsSchema(Schema):
    """The versions of one policy with what they say, the newest first."""

    items = fields.List(fields.Nested(WholePolicySchema))


class TermTotalsSchema(Schema):
    """What a cost comes to under the version in force and under the draft."""

    live = MoneyField()
    draft = MoneyField()
    difference = MoneyField(metadata={"description": "Draft minus live."})


class EstimateSchema(Schema):
    """The mean difference for each demand, with its 95 % interval."""

    mean = MoneyField()
    low = MoneyField(allow_none=True)
    high = MoneyField(allow_none=True)


class PolicyOutcomeSchema(Schema):
    """What one version makes of a demand."""

    by_term = fields.Dict(keys=fields.String(), values=MoneyField())
    nodes = fields.List(fields.String())
    packages = fields.Integer()
    waiting = fields.Integer()
    relaxed = fields.List(fields.String())


class PolicyPairSchema(Schema):
    """A demand that the draft serves differently."""

    reference = fields.String(metadata={"description": "The order."})
    live = fields.Nested(PolicyOutcomeSchema)
    draft = fields.Nested(PolicyOutcomeSchema)


class ComparisonSchema(Schema):
    """What a draft would change: costs over the demands of which as many units wait under both."""

    demands = fields.Integer()
    alike = fields.Integer(metadata={"description": "Demands whose costs are compared: as many units wait."})
    differing = fields.Integer()
    other_nodes = fields.Integer()
    more_packages = fields.Integer()
    fewer_packages = fields.Integer()
    live_waiting = fields.Integer(metadata={"description": "Units that wait."})
    draft_waiting = fields.Integer()
    relaxed = fields.Integer(metadata={"description": "Demands for which the draft gives soft fences up."})
    by_term = fields.Dict(keys=fields.String(), values=fields.Nested(TermTotalsSchema))
    paid = fields.Nested(TermTotalsSchema, metadata={"description": "Without terms that a policy's own weights make."})
    paid_each = fields.Nested(EstimateSchema)
    pairs = fields.List(fields.Nested(PolicyPairSchema), validate=at_most(MOST_SHOWN))


def show_version(policy: Policy) -> dict[str, Any]:
    """Return a version as it is sent."""
    names = ("id", "version", "status", "note", "author", "activated_at", "recorded_at", "settings")
    return {name: getattr(policy, name) for name in names} | {"shadow": policy.shadow_after is not None}


def show_comparison(found: Comparison, pairs: Sequence[Pair], currency: str) -> dict[str, Any]:
    """Return a comparison with the demands that differ, the newest first."""
    each = found.paid_each
    figures = {"mean": each.mean, "low": each.low, "high": each.high}
    return {
        **vars(found),
        "by_term": {term: _totals(totals, currency) for term, totals in found.by_term.items()},
        "paid": _totals(found.paid, currency),
        "paid_each": {
            name: None if value is None else Money(round(value), currency) for name, value in figures.items()
        },
        "pairs": [_pair(pair, currency) for pair in [pair for pair in pairs if differs(pair)][:MOST_SHOWN]],
    }


def _pair(pair: Pair, currency: str) -> dict[str, Any]:
    sides = {"live": _outcome(pair.live, currency), "draft": _outcome(pair.draft, currency)}
    return {"reference": pair.reference, **sides}


def _totals(totals: TermTotals, currency: str) -> dict[str, Money]:
    amounts = {"live": totals.live_minor, "draft": totals.draft_minor, "difference": totals.difference_minor}
    return {name: Money(minor, currency) for name, minor in amounts.items()}


def _outcome(outcome: Outcome, currency: str) -> dict[str, Any]:
    return outcome.document() | {"by_term": {term: Money(cost, currency) for term, cost in outcome.by_term.items()}}
