"""Surcharges: what a carrier asks beyond the price of a package, and when.

Pure; called by `freight`. A surcharge is charged where every condition that it names holds, and adds up to three parts:
a percentage of the price, an amount for each package, an amount for each kilogram billed. Invariant: parts are rounded
up to whole minor units of the network's currency, so that goods together never cost more than apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fulfillment.network.calendar import Weekdays
from fulfillment.network.zones import Area

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

WHOLE_BP: Final = 10_000
"""Hundredths of a percent in the whole."""


@dataclass(frozen=True, kw_only=True)
class Surcharge:
    """What is asked, and the conditions under which it is; None and () stand for no such condition.

    percent_bp                hundredths of a percent of the price
    package_minor, kg_minor   for each package, for each kilogram billed (begun ones count)
    country, prefixes         destinations in this country whose postal code begins with one of these
    over_length_mm            packages whose longest side is longer
    over_weight_g             packages that weigh more
    delivered_on              packages that arrive on these weekdays, 0 is Monday
    from_on, until_on         packages that leave between these dates, both included
    """

    code: str
    percent_bp: int = 0
    package_minor: int = 0
    kg_minor: int = 0
    country: str = ""
    prefixes: tuple[str, ...] = ()
    over_length_mm: int | None = None
    over_weight_g: int | None = None
    delivered_on: Weekdays = ()
    from_on: date | None = None
    until_on: date | None = None

    @property
    def dated(self) -> bool:
        """Whether it depends on the days on which a package leaves or arrives."""
        return bool(self.delivered_on) or self.from_on is not None or self.until_on is not None

    @property
    def by_size(self) -> bool:
        """Whether it depends on what a package measures or weighs."""
        return self.over_length_mm is not None or self.over_weight_g is not None


def of_price(surcharge: Surcharge, price_minor: Integers) -> Integers:
    """Return the percentage of prices, in minor units (any shape), rounded up."""
    share: Integers = -(-price_minor * surcharge.percent_bp // WHOLE_BP)
    return share


def of_packages(surcharge: Surcharge, packages: Integers) -> Integers:
    """Return what so many packages cost beyond their price, in minor units (any shape)."""
    return packages * surcharge.package_minor


def of_weight(surcharge: Surcharge, billed_g: Integers) -> Integers:
    """Return what the kilograms of a consignment cost, in minor units (any shape); a kilogram begun counts."""
    kilograms: Integers = -(-billed_g // 1000)
    return kilograms * surcharge.kg_minor


def goes_to(surcharge: Surcharge, to: Area) -> bool:
    """Tell whether a destination is one that it is charged for: remote, residential, across the water."""
    if surcharge.country and surcharge.country != to.country:
        return False
    return not surcharge.prefixes or to.postal_code.startswith(surcharge.prefixes)


def oversize(surcharge: Surcharge, longest_mm: Integers) -> Flags:
    """Tell which packages are longer than it allows, by their longest sides (any shape)."""
    return longest_mm > (-1 if surcharge.over_length_mm is None else surcharge.over_length_mm)


def overweight(surcharge: Surcharge, weight_g: Integers) -> Flags:
    """Tell which packages are heavier than it allows (any shape)."""
    return weight_g > (-1 if surcharge.over_weight_g is None else surcharge.over_weight_g)


def on_days(surcharge: Surcharge, leaves: Integers, arrives: Integers) -> Flags:
    """Tell for which dates of leaving and arriving, as ordinals (any shape), it is charged."""
    flags = np.ones(leaves.shape, dtype=np.bool_)
    if surcharge.delivered_on:
        # Ordinal 1 was a Monday.
        flags &= np.isin((arrives - 1) % 7, surcharge.delivered_on)
    if surcharge.from_on is not None:
        flags &= leaves >= surcharge.from_on.toordinal()
    if surcharge.until_on is not None:
        flags &= leaves <= surcharge.until_on.toordinal()
    return flags
