"""The commit of a proposal: one short write that makes its changes true, or refuses it whole as stale.

Called by the doors and by nightly planning inside their write transaction, for one demand or for many: what all changes
release and claim is netted in one posting, so that exchanges between demands hold while stock is full. Invariant: locks
are taken in the house's order (demands, fulfillment orders, balances, minutes); a stale plan is refused, never patched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from sqlalchemy import insert
from sqlalchemy.orm import Session

from fulfillment.network import held_minutes, minutes, policies
from fulfillment.sourcing import records
from fulfillment.sourcing.drafts import Difference, Draft, difference
from fulfillment.sourcing.proposal import Change, FreedFulfillment, Missing, Proposal
from fulfillment.work import allocation, demands, locks
from fulfillment.work.events import DemandWaiting, LineUnits
from fulfillment.work.models import LEFT, NOT_STARTED, OPEN, Decision, Demand, DemandLine, FulfillmentOrder, Method
from kernel import events
from kernel.db import adopt, table
from kernel.errors import Conflict, DomainError
from stock import availability, reservations, revisions
from stock.errors import ClaimsChanged, InsufficientStock
from stock.ledger import DemandChange, Floors, Header
from stock.models import Purpose
from stock.reservations import Claim, Rebinding, ReservedUnits


class StalePlan(Conflict):
    """What plans rest on has changed since they were made: decide again. `of` tells which, by their place, and why."""

    code = "stale_plan"

    def __init__(
        self, why: Sequence[str], *, demand_ids: Sequence[str] = (), of: Mapping[int, StalePlan] | None = None
    ) -> None:
        super().__init__("The plan no longer holds: " + "; ".join(why) + ". Decide again.")
        self.why, self.demand_ids, self.of = tuple(why), tuple(demand_ids), dict(of or {0: self})


@dataclass(frozen=True)
class Part:
    """A proposal on its way, with what it makes and ends, and its reservations once they are made."""

    proposal: Proposal
    differences: tuple[Difference, ...]
    reservation_ids: tuple[str, ...] = ()

    @property
    def pairs(self) -> list[tuple[Change, Difference]]:
        """Each change with its difference."""
        return list(zip(self.proposal.changes, self.differences, strict=True))

    @property
    def demand_ids(self) -> list[str]:
        """The demands that are decided."""
        return [change.wanted.demand_id for change in self.proposal.changes]

    @property
    def made(self) -> list[tuple[Change, Draft]]:
        """Each fulfillment order to be made, with its change."""
        return [(change, draft) for change, each in self.pairs for draft in each.made]

    @property
    def ended(self) -> list[FreedFulfillment]:
        """The fulfillment orders that give way."""
        return [freed for each in self.differences for freed in each.ended]


@dataclass(frozen=True)
class Committed:
    """A proposal that was made true: a decision about each of its demands, and the fulfillment orders that it makes."""

    proposal: Proposal
    decisions: list[Decision]
    orders: list[FulfillmentOrder]


def commit(session: Session, proposal: Proposal, *, now: datetime, actor: str) -> list[FulfillmentOrder]:
    """Make a proposal true and return the fulfillment orders it makes, in the order of its packages.

    Raises StalePlan when units above what is kept back, minutes, a demand, its unaccepted fulfillment orders or its
    policy have changed so that the plan no longer holds; not when what moved still covers it. The caller rolls back.
    """
    return commit_many(session, [proposal], now=now, actor=actor)[0].orders


def commit_many(session: Session, proposals: Sequence[Proposal], *, now: datetime, actor: str) -> list[Committed]:
    """Make proposals about different demands true as if one after the other, and return what each has become.

    All or none: raises StalePlan, which tells of each proposal that does not hold; the caller then rolls back.
    """
    changes = [change for proposal in proposals for change in proposal.changes]
    if not changes:
        return [Committed(proposal, [], []) for proposal in proposals]
    orders = _lock(session, changes)
    versions = revisions.versions(session)
    _require_fresh(session, proposals, orders, versions)
    parts = [Part(each, tuple(map(difference, each.changes))) for each in proposals]
    before = _waiting(session, changes)
    parts = _exchange(session, parts, before, versions, now=now, actor=actor)
    decisions = _record(session, parts, orders, now=now)
    for part in parts:
        ended = [orders[freed.id] for freed in part.ended]
        allocation.supersede(session, ended, actor=actor, now=now, reason=part.proposal.cause)
    made = [each for part in parts for each in _allocations(part, decisions)]
    allocated = iter(allocation.allocate(session, made, actor=actor, now=now))
    events.record_many(session, [told for change in changes for told in _waiting_again(change, before)])
    # Every order of a node meets in the row of its day, so it is locked last.
    _claim_minutes(session, parts)
    return [
        Committed(part.proposal, [decisions[id_] for id_ in part.demand_ids], list(islice(allocated, len(part.made))))
        for part in parts
    ]


def _together(stale: Mapping[int, StalePlan]) -> StalePlan:
    """Return one error that tells of all."""
    why = sorted({why for each in stale.values() for why in each.why})
    return StalePlan(why, demand_ids=sorted({id_ for each in stale.values() for id_ in each.demand_ids}), of=stale)


def _lock(session: Session, changes: Sequence[Change]) -> dict[str, FulfillmentOrder]:
    known = [change.wanted.demand_id for change in changes if change.wanted.version is not None]
    return {order.id: order for order in locks.lock_demands(session, known)} if known else {}


def _require_fresh(
    session: Session, proposals: Sequence[Proposal], orders: dict[str, FulfillmentOrder], versions: Mapping[str, int]
) -> None:
    stale: dict[int, StalePlan] = {}
    for place, proposal in enumerate(proposals):
        moved: dict[str, str] = {}
        for change in proposal.changes:
            wanted = change.wanted
            if policies.active(session, wanted.policy, versions).version != change.policy_version:
                moved[wanted.demand_id] = f"policy {wanted.policy} has a new version"
            elif wanted.version is not None and (why := _moved(session, change, orders)):
                moved[wanted.demand_id] = why
        if moved:
            stale[place] = StalePlan(sorted(set(moved.values())), demand_ids=sorted(moved))
    if stale:
        raise _together(stale)


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
    parts: Sequence[Part],
    before: Mapping[str, int],
    versions: Mapping[str, int],
    *,
    now: datetime,
    actor: str,
) -> list[Part]:
    """Release, claim, open and close in one posting a proposal; return the parts with their reservations."""
    wanted = [_rebinding(session, part, before, versions, now=now, actor=actor) for part in parts]
    outcomes = reservations.rebind_many(session, wanted)
    refused = {
        place: StalePlan([fault.message for fault in outcome.faults] or [outcome.message])
        for place, outcome in enumerate(outcomes)
        if isinstance(outcome, InsufficientStock | ClaimsChanged)
    }
    if refused:
        raise _together(refused)
    exchanged = []
    for part, outcome in zip(parts, outcomes, strict=True):
        if isinstance(outcome, DomainError):
            raise outcome
        exchanged.append(replace(part, reservation_ids=tuple(outcome)))
    return exchanged


def _rebinding(
    session: Session, part: Part, before: Mapping[str, int], versions: Mapping[str, int], *, now: datetime, actor: str
) -> Rebinding:
    proposal = part.proposal
    references = {change.wanted.reference for change in proposal.changes}
    header = Header(
        kind="allocation", actor=actor, occurred_at=now, reason=proposal.cause,
        reference=references.pop() if len(references) == 1 else "",
    )  # fmt: skip
    release = [
        ReservedUnits(line.sku, line.reservation_id, line.units)
        for freed in part.ended
        for line in freed.lines
        if line.reservation_id is not None
    ]
    release += [ReservedUnits(held.sku, held.reservation_id, held.units) for held in proposal.held.units]
    claims = [claim for change, draft in part.made for claim in _claims(draft, change.wanted.rank)]
    demand = [wish for change in proposal.changes for wish in _wishes(change, before)]
    floors = _floors(session, part, versions)
    return Rebinding(header=header, release=release, claims=claims, demand=demand, floors=floors)


def _floors(session: Session, part: Part, versions: Mapping[str, int]) -> Floors:
    """Return what the rules of safety stock keep back at each balance, from the channels that claim of it."""
    claims = (
        (line.units.sku, draft.node, change.wanted.channel)
        for change, draft in part.made
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


def _wishes(change: Change, before: Mapping[str, int]) -> list[DemandChange]:
    after = _units_missing(change)
    moved = ((line, after.get(line.id, 0) - before.get(line.id, 0)) for line in change.wanted.lines)
    return [DemandChange(line.sku, line.id, units) for line, units in moved if units]


def _units_missing(change: Change) -> dict[str, int]:
    units: dict[str, int] = {}
    for missing in change.missing:
        units[missing.line_id] = units.get(missing.line_id, 0) + missing.units
    return units


def _claim_minutes(session: Session, parts: Sequence[Part]) -> None:
    given = [(freed.node, freed.work_on, -freed.work_minutes) for part in parts for freed in part.ended]
    if held := {part.proposal.held.reference for part in parts if part.proposal.held.minutes}:
        given += held_minutes.take(session, held)
    taken = [(draft.node, draft.work_on, draft.work_minutes) for part in parts for _, draft in part.made]
    try:
        minutes.change(session, [*given, *taken])
    except minutes.NoMinutesLeft as refusal:
        stale = StalePlan([refusal.message])
        raise _together(dict.fromkeys(_without_minutes(session, parts, refusal), stale)) from refusal


def _without_minutes(session: Session, parts: Sequence[Part], refusal: minutes.NoMinutesLeft) -> list[int]:
    """Return the places of those for whom a day has too few minutes left, once those before them have theirs."""
    day = (refusal.node, refusal.on)
    left = minutes.left(session, *day)
    late, asking = [], []
    for place, part in enumerate(parts):
        needed = sum(draft.work_minutes for _, draft in part.made if (draft.node, draft.work_on) == day)
        beyond = needed - sum(count for node, on, count in part.proposal.held.minutes if (node, on) == day)
        if beyond > left:
            late.append(place)
        else:
            left -= beyond
        asking += [place] * bool(needed)
    return late or asking[-1:]


_DEMAND = insert(table(Demand))
_LINE = insert(table(DemandLine))
_DECISION = insert(table(Decision))


def _record(
    session: Session, parts: Sequence[Part], orders: Mapping[str, FulfillmentOrder], *, now: datetime
) -> dict[str, Decision]:
    """Write demands and decisions; return the decisions by demand."""
    changes = [change for part in parts for change in part.proposal.changes]
    new = [change for change in changes if change.wanted.version is None]
    if new:
        session.execute(_DEMAND, [records.new_demand(change) for change in new])
        session.execute(_LINE, [line for change in new for line in records.new_lines(change, _units_missing(change))])
    _update(session, [change for change in changes if change.wanted.version is not None], orders, now=now)
    decisions = [
        records.decision(change, cause=part.proposal.cause, now=now)
        for part in parts
        for change in part.proposal.changes
    ]
    session.execute(_DECISION, decisions)
    return {decision["demand_id"]: adopt(session, Decision, decision) for decision in decisions}


def _update(
    session: Session, changes: Sequence[Change], orders: Mapping[str, FulfillmentOrder], *, now: datetime
) -> None:
    """Move the counters of demands that exist, and note what was decided."""
    if not changes:
        return
    moved: dict[str, int] = {}
    for change in changes:
        missing = _units_missing(change)
        moved |= {line.id: line.waiting - missing.get(line.id, 0) for line in _demand(session, change).lines}
    demands.allocate(session, {line_id: units for line_id, units in moved.items() if units})
    for change in changes:
        records.settle(_demand(session, change), change, _standing(change, orders), now=now)
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


def _allocations(part: Part, decisions: Mapping[str, Decision]) -> list[allocation.Allocation]:
    reserved = iter(part.reservation_ids)
    return [
        records.allocation_of(
            draft, change, decisions[change.wanted.demand_id].id,
            [next(reserved) if line.claimed else None for line in draft.lines], cause=part.proposal.cause,
        )
        for change, draft in part.made
    ]  # fmt: skip


def _waiting_again(change: Change, before: Mapping[str, int]) -> Iterator[DemandWaiting]:
    """Yield the news that units wait, once: not again while the same units go on waiting."""
    after = _units_missing(change)
    if all(units <= before.get(line_id, 0) for line_id, units in after.items()):
        return
    first: Missing = change.missing[0]
    skus = {missing.line_id: missing.sku for missing in change.missing}
    lines = tuple(LineUnits(line_id, skus[line_id], units) for line_id, units in sorted(after.items()))
    wanted = change.wanted
    yield DemandWaiting(aggregate_id=wanted.demand_id, reference=wanted.reference, lines=lines, reason=first.reason)
