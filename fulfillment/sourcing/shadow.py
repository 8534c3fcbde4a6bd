"""A draft that runs beside the policy in force, on live decisions, without effect.

Driven by a job: `work_out` reads and solves, `keep` writes. Invariant: a decision is compared once for each draft; how
far a draft has come is written with what was compared, so that a pass which dies is done again, and never twice.

Both policies decide against what there is some seconds later, with what the decision claimed counted as free: the one
in force anew, so that neither has an advantage of the units that others took meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from fulfillment.network import policies
from fulfillment.network.models import Policy
from fulfillment.sourcing.demanded import as_new, orders_of, rows_of
from fulfillment.sourcing.trial import Outcome, Pair, decided_by, freed
from fulfillment.work.models import LEFT, OPEN, Decision, Demand, ShadowDecision
from kernel.db import database_now, insert_into, table

CAUSE: Final = "order"
"""What is compared: decisions of orders as they come in."""
SETTLED: Final = timedelta(seconds=10)
"""Decisions are written with ids of some seconds before they are seen; later than this, none comes between."""
MOST_COMPARED: Final = 5_000
"""The newest decisions that a comparison is about."""


@dataclass(frozen=True)
class Pass:
    """What one pass compared for one draft of the decisions `seen`, and the last of these."""

    policy: str
    version: int
    reached: str
    seen: int
    rows: tuple[Mapping[str, Any], ...]


def newest_decision(session: Session) -> str:
    """Return the id of the newest decision, empty for none: where a shadow begins."""
    return session.scalar(select(Decision.id).order_by(Decision.id.desc()).limit(1)) or ""


def work_out(session: Session, *, limit: int) -> list[Pass]:
    """Decide again, under each draft that runs as shadow and its policy in force, up to `limit` decisions each."""
    drafts = session.execute(
        select(Policy.id, Policy.version, Policy.shadow_after).where(Policy.shadow_after.is_not(None))
    ).all()
    return [found for draft in drafts if (found := _pass(session, draft, limit)) is not None]


def keep(session: Session, found: Pass) -> int:
    """Write what a pass compared, unless the draft runs no longer; return how many decisions."""
    moved = session.execute(
        update(Policy)
        .where(Policy.id == found.policy, Policy.version == found.version, Policy.shadow_after < found.reached)
        .values(shadow_after=found.reached)
        .returning(Policy.version)
    )
    if moved.first() is None or not found.rows:
        return 0
    given = insert_into(session, table(ShadowDecision)).on_conflict_do_nothing()
    session.execute(given, [dict(row) for row in found.rows])
    return len(found.rows)


def pairs(session: Session, policy_id: str, version: int) -> list[Pair]:
    """Return what was compared for a draft, the newest decision first; the demand's reference stands for it."""
    query = (
        select(Demand.reference, ShadowDecision.live, ShadowDecision.shadow)
        .join(Decision, Decision.id == ShadowDecision.decision_id)
        .join(Demand, Demand.id == Decision.demand_id)
        .where(ShadowDecision.policy == policy_id, ShadowDecision.version == version)
        .order_by(ShadowDecision.decision_id.desc())
        .limit(MOST_COMPARED)
    )
    return [Pair(row[0], Outcome.read(row[1]), Outcome.read(row[2])) for row in session.execute(query)]


_DECISION = table(Decision)
_COLUMNS = (
    _DECISION.c.id, _DECISION.c.demand_id, _DECISION.c.assignments, _DECISION.c.unfilled, _DECISION.c.policy,
    _DECISION.c.policy_version, _DECISION.c.cause, _DECISION.c.decided_at,
)  # fmt: skip


def _pass(session: Session, draft: Row[Any, Any, Any], limit: int) -> Pass | None:
    now = session.scalar(select(database_now()))
    assert now is not None, "the database has a clock"
    following = (
        select(*_COLUMNS)
        .where(_DECISION.c.id > draft.shadow_after, _DECISION.c.recorded_at <= now - SETTLED)
        .order_by(_DECISION.c.id)
        .limit(limit)
    )
    decisions = session.execute(following).all()
    if not decisions:
        return None
    chosen = [each for each in decisions if each.cause == CAUSE and each.policy == draft.id]
    rows = tuple(_compared(session, chosen, draft)) if chosen else ()
    return Pass(draft.id, draft.version, decisions[-1].id, len(decisions), rows)


def _compared(session: Session, chosen: Sequence[Any], draft: Row[Any, Any, Any]) -> list[Mapping[str, Any]]:
    demands = {demand.id: demand for demand in rows_of(session, [each.demand_id for each in chosen])}
    orders = orders_of(session, list(demands), OPEN | LEFT)
    shadow = policies.as_if_active(session, draft.id, draft.version)
    rows: list[Mapping[str, Any]] = []
    for each in chosen:
        live = policies.as_if_active(session, each.policy, each.policy_version)
        own = freed([order for order in orders[each.demand_id] if order.decision_id == each.id])
        wanted = as_new(demands[each.demand_id], _units(each))
        outcomes = decided_by(session, wanted, (live, shadow), now=each.decided_at, own=own)
        rows.append(_row(draft, each.id, each.decided_at, outcomes))
    return rows


def _units(decision: Any) -> Counter[str]:
    """Return the units that a decision was about, by line."""
    units: Counter[str] = Counter()
    for part in (line for package in decision.assignments for line in package["lines"]):
        units[part["line"]] += part["units"]
    for missing in decision.unfilled:
        units[missing["line"]] += missing["units"]
    return units


def _row(
    draft: Row[Any, Any, Any], decision_id: str, decided_at: datetime, outcomes: Sequence[Outcome]
) -> dict[str, Any]:
    live, shadow = (outcome.document() for outcome in outcomes)
    return {
        "policy": draft.id, "version": draft.version, "decision_id": decision_id, "decided_at": decided_at,
        "live": live, "shadow": shadow,
    }  # fmt: skip
