"""What would have flipped a decision: the smallest changes of each kind, worked out when somebody asks.

Called by the doors. The problem is the one that the solver saw, as the decision keeps it; only how an earlier departure
would have arrived, which it did not see, is gathered anew: as of that departure, by the network and tariffs of today.
Invariant: nothing is written, and a decision that keeps no problem is answered with nothing rather than with a guess.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from sqlalchemy.orm import Session

from fulfillment.network import snapshot
from fulfillment.network.days import NEVER, following
from fulfillment.optimizer.flips import Flip, flips
from fulfillment.optimizer.plan import Plan
from fulfillment.optimizer.problem import OrderProblem, Problem
from fulfillment.optimizer.solve import SolveParams, solve
from fulfillment.sourcing import seen
from fulfillment.sourcing.demanded import as_asked
from fulfillment.sourcing.explain import Sentence, money
from fulfillment.sourcing.gather import Gathered, gather
from fulfillment.sourcing.proposal import Holding
from fulfillment.sourcing.ways import DIRECT
from fulfillment.work.models import Decision, Demand
from stock.holds import Held

MOST_MINUTES: Final = 24 * 60
"""A departure missed by more than this is no near miss."""
MOST_DEPARTURES: Final = 12
_PARAMS: Final = SolveParams(time_limit_s=2.0)
_FIRST: Final = "order"


@dataclass(frozen=True, kw_only=True)
class Flipped:
    """A change that would have flipped a decision: so many units, packages, minutes or cents (`amount`), and what the
    better plan saves. `exact` is false where a cost is the least that it could be.
    """

    kind: str
    amount: int
    saves_minor: int
    node: str | None = None
    sku: str | None = None
    arrives_at: datetime | None = None
    exact: bool = True

    def sentence(self, names: Mapping[str, str], currency: str) -> Sentence:
        """Tell it; `names` are those of the nodes by id, `currency` is the network's."""
        code = f"flip_{self.kind}" if self.exact else f"flip_{self.kind}_at_least"
        arrives_at = self.arrives_at.isoformat()[:16].replace("T", " ") if self.arrives_at else ""
        values: dict[str, Any] = {
            "node": names.get(self.node or "", self.node or ""), "sku": self.sku or "", "count": self.amount,
            "amount": money(self.amount, currency), "saved": money(self.saves_minor, currency),
            "arrives_at": arrives_at,
        }  # fmt: skip
        return Sentence(code, values)


def flips_of(session: Session, decision: Decision) -> list[Flipped]:
    """Return what would have flipped a decision, the smallest of each kind first, the nearest kind first.

    Nearest is what needs the fewest of its unit: units, packages, minutes or cents; of as many, what saves more.
    Empty for a decision that has nothing to weigh, or that was made before problems were kept.
    """
    if decision.problem is None or decision.status != "optimal":
        return []
    problem = seen.restored(decision.problem)
    plan = seen.decided(problem, decision.candidates)
    found = [_told(problem, flip) for flip in flips(problem, plan, _PARAMS)]
    found += _earlier(session, decision, problem, plan)
    nearest: dict[str, int] = {}
    for each in found:
        nearest[each.kind] = min(each.amount, nearest.get(each.kind, each.amount))
    return sorted(found, key=lambda each: (nearest[each.kind], each.kind, each.amount, -each.saves_minor))


def _told(problem: Problem, flip: Flip) -> Flipped:
    return Flipped(
        kind=flip.kind, amount=flip.amount, saves_minor=flip.saves, exact=flip.exact,
        node=None if flip.node is None else problem.nodes[flip.node],
        sku=None if flip.line is None else problem.skus[problem.orders[0].lines[flip.line].sku],
    )  # fmt: skip


def _earlier(session: Session, decision: Decision, problem: Problem, plan: Plan) -> Iterator[Flipped]:
    """Yield what a departure that the order just missed would have been better for."""
    demand = session.get_one(Demand, decision.demand_id)
    wanted = as_asked(demand, {line.id: line.units for line in problem.orders[0].lines})
    if decision.cause == _FIRST:
        wanted = replace(wanted, promised_by=None)
    at = decision.decided_at
    # What the solver saw counts as there, whoever has it by now.
    held = tuple(
        Held(sku, "", node, units, expires_at=at, extendable_until=at, valid=True)
        for row, sku in enumerate(problem.skus)
        for column, node in enumerate(problem.nodes)
        if (units := int(problem.stock[row, column]))
    )
    for leaves_at, nodes in _just_missed(session, problem, decision.decided_at):
        gathered = gather(session, [wanted], now=leaves_at, held=Holding(units=held))
        for node in nodes:
            minutes = -(-int((decision.decided_at - leaves_at).total_seconds()) // 60)
            if better := _better(problem, plan, gathered, node, decision):
                yield replace(better, amount=minutes)


def _just_missed(session: Session, problem: Problem, decided_at: datetime) -> list[tuple[datetime, list[str]]]:
    """Return the last departures before the decision, the latest first, each with the nodes that had it."""
    net = snapshot.load(session)
    days, now_s = net.days(decided_at.date()), int(decided_at.timestamp())
    found: defaultdict[int, list[str]] = defaultdict(list)
    for node in problem.nodes:
        place = net.index.get(node)
        if place is None:
            continue
        column = int(following(days.cut_off_s[place : place + 1], now_s, 1)[0, 0]) - 1
        if column >= 0 and days.ordinal[place, column] != NEVER:
            found[int(days.cut_off_s[place, column])].append(node)
    near = sorted((second for second in found if now_s - second <= MOST_MINUTES * 60), reverse=True)
    return [(datetime.fromtimestamp(second, UTC), found[second]) for second in near[:MOST_DEPARTURES]]


def _better(problem: Problem, plan: Plan, gathered: Gathered, node: str, decision: Decision) -> Flipped | None:
    """Return what the first departure of a node would have changed: a cheaper plan, or an earlier arrival as cheap."""
    options, offered = gathered.options[0], gathered.problem.orders[0]
    here = (options.node == gathered.net.index[node]) & (options.offer != DIRECT)
    if not here.any():
        return None
    first = int(options.ordinal[here].min())
    best: Flipped | None = None
    for option in np.flatnonzero(here & (options.ordinal == first)).tolist():
        wider = _with(problem, offered, option, problem.nodes.index(node))
        saves = plan.objective - solve(wider, _PARAMS).objective
        arrives_at = datetime.fromtimestamp(int(options.arrives_s[option]), UTC)
        sooner = saves == 0 and arrives_at < min(_arrivals(decision, node), default=arrives_at)
        if (saves > 0 or sooner) and (best is None or saves > best.saves_minor):
            best = Flipped(kind="cut_off", amount=0, saves_minor=saves, node=node, arrives_at=arrives_at)
    return best


def _arrivals(decision: Decision, node: str) -> list[datetime]:
    chosen = (package for package in decision.assignments if package["node"] == node)
    return [datetime.fromisoformat(package["arrives_at"]) for package in chosen]


def _with(problem: Problem, offered: OrderProblem, option: int, node: int) -> Problem:
    """Return a problem with one more way to serve, which has all the minutes it needs."""
    order = problem.orders[0]
    rows = [[line.id for line in offered.lines].index(line.id) for line in order.lines]
    wider = replace(
        order,
        option_ids=(*order.option_ids, "earlier"),
        option_node=np.append(order.option_node, node),
        option_capacity=np.append(order.option_capacity, -1),
        package_terms=np.append(order.package_terms, [[offered.package_cost[option]]], axis=1),
        line_terms=np.append(order.line_terms, [offered.line_cost[rows][:, [option]]], axis=2),
        eligible=np.append(order.eligible, offered.eligible[rows][:, [option]], axis=1),
        work=np.append(order.work, 0),
        line_work=np.append(order.line_work, np.zeros((len(rows), 1), dtype=np.int64), axis=1),
    )
    return replace(problem, orders=(wider,))
