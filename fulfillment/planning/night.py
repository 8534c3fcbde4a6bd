"""The night's problem: everything nobody works on yet, stated together, solved and judged.

Called by the door that plans; `runs` turns the answer into a proposal. Reads only. Invariants: a promise that stands is
a fence, so no plan makes it worse; and a plan never costs more than leaving everything where it stands.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from fulfillment.optimizer.check import check
from fulfillment.optimizer.plan import Assignment, Plan, priced_plan
from fulfillment.optimizer.problem import Line, OrderProblem, Problem
from fulfillment.optimizer.solve import SolveParams, solve
from fulfillment.planning.errors import PlanRefused
from fulfillment.sourcing.demanded import read_many
from fulfillment.sourcing.gather import Gathered, gather
from fulfillment.sourcing.options import Options
from fulfillment.sourcing.proposal import FreedFulfillment, Wanted
from fulfillment.sourcing.ways import DIRECT
from fulfillment.work.models import NOT_STARTED, Demand, DemandLine, FulfillmentOrder, Method
from stock.past.positions import newest

MOST_DEMANDS = 100_000
"""Demands of one run; those placed first go first, the rest waits for the next run."""


@dataclass(frozen=True)
class Way:
    """How units are served: from which node, by which carrier service, on which day, and whether by a transfer leg."""

    node: str
    carrier_service: str | None
    transfer: bool
    work_on: str


@dataclass(frozen=True, eq=False)
class Night:
    """The problem gathered, the assignments that hold now in its terms, and the ledger's position when it was read."""

    gathered: Gathered
    standing: tuple[Assignment, ...]
    ledger_position: int

    @property
    def inputs_hash(self) -> str:
        """A digest of everything that the solver sees."""
        problem = self.gathered.problem
        digest = hashlib.sha256()
        for array in (problem.stock, problem.capacities):
            digest.update(np.ascontiguousarray(array).tobytes())
        for order in problem.orders:
            limits = (order.max_packages, order.min_part_value, order.together)
            digest.update(repr((order.id, order.lines, limits)).encode())
            for column in (order.option_node, order.package_cost, order.line_cost, order.eligible):
                digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()


def scope(session: Session, *, limit: int = MOST_DEMANDS) -> list[str]:
    """Return the demands that a run decides: those with units that wait, or that nobody has started to work on."""
    waiting = select(DemandLine.demand_id).where(DemandLine.units > DemandLine.allocated + DemandLine.fulfilled)
    not_started = select(FulfillmentOrder.demand_id).where(FulfillmentOrder.status.in_(NOT_STARTED))
    wanted = select(Demand.id).where(or_(Demand.id.in_(waiting), Demand.id.in_(not_started)))
    wanted = wanted.where(Demand.paused_at.is_(None), Demand.person_since.is_(None))
    return list(session.scalars(wanted.order_by(Demand.placed_at, Demand.id).limit(limit)))


def gather_night(session: Session, demand_ids: Sequence[str], *, now: datetime) -> Night:
    """State demands as one problem, with what they take along counted as free and their promises as fences."""
    position = newest(session)
    wanted = [demand for demand in read_many(session, demand_ids) if demand.lines]
    gathered = gather(session, wanted, now=now)
    standing = [_standing(gathered, number) for number in range(len(gathered.wanted))]
    dear = _dearer_than_any(gathered.problem)
    orders = tuple(
        _with_promise(order, demand, options, parts, dear=dear)
        for order, demand, options, parts in zip(
            gathered.problem.orders, gathered.wanted, gathered.options, standing, strict=True
        )
    )
    problem = replace(gathered.problem, orders=orders)
    return Night(replace(gathered, problem=problem), tuple(part for parts in standing for part in parts), position)


def solve_night(night: Night, params: SolveParams) -> Plan:
    """Return a plan that the judge found good and that costs no more than how things stand. Raises PlanRefused."""
    problem = night.gathered.problem
    plan = solve(problem, params)
    as_it_stands = priced_plan(
        problem, night.standing, bound=plan.bound, seconds=plan.seconds, solver=plan.solver, seed=params.seed
    )
    no_better = plan.status == "infeasible" or plan.objective >= as_it_stands.objective
    if no_better and not check(problem, as_it_stands):
        plan = as_it_stands
    findings = check(problem, plan)
    if findings:
        raise PlanRefused(tuple(finding.message for finding in findings))
    return plan


def ways(gathered: Gathered, number: int) -> list[Way]:
    """Return the ways that the options of one order stand for, in their order."""
    options = gathered.options[number]
    return [_way(gathered, options, option) for option in range(len(options.node))]


def _way(gathered: Gathered, options: Options, option: int) -> Way:
    offer = int(options.offer[option])
    return Way(
        gathered.net.nodes[int(options.node[option])],
        None if offer == DIRECT else gathered.net.services[offer].id,
        bool(options.transfer[option]),
        datetime.fromordinal(int(options.ordinal[option])).date().isoformat(),
    )


def _standing(gathered: Gathered, number: int) -> list[Assignment]:
    """Return where the units of one demand stand now; units whose way is gone, or that wait, stand nowhere."""
    demand = gathered.wanted[number]
    known = ways(gathered, number)
    position = {line.id: place for place, line in enumerate(demand.lines)}
    found: dict[tuple[int, int], int] = {}
    for freed, line_id, units in _served(demand):
        option = _option_of(known, freed)
        if option is not None and line_id in position:
            key = (position[line_id], option)
            found[key] = found.get(key, 0) + units
    return [Assignment(number, line, option, units) for (line, option), units in sorted(found.items())]


def _served(demand: Wanted) -> list[tuple[FreedFulfillment, str, int]]:
    """Return who serves which units; at a collection by transfer, the leg serves what the store does not hold."""
    return [
        (freed, line.line_id, line.units)
        for freed in demand.freed
        for line in freed.lines
        if line.reservation_id is not None
    ]


def _option_of(known: Sequence[Way], freed: FreedFulfillment) -> int | None:
    """Return the option that a fulfillment order stands for: on its day, else on the first day that is left."""
    transfer = freed.method == Method.TRANSFER
    same = [
        option
        for option, way in enumerate(known)
        if (way.node, way.carrier_service, way.transfer) == (freed.node, freed.carrier_service, transfer)
    ]
    on_day = [option for option in same if known[option].work_on == freed.work_on.isoformat()]
    return min(on_day or same, key=lambda option: known[option].work_on, default=None)


def _with_promise(
    order: OrderProblem, demand: Wanted, options: Options, standing: Sequence[Assignment], *, dear: int
) -> OrderProblem:
    """Keep what stands of a demand: its allocated units are served, and no later than promised or than now planned."""
    held: Counter[int] = Counter()
    for part in standing:
        held[part.line] += part.units
    eligible = order.eligible.copy()
    if demand.promised_by is not None:
        for line in held:
            planned = max(int(options.arrives_s[part.option]) for part in standing if part.line == line)
            eligible[line] &= options.arrives_s <= max(int(demand.promised_by.timestamp()), planned)
    lines = tuple(_kept(line, held[place], dear=dear) for place, line in enumerate(order.lines))
    return replace(order, lines=lines, eligible=eligible)


def _kept(line: Line, held: int, *, dear: int) -> Line:
    """Return the line as it must be served: wholly when it is allocated, else its units before anybody else's."""
    if not held:
        return line
    return replace(line, unfilled_cost=None if held >= line.units else line.units * dear)


def _dearer_than_any(problem: Problem) -> int:
    """Return a penalty for a unit above ten times that of any line: nobody waits so that others need not."""
    penalties = [(line.unfilled_cost or 0) // line.units for order in problem.orders for line in order.lines]
    return 10 * (max(penalties, default=0) + 1)
