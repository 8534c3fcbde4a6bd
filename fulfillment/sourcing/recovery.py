"""How a demand in trouble may go on: the ways for what of it nobody works on, each with date, cost and chance.

Called by the rooms above, which know the order and carry a choice out. Nodes that failed are dearer here and none is
barred, since a person looks at it. Invariant: `remedies` changes nothing; `choose` makes one true, or refuses it as
stale.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np
from sqlalchemy.orm import Session

from fulfillment.network import costs, nearby, policies
from fulfillment.network.geography import Destination
from fulfillment.optimizer.problem import UNFILLED_TERM
from fulfillment.sourcing.commit import StalePlan, commit
from fulfillment.sourcing.decide import decide, solved_relaxing
from fulfillment.sourcing.demanded import read_again
from fulfillment.sourcing.gather import Gathered, gather
from fulfillment.sourcing.proposal import Proposal, Wanted
from fulfillment.work import demands, setbacks
from fulfillment.work.models import Demand, FulfillmentOrder, Method
from kernel.ids import new_id
from stock import substitutes, supply

CAUSE: Final = "recovery"
MOST_SUBSTITUTES: Final = 3


class Choice(enum.StrEnum):
    """What a person may choose."""

    SHIP = "ship"
    COLLECT = "collect"
    SUBSTITUTE = "substitute"
    WAIT = "wait"
    CANCEL = "cancel"


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """One way to go on: `units` are served, `left` are not.

    `cost_minor` is the retailer's, in minor units of the network's currency; of a cancel it is what leaving the units
    is worth avoiding. `probability` is that everything is found; None where nobody can say, as `arrives_at` is.
    """

    choice: Choice
    cost_minor: int
    units: int
    left: int = 0
    node: str | None = None
    substitutes: Mapping[str, str] = field(default_factory=dict)
    nodes: tuple[str, ...] = ()
    arrives_at: datetime | None = None
    probability: float | None = None


def remaining(session: Session, demand_id: str) -> Wanted | None:
    """Return what of a demand nobody works on, None when there is nothing. Raises UnknownDemand."""
    wanted = read_again(session, demand_id)
    return None if wanted is None else replace(wanted, forgiving=True)


def remedies(session: Session, wanted: Wanted, home: Destination | None, *, now: datetime) -> list[Remedy]:
    """Return the ways to go on with what remains of a demand; `home` is the address of its order, where there is one.

    Ways that serve come first, the cheapest first; then to wait, and to cancel.
    """
    ways = [_served(session, Choice(way.method), way, now=now) for way in _ways(session, wanted, home)]
    ways += [_substituted(session, wanted, each, now=now) for each in _replacing(session, wanted)]
    serving = sorted((way for way in ways if way.units), key=lambda way: (way.left, way.cost_minor))
    return [*serving, _waiting(session, wanted, now=now), _cancelled(session, wanted)]


def replaced(wanted: Wanted, by: Mapping[str, str]) -> Wanted:
    """Return a new wish for other articles in place of units that wait; lines keep the ids of those they stand for."""
    lines = [
        replace(line, sku=by[line.sku], units=units, excluded_nodes=())
        for line in wanted.lines
        if line.sku in by and line.together is None and (units := waiting_units(wanted)[line.id])
    ]
    return replace(
        wanted, demand_id=new_id(), version=None, lines=tuple(lines), freed=(), failures=(), promised_by=None
    )  # fmt: skip


def waiting_units(wanted: Wanted) -> Counter[str]:
    """Return the units that wait, by line: what is wanted without what fulfillment orders hold that are taken along."""
    units = Counter({line.id: line.units for line in wanted.lines})
    for order in wanted.freed:
        for line in order.lines if order.method != Method.TRANSFER else ():
            units[line.line_id] -= line.units
    return units


def propose(session: Session, wanted: Wanted, *, now: datetime) -> Proposal:
    """Decide what remains of a demand as it is stated. Raises CannotCollect."""
    return decide(session, [wanted], now=now, cause=CAUSE)


def choose(session: Session, proposal: Proposal, *, now: datetime, actor: str) -> list[FulfillmentOrder]:
    """Make a proposal about what remains of a demand true, and send the demand the way that it states.

    Raises StalePlan when the demand or what the plan rests on has changed.
    """
    (change,) = proposal.changes
    wanted = change.wanted
    demand = lock_unchanged(session, wanted)
    setbacks.settle(session, demand.id, now=now)
    demand.method, demand.collect_node = wanted.method, wanted.collect_node
    demands.place(demand, wanted.destination)
    return commit(session, proposal, now=now, actor=actor)


def lock_unchanged(session: Session, wanted: Wanted) -> Demand:
    """Lock a demand and return it. Raises StalePlan when it has changed since it was read."""
    demand = demands.lock(session, [wanted.demand_id])[wanted.demand_id]
    if demand.version != wanted.version:
        raise StalePlan([f"demand {wanted.demand_id} has changed"])
    return demand


def wait(session: Session, demand_id: str, *, now: datetime) -> None:
    """Let a demand go on by itself: it is decided again when stock, capacity or time change."""
    demand = demands.lock(session, [demand_id])[demand_id]
    setbacks.settle(session, demand_id, now=now)
    demand.person_since = demand.waiting_reason = demand.decide_cause = None
    demand.attempts = 0
    demand.version += 1
    session.flush()


def _ways(session: Session, wanted: Wanted, home: Destination | None) -> Iterator[Wanted]:
    if wanted.method == Method.SHIP:
        yield wanted
        place = wanted.location
    else:
        place = nearby.place_of(session, wanted.collect_node or "")
        yield wanted
        if home is not None:
            yield wanted.shipped_to(home)
    for store in nearby.stores(session, place, nearby.STORES, but=wanted.collect_node):
        yield wanted.collected_at(store.node)


def _replacing(session: Session, wanted: Wanted) -> Iterator[dict[str, str]]:
    """Yield which articles could go instead: the best of each first, then the second."""
    waiting = waiting_units(wanted)
    named = substitutes.of(session, {line.sku for line in wanted.lines if waiting[line.id] and line.together is None})
    for rank in range(MOST_SUBSTITUTES):
        if by := {sku: found[rank] for sku, found in named.items() if len(found) > rank}:
            yield by


def _substituted(session: Session, wanted: Wanted, by: Mapping[str, str], *, now: datetime) -> Remedy:
    served = _served(session, Choice.SUBSTITUTE, replaced(wanted, by), now=now)
    others = sum(units for line, units in waiting_units(wanted).items() if line not in _ids(replaced(wanted, by)))
    return replace(served, substitutes=by, left=served.left + others, node=None)


def _ids(wanted: Wanted) -> set[str]:
    return {line.id for line in wanted.lines}


def _served(session: Session, choice: Choice, wanted: Wanted, *, now: datetime) -> Remedy:
    def state(demands: Sequence[Wanted]) -> Gathered:
        return gather(session, demands, now=now)

    gathered, plan, _ = solved_relaxing(state([wanted]), state)
    options, chance = gathered.options[0], gathered.scenes[0].pick_success
    probability = 1.0
    for part in plan.assignments:
        probability *= float(chance[part.line, options.node[part.option]])
    used = sorted({part.option for part in plan.assignments})
    arrives = [int(options.arrives_s[option]) for option in used]
    return Remedy(
        choice=choice,
        cost_minor=plan.objective - plan.by_term.get(UNFILLED_TERM, 0),
        units=sum(part.units for part in plan.assignments),
        left=sum(missing.units for missing in plan.unfilled),
        node=wanted.collect_node,
        nodes=tuple(dict.fromkeys(gathered.net.nodes[int(options.node[option])] for option in used)),
        arrives_at=datetime.fromtimestamp(max(arrives), UTC) if arrives else None,
        probability=round(probability, 4) if used else None,
    )


def _waiting(session: Session, wanted: Wanted, *, now: datetime) -> Remedy:
    """Return what waiting means: until the supply that is expected, at the price of being late."""
    waiting = {line.id: line.sku for line in wanted.lines if waiting_units(wanted)[line.id]}
    expected = supply.expected(session, waiting, now=now)
    arrives_at = max(expected.values()) if waiting and expected.keys() == waiting.keys() else None
    settings = policies.active(session, wanted.policy).settings
    cost = 0
    if arrives_at is not None and wanted.promised_by is not None:
        arrives_s, due_s = np.array([int(arrives_at.timestamp())]), int(wanted.promised_by.timestamp())
        cost = int(costs.lateness(arrives_s, due_s, settings.lateness_day_minor)[0])
    units = sum(waiting_units(wanted)[line] for line in waiting)
    return Remedy(choice=Choice.WAIT, cost_minor=cost, units=0, left=units, arrives_at=arrives_at)


def _cancelled(session: Session, wanted: Wanted) -> Remedy:
    per_unit = policies.active(session, wanted.policy).settings.unfilled_minor
    cost = sum(line.units * (per_unit + line.unit_value_minor) for line in wanted.lines)
    units = sum(line.units for line in wanted.lines)
    return Remedy(choice=Choice.CANCEL, cost_minor=cost, units=0, left=units, probability=1.0)
