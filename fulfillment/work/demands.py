"""The counters of demand lines: how many units are wanted, allocated and fulfilled; what is left waits.

Owns every change of those counters. Sourcing allocates, `work` fulfils, returns to waiting and cancels. None of these
verbs touches the ledger: whoever calls one posts the open demand that goes with it in the same transaction.
Invariant: a demand is locked, in the order of ids, before a counter of it changes; waiting never falls below zero.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from fulfillment.network.geography import Destination
from fulfillment.work.models import Demand, DemandLine

ADDRESS = "address"
"""Why a demand that was sent elsewhere is decided again."""


def lock(session: Session, demand_ids: Collection[str]) -> dict[str, Demand]:
    """Lock demands in the order of their ids and return them with their lines, as they are now."""
    if not demand_ids:
        return {}
    rows = session.scalars(
        select(Demand)
        .where(Demand.id.in_(sorted(demand_ids)))
        .order_by(Demand.id)
        .options(selectinload(Demand.lines))
        .execution_options(populate_existing=True)
        .with_for_update()
    )
    return {demand.id: demand for demand in rows}


def lock_lines(session: Session, line_ids: Collection[str]) -> dict[str, DemandLine]:
    """Lock the demands that own these lines and return the lines by id."""
    owners = select(DemandLine.demand_id).where(DemandLine.id.in_(sorted(line_ids))).distinct()
    locked = lock(session, list(session.scalars(owners)) if line_ids else ())
    return {line.id: line for demand in locked.values() for line in demand.lines if line.id in line_ids}


def allocate(session: Session, units: Mapping[str, int]) -> None:
    """Take units (by line id) from waiting to allocated; a negative number takes them back."""
    for line_id, line in lock_lines(session, units.keys()).items():
        line.allocated += units[line_id]
        assert 0 <= line.allocated <= line.units - line.fulfilled, f"line {line_id} would allocate {line.allocated}"
    session.flush()


def wait_again(session: Session, units: Mapping[str, int]) -> None:
    """Take allocated units (by line id) back to waiting, since their node does not have them or does not want them."""
    allocate(session, {line_id: -count for line_id, count in units.items()})


def fulfil(session: Session, units: Mapping[str, int]) -> None:
    """Count allocated units (by line id) as fulfilled: shipped, handed over or carried out."""
    for line_id, line in lock_lines(session, units.keys()).items():
        line.allocated -= units[line_id]
        line.fulfilled += units[line_id]
        assert line.allocated >= 0, f"line {line_id} fulfils {units[line_id]} units more than are allocated"
    session.flush()


def cancel_waiting(session: Session, units: Mapping[str, int]) -> None:
    """Give up waiting units (by line id)."""
    for line_id, line in lock_lines(session, units.keys()).items():
        assert 0 <= units[line_id] <= line.waiting, f"line {line_id} waits for {line.waiting}, not {units[line_id]}"
        line.units -= units[line_id]
    session.flush()


def cancel_allocated(session: Session, units: Mapping[str, int]) -> None:
    """Give up allocated units (by line id)."""
    for line_id, line in lock_lines(session, units.keys()).items():
        line.allocated -= units[line_id]
        line.units -= units[line_id]
        assert line.allocated >= 0, f"line {line_id} cancels {units[line_id]} units more than are allocated"
    session.flush()


def pause(session: Session, demand_ids: Collection[str], *, now: datetime) -> None:
    """Let nobody start on these demands, and let nothing of them leave, until they are resumed; claims stay."""
    for demand in lock(session, demand_ids).values():
        demand.paused_at = demand.paused_at or now
    session.flush()


def resume(session: Session, demand_ids: Collection[str]) -> None:
    """Let paused demands go on."""
    for demand in lock(session, demand_ids).values():
        demand.paused_at = None
    session.flush()


def relocate(session: Session, wanted: Iterable[Demand], to: Destination) -> None:
    """Send locked demands elsewhere, and mark them to be decided again; what was decided meanwhile does not hold."""
    for demand in wanted:
        demand.decide_cause = ADDRESS
        place(demand, to)
        demand.version += 1
    session.flush()


def place(demand: Demand, to: Destination) -> None:
    """Write where a demand goes."""
    location = to.location
    demand.latitude, demand.longitude, demand.geocode = location.latitude, location.longitude, location.geocode
    demand.country, demand.postal_code = to.country, to.postal_code
