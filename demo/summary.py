"""What the demo prints in the end: the day as a retailer would ask for it, and where the pages are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from demo import RETAILER, network
from demo.day import Day
from demo.opening import PASSWORD, PEOPLE, STORE, Place
from demo.rules import Compared
from fulfillment.optimizer.plan import Assignment
from fulfillment.planning.replay import Replayed
from kernel.money import Money

TERMS = {
    "carrier": "carriers",
    "handling": "handling of packages",
    "line_handling": "handling of lines",
    "lateness": "lateness",
    "pick_risk": "risk that a pick fails",
}
UNFILLED = "unfilled"
METHODS = {"ship": "shipped", "collect": "collected in a store", "transfer": "sent to a store for collection"}


def print_orders(console: Console, day: Day) -> None:
    """Tell where the orders went, and how fast they were decided."""
    kinds = {node.id: node.kind for node in network.nodes()}
    parts = Counter(
        (part["method"], kinds[part["node"]]) for order in day.placed for part in order["fulfillment_orders"]
    )
    table = Table(title=f"{RETAILER}: {len(day.placed)} orders taken, {sum(day.refused.values())} refused", **_STYLE)
    table.add_column("fulfillment orders")
    for kind in ("store", "warehouse"):
        table.add_column(f"from a {kind}", justify="right")
    for method, words in METHODS.items():
        table.add_row(words, *(str(parts[method, kind]) for kind in ("store", "warehouse")))
    console.print(table)
    split = sum(len(_packages(order)) > 1 for order in day.placed)
    waiting = sum(line["waiting"] for order in day.placed for line in order["lines"])
    console.print(f"{split} orders are split over several packages; {waiting} units wait for stock.")
    decided = [decision["solve_ms"] for decision in day.decisions]
    console.print(
        f"Decided in {_percentiles(decided)} ms, answered in {_percentiles(day.answer_ms)} ms (p50, p95); "
        f"{sum(decision['status'] == 'optimal' for decision in day.decisions)} of {len(decided)} proven optimal."
    )


def print_costs(console: Console, compared: Compared, currency: str) -> None:
    """Lay the day's cost beside what simpler rules would have paid for the same orders and stock.

    What no rule can serve is set apart: its penalty is the same for all, and hides what serving costs.
    """
    columns = {
        "decided exactly": compared.exact,
        "nearest node with stock": compared.nearest,
        "warehouse only": compared.warehouse_only,
    }
    table = Table(title=f"Cost of {compared.demands} demands by rule, {currency}", **_STYLE)
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    for term, words in TERMS.items():
        table.add_row(words, *(_amount(replayed.by_term.get(term, 0), currency) for replayed in columns.values()))
    table.add_section()
    table.add_row("serving", *(_amount(_serving(replayed), currency) for replayed in columns.values()))
    table.add_row("packages", *(str(_count_packages(replayed.assignments)) for replayed in columns.values()))
    table.add_row("units served", *(str(_units(replayed)) for replayed in columns.values()))
    penalties = [_amount(replayed.by_term.get(UNFILLED, 0), currency) for replayed in columns.values()]
    table.add_row("penalty for the rest", *penalties)
    console.print(table)
    for name, replayed in list(columns.items())[1:]:
        share = _serving(replayed) / _serving(compared.exact) - 1
        console.print(
            f"{name.capitalize()}: {share:+.1%} and {_units(replayed) - _units(compared.exact):+d} units served."
        )


def print_day(console: Console, done: Counter[str], *, cancelled: int, received: int) -> None:
    """Tell what people did."""
    words = ", ".join(f"{count} {what}" for what, count in sorted(done.items(), key=lambda item: -item[1]))
    console.print(
        f"On the floor: {words}; {cancelled} cancelled by shoppers; {received} units delivered in the evening."
    )


def print_night(console: Console, run: Mapping[str, Any], outcome: Mapping[str, Any]) -> None:
    """Tell what the night found and what became of it."""
    before, after = run["cost_before"], run["cost_after"]
    saved = float(before["amount"]) - float(after["amount"])
    console.print(
        f"The night looked at {run['demands']} demands together: {before['amount']} -> {after['amount']} "
        f"{after['currency']}, {saved:.2f} saved, at most {run['gap'] or 0:.3%} above the optimum "
        f"(bound {run['bound']['amount']}). "
        f"{len(outcome['applied'])} movements applied, {len(outcome['lapsed'])} lapsed."
    )


def print_places(console: Console, place: Place) -> None:
    """Tell where the pages are and how to log in."""
    table = Table(title="Look around", **_STYLE)
    for column in ("who", "where", "log in as", "password"):
        table.add_column(column, no_wrap=True)
    pages = {"store": f"/store ({STORE})", "planner": "/planner", "agent": "/orders", "admin": "/"}
    for username, role, _, _ in PEOPLE:
        table.add_row(role, f"{place.address}{pages[role]}", username, PASSWORD)
    console.print(table)
    console.print(f"REST is described at {place.address}/api/v1/docs")


_STYLE: Mapping[str, Any] = {"title_justify": "left", "title_style": "bold", "box": None, "pad_edge": False}


def _packages(order: Mapping[str, Any]) -> list[Any]:
    return [part for part in order["fulfillment_orders"] if part["method"] != "transfer"]


def _count_packages(assignments: Iterable[Assignment]) -> int:
    return len({(assignment.order, assignment.option) for assignment in assignments})


def _units(replayed: Replayed) -> int:
    return sum(part.units for part in replayed.assignments)


def _serving(replayed: Replayed) -> int:
    """What serving costs, without the penalty for what is left and without the tie-break."""
    return sum(replayed.by_term.get(term, 0) for term in TERMS)


def _percentiles(values: Sequence[float]) -> str:
    low, high = np.percentile(values, [50, 95]) if values else (0.0, 0.0)
    return f"{low:.1f}, {high:.1f}"


def _amount(minor: int, currency: str) -> str:
    return Money(minor, currency).amount
