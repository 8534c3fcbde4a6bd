"""What went wrong with a demand at nodes: units that were given to one and that it did not serve, each with its reason.

Noted by the verbs by which nodes fail, with the demand locked; read by sourcing, which says what each means for the
next decision. Invariant: rows are added and settled, never taken back.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from fulfillment.work.models import Setback
from fulfillment.work.withdrawal import Part
from kernel.ids import new_id


class SetbackCause(enum.StrEnum):
    """How a node failed a demand."""

    SHORT_PICK = "short_pick"
    REJECTION = "rejection"
    DISPLACEMENT = "displacement"
    NODE_CLOSED = "node_closed"
    MISSED_CUT_OFF = "missed_cut_off"


def note(
    session: Session, parts: Iterable[Part], *, cause: SetbackCause, reason: str, actor: str, now: datetime
) -> None:
    """Remember that the nodes of these parts did not serve their units."""
    session.add_all(
        Setback(
            id=new_id(), demand_id=part.fo.demand_id, demand_line_id=part.line.demand_line_id,
            fulfillment_order_id=part.fo.id, sku=part.line.sku, node=part.fo.node, units=part.units, cause=cause.value,
            reason=reason, actor=actor, occurred_at=now,
        )
        for part in parts
    )  # fmt: skip
    session.flush()


def of_demands(session: Session, demand_ids: Collection[str]) -> dict[str, list[Setback]]:
    """Return the setbacks of demands, by demand, oldest first."""
    found: defaultdict[str, list[Setback]] = defaultdict(list)
    for setback in session.scalars(select(Setback).where(Setback.demand_id.in_(demand_ids)).order_by(Setback.id)):
        found[setback.demand_id].append(setback)
    return found


def settle(session: Session, demand_id: str, *, now: datetime) -> None:
    """Let what went wrong until now count as no failed attempt any more, since a person has dealt with it."""
    unsettled = (Setback.demand_id == demand_id) & Setback.settled_at.is_(None)
    session.execute(update(Setback).where(unsettled).values(settled_at=now))
