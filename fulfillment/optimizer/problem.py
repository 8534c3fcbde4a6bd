"""The sourcing problem: who may serve which line, at what cost, out of which shared stock and capacity.

Owns the frozen statement that every solver, the judge and the explanation read. Sourcing and planning build it, the
problem file is read into it. Invariant: a problem that exists is consistent; nothing downstream checks it again.

Costs are whole numbers in one unit of the caller's choice (minor units of a currency, or millionths in a file), work
and capacities whole numbers in another (minutes). Arrays are read-only views of what the caller gave; a caller that has
no use for a field may pass `numpy.broadcast_to(0, shape)`, which takes no memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

UNLIMITED: Final = 1 << 61
"""Stock of a node or minutes of a capacity that never run out."""
COST_LIMIT: Final = 10**15
"""Largest amount of one cost; sums over an order then stay exact in 64 bits."""
UNITS_LIMIT: Final = 10**9
"""Most units that a line may ask for."""
UNFILLED_TERM: Final = "unfilled"
OPEN_TERM: Final = "open"
"""Terms that every plan has beside those of its orders."""


class ProblemError(ValueError):
    """The parts of a problem contradict each other; the message names the place."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order.

    `sku` is an index into `Problem.skus`. A line that is not divisible is served whole by one option or not at all.
    `unfilled_cost` is the penalty for leaving the whole line, in proportion for a divisible one; None: must be served.
    `unit_value` is what each unit counts towards the least worth of a part of the order.
    """

    id: str
    sku: int
    units: int
    divisible: bool = False
    unfilled_cost: int | None = None
    unit_value: int = 0

    def __post_init__(self) -> None:
        """Refuse units and penalties that no line can have."""
        if not 1 <= self.units <= UNITS_LIMIT:
            raise ProblemError(f"line {self.id}: units must be between 1 and {UNITS_LIMIT}, not {self.units}")
        if self.unfilled_cost is not None and not 0 <= self.unfilled_cost <= COST_LIMIT:
            raise ProblemError(f"line {self.id}: unfilled_cost must be between 0 and {COST_LIMIT}")
        if not 0 <= self.units * self.unit_value <= COST_LIMIT:
            raise ProblemError(f"line {self.id}: units times unit_value must be between 0 and {COST_LIMIT}")


@dataclass(frozen=True, slots=True, eq=False)
class OrderProblem:
    """One order: L lines, K options to serve them (a node with a service on a day), T cost terms.

    option_node        K     index of the node; several options of one node share its stock
    option_capacity    K     index of the capacity that the option's work is taken from, -1: none
    package_terms      T,K   cost of a package from the option, by term; its sum may not be negative
    line_terms         T,L,K cost of serving the whole line from the option, by term; may be negative
    eligible           L,K   whether the option may serve the line at all (stock and capacity are not asked here)
    work, line_work    K; L,K  taken from the capacity once per package, and per whole line
    max_packages       most options the order may use, None: any number
    together           groups of lines that leave in one package or not at all
    min_part_value     least worth of each part of a split order, 0: any; a part is what leaves from one option,
                       or all that stays unfilled
    """

    id: str
    lines: tuple[Line, ...]
    option_ids: tuple[str, ...]
    option_node: Integers
    option_capacity: Integers
    terms: tuple[str, ...]
    package_terms: Integers
    line_terms: Integers
    eligible: Flags
    work: Integers
    line_work: Integers
    max_packages: int | None = None
    together: tuple[tuple[int, ...], ...] = ()
    min_part_value: int = 0
    package_cost: Integers = field(init=False)
    line_cost: Integers = field(init=False)

    def __post_init__(self) -> None:
        """Freeze the arrays and refuse shapes, values and groups that do not fit together."""
        where = f"order {self.id}"
        lines, options, terms = len(self.lines), len(self.option_ids), len(self.terms)
        if not lines:
            raise ProblemError(f"{where}: it has no lines")
        _unique(where, "line", [line.id for line in self.lines])
        _unique(where, "option", self.option_ids)
        _unique(where, "term", (*self.terms, UNFILLED_TERM, OPEN_TERM))
        if self.max_packages is not None and self.max_packages < 0:
            raise ProblemError(f"{where}: max_packages must not be negative")
        if not 0 <= self.min_part_value <= COST_LIMIT:
            raise ProblemError(f"{where}: min_part_value must be between 0 and {COST_LIMIT}")
        self._freeze(where, lines, options, terms)
        self._check_together(where)

    def _freeze(self, where: str, lines: int, options: int, terms: int) -> None:
        shapes: dict[str, tuple[int, ...]] = {
            "option_node": (options,),
            "option_capacity": (options,),
            "package_terms": (terms, options),
            "line_terms": (terms, lines, options),
            "work": (options,),
            "line_work": (lines, options),
        }
        for name, shape in shapes.items():
            object.__setattr__(self, name, _frozen(where, name, getattr(self, name), shape))
        object.__setattr__(self, "eligible", _frozen(where, "eligible", self.eligible, (lines, options), np.bool_))
        for name in ("package_terms", "line_terms"):
            _within(where, name, getattr(self, name), -COST_LIMIT, COST_LIMIT)
        object.__setattr__(self, "package_cost", _total(self.package_terms))
        object.__setattr__(self, "line_cost", _total(self.line_terms))
        _within(where, "package cost", self.package_cost, 0, COST_LIMIT)
        _within(where, "line cost", self.line_cost, -COST_LIMIT, COST_LIMIT)
        _within(where, "work", self.work, 0, UNLIMITED)
        _within(where, "line_work", self.line_work, 0, UNLIMITED // lines)

    def _check_together(self, where: str) -> None:
        seen: set[int] = set()
        for line in (line for group in self.together for line in group):
            if not 0 <= line < len(self.lines):
                raise ProblemError(f"{where}: together names line {line}, which the order does not have")
            if line in seen:
                raise ProblemError(f"{where}: line {self.lines[line].id} is in together twice")
            if self.lines[line].divisible:
                raise ProblemError(f"{where}: line {self.lines[line].id} is divisible, so it cannot be in together")
            seen.add(line)


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Orders that share the stock and the capacity of N nodes, S SKUs and C capacities.

    open_cost   N    paid once if the node serves anything
    capacities  C    work that may be taken from each capacity (a node on a day), UNLIMITED allowed
    stock       S,N  units that may be taken, UNLIMITED allowed
    """

    nodes: tuple[str, ...]
    open_cost: Integers
    capacity_ids: tuple[str, ...]
    capacities: Integers
    skus: tuple[str, ...]
    stock: Integers
    orders: tuple[OrderProblem, ...]

    def __post_init__(self) -> None:
        """Freeze the arrays and refuse orders that name what the problem does not have."""
        where = "problem"
        nodes, capacities, skus = len(self.nodes), len(self.capacity_ids), len(self.skus)
        shapes = {"open_cost": (nodes,), "capacities": (capacities,), "stock": (skus, nodes)}
        for name, shape in shapes.items():
            object.__setattr__(self, name, _frozen(where, name, getattr(self, name), shape))
        _within(where, "open_cost", self.open_cost, 0, COST_LIMIT)
        _within(where, "capacities", self.capacities, 0, UNLIMITED)
        _within(where, "stock", self.stock, 0, UNLIMITED)
        for name in ("nodes", "capacity_ids", "skus"):
            _unique(where, name, getattr(self, name))
        _unique(where, "orders", [order.id for order in self.orders])
        for order in self.orders:
            _within(f"order {order.id}", "option_node", order.option_node, 0, nodes - 1)
            _within(f"order {order.id}", "option_capacity", order.option_capacity, -1, capacities - 1)
            if any(not 0 <= line.sku < skus for line in order.lines):
                raise ProblemError(f"order {order.id}: a line names an SKU that the problem does not have")


def _frozen(where: str, name: str, values: ArrayLike, shape: tuple[int, ...], kind: Any = np.int64) -> NDArray[Any]:
    given = np.asarray(values)
    if given.shape != shape:
        raise ProblemError(f"{where}: {name} has shape {given.shape}, expected {shape}")
    if given.dtype.kind not in "iub" and given.size:
        raise ProblemError(f"{where}: {name} must hold whole numbers")
    view = given.astype(kind, copy=False).view()
    view.flags.writeable = False
    return view


def _total(terms: Integers) -> Integers:
    total: Integers = terms[0] if len(terms) == 1 else terms.sum(axis=0)
    total.flags.writeable = False
    return total


def _within(where: str, name: str, values: Integers, lowest: int, highest: int) -> None:
    if values.size and (values.min() < lowest or values.max() > highest):
        raise ProblemError(f"{where}: {name} must lie between {lowest} and {highest}")


def _unique(where: str, name: str, ids: Sequence[str]) -> None:
    if len(set(ids)) != len(ids):
        repeated = next(value for position, value in enumerate(ids) if value in ids[:position])
        raise ProblemError(f"{where}: {name} {repeated!r} appears twice")
