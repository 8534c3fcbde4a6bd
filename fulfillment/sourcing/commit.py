"""The commit of a proposal: one short write that makes its changes true, or refuses it whole as stale.

Called by the doors and by nightly planning inside their write transaction, for one demand or for many: what all changes
release and claim is netted in one posting, so that exchanges between demands hold while stock is full. Invariant: locks
are taken in the house's order (demands, fulfillment orders, balances, minutes); a stale plan is refused, never patched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from fulfillment.network import minutes, policies
from fulfillment.sourcing import records
from fulfillment.sourcing.drafts import Difference, Draft, difference
from fulfillment.sourcing.proposal import Change, Missing, Proposal
from fulfillment.work import allocation, demands, locks
from fulfillment.work.events import DemandWaiting, LineUnits
from fulfillment.work.models import LEFT, NOT_STARTED, OPEN, Decision, Demand, DemandLine, FulfillmentOrder, Method
from kernel import events
from kernel.db import table
from kernel.errors import Conflict
from stock import availability, reservations, revisions
from stock.errors import ClaimsChanged, InsufficientStock
from stock.ledger import DemandChange, Floors, Header
from stock.models import Purpose
from stock.reservations import Claim, ReservedUnits


class StalePlan(Conflict):
    """What a plan rests on has changed since it was made: decide again."""

    code = "stale_plan"

    def __init__(self, why: Sequence[str], *, demand_ids: Sequence[str] = ()) -> None:
        super().__init__("The plan no longer holds: " + "; ".join(why) + ". Decide again.")
        self.why, self.demand_ids = tuple(why), tuple(demand_ids)


def commit(session: Session, proposal: Proposal, *, now: datetime, actor: str) -> list[FulfillmentOrder]:
    """Make a proposal true and return the fulfillment orders it makes, in the order of its packages.

    Raises StalePlan when units above safety stock, minutes, a demand, its unaccepted fulfillment orders or its policy
    have changed so that the plan no longer holds; not when what moved still covers it. The caller then rolls back.
    """
    if not proposal.changes:
        return []
    orders = _lock(session, proposal.changes)
    versions = revisions.versions(session)
    _require_fresh(session, proposal.changes, orders, versions)
    differences = [difference(change) for change in proposal.changes]
    before = _waiting(session, proposal.changes)
    floors = _floors(session, proposal.changes, differences, versions)
    reservation_ids = _exchange(session, proposal, differences, before, floors, now=now, actor=actor)
    _claim_minutes(session, differences)
    decision_ids = _record(session, proposal, orders, now=now)
    ended = [orders[freed.id] for each in differences for freed in each.ended]
    allocation.supersede(session, ended, actor=actor, now=now, reason=proposal.cause)
    made = _allocations(proposal.changes, differences, decision_ids, reservation_ids)
    allocated = allocation.allocate(session, made, actor=actor, now=now, reason=proposal.cause)
    for change in proposal.changes:
        _tell_waiting(session, change, before)
    return allocated


def _lock(session: Session, changes: Sequence[Change]) -> dict[str, FulfillmentOrder]:
    known = [change.wanted.demand_id for change in changes if change.wanted.version is not None]
    return {order.id: order for order in locks.lock_demands(session, known)} if known else {}


def _require_fresh(
    session: Session, changes: Sequence[Change], orders: dict[str, FulfillmentOrder], versions: Mapping[str, int]
) -> None:
    stale: dict[str, str] = {}
    for change in changes:
        wanted = change.wanted
        if policies.active(session, wanted.policy, versions).version != change.policy_version:
            stale[wanted.demand_id] = f"policy {wanted.policy} has a new version"
        elif wanted.version is not None and (why := _moved(session, change, orders)):
            stale[wanted.demand_id] = why
    if stale:
        raise StalePlan(sorted(set(stale.values())), demand_ids=sorted(stale))


def _moved(session: Session, change: Change, orders: dict[str, FulfillmentOrder]) -> str | None:
    """Say what has changed about a demand since it was decided, if anything has."""
    wanted = change.wanted
    demand = session.get(Demand, wanted.demand_id)
    if demand is None or (demand.version != wanted.version and not change.assumed):
        return f"demand {wanted.demand_id} has changed"
    for freed in wanted.freed:
        order = orders.get(freed.id)
        if order is None or order.status not in NOT_STARTED or order.version != freed.version:
            return f"fulfillment order {freed.id} has moved on"
    placed = {line.id: line.waiting for line in demand.lines}
    for freed in wanted.freed:
        for line in freed.lines if freed.method != Method.TRANSFER else ():
            placed[line.line_id] += line.units
    planned = {line.id: line.units for line in wanted.lines}
    if any(units != planned.get(line_id, 0) for line_id, units in placed.items()):
        return f"units of demand {wanted.demand_id} have moved"
    return None


def _waiting(session: Session, changes: Sequence[Change]) -> dict[str, int]:
    """Return the units that wait now, by line of the demands that exist."""
    known = [_demand(session, change) for change in changes if change.wanted.version is not None]
    return {line.id: line.waiting for demand in known for line in demand.lines}


def _exchange(
    session: Session,
    proposal: Proposal,
    differences: Sequence[Difference],
    before: dict[str, int],
    floors: Floors,
    *,
    now: datetime,
    actor: str,
) -> list[str]:
    """Release, claim, open and close in one posting; return the reservations in the order of the drafts' lines."""
    references = {change.wanted.reference for change in proposal.changes}
    header = Header(
        kind="allocation", actor=actor, occurred_at=now, reason=proposal.cause,
        reference=references.pop() if len(references) == 1 else "",
    )  # fmt: skip
    release = [
        ReservedUnits(line.sku, line.reservation_id, line.units)
        for each in differences
        for freed in each.ended
        for line in freed.lines
        if line.reservation_id is not None
    ]
    release += [ReservedUnits(held.sku, held.reservation_id, held.units) for held in proposal.held]
    claims = [
        claim
        for change, each in zip(proposal.changes, differences, strict=True)
        for draft in each.made
        for claim in _claims(draft, change.wanted.rank)
    ]
    demand = [wish for change in proposal.changes for wish in _wishes(change, before)]
    try:
        return reservations.rebind(session, header, release=release, claims=claims, demand=demand, floors=floors)
    except (InsufficientStock, ClaimsChanged) as refusal:
        raise StalePlan([fault.message for fault in refusal.faults] or [refusal.message]) from refusal


def _floors(
    session: Session, changes: Sequence[Change], differences: Sequence[Difference], versions: Mapping[str, int]
) -> Floors:
    """Return what the rules of safety stock keep back at each balance, from the channels that claim of it."""
    claims = (
        (line.units.sku, draft.node, change.wanted.channel)
        for change, each in zip(changes, differences, strict=True)
        for draft in each.made
        for line in draft.lines
        if line.claimed
    )
    return availability.floors(session, claims, versions)


def _claims(draft: Draft, rank: int) -> list[Claim]:
    purpose = Purpose.TRANSFER if draft.method == Method.TRANSFER else Purpose.ORDER
    return [
        Claim(
            sku=line.units.sku, node=draft.node, units=line.units.units, reference=line.units.line_id,
            purpose=purpose, rank=rank,
        )
        for line in draft.lines
        if line.claimed
    ]  # fmt: skip


def _wishes(change: Change, before: dict[str, int]) -> list[DemandChange]:
    after = _units_missing(change)
    moved = ((line, after.get(line.id, 0) - before.get(line.id, 0)) for line in change.wanted.lines)
    return [DemandChange(line.sku, line.id, units) for line, units in moved if units]


def _units_missing(change: Change) -> dict[str, int]:
    units: dict[str, int] = {}
    for missing in change.missing:
        units[missing.line_id] = units.get(missing.line_id, 0) + missing.units
    return units


def _claim_minutes(session: Session, differences: Sequence[Difference]) -> None:
    taken = [(draft.node, draft.work_on, draft.work_minutes) for each in differences for draft in each.made]
    given = [(freed.node, freed.work_on, -freed.work_minutes) for each in differences for freed in each.ended]
    try:
        minutes.change(session, [*given, *taken])
    except minutes.NoMinutesLeft as refusal:
        raise StalePlan([refusal.message]) from refusal


_DEMAND = insert(table(Demand))
_LINE = insert(table(DemandLine))
_DECISION = insert(table(Decision))


def _record(
    session: Session, proposal: Proposal, orders: Mapping[str, FulfillmentOrder], *, now: datetime
) -> list[str]:
    """Write demands and decisions; return the decisions' ids in the order of the changes."""
    new = [change for change in proposal.changes if change.wanted.version is None]
    if new:
        session.execute(_DEMAND, [records.new_demand(change) for change in new])
        session.execute(_LINE, [line for change in new for line in records.new_lines(change, _units_missing(change))])
    _update(session, [change for change in proposal.changes if change.wanted.version is not None], orders)
    decisions = [records.decision(change, cause=proposal.cause, now=now) for change in proposal.changes]
    session.execute(_DECISION, decisions)
    return [decision["id"] for decision in decisions]


def _update(session: Session, changes: Sequence[Change], orders: Mapping[str, FulfillmentOrder]) -> None:
    """Move the counters of demands that exist, and note what was decided."""
    if not changes:
        return
    moved: dict[str, int] = {}
    for change in changes:
        missing = _units_missing(change)
        moved |= {line.id: line.waiting - missing.get(line.id, 0) for line in _demand(session, change).lines}
    demands.allocate(session, {line_id: units for line_id, units in moved.items() if units})
    for change in changes:
        records.settle(_demand(session, change), change, _standing(change, orders))
    session.flush()


def _standing(change: Change, orders: Mapping[str, FulfillmentOrder]) -> list[datetime]:
    freed = {order.id for order in change.wanted.freed}
    return [
        order.promised_by
        for order in orders.values()
        if order.demand_id == change.wanted.demand_id and order.id not in freed and order.status in OPEN | LEFT
    ]


def _demand(session: Session, change: Change) -> Demand:
    demand = session.get(Demand, change.wanted.demand_id)
    assert demand is not None, f"demand {change.wanted.demand_id} was locked"
    return demand


def _allocations(
    changes: Sequence[Change],
    differences: Sequence[Difference],
    decision_ids: Sequence[str],
    reservation_ids: Sequence[str],
) -> list[allocation.Allocation]:
    reserved = iter(reservation_ids)
    return [
        records.allocation_of(
            draft, change, decision_id, [next(reserved) if line.claimed else None for line in draft.lines]
        )
        for change, each, decision_id in zip(changes, differences, decision_ids, strict=True)
        for draft in each.made
    ]


def _tell_waiting(session: Session, change: Change, before: dict[str, int]) -> None:
    """Tell that units wait, once: not again while the same units go on waiting."""
    after = _units_missing(change)
    if all(units <= before.get(line_id, 0) for line_id, units in after.items()):
        return
    first: Missing = change.missing[0]
    skus = {missing.line_id: missing.sku for missing in change.missing}
    lines = tuple(LineUnits(line_id, skus[line_id], units) for line_id, units in sorted(after.items()))
    wanted = change.wanted
    events.record(
        session,
        DemandWaiting(aggregate_id=wanted.demand_id, reference=wanted.reference, lines=lines, reason=first.reason),
    )
