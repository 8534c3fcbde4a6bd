"""Nightly runs as planners and their tools read them."""

from __future__ import annotations

from marshmallow import fields

from api.schemas.base import MoneyField, PageQuery, Schema, at_most, code, instant


class RunQuery(PageQuery):
    """Which runs are wanted."""

    status = fields.String(
        load_default=None, validate=at_most(40), metadata={"description": "Only runs in this state."}
    )


class StartRunSchema(Schema):
    """A run to be worked out now."""

    seed = fields.Integer(load_default=None, strict=True, metadata={"description": "Seed of the solver's draws."})


class AcceptRunSchema(Schema):
    """Which movements are accepted."""

    demands = fields.List(
        code(),
        load_default=None,
        allow_none=True,
        validate=at_most(100_000),
        metadata={"description": "Accept the movements of these demands only; null accepts all."},
    )


class PartSchema(Schema):
    """Units of a line at a node."""

    line = fields.String()
    sku = fields.String()
    units = fields.Integer()
    node = fields.String()
    method = fields.String()
    carrier_service = fields.String(allow_none=True)
    work_on = fields.String(metadata={"format": "date"})


class MovementSchema(Schema):
    """What a run would change for one demand, and what became of that."""

    demand = fields.String(attribute="demand_id")
    before = fields.List(fields.Nested(PartSchema))
    after = fields.List(fields.Nested(PartSchema))
    cost_before = MoneyField()
    cost_after = MoneyField()
    saving = MoneyField()
    fate = fields.String(metadata={"description": "proposed, applied, lapsed or declined"})
    reason = fields.String(allow_none=True)


class StageSchema(Schema):
    """A stage of working out a run."""

    stage = fields.String()
    seconds = fields.Float()
    best = fields.Integer(allow_none=True)
    bound = fields.Integer(allow_none=True)


class RunSchema(Schema):
    """A run: what it saw, what it would cost and save, and how far from the optimum it may be."""

    id = fields.String()
    number = fields.String()
    status = fields.String(metadata={"example": "proposed"})
    cause = fields.String(metadata={"description": "night, planner or api"})
    demands = fields.Integer()
    cost_before = MoneyField(allow_none=True)
    cost_after = MoneyField(allow_none=True)
    bound = MoneyField(allow_none=True, metadata={"description": "No plan costs less."})
    gap = fields.Float(
        allow_none=True, metadata={"description": "How far the plan may be from the optimum, as a share."}
    )
    before_by_term = fields.Dict(keys=fields.String(), values=MoneyField())
    after_by_term = fields.Dict(keys=fields.String(), values=MoneyField())
    solver = fields.String(allow_none=True)
    seed = fields.Integer()
    seconds = fields.Float(allow_none=True)
    inputs_hash = fields.String(allow_none=True)
    ledger_position = fields.Integer(allow_none=True)
    progress = fields.List(fields.Nested(StageSchema))
    message = fields.String(allow_none=True)
    decided_by = fields.String(allow_none=True)
    planned_at = instant()
    decided_at = instant(allow_none=True)


class RunWithMovementsSchema(RunSchema):
    """A run with what it would change."""

    movements = fields.List(fields.Nested(MovementSchema))


class OutcomeSchema(Schema):
    """What accepting a run did."""

    applied = fields.List(fields.String(), metadata={"description": "Demands whose movements are applied."})
    lapsed = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "Demands that could not follow, and why."},
    )
