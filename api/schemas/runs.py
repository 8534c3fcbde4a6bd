"""Nightly runs on the wire; money is in the network's currency."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from api.schemas.base import MoneyField, PageQuery, Schema, at_most, instant, one_of, page_of
from fulfillment.planning import report
from fulfillment.planning.models import Run, RunStatus
from kernel.money import Money


class RunQuery(PageQuery):
    """Which runs are wanted."""

    status = fields.String(load_default=None, validate=one_of(*RunStatus))


class StageSchema(Schema):
    """A stage of a run that is done."""

    stage = fields.String()
    seconds = fields.Float()


class RunSchema(Schema):
    """A run: what it saw, how it was solved, and what it would save."""

    id = fields.String()
    number = fields.String()
    status = fields.String(metadata={"enum": list(RunStatus)})
    cause = fields.String()
    seed = fields.Integer()
    solver = fields.String(allow_none=True)
    demands = fields.Integer()
    ledger_position = fields.Integer(
        allow_none=True, metadata={"description": "The position that the ledger had come to when the run read it."}
    )
    cost_before = MoneyField(allow_none=True)
    cost_after = MoneyField(allow_none=True)
    bound = MoneyField(allow_none=True)
    gap = fields.Float(allow_none=True, metadata={"description": "How far from the optimum it may be, as a share."})
    before_by_term = fields.Dict(keys=fields.String(), values=MoneyField())
    after_by_term = fields.Dict(keys=fields.String(), values=MoneyField())
    progress = fields.List(fields.Nested(StageSchema))
    seconds = fields.Float(allow_none=True)
    message = fields.String(allow_none=True)
    decided_by = fields.String(allow_none=True)
    planned_at = instant()
    decided_at = instant(allow_none=True)


class MovementSchema(Schema):
    """What a run would change for one demand, and what became of it."""

    demand_id = fields.String()
    before = fields.List(fields.Dict())
    after = fields.List(fields.Dict())
    cost_before = MoneyField()
    cost_after = MoneyField()
    saving = MoneyField()
    fate = fields.String(metadata={"description": "proposed, applied, lapsed or declined."})
    reason = fields.String(allow_none=True)


class WholeRunSchema(RunSchema):
    """A run with its movements."""

    movements = fields.List(fields.Nested(MovementSchema))


RunPage = page_of(RunSchema)


class AcceptSchema(Schema):
    """The demands whose movements are accepted; all when left out."""

    demand_ids = fields.List(fields.String(), load_default=None, allow_none=True, validate=at_most(100_000, at_least=1))


class OutcomeSchema(Schema):
    """What accepting did."""

    applied = fields.List(fields.String())
    lapsed = fields.Dict(keys=fields.String(), values=fields.String(), metadata={"description": "Why, by demand."})


def show_run(run: Run, currency: str) -> dict[str, Any]:
    """Return a run as it is sent."""

    def money(minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, currency)

    names = (
        "id", "number", "status", "cause", "seed", "solver", "demands", "ledger_position", "progress", "seconds",
        "message", "decided_by", "planned_at", "decided_at",
    )  # fmt: skip
    shown = {name: getattr(run, name) for name in names}
    for name in ("cost_before", "cost_after", "bound"):
        shown[name] = money(getattr(run, f"{name}_minor"))
    for name in ("before_by_term", "after_by_term"):
        shown[name] = {term: money(minor) for term, minor in getattr(run, name).items()}
    return shown | {"gap": report.gap(run)}


def show_whole_run(run: Run, currency: str) -> dict[str, Any]:
    """Return a run with its movements as it is sent."""
    names = ("demand_id", "before", "after", "fate", "reason")
    costs = ("cost_before", "cost_after", "saving")
    movements = [
        {name: getattr(movement, name) for name in names}
        | {name: Money(getattr(movement, f"{name}_minor"), currency) for name in costs}
        for movement in run.movements
    ]
    return show_run(run, currency) | {"movements": movements}
