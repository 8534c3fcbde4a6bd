"""The rows that a change becomes: the demand, its decision and its fulfillment orders.

Pure; called by `commit`. Invariant: a decision holds what the solver saw and chose, in ids, codes and minor units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fulfillment.sourcing.drafts import Draft
from fulfillment.sourcing.proposal import Change, Package
from fulfillment.sourcing.setbacks import HANDED_OVER
from fulfillment.work.allocation import AllocatedLine, Allocation
from fulfillment.work.models import Demand
from kernel.ids import new_id


def new_demand(change: Change) -> dict[str, Any]:
    """Return the row of a new demand."""
    wanted = change.wanted
    return {
        "id": wanted.demand_id,
        "reference": wanted.reference,
        "method": wanted.method,
        "service": wanted.service,
        "collect_node": wanted.collect_node,
        "latitude": wanted.location.latitude,
        "longitude": wanted.location.longitude,
        "postal_code": wanted.postal_code,
        "country": wanted.country,
        "geocode": wanted.location.geocode,
        "value_minor": wanted.value_minor,
        "rank": wanted.rank,
        "wanted_from": wanted.wanted_from,
        "wanted_by": wanted.wanted_by,
        "promised_by": promise(change),
        "policy": wanted.policy,
        "channel": wanted.channel,
        "placed_at": wanted.placed_at,
        "waiting_reason": change.missing[0].reason if change.missing else None,
        "relaxed": list(wanted.relaxed),
        "attempts": 1 if change.missing else 0,
        "version": 1,
    }


def new_lines(change: Change, missing: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the rows of a new demand's lines; `missing` are the units that wait, by line."""
    return [
        {
            "id": line.id,
            "demand_id": change.wanted.demand_id,
            "position": position,
            "sku": line.sku,
            "units": line.units,
            "allocated": line.units - missing.get(line.id, 0),
            "fulfilled": 0,
            "divisible": line.divisible,
            "together": line.together,
            "unit_value_minor": line.unit_value_minor,
            "excluded_nodes": list(line.excluded_nodes),
        }
        for position, line in enumerate(change.wanted.lines, start=1)
    ]


def promise(change: Change, standing: Sequence[datetime] = ()) -> datetime | None:
    """Return when all of a demand will have arrived, `standing` orders included; None while units have no node."""
    arrivals = [*standing, *(package.arrives_at for package in change.packages)]
    return None if change.missing else max(arrivals, default=None)


def settle(demand: Demand, change: Change, standing: Sequence[datetime], *, now: datetime) -> None:
    """Note on a demand what a new decision means for it. A promise is given once, and kept from then on.

    `standing` are the promises of the fulfillment orders that stay whatever was decided.
    """
    demand.version += 1
    demand.decide_cause = None
    demand.person_since = (demand.person_since or now) if change.rationale.status == HANDED_OVER else None
    demand.waiting_reason = change.missing[0].reason if change.missing else None
    demand.relaxed = list(change.wanted.relaxed)
    demand.attempts = demand.attempts + 1 if change.missing else 0
    if demand.promised_by is None:
        demand.promised_by = promise(change, standing)


def decision(change: Change, *, cause: str, now: datetime) -> dict[str, Any]:
    """Return the row of a decision."""
    rationale, wanted = change.rationale, change.wanted
    return {
        "id": new_id(),
        "demand_id": wanted.demand_id,
        "cause": cause,
        "status": rationale.status,
        "objective_minor": rationale.objective_minor,
        "bound_minor": rationale.bound_minor,
        "by_term": dict(rationale.by_term),
        "assignments": [_assignment(package) for package in change.packages],
        "unfilled": [
            {"line": missing.line_id, "sku": missing.sku, "units": missing.units, "reason": missing.reason}
            for missing in change.missing
        ],
        "candidates": rationale.candidates,
        "problem": rationale.problem,
        "policy": wanted.policy,
        "policy_version": change.policy_version,
        "relaxed": list(change.relaxed),
        "run_id": change.run_id,
        "solve_ms": rationale.solve_ms,
        "decided_at": now,
    }


def _assignment(package: Package) -> dict[str, Any]:
    return {
        "node": package.node,
        "carrier_service": package.carrier_service,
        "transfer": package.transfer,
        "work_on": package.work_on.isoformat(),
        "arrives_at": package.arrives_at.isoformat(),
        "lines": [{"line": line.line_id, "sku": line.sku, "units": line.units} for line in package.lines],
    }


def allocation_of(
    draft: Draft, change: Change, decision_id: str, reservation_ids: Sequence[str | None], *, cause: str
) -> Allocation:
    """Return the fulfillment order that a draft becomes; one reservation, or None, for each of its lines."""
    wanted = change.wanted
    return Allocation(
        id=draft.id,
        demand_id=wanted.demand_id,
        reference=wanted.reference,
        decision_id=decision_id,
        node=draft.node,
        method=draft.method,
        service=wanted.service,
        carrier_service=draft.carrier_service,
        destination_node=draft.destination_node,
        supplies=draft.supplies,
        work_on=draft.work_on,
        work_minutes=draft.work_minutes,
        ship_by=draft.ship_by,
        promised_by=draft.promised_by,
        rank=wanted.rank,
        reason=cause,
        lines=tuple(
            AllocatedLine(
                demand_line_id=line.units.line_id, sku=line.units.sku, units=line.units.units, reservation_id=reserved
            )
            for line, reserved in zip(draft.lines, reservation_ids, strict=True)
        ),
    )
