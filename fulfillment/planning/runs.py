"""The life of a nightly run: queued, worked out, proposed, and accepted in whole or part, or rejected.

Called by the doors. A run is worked out between transactions (`night`), proposed in one, and accepted in two steps like
every decision: `consider` on a read session which movements still fit together, then `accept` what it found.
Invariant: a proposed run never changes but for the fate of its movements; accepting one makes older proposals stale.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session, selectinload

from fulfillment.optimizer.plan import Assignment, Plan, cost_by_term, priced_plan
from fulfillment.planning.errors import NotMoved, RunNotFound, RunUnderWay
from fulfillment.planning.events import RunMoved
from fulfillment.planning.fitting import Change, keep_fitting
from fulfillment.planning.models import RUN_TRANSITIONS, Movement, Run, RunStatus
from fulfillment.planning.movements import by_order, differences, packages
from fulfillment.planning.night import Night, gather_night, ways
from fulfillment.sourcing import commit
from fulfillment.sourcing.proposal import Proposal
from fulfillment.sourcing.propose import changes_of
from fulfillment.work.models import Method
from kernel.events import record
from kernel.ids import new_id, short_code
from kernel.states import advance

CAUSE: Final = "night"
PROPOSED, APPLIED, LAPSED, DECLINED = "proposed", "applied", "lapsed", "declined"


@dataclass(frozen=True)
class Considered:
    """What accepting would do: the proposal to commit, and why the other movements lapse, by demand."""

    proposal: Proposal
    lapsed: Mapping[str, str] = field(default_factory=dict)
    declined: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """What accepting did: the demands whose movements are applied, and why others lapsed."""

    applied: tuple[str, ...]
    lapsed: Mapping[str, str]


def start(session: Session, *, cause: str, seed: int, actor: str, now: datetime) -> Run:
    """Queue a run. Raises RunUnderWay while another is queued or running."""
    other = session.scalar(select(Run.number).where(Run.status.in_((RunStatus.QUEUED, RunStatus.RUNNING))))
    if other is not None:
        raise RunUnderWay(other)
    parent = session.scalar(select(Run.id).where(Run.status.in_(_ACCEPTED)).order_by(Run.id.desc()).limit(1))
    run = Run(
        id=new_id(), number=short_code(6), status=RunStatus.QUEUED, cause=cause, parent_id=parent, seed=seed,
        parameters={"started_by": actor}, planned_at=now,
    )  # fmt: skip
    session.add(run)
    session.flush()
    return run


def begin(session: Session, run_id: str, *, time_limit_s: float) -> int:
    """Note that the run is being worked out, and return its seed; one whose process died is begun again."""
    run = _locked(session, run_id)
    if run.status != RunStatus.RUNNING:
        _move(session, run, RunStatus.RUNNING)
    run.parameters = {**run.parameters, "time_limit_s": time_limit_s}
    run.progress = []
    return run.seed


def next_queued(session: Session) -> str | None:
    """Return the oldest run to be worked out: queued, or begun by a process that died. For one caller at a time."""
    unfinished = Run.status.in_((RunStatus.QUEUED, RunStatus.RUNNING))
    return session.scalar(select(Run.id).where(unfinished).order_by(Run.id).limit(1))


def note(session: Session, run_id: str, *, stage: str, seconds: float, best: int | None, bound: int | None) -> None:
    """Write down a stage that is done, for those who watch; costs in minor units."""
    run = _locked(session, run_id)
    run.progress = [*run.progress, {"stage": stage, "seconds": round(seconds, 2), "best": best, "bound": bound}]


def propose(session: Session, run_id: str, night: Night, plan: Plan) -> int:
    """Store what the plan would change, with the cost before and after; return how many movements."""
    run = _locked(session, run_id)
    problem = night.gathered.problem
    before, after = cost_by_term(problem, night.standing), plan.by_term
    run.inputs_hash, run.solver, run.seconds = night.inputs_hash, plan.solver, round(plan.seconds, 3)
    run.ledger_position = night.ledger_position
    run.demands = len(problem.orders)
    run.before_by_term, run.after_by_term = before, dict(after)
    run.cost_before_minor, run.cost_after_minor, run.bound_minor = sum(before.values()), plan.objective, plan.bound
    run.parameters = {
        **run.parameters,
        "packages_before": packages(night.standing),
        "packages_after": packages(plan.assignments),
    }
    run.movements = _movements(night, plan)
    _move(session, run, RunStatus.PROPOSED)
    return len(run.movements)


def fail(session: Session, run_id: str, *, message: str) -> None:
    """Note that the run could not be worked out, and why."""
    run = _locked(session, run_id)
    run.message = message[:500]
    _move(session, run, RunStatus.FAILED)


def cancel(session: Session, run_id: str, *, actor: str, now: datetime) -> Run:
    """Give up a run that is queued or being worked out; what its solver finds is thrown away."""
    return _decided(session, _locked(session, run_id), RunStatus.CANCELLED, actor=actor, now=now)


def reject(session: Session, run_id: str, *, actor: str, now: datetime) -> Run:
    """Decline the whole run; nothing changes."""
    run = _decided(session, _locked(session, run_id), RunStatus.REJECTED, actor=actor, now=now)
    for movement in run.movements:
        movement.fate = DECLINED
    return run


def consider(session: Session, run_id: str, demand_ids: Collection[str] | None, *, now: datetime) -> Considered:
    """Find which of the wanted movements (None: all) still fit together, on a read session.

    A movement lapses when its demand has changed since, when its way is gone or arrives later than promised, or when
    the units or minutes it needs are taken, also by what another lapsed movement keeps. Raises NotMoved for demands
    that the run would not change.
    """
    run = view(session, run_id)
    advance(RUN_TRANSITIONS, run.status, RunStatus.ACCEPTED, what=f"Run {run.number}")
    unknown = sorted(set(demand_ids or ()) - {movement.demand_id for movement in run.movements})
    if unknown:
        raise NotMoved(run.number, unknown)
    wanted = {m.demand_id: m for m in run.movements if demand_ids is None or m.demand_id in demand_ids}
    declined = frozenset(m.demand_id for m in run.movements) - wanted.keys()
    night = gather_night(session, sorted(wanted), now=now)
    changes, lapsed = _changes(night, wanted)
    kept, struck = keep_fitting(night.gathered.problem, changes)
    demands = night.gathered.wanted
    lapsed |= {demands[change.order].demand_id: "no_room" for change in struck}
    return Considered(_proposal(run_id, night, kept), lapsed, declined)


def accept(session: Session, run_id: str, considered: Considered, *, actor: str, now: datetime) -> Outcome:
    """Apply what was considered, net, in this transaction. Raises StalePlan when it no longer holds."""
    run = _locked(session, run_id)
    applied = tuple(change.wanted.demand_id for change in considered.proposal.changes)
    whole = not considered.declined and not considered.lapsed
    _decided(session, run, RunStatus.ACCEPTED if whole else RunStatus.PARTLY_ACCEPTED, actor=actor, now=now,
             applied=len(applied), lapsed=len(considered.lapsed))  # fmt: skip
    commit.commit(session, considered.proposal, now=now, actor=actor)
    for movement in run.movements:
        movement.reason = considered.lapsed.get(movement.demand_id)
        movement.fate = _fate(movement.demand_id, applied, considered)
    older = (Run.status == RunStatus.PROPOSED) & (Run.id < run.id)
    session.execute(update(Run).where(older).values(status=RunStatus.STALE, version=Run.version + 1))
    return Outcome(applied, considered.lapsed)


def view(session: Session, run_id: str) -> Run:
    """Return a run with its movements. Raises RunNotFound."""
    return _one(session, run_id, select(Run))


def _one(session: Session, run_id: str, query: Select[Run]) -> Run:
    run = session.scalar(query.where(Run.id == run_id).options(selectinload(Run.movements)))
    if run is None:
        raise RunNotFound(run_id)
    return run


def _locked(session: Session, run_id: str) -> Run:
    """Return a run as it is now, and keep others from changing it."""
    return _one(session, run_id, select(Run).with_for_update().execution_options(populate_existing=True))


_ACCEPTED: Final = (RunStatus.ACCEPTED, RunStatus.PARTLY_ACCEPTED)


def _move(session: Session, run: Run, target: RunStatus, *, applied: int = 0, lapsed: int = 0) -> None:
    run.status = advance(RUN_TRANSITIONS, run.status, target, what=f"Run {run.number}")
    run.version += 1
    session.flush()
    record(session, RunMoved(aggregate_id=run.id, status=target, applied=applied, lapsed=lapsed))


def _decided(
    session: Session, run: Run, target: RunStatus, *, actor: str, now: datetime, applied: int = 0, lapsed: int = 0
) -> Run:
    run.decided_by, run.decided_at = actor, now
    _move(session, run, target, applied=applied, lapsed=lapsed)
    return run


def _movements(night: Night, plan: Plan) -> list[Movement]:
    problem, wanted = night.gathered.problem, night.gathered.wanted
    return [
        Movement(
            demand_id=wanted[difference.order].demand_id,
            demand_version=wanted[difference.order].version,
            before=_described(night, difference.before),
            after=_described(night, difference.after),
            cost_before_minor=difference.cost_before,
            cost_after_minor=difference.cost_after,
            saving_minor=difference.saving,
            fate=PROPOSED,
        )
        for difference in differences(problem, night.standing, plan.assignments)
    ]


def _described(night: Night, assignments: Sequence[Assignment]) -> list[dict[str, Any]]:
    """Say in words that last what assignments mean: indices of a problem mean nothing the day after."""
    described = []
    for order, line, option, units in assignments:
        demand, way = night.gathered.wanted[order], ways(night.gathered, order)[option]
        part = {"line": demand.lines[line].id, "sku": demand.lines[line].sku, "units": units, "node": way.node}
        method = Method.TRANSFER if way.transfer else demand.method
        described.append(part | {"method": method, "carrier_service": way.carrier_service, "work_on": way.work_on})
    return described


def _changes(night: Night, wanted: Mapping[str, Movement]) -> tuple[list[Change], dict[str, str]]:
    """Translate stored movements into the problem gathered now; name those that no longer mean anything."""
    gathered = night.gathered
    number_of = {demand.demand_id: number for number, demand in enumerate(gathered.wanted)}
    standing = by_order(night.standing)
    changes: list[Change] = []
    lapsed: dict[str, str] = {}
    for demand_id, movement in wanted.items():
        number = number_of.get(demand_id)
        if number is None or gathered.wanted[number].version != movement.demand_version:
            lapsed[demand_id] = "changed"
            continue
        assignments = _translated(night, number, movement.after)
        if assignments is None:
            lapsed[demand_id] = "no_longer_possible"
            continue
        changes.append(Change(number, standing[number], assignments, movement.saving_minor))
    return changes, lapsed


def _translated(night: Night, number: int, after: Sequence[Mapping[str, Any]]) -> tuple[Assignment, ...] | None:
    """Return assignments in the terms of the problem; None when a way is gone or would now break the promise."""
    order, demand = night.gathered.problem.orders[number], night.gathered.wanted[number]
    option_of = {
        (way.node, way.carrier_service, way.transfer, way.work_on): option
        for option, way in enumerate(ways(night.gathered, number))
    }
    line_of = {line.id: place for place, line in enumerate(demand.lines)}
    found: list[Assignment] = []
    for part in after:
        option = option_of.get(
            (part["node"], part["carrier_service"], part["method"] == Method.TRANSFER, part["work_on"])
        )
        line = line_of.get(part["line"])
        if option is None or line is None or not order.eligible[line, option]:
            return None
        found.append(Assignment(number, line, option, part["units"]))
    return tuple(sorted(found))


def _proposal(run_id: str, night: Night, kept: Sequence[Change]) -> Proposal:
    """Turn the movements that fit into changes of their demands; those of other demands are left out."""
    gathered = night.gathered
    assignments = [part for change in kept for part in change.wanted]
    plan = priced_plan(gathered.problem, assignments, bound=0, seconds=0.0, solver=CAUSE, seed=0)
    moved = {change.order for change in kept}
    changes = changes_of(gathered, plan, solve_ms=0.0)
    return Proposal(
        cause=CAUSE,
        changes=tuple(replace(change, run_id=run_id) for number, change in enumerate(changes) if number in moved),
    )


def _fate(demand_id: str, applied: Collection[str], considered: Considered) -> str:
    if demand_id in applied:
        return APPLIED
    return LAPSED if demand_id in considered.lapsed else DECLINED
