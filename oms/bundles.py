"""Bundles as they are ordered: a line of bundles becomes a line of each component, for the same money.

Pure but for `unpack`, which reads recipes; called by `orders.prepare` once an order was checked. Invariant: price less
discount, and tax, of the components' lines add up to those of the bundle's line, to the minor unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from kernel.money import Money
from oms.commands import Line, PlaceOrder
from stock import recipes, reports
from stock.recipes import Component, RecipeKind


@dataclass(frozen=True)
class Part:
    """The bundle that a line belongs to: its SKU, its line in the order as it was sent (from 1), and how many."""

    sku: str
    line: int
    quantity: int


@dataclass(frozen=True)
class Unpacked:
    """The lines of an order with components in place of bundles; `places` are those of the lines as they were sent."""

    lines: tuple[Line, ...]
    parts: tuple[Part | None, ...]
    places: tuple[int, ...]


def unpack(session: Session, command: PlaceOrder) -> Unpacked:
    """Return the lines of an order with the components of its bundles."""
    made_of = recipes.components(session, {line.sku for line in command.lines}, kind=RecipeKind.BUNDLE)
    articles = reports.articles(session, {part.sku for parts in made_of.values() for part in parts})
    return expand(command.lines, made_of, {sku: article.price_minor for sku, article in articles.items()})


def expand(lines: Sequence[Line], made_of: Mapping[str, Sequence[Component]], prices: Mapping[str, int]) -> Unpacked:
    """Put components in the place of bundles; money is shared by `prices`, of one unit of each component."""
    found: list[tuple[Line, Part | None, int]] = []
    for place, line in enumerate(lines):
        components = made_of.get(line.sku)
        if components is None:
            found.append((line, None, place))
            continue
        part = Part(line.sku, place + 1, line.quantity)
        found += [(each, part, place) for each in _components(line, components, prices)]
    return Unpacked(*(tuple(column) for column in zip(*found, strict=True))) if found else Unpacked((), (), ())


def share(total: int, weights: Sequence[int]) -> list[int]:
    """Divide a total in proportion to weights, exactly: what rounding leaves goes to the largest remainders.

    Equal parts where all weights are 0. No part exceeds its weight when the total does not exceed their sum.
    """
    weights = weights if any(weights) else [1] * len(weights)
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda number: -(total * weights[number] % whole))
    for number in by_remainder[: total - sum(parts)]:
        parts[number] += 1
    return parts


def _components(line: Line, components: Sequence[Component], prices: Mapping[str, int]) -> list[Line]:
    """Share price, discount and tax of a line of bundles; what a unit price cannot express goes into the discount."""
    of_one = share(line.unit_price.minor, [prices[each.sku] * each.units for each in components])
    gross = [minor * line.quantity for minor in of_one]
    discounts = share(line.discount.minor if line.discount else 0, gross)
    net = [price - discount for price, discount in zip(gross, discounts, strict=True)]
    taxes = share(line.tax.minor, net) if line.tax else [None] * len(net)
    currency = line.unit_price.currency
    found = []
    for each, one, left, tax in zip(components, of_one, net, taxes, strict=True):
        units, unit_price = each.units * line.quantity, -(-one // each.units)
        found.append(
            replace(
                line,
                sku=each.sku,
                quantity=units,
                unit_price=Money(unit_price, currency),
                discount=Money(unit_price * units - left, currency),
                tax=None if tax is None else Money(tax, currency),
            )
        )
    return found
