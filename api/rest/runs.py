"""/runs: what the night would change, before and after, and the planner's verdict."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from api import cursors
from api.openapi import PREFIX
from api.rest.operation import Call, Resource
from api.schemas import runs as schemas
from fulfillment.planning import report, runs
from fulfillment.planning.runs import Considered

resource = Resource("runs", __name__, url_prefix=f"{PREFIX}/runs", description="Nightly runs.")


def _consider(session: Session, call: Call, run_id: str) -> Considered:
    return runs.consider(session, run_id, call.body["demand_ids"], now=call.now)


@resource.operation("POST", "", scope="plan:write", answer=schemas.RunSchema, status=202, key=True)
def start_run(session: Session, call: Call) -> Any:
    """Start a run over all that nobody works on yet; it is worked out in the background."""
    seed = call.config.night.seed
    run = runs.start(session, cause="planner", seed=seed, actor=call.actor, now=call.now)
    return schemas.show_run(run, call.config.network.currency)


@resource.operation("GET", "", scope="plan:read", query=schemas.RunQuery, answer=schemas.RunPage)
def list_runs(session: Session, call: Call) -> Any:
    """List runs, newest first."""
    limit = call.query["limit"]
    before = cursors.decode(call.query["cursor"], str)
    found = report.latest(session, status=call.query["status"], before=before[0] if before else None, limit=limit + 1)
    shown = [schemas.show_run(run, call.config.network.currency) for run in found[:limit]]
    return {"items": shown, "next_cursor": cursors.encode(shown[-1]["id"]) if len(found) > limit else None}


@resource.operation("GET", "/<run_id>", scope="plan:read", answer=schemas.WholeRunSchema)
def show_run(session: Session, call: Call, run_id: str) -> Any:
    """Show a run with every movement, its cost before and after, and the proof."""
    return schemas.show_whole_run(runs.view(session, run_id), call.config.network.currency)


@resource.operation(
    "POST", "/<run_id>/accept", scope="plan:write", body=schemas.AcceptSchema, answer=schemas.OutcomeSchema, key=True,
    decide=_consider, example={"demand_ids": None},
)  # fmt: skip
def accept_run(session: Session, call: Call, run_id: str, decided: Considered) -> Any:
    """Apply a run, all of it or the movements of some demands; what no longer fits lapses and is told."""
    return runs.accept(session, run_id, decided, actor=call.actor, now=call.now)


@resource.operation("POST", "/<run_id>/reject", scope="plan:write", answer=schemas.RunSchema)
def reject_run(session: Session, call: Call, run_id: str) -> Any:
    """Decline a run; nothing changes."""
    return schemas.show_run(runs.reject(session, run_id, actor=call.actor, now=call.now), call.config.network.currency)


@resource.operation("POST", "/<run_id>/cancel", scope="plan:write", answer=schemas.RunSchema)
def cancel_run(session: Session, call: Call, run_id: str) -> Any:
    """Give up a run that is queued or being worked out."""
    return schemas.show_run(runs.cancel(session, run_id, actor=call.actor, now=call.now), call.config.network.currency)
