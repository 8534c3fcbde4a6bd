"""Demands decided under other policies, without effect: what would have become of them.

Called by the doors to try a draft on recent orders, and by `shadow` beside live decisions. Reads only. Invariant: every
policy decides the same demand against the same stock, minutes and time, with the demand's own claims counted as free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.network import policies
from fulfillment.network.policies import ActivePolicy
from fulfillment.optimizer.plan import Plan
from fulfillment.optimizer.problem import OPEN_TERM, UNFILLED_TERM
from fulfillment.sourcing.decide import solved_relaxing
from fulfillment.sourcing.demanded import as_new, orders_of, rows_of
from fulfillment.sourcing.gather import Gathered, gather
from fulfillment.sourcing.proposal import Wanted
from fulfillment.sourcing.taken import Taken
from fulfillment.work.models import OPEN, Demand, FulfillmentOrder

MOST_TRIED: Final = 500
_LOOKED_AT: Final = 20
"""For each demand wanted, so many of the newest are looked at for one of the policy."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a policy would make of a demand: cost by term but for what waits, nodes, packages, units that wait."""

    by_term: Mapping[str, int]
    nodes: tuple[str, ...]
    packages: int
    waiting: int
    relaxed: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return asdict(self)

    @staticmethod
    def read(document: Mapping[str, Any]) -> Outcome:
        """Return what was stored."""
        lists = {name: tuple(document[name]) for name in ("nodes", "relaxed")}
        return Outcome(**{**document, **lists})


@dataclass(frozen=True)
class Pair:
    """One demand under two policies; `reference` is the caller's."""

    reference: str
    live: Outcome
    draft: Outcome


def tried(session: Session, policy_id: str, version: int, *, most: int, now: datetime) -> list[Pair]:
    """Decide the newest demands of a policy, up to `most`, under its version in force and under another one.

    Each is decided by itself, as if it came now. Where the policy has decided nothing yet, the newest of all policies
    stand in. Raises UnknownPolicy.
    """
    sides = (policies.active(session, policy_id), policies.as_if_active(session, policy_id, version))
    newest = select(Demand.id, Demand.policy).order_by(Demand.id.desc()).limit(min(most, MOST_TRIED) * _LOOKED_AT)
    rows = session.execute(newest).all()
    chosen = [row.id for row in rows if row.policy == policy_id] or [row.id for row in rows]
    demands = rows_of(session, chosen[: min(most, MOST_TRIED)])
    orders = orders_of(session, [demand.id for demand in demands], OPEN)
    pairs = []
    for demand in reversed(demands):
        units = {line.id: line.units for line in demand.lines if line.units}
        if units:
            live, draft = decided_by(session, as_new(demand, units), sides, now=now, own=freed(orders[demand.id]))
            pairs.append(Pair(demand.reference, live, draft))
    return pairs


def decided_by(
    session: Session, wanted: Wanted, sides: Sequence[ActivePolicy], *, now: datetime, own: Taken
) -> list[Outcome]:
    """Return what each policy would make of a demand, to which what it claims already (`own`) is free."""
    return [_decided(session, wanted, side, now=now, own=own) for side in sides]


def _decided(session: Session, wanted: Wanted, side: ActivePolicy, *, now: datetime, own: Taken) -> Outcome:
    def state(demands: Sequence[Wanted]) -> Gathered:
        return gather(session, demands, now=now, taken=own, by=side)

    gathered, plan, _ = solved_relaxing(state([wanted]), state)
    return _outcome(gathered, plan)


def _outcome(gathered: Gathered, plan: Plan) -> Outcome:
    options = sorted({part.option for part in plan.assignments})
    nodes = gathered.options[0].node
    return Outcome(
        by_term={term: cost for term, cost in plan.by_term.items() if cost and term not in {UNFILLED_TERM, OPEN_TERM}},
        nodes=tuple(sorted({gathered.net.nodes[int(nodes[option])] for option in options})),
        packages=len(options),
        waiting=sum(missing.units for missing in plan.unfilled),
        relaxed=gathered.wanted[0].relaxed,
    )


def freed(orders: Sequence[FulfillmentOrder]) -> Taken:
    """Return what fulfillment orders claim, as less than nothing taken."""
    own = Taken()
    for order in orders:
        own.minutes[order.node, order.work_on] -= order.work_minutes
        for line in order.lines:
            if line.reservation_id is not None:
                own.units[line.sku, order.node] -= line.units
    return own
