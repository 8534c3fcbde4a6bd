"""/runs: nightly optimization, started, read, accepted in whole or part, or rejected."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from api import cursors
from api.openapi import PREFIX
from api.rest.operation import Call, Resource
from api.schemas.base import page_of
from api.schemas.runs import (
    AcceptRunSchema,
    OutcomeSchema,
    RunQuery,
    RunSchema,
    RunWithMovementsSchema,
    StartRunSchema,
)
from fulfillment.planning import report, runs
from fulfillment.planning.models import Movement, Run
from fulfillment.planning.runs import Considered, Outcome
from kernel.money import Money

resource = Resource(
    "runs", __name__, url_prefix=PREFIX, description="Nightly optimization of what nobody works on yet."
)


@resource.operation("GET", "/runs", scope="plan:read", query=RunQuery, answer=page_of(RunSchema))
def list_runs(session: Session, call: Call) -> dict[str, Any]:
    """List runs, newest first."""
    query = call.query
    after = cursors.decode(query["cursor"], str) or [None]
    found = report.latest(session, status=query["status"], before=after[0], limit=query["limit"])
    more = cursors.encode(found[-1].id) if len(found) == query["limit"] else None
    return {"items": [_run(call, run) for run in found], "next_cursor": more}


@resource.operation(
    "POST", "/runs", scope="plan:write", body=StartRunSchema, answer=RunSchema, status=202, key=True, example={}
)
def start_run(session: Session, call: Call) -> dict[str, Any]:
    """Queue a run; it is worked out in the background. Read it until its status is `proposed`."""
    seed = call.config.night.seed if call.body["seed"] is None else call.body["seed"]
    return _run(call, runs.start(session, cause="api", seed=seed, actor=call.actor, now=call.now))


@resource.operation("GET", "/runs/<run_id>", scope="plan:read", answer=RunWithMovementsSchema)
def get_run(session: Session, call: Call, run_id: str) -> dict[str, Any]:
    """Read a run with its movements."""
    run = runs.view(session, run_id)
    return _run(call, run) | {"movements": [_movement(call, movement) for movement in run.movements]}


def _consider(session: Session, call: Call, run_id: str) -> Considered:
    return runs.consider(session, run_id, call.body["demands"], now=call.now)


@resource.operation(
    "POST", "/runs/<run_id>/accept", scope="plan:write", body=AcceptRunSchema, answer=OutcomeSchema, key=True,
    decide=_consider, example={"demands": None},
)  # fmt: skip
def accept_run(session: Session, call: Call, run_id: str, decided: Considered) -> Outcome:
    """Apply movements, net; those that are no longer possible are listed as lapsed with the reason."""
    return runs.accept(session, run_id, decided, actor=call.actor, now=call.now)


@resource.operation("POST", "/runs/<run_id>/reject", scope="plan:write", answer=RunSchema)
def reject_run(session: Session, call: Call, run_id: str) -> dict[str, Any]:
    """Decline a proposed run; nothing changes."""
    return _run(call, runs.reject(session, run_id, actor=call.actor, now=call.now))


@resource.operation("POST", "/runs/<run_id>/cancel", scope="plan:write", answer=RunSchema)
def cancel_run(session: Session, call: Call, run_id: str) -> dict[str, Any]:
    """Give up a run that is queued or being worked out."""
    return _run(call, runs.cancel(session, run_id, actor=call.actor, now=call.now))


def _run(call: Call, run: Run) -> dict[str, Any]:
    shown = {name: getattr(run, name) for name in RunSchema().fields if hasattr(run, name)}
    return shown | {
        "gap": report.gap(run),
        "cost_before": _money(call, run.cost_before_minor),
        "cost_after": _money(call, run.cost_after_minor),
        "bound": _money(call, run.bound_minor),
        "before_by_term": {term: _money(call, minor) for term, minor in (run.before_by_term or {}).items()},
        "after_by_term": {term: _money(call, minor) for term, minor in (run.after_by_term or {}).items()},
    }


def _movement(call: Call, movement: Movement) -> dict[str, Any]:
    shown = {name: getattr(movement, name) for name in ("demand_id", "before", "after", "fate", "reason")}
    costs = {name: _money(call, getattr(movement, f"{name}_minor")) for name in ("cost_before", "cost_after", "saving")}
    return shown | costs


def _money(call: Call, minor: int | None) -> Money | None:
    return None if minor is None else Money(minor, call.config.network.currency)
