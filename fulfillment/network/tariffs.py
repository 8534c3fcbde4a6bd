"""What carriers ask for a package by distance and weight, laid out as arrays.

Built by the snapshot from the tariff rows, read by sourcing and planning. Invariant: a price is that of the narrowest
distance band that reaches, and in it of the lightest weight band that holds; heavier consignments go as several
packages of the heaviest band.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Band:
    """The price of a package up to a distance and a weight, and the working days it travels."""

    max_distance_km: int
    max_weight_g: int
    price_minor: int
    transit_days: int


@dataclass(frozen=True, eq=False)
class Tariffs:
    """The bands of one carrier service: B distances, W weights.

    distances B; weights W; price_minor, transit_days B,W. A weight that a distance lacks has the next heavier price.
    """

    distances_km: Integers
    weights_g: Integers
    price_minor: Integers
    transit_days: Integers
    heaviest: Integers

    def reach(self, distance_km: NDArray[np.float64]) -> tuple[Integers, NDArray[np.bool_]]:
        """Return the distance band of each distance, and whether there is one."""
        band = np.searchsorted(self.distances_km, distance_km, side="left")
        reaches = band < len(self.distances_km)
        return np.minimum(band, len(self.distances_km) - 1), reaches

    def price(self, band: Integers, weights_g: Integers) -> Integers:
        """Return the price of consignments of X weights in each of N distance bands: (X, N)."""
        most = self.weights_g[self.heaviest[band]]
        full, rest = np.divmod(weights_g[:, None], most)
        rest_band = np.searchsorted(self.weights_g, rest, side="left")
        rest_price = np.where((rest > 0) | (full == 0), self.price_minor[band, rest_band], 0)
        prices: Integers = full * self.price_minor[band, self.heaviest[band]] + rest_price
        return prices

    def travel_days(self, band: Integers, weight_g: int) -> Integers:
        """Return the working days that a package of this weight travels in each distance band: (N)."""
        weight = np.minimum(np.searchsorted(self.weights_g, weight_g, side="left"), self.heaviest[band])
        days: Integers = self.transit_days[band, weight]
        return days


def lay_out(bands: Sequence[Band]) -> Tariffs:
    """Arrange the bands of one carrier service."""
    distances = sorted({band.max_distance_km for band in bands})
    weights = sorted({band.max_weight_g for band in bands})
    price, transit = (np.zeros((len(distances), len(weights)), dtype=np.int64) for _ in range(2))
    heaviest = np.zeros(len(distances), dtype=np.int64)
    for row, distance in enumerate(distances):
        offered = {band.max_weight_g: band for band in bands if band.max_distance_km == distance}
        heaviest[row] = weights.index(max(offered))
        for column in range(len(weights)):
            fitting = [weight for weight in sorted(offered) if weight >= weights[column]] or [max(offered)]
            price[row, column] = offered[fitting[0]].price_minor
            transit[row, column] = offered[fitting[0]].transit_days
    return Tariffs(np.array(distances), np.array(weights), price, transit, heaviest)


def spread(tariffs: Tariffs, band: Integers, weights_g: Integers) -> tuple[Integers, Integers]:
    """Split the price of a package over its L lines: a part for the package (N) and one for each line (L,N).

    What a line adds is the difference between the whole order's package and the package without it. The sum is exact
    for the whole order in one package and for all but one line, so for every order of up to two lines; in between it is
    linear. Where lines would add more than the whole costs, they are scaled down to it.
    """
    total = int(weights_g.sum())
    if len(weights_g) == 1:
        whole = tariffs.price(band, weights_g)
        return whole[0], np.zeros_like(whole)
    prices = tariffs.price(band, np.append(total - weights_g, total))
    whole, added = prices[-1], np.maximum(prices[-1] - prices[:-1], 0)
    sums = added.sum(axis=0)
    added = np.where(sums > whole, added * whole // np.maximum(sums, 1), added)
    return whole - added.sum(axis=0), added
