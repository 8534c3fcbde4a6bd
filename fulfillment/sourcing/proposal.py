"""What is asked of sourcing, and what it proposes: values that go from a decision to its commit.

Made by the rooms above (`Wanted`) and by `decide` (`Proposal`), read by `commit` and by nightly planning. Invariant: a
proposal holds no row and changes nothing; it says what it assumed, so that the commit can tell whether it still holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from fulfillment.network.geography import UNKNOWN, Destination, Location
from fulfillment.network.minutes import NodeMinutes
from fulfillment.work.candidates import Candidates
from fulfillment.work.models import Method
from stock.holds import Held


@dataclass(frozen=True, kw_only=True)
class WantedLine:
    """Units of a SKU to be placed; a line that is not divisible comes whole from one node.

    Lines with the same `together` leave in one package where a node can serve them all.
    """

    id: str
    sku: str
    units: int
    unit_value_minor: int
    divisible: bool = True
    excluded_nodes: tuple[str, ...] = ()
    together: str | None = None


@dataclass(frozen=True, kw_only=True)
class FreedLine:
    """Units of a demand line at a freed fulfillment order; no reservation while they would come by transfer."""

    line_id: str
    sku: str
    units: int
    reservation_id: str | None


@dataclass(frozen=True, kw_only=True)
class FreedFulfillment:
    """A fulfillment order that nobody works on yet: its units and minutes count as free in the decision."""

    id: str
    version: int
    node: str
    method: str
    carrier_service: str | None
    destination_node: str | None
    supplies: str | None
    work_on: date
    work_minutes: int
    lines: tuple[FreedLine, ...]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A node did not serve an article of a demand, how, why and when; `attempt` names the fulfillment order it had.

    It counts as a failed attempt until a person has dealt with it.
    """

    sku: str
    node: str
    cause: str
    reason: str
    failed_at: datetime
    attempt: str
    counts: bool = True


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A demand to be decided: all of a new one, or what waits of an existing one with what it takes along.

    `version` is None for a new demand. `standing_packages` counts the fulfillment orders that stay as they are.
    `channel` is whose stock it draws on: what nodes keep back may differ by channel. Nothing that arrives after
    `arrive_by` serves it. Work at a store's own shelves begins `grace_minutes` late at most, as nobody has bought yet.
    `failures` are what went wrong with it so far; with `forgiving`, nodes that failed are dearer, and none is barred.
    `relaxed` names the soft fences of its policy that do not bind.
    """

    demand_id: str
    reference: str
    method: str
    service: str
    collect_node: str | None
    location: Location
    country: str | None
    postal_code: str | None
    lines: tuple[WantedLine, ...]
    value_minor: int
    placed_at: datetime
    policy: str
    channel: str | None = None
    wanted_from: datetime | None = None
    wanted_by: datetime | None = None
    promised_by: datetime | None = None
    arrive_by: datetime | None = None
    grace_minutes: int = 0
    rank: int = 0
    version: int | None = None
    freed: tuple[FreedFulfillment, ...] = ()
    standing_packages: int = 0
    relaxed: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    forgiving: bool = False

    def shipped_to(self, to: Destination) -> Wanted:
        """Return the same wish, shipped to an address."""
        return self._by(Method.SHIP, None, to)

    def collected_at(self, node: str) -> Wanted:
        """Return the same wish, collected at a store."""
        return self._by(Method.COLLECT, node, UNKNOWN)

    def _by(self, method: Method, node: str | None, to: Destination) -> Wanted:
        return replace(
            self, method=method.value, collect_node=node, location=to.location, country=to.country,
            postal_code=to.postal_code,
        )  # fmt: skip

    @property
    def destination(self) -> Destination:
        """Where it goes, of which nothing is known for a collection."""
        return Destination(self.location, self.country, self.postal_code)


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """What is about to happen to a demand: units it loses by fulfillment line, and how nodes fail it."""

    lost: Sequence[tuple[str, int]] = ()
    failed: Sequence[Failure] = ()


@dataclass(frozen=True)
class LineUnits:
    """Units of a demand line."""

    line_id: str
    sku: str
    units: int


@dataclass(frozen=True)
class Missing:
    """Units of a demand line that no node serves, and why: no_stock, no_capacity, no_node, no_address, package_limit,
    part_value, not_in_time when those that could make another date, or would be worth their cost were they not so late,
    too_bulky for every carrier, cost when serving them costs more than leaving them, or needs_person when so many
    attempts failed that somebody has to say how it goes on.
    """

    line_id: str
    sku: str
    units: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Package:
    """Lines that leave a node together: to the person, over the counter, or by `transfer` to a collection's store."""

    node: str
    carrier_service: str | None
    transfer: bool
    work_on: date
    work_minutes: int
    leaves_at: datetime
    arrives_at: datetime
    arrives_on: date
    lines: tuple[LineUnits, ...]


@dataclass(frozen=True, kw_only=True)
class Rationale:
    """Why a plan is what it is, as a decision stores it; money in minor units of the network's currency.

    `problem` is what the solver saw, as `seen` states it.
    """

    status: str
    objective_minor: int
    bound_minor: int
    by_term: Mapping[str, int]
    candidates: Candidates
    solve_ms: float
    problem: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is to become of one demand: its packages, what waits, and why.

    `relaxed` are the soft fences of the policy that were given up for it, as the policy has them. `assumed` tells that
    the decision was made as if something had happened already, which the same transaction will do.
    """

    wanted: Wanted
    policy_version: int
    packages: tuple[Package, ...]
    missing: tuple[Missing, ...]
    rationale: Rationale
    assumed: bool = False
    relaxed: tuple[Mapping[str, Any], ...] = ()
    run_id: str | None = None


@dataclass(frozen=True)
class Holding:
    """What is held for a reference: units, and minutes of work of nodes and days."""

    reference: str = ""
    units: tuple[Held, ...] = ()
    minutes: tuple[NodeMinutes, ...] = ()


NOTHING: Final = Holding()


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The changes to some demands that belong together, and what caused them.

    `held` is what was held for whoever wants this: it counted as available, and ends when the changes are made true.
    """

    cause: str
    changes: tuple[Change, ...] = field(default_factory=tuple)
    held: Holding = NOTHING

    @property
    def unfilled(self) -> tuple[Missing, ...]:
        """Every unit that no node serves."""
        return tuple(missing for change in self.changes for missing in change.missing)
