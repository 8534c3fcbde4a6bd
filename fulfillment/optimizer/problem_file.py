"""Problems and plans as files: sourcing-problem/1 in, sourcing-plan/1 out.

Owns the format by which anybody can put a problem to the code that decides real orders. The command line calls it with
parsed JSON. Invariant: a file that is read is whole; every fault is one sentence that names its place.

Numbers have up to six decimals and become whole numbers of millionths, so that nothing is rounded on the way. A parsed
number may be an int, a float or a Decimal; JSON is best read with `parse_float=Decimal`. Stock that is null or absent
is unlimited; where `stock` is given, a node has none of a SKU that it is not listed with; `units` null is unlimited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NoReturn

import numpy as np

from fulfillment.optimizer.plan import Plan
from fulfillment.optimizer.problem import (
    COST_LIMIT,
    UNITS_LIMIT,
    UNLIMITED,
    Integers,
    Line,
    OrderProblem,
    Problem,
    ProblemError,
)

PROBLEM_FORMAT: Final = "sourcing-problem/1"
PLAN_FORMAT: Final = "sourcing-plan/1"
TERMS: Final = ("package", "line")
_DECIMALS: Final = 6
_MILLION: Final = 10**_DECIMALS
_LARGEST_EXPONENT: Final = 15
_FILE_KEYS: Final = frozenset({"format", "nodes", "stock", "orders"})
_NODE_KEYS: Final = frozenset({"id", "open_cost", "capacity"})
_STOCK_KEYS: Final = frozenset({"node", "sku", "units"})
_ORDER_KEYS: Final = frozenset({"id", "max_packages", "lines", "options"})
_LINE_KEYS: Final = frozenset({"id", "sku", "units", "divisible", "unfilled_cost"})
_OPTION_KEYS: Final = frozenset({"node", "package_cost", "work", "line_costs", "line_work"})


class ProblemFileError(ValueError):
    """A problem file is malformed; the message is one sentence that names the place."""


@dataclass(frozen=True, slots=True)
class _Place:
    """An object of the file with the path to it; every reading refuses what cannot be right."""

    path: str
    content: Mapping[str, Any]

    @classmethod
    def of(cls, path: str, content: object, allowed: frozenset[str]) -> _Place:
        if not isinstance(content, Mapping):
            _refuse(path, f"must be an object, not {_kind(content)}")
        for key in content:
            if key not in allowed:
                _refuse(path or "the file", f"has the unknown key {key!r}")
        return cls(path, content)

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def required(self, key: str) -> Any:
        if key not in self.content:
            _refuse(self.path or "the file", f"lacks the key {key!r}")
        return self.content[key]

    def text(self, key: str) -> str:
        value = self.required(key)
        if not isinstance(value, str) or not value:
            _refuse(self.at(key), "must be a text that is not empty")
        return value

    def places(self, key: str, allowed: frozenset[str]) -> list[_Place]:
        value = self.required(key)
        if not isinstance(value, list):
            _refuse(self.at(key), f"must be a list, not {_kind(value)}")
        return [_Place.of(f"{self.at(key)}[{position}]", item, allowed) for position, item in enumerate(value)]

    def flag(self, key: str) -> bool:
        value = self.content.get(key, False)
        if not isinstance(value, bool):
            _refuse(self.at(key), "must be true or false")
        return value

    def whole(self, key: str, *, lowest: int, highest: int) -> int | None:
        """Read a whole number, None for null or absent."""
        value = self.content.get(key)
        if value is None:
            return None
        number = _number(self.at(key), value)
        if number != number.to_integral_value() or not lowest <= number <= highest:
            _refuse(self.at(key), f"must be a whole number between {lowest} and {highest}, not {value}")
        return int(number)

    def amount(self, key: str) -> int | None:
        """Read a number of up to six decimals as millionths, None for null or absent."""
        value = self.content.get(key)
        return None if value is None else _millionths(self.at(key), value, signed=False)

    def amounts(self, key: str, lines: Mapping[str, int], *, signed: bool) -> dict[int, int]:
        """Read an object of amounts by line id, {} for null or absent."""
        value = self.content.get(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            _refuse(self.at(key), f"must be an object, not {_kind(value)}")
        for line in value:
            if line not in lines:
                _refuse(self.at(key), f"names the line {line!r}, which the order does not have")
        return {lines[line]: _millionths(f"{self.at(key)}.{line}", cost, signed=signed) for line, cost in value.items()}


def _refuse(path: str, fault: str) -> NoReturn:
    raise ProblemFileError(f"{path} {fault}.")


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _number(path: str, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        _refuse(path, f"must be a number, not {_kind(value)}")
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        _refuse(path, f"must be a number, not {value}")
    return number


def _millionths(path: str, value: object, *, signed: bool) -> int:
    number = _number(path, value)
    # An exponent out of all proportion is refused before arithmetic sees it.
    if number.adjusted() > _LARGEST_EXPONENT or abs(scaled := number.scaleb(_DECIMALS)) > COST_LIMIT:
        _refuse(path, f"must lie within {COST_LIMIT // _MILLION}, not {value}")
    if (number and number.adjusted() < -_DECIMALS) or scaled != scaled.to_integral_value():
        _refuse(path, f"may have up to {_DECIMALS} decimals, not {value}")
    if scaled < 0 and not signed:
        _refuse(path, f"must not be negative, not {value}")
    return int(scaled)


def read_problem(content: object) -> Problem:
    """Read a sourcing-problem/1 object. Raises ProblemFileError on the first fault."""
    if not isinstance(content, Mapping):
        _refuse("the file", f"must hold an object, not {_kind(content)}")
    if content.get("format") != PROBLEM_FORMAT:
        _refuse("format", f"must be {PROBLEM_FORMAT!r}")
    file = _Place.of("", content, _FILE_KEYS)
    node_places = file.places("nodes", _NODE_KEYS)
    nodes = _numbered(node_places, "id")
    limits = [place.amount("capacity") for place in node_places]
    limited = [node for node, limit in enumerate(limits) if limit is not None]
    order_places = file.places("orders", _ORDER_KEYS)
    order_ids = _numbered(order_places, "id")
    skus: dict[str, int] = {}
    capacity_of = np.full(len(nodes), -1)
    capacity_of[limited] = np.arange(len(limited))
    orders = [
        _order(place, order, nodes=nodes, skus=skus, capacity_of=capacity_of)
        for place, order in zip(order_places, order_ids, strict=True)
    ]
    try:
        return Problem(
            nodes=tuple(nodes),
            open_cost=np.array([place.amount("open_cost") or 0 for place in node_places], dtype=np.int64),
            capacity_ids=tuple(node_places[node].content["id"] for node in limited),
            capacities=np.array([limits[node] for node in limited], dtype=np.int64),
            stock=_stock(file, nodes, skus),
            skus=tuple(skus),
            orders=tuple(orders),
        )
    except ProblemError as error:
        raise ProblemFileError(f"{error}.") from error


def _numbered(places: Sequence[_Place], key: str) -> dict[str, int]:
    """Return the position of each id, refusing one that comes twice."""
    numbers: dict[str, int] = {}
    for place in places:
        identifier = place.text(key)
        if identifier in numbers:
            _refuse(place.at(key), f"repeats {identifier!r}")
        numbers[identifier] = len(numbers)
    return numbers


def _stock(file: _Place, nodes: Mapping[str, int], skus: Mapping[str, int]) -> Integers:
    if file.content.get("stock") is None:
        return np.broadcast_to(np.int64(UNLIMITED), (len(skus), len(nodes)))
    stock = np.zeros((len(skus), len(nodes)), dtype=np.int64)
    seen: set[tuple[str, str]] = set()
    for place in file.places("stock", _STOCK_KEYS):
        node, sku = place.text("node"), place.text("sku")
        if node not in nodes:
            _refuse(place.at("node"), f"names the unknown node {node!r}")
        if (node, sku) in seen:
            _refuse(place.path, f"repeats the stock of {sku!r} at {node!r}")
        seen.add((node, sku))
        units = place.whole("units", lowest=0, highest=UNLIMITED)
        if sku in skus:
            stock[skus[sku], nodes[node]] = UNLIMITED if units is None else units
    return stock


def _order(
    place: _Place, order_id: str, *, nodes: Mapping[str, int], skus: dict[str, int], capacity_of: Integers
) -> OrderProblem:
    line_places = place.places("lines", _LINE_KEYS)
    lines = _numbered(line_places, "id")
    if not lines:
        _refuse(place.at("lines"), "must not be empty")
    options = place.places("options", _OPTION_KEYS)
    option_ids = _numbered(options, "node")
    for option, node in zip(options, option_ids, strict=True):
        if node not in nodes:
            _refuse(option.at("node"), f"names the unknown node {node!r}")
    costs = np.zeros((len(TERMS), len(lines), len(options)), dtype=np.int64)
    eligible = np.zeros((len(lines), len(options)), dtype=np.bool_)
    line_work = np.zeros((len(lines), len(options)), dtype=np.int64)
    packages = np.zeros((len(TERMS), len(options)), dtype=np.int64)
    work = np.zeros(len(options), dtype=np.int64)
    for column, option in enumerate(options):
        option.required("line_costs")
        packages[0, column] = option.amount("package_cost") or 0
        work[column] = option.amount("work") or 0
        for line, cost in option.amounts("line_costs", lines, signed=True).items():
            costs[1, line, column] = cost
            eligible[line, column] = True
        for line, amount in option.amounts("line_work", lines, signed=False).items():
            line_work[line, column] = amount
    option_node = np.array([nodes[node] for node in option_ids], dtype=np.int64)
    return OrderProblem(
        id=order_id,
        lines=tuple(_line(line, skus) for line in line_places),
        option_ids=tuple(option_ids),
        option_node=option_node,
        option_capacity=capacity_of[option_node],
        terms=TERMS,
        package_terms=packages,
        line_terms=costs,
        eligible=eligible,
        work=work,
        line_work=line_work,
        max_packages=place.whole("max_packages", lowest=0, highest=UNITS_LIMIT),
    )


def _line(place: _Place, skus: dict[str, int]) -> Line:
    place.required("units")
    units = place.whole("units", lowest=1, highest=UNITS_LIMIT)
    if units is None:
        _refuse(place.at("units"), "must be a whole number, not null")
    return Line(
        id=place.text("id"),
        sku=skus.setdefault(place.text("sku"), len(skus)),
        units=units,
        divisible=place.flag("divisible"),
        unfilled_cost=place.amount("unfilled_cost"),
    )


def plan_content(problem: Problem, plan: Plan) -> dict[str, Any]:
    """Return a plan of a problem that was read from a file as a sourcing-plan/1 object."""
    solved = plan.status != "infeasible"
    return {
        "format": PLAN_FORMAT,
        "status": plan.status,
        "objective": _decimal(plan.objective) if solved else None,
        "bound": _decimal(plan.bound) if solved else None,
        "gap": plan.gap if solved else None,
        "seconds": round(plan.seconds, 6),
        "assignments": [
            {
                "order": problem.orders[part.order].id,
                "line": problem.orders[part.order].lines[part.line].id,
                "node": problem.nodes[problem.orders[part.order].option_node[part.option]],
                "units": part.units,
            }
            for part in plan.assignments
        ],
        "unfilled": [
            {
                "order": problem.orders[missing.order].id,
                "line": problem.orders[missing.order].lines[missing.line].id,
                "units": missing.units,
                "reason": missing.reason,
            }
            for missing in plan.unfilled
        ],
    }


def _decimal(millionths: int) -> int | float:
    whole, rest = divmod(millionths, _MILLION)
    return millionths / _MILLION if rest else whole
