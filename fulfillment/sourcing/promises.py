"""The ways to serve a basket that may be promised: by each service, and at each store near, without any commitment.

Called by the rooms above for quotes, and for what else there is where a store cannot serve a collection. Invariant: the
database is read once whatever the number of ways; every way is an exact decision under some restriction (`frontier`),
so that the order which is placed at once gets it or a better one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from fulfillment.network import nearby, snapshot
from fulfillment.network.geography import Destination
from fulfillment.network.nearby import Store
from fulfillment.optimizer.plan import Plan
from fulfillment.optimizer.problem import UNFILLED_TERM, Problem
from fulfillment.sourcing.decide import solved, solved_relaxing
from fulfillment.sourcing.frontier import LEAST_S, Effort, Search, frontier, next_best
from fulfillment.sourcing.gather import Gathered, gather
from fulfillment.sourcing.proposal import NOTHING, Holding, Missing, Package, Wanted
from fulfillment.sourcing.propose import missing_of, packages_of
from fulfillment.sourcing.relaxing import next_to_relax
from fulfillment.work.models import Method
from kernel.ids import new_id

SECONDS: Final = 1.0
"""How long all ways to serve a basket are looked for; the subset programme needs a hundredth of it.

Where that is not enough, each way is still looked for once, for as long as it takes to state it.
"""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to serve what is wanted: its packages, what it leaves, when all of it is there, and what it costs.

    `cost_minor` and `by_term` are the retailer's, in minor units of the network's currency, without the penalty for
    what is left. Placed until `order_by`, an order can still have it. `labels` say what it is the best of its kind in:
    earliest, cheapest, fewest_packages, nearest.
    """

    wanted: Wanted
    packages: tuple[Package, ...]
    missing: tuple[Missing, ...]
    arrives_at: datetime
    arrives_on: date
    time_zone: str
    cost_minor: int
    by_term: Mapping[str, int]
    order_by: datetime
    labels: tuple[str, ...] = ()

    @property
    def kind(self) -> tuple[str, str]:
        """What it is compared with: ways of the same service, or collections at any store."""
        return self.wanted.method, self.wanted.service if self.wanted.method == Method.SHIP else ""


@dataclass(frozen=True)
class Alternative:
    """Another way to have what a store cannot hand over: at another `store` near it, or shipped."""

    instead_of: str
    store: Store | None
    way: Way


@dataclass(frozen=True)
class Choice:
    """The ways to serve a basket, the earliest first, and what none of them serves."""

    ways: tuple[Way, ...]
    missing: tuple[Missing, ...]


def services(session: Session) -> tuple[str, ...]:
    """Return the services that carriers offer, by name."""
    return tuple(sorted({offer.service for offer in snapshot.load(session).services}))


def instead_of(session: Session, wanted: Wanted, home: Destination | None, *, now: datetime) -> list[Alternative]:
    """Return the soonest way to have all that a store cannot hand over: at each store near it, and shipped `home`."""
    store = wanted.collect_node or ""
    near = nearby.stores(session, nearby.place_of(session, store), nearby.STORES, but=store)
    others = [*(wanted.collected_at(each.node) for each in near), *([wanted.shipped_to(home)] if home else [])]
    each_its_own = [replace(other, demand_id=new_id()) for other in others]
    if not each_its_own:
        return []
    gathered, plans = _planned(session, each_its_own, now=now, held=NOTHING, effort=Effort(SECONDS))
    every = ([_way(gathered, number, plan) for plan in own] for number, own in plans.items() if own)
    soonest = [min(ways, key=_soonest_first) for ways in every]
    at = {each.node: each for each in near}
    return [
        Alternative(store, at.get(way.wanted.collect_node or ""), way)
        for way in sorted(soonest, key=_soonest_first)
        if not way.missing
    ]


def ways_to_serve(
    session: Session,
    wanted: Sequence[Wanted],
    *,
    now: datetime,
    most: int,
    held: Holding = NOTHING,
    by_distance: bool = True,
    seconds: float = SECONDS,
) -> Choice:
    """Return up to `most` ways to serve one basket, to which what is `held` for it is available.

    `wanted` states the basket once for each service and each store, the nearest first; without a place that is known
    they do not come `by_distance`, and none is called the nearest. Ways that leave something are
    told only where there is none that leaves nothing. The best of each kind come first, then what else no other beats,
    then the next best.
    """
    if not wanted:
        return Choice((), ())
    effort = Effort(seconds)
    gathered, plans = _planned(session, wanted, now=now, held=held, effort=effort)
    every = [_way(gathered, number, plan) for number, own in plans.items() for plan in own]
    ways = _labelled(_whole(every), by_distance=by_distance)
    if not ways:
        return Choice((), _missing(gathered, 0, solved(_alone(gathered, 0), time_limit_s=max(LEAST_S, effort.left_s))))
    chosen = sorted(ways, key=lambda way: (not way.labels, way.cost_minor))[:most]
    for number, own in plans.items():
        # Where another way leaves less, the next best of this one is of no use to anybody.
        if own and bool(own[0].unfilled) == bool(chosen[0].missing) and len(chosen) < most:
            more = next_best(_search(gathered, number, effort.left_s), own, most - len(chosen))
            chosen += [_way(gathered, number, plan) for plan in more]
    missing = min((way.missing for way in chosen), key=lambda lines: sum(line.units for line in lines))
    return Choice(tuple(sorted(chosen, key=_soonest_first)), missing)


def _planned(
    session: Session, wanted: Sequence[Wanted], *, now: datetime, held: Holding, effort: Effort
) -> tuple[Gathered, dict[int, list[Plan]]]:
    """Return the problem of all ways together, and for each wish the plans that no other of it beats."""

    def state(demands: Sequence[Wanted]) -> Gathered:
        return gather(session, demands, now=now, held=held, instead=True)

    gathered = _relaxed(state(wanted), state, effort)
    plans: dict[int, list[Plan]] = {}
    for number in range(len(wanted)):
        plans[number] = frontier(_search(gathered, number, effort.left_s / (len(wanted) - number)))
    return gathered, plans


def _soonest_first(way: Way) -> tuple[datetime, int, int]:
    return way.arrives_at, way.cost_minor, len(way.packages)


def _relaxed(gathered: Gathered, state: Callable[[Sequence[Wanted]], Gathered], effort: Effort) -> Gathered:
    """Give up soft fences for each demand that lacks units behind them, as the decision of its order would.

    Once time is up, the fences of those that were not looked at stand.
    """
    demands = list(gathered.wanted)
    for number, scene in enumerate(gathered.scenes):
        if effort.left_s > 0 and any(fence.soft for fence in scene.fences):
            share_s = max(LEAST_S, effort.left_s / (len(demands) - number))
            plan = _numbered(solved(_alone(gathered, number), time_limit_s=share_s), number)
            if next_to_relax(gathered, plan, number) is not None:
                alone = state([demands[number]])
                [demands[number]] = solved_relaxing(alone, state, time_limit_s=share_s)[0].wanted
    return gathered if demands == list(gathered.wanted) else state(demands)


def _alone(gathered: Gathered, number: int) -> Problem:
    return replace(gathered.problem, orders=(gathered.problem.orders[number],))


def _search(gathered: Gathered, number: int, seconds: float) -> Search:
    return Search(_alone(gathered, number), gathered.options[number].arrives_s, Effort(seconds))


def _way(gathered: Gathered, number: int, plan: Plan) -> Way:
    packages = packages_of(gathered, number, plan.assignments)
    last = max(packages, key=lambda package: package.arrives_at)
    by_term = {term: cost for term, cost in plan.by_term.items() if cost and term != UNFILLED_TERM}
    return Way(
        wanted=gathered.wanted[number],
        packages=packages,
        missing=_missing(gathered, number, plan),
        arrives_at=last.arrives_at,
        arrives_on=last.arrives_on,
        time_zone=gathered.options[number].zone,
        cost_minor=sum(by_term.values()),
        by_term=by_term,
        order_by=min(_order_by(gathered, number, package) for package in packages),
    )


def _order_by(gathered: Gathered, number: int, package: Package) -> datetime:
    """Return until when an order can have a package: its cut-off, or when a store must begin with it."""
    if package.carrier_service is not None:
        return package.leaves_at
    lead = timedelta(minutes=gathered.active[number].settings.collect_lead_minutes)
    calendar = gathered.net.calendars[gathered.net.index[package.node]]
    return calendar.work_day(package.work_on).begun_at(package.leaves_at, lead)


def _missing(gathered: Gathered, number: int, plan: Plan) -> tuple[Missing, ...]:
    """Return what a plan of one order alone leaves."""
    return missing_of(gathered, number, _numbered(plan, number))


def _numbered(plan: Plan, number: int) -> Plan:
    """Return a plan of one order alone as one of all, of which that is the `number`-th."""
    return replace(plan, unfilled=tuple(missing._replace(order=number) for missing in plan.unfilled))


def _whole(ways: list[Way]) -> list[Way]:
    """Return the ways that leave nothing; all where there is none."""
    return [way for way in ways if not way.missing] or ways


def _labelled(ways: Sequence[Way], *, by_distance: bool) -> list[Way]:
    """Label the best of each kind; what is equal in one respect is told apart by the others."""
    labels: dict[int, list[str]] = {}
    for kind in dict.fromkeys(way.kind for way in ways):
        same = [number for number, way in enumerate(ways) if way.kind == kind]
        best = {
            "earliest": min(same, key=lambda number: (ways[number].arrives_at, ways[number].cost_minor)),
            "cheapest": min(same, key=lambda number: (ways[number].cost_minor, ways[number].arrives_at)),
            "fewest_packages": min(same, key=lambda number: (len(ways[number].packages), ways[number].cost_minor)),
        }
        if kind[0] == Method.COLLECT and by_distance:
            best["nearest"] = same[0]
        for label, number in best.items():
            labels.setdefault(number, []).append(label)
    return [replace(way, labels=tuple(labels.get(number, ()))) for number, way in enumerate(ways)]
