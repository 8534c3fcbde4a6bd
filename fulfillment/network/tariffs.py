"""What carriers ask for a package by zone or distance and by weight and volume, laid out as arrays.

Built by `offers` from the tariff rows, read through `freight` by sourcing and planning. Invariant: a price is that of
the zone, else of the narrowest distance band that reaches, and in it of the lightest band that holds; what is heavier
costs more by the kilogram where the heaviest band says so, else it goes as several packages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

UNLIMITED: Final = 1 << 40
"""A weight or a volume that no package has."""


@dataclass(frozen=True, slots=True)
class Band:
    """The price of a package up to a distance, or in a zone, and up to a weight, and the working days it travels.

    `max_volume_cm3` 0 is any volume. `further_kg_minor` is what each kilogram above the heaviest band costs; None where
    what is heavier goes as several packages.
    """

    max_distance_km: int
    max_weight_g: int
    price_minor: int
    transit_days: int
    zone: str = ""
    max_volume_cm3: int = 0
    further_kg_minor: int | None = None


@dataclass(frozen=True, eq=False)
class Tariffs:
    """The bands of one carrier service: R rows, of B distances and then of zones; W weights; V volumes.

    distances_km B; zones name -> row; weights_g W; volumes_cm3 V; price_minor, transit_days R,W,V; by row: heaviest,
    the column of its heaviest band, cap_g and cap_cm3, what one package may weigh and measure, further_minor.
    `by_volume` and `by_kilogram` tell whether volumes and further kilograms matter at all.
    """

    distances_km: Integers
    zones: Mapping[str, int]
    weights_g: Integers
    volumes_cm3: Integers
    price_minor: Integers
    transit_days: Integers
    heaviest: Integers
    cap_g: Integers
    cap_cm3: Integers
    further_minor: Integers
    by_volume: bool
    by_kilogram: bool

    def reach(self, distance_km: NDArray[np.float64]) -> tuple[Integers, NDArray[np.bool_]]:
        """Return the distance band of each distance, and whether there is one."""
        band = np.searchsorted(self.distances_km, distance_km, side="left")
        reaches = band < len(self.distances_km)
        return np.minimum(band, max(0, len(self.distances_km) - 1)), reaches

    def price(self, band: Integers, weights_g: Integers, volumes_cm3: Integers | None = None) -> Integers:
        """Return the price of X consignments in each of N bands: (X, N).

        `weights_g` is what is billed, (X) or (X,N); `volumes_cm3` (X,N) matters where bands break by volume: there the
        goods are spread evenly over the packages, else all packages but the last are full.
        """
        weights = weights_g[:, None] if weights_g.ndim == 1 else weights_g
        if volumes_cm3 is not None and self.by_volume:
            count = self.packages(band, weights, volumes_cm3)
            return count * self._one(band, _share(weights, count), _share(volumes_cm3, count))
        cap = self.cap_g[band]
        full, rest = np.divmod(weights, cap)
        prices = np.where((rest > 0) | (full == 0), self._one(band, rest), 0)
        if full.any():
            prices = prices + full * self._one(band, cap[None, :])
        return prices

    def packages(self, band: Integers, weights_g: Integers, volumes_cm3: Integers | None = None) -> Integers:
        """Return in how many packages X consignments go in each of N bands: (X, N)."""
        weights = weights_g[:, None] if weights_g.ndim == 1 else weights_g
        count = np.maximum(_share(weights, self.cap_g[band]), 1)
        if volumes_cm3 is not None and self.by_volume:
            count = np.maximum(count, _share(volumes_cm3, self.cap_cm3[band]))
        return count

    def travel_days(self, band: Integers, weight_g: int | Integers, volume_cm3: int | Integers = 0) -> Integers:
        """Return the working days that a package of this weight travels in each band: (N)."""
        days: Integers = self.transit_days[band, *self._columns(band, weight_g, volume_cm3)]
        return days

    def _one(self, band: Integers, weight_g: Integers, volume_cm3: Integers | int = 0) -> Integers:
        price: Integers = self.price_minor[band, *self._columns(band, weight_g, volume_cm3)]
        if self.by_kilogram:
            over_g = np.maximum(weight_g - self.weights_g[self.heaviest[band]], 0)
            price = price + self.further_minor[band] * _share(over_g, 1000)
        return price

    def _columns(
        self, band: Integers, weight_g: int | Integers, volume_cm3: int | Integers
    ) -> tuple[Integers, int | Integers]:
        weight = np.minimum(np.searchsorted(self.weights_g, weight_g, side="left"), self.heaviest[band])
        if not self.by_volume:
            return weight, 0
        volume = np.searchsorted(self.volumes_cm3, volume_cm3, side="left")
        return weight, np.minimum(volume, len(self.volumes_cm3) - 1)


def lay_out(bands: Sequence[Band], max_parcel_g: int | None = None) -> Tariffs:
    """Arrange the bands of one carrier service, whose packages weigh at most `max_parcel_g`."""
    distances = sorted({band.max_distance_km for band in bands if not band.zone})
    zones = sorted({band.zone for band in bands if band.zone})
    weights = sorted({band.max_weight_g for band in bands})
    volumes = sorted({_volume(band) for band in bands})
    rows = [[band for band in bands if not band.zone and band.max_distance_km == distance] for distance in distances]
    rows += [[band for band in bands if band.zone == zone] for zone in zones]
    holding = [[[_holding(row, weight, volume) for volume in volumes] for weight in weights] for row in rows]
    heaviest = [_largest(row) for row in rows]
    return Tariffs(
        distances_km=_integers(distances),
        zones={zone: len(distances) + place for place, zone in enumerate(zones)},
        weights_g=_integers(weights),
        volumes_cm3=_integers(volumes),
        price_minor=_integers([[[band.price_minor for band in each] for each in row] for row in holding]),
        transit_days=_integers([[[band.transit_days for band in each] for each in row] for row in holding]),
        heaviest=_integers([weights.index(band.max_weight_g) for band in heaviest]),
        cap_g=_integers([_cap_g(band, max_parcel_g) for band in heaviest]),
        cap_cm3=_integers([max(_volume(band) for band in row) for row in rows]),
        further_minor=_integers([band.further_kg_minor or 0 for band in heaviest]),
        by_volume=volumes[0] < UNLIMITED,
        by_kilogram=any(band.further_kg_minor for band in heaviest),
    )


def spread(tariffs: Tariffs, band: Integers, weights_g: Integers) -> tuple[Integers, Integers]:
    """Split the price of a package over its L lines, which weigh `weights_g`: see `split`."""
    total = int(weights_g.sum())
    if len(weights_g) == 1:
        return split(tariffs.price(band, weights_g))
    return split(tariffs.price(band, np.append(total - weights_g, total)))


def split(prices: Integers) -> tuple[Integers, Integers]:
    """Split a price over L lines: a part for the package (N) and one for each line (L,N), none of them negative.

    `prices` (L+1,N) are those of all lines but each one, in order, and last that of all; (1,N) where there is one line.
    What a line adds is the difference between the two. The sum is exact for all lines in one package and for all but
    one, so for every order of up to two lines, as long as more goods never cost less and together never more than
    apart; in between it is linear. Where lines would add more than the whole costs, they are scaled down to it.
    """
    if len(prices) == 1:
        return prices[0], np.zeros_like(prices)
    whole, added = prices[-1], np.maximum(prices[-1] - prices[:-1], 0)
    sums = added.sum(axis=0)
    added = np.where(sums > whole, added * whole // np.maximum(sums, 1), added)
    return whole - added.sum(axis=0), added


def _share(amount: Integers | int, count: Integers | int) -> Integers:
    """Divide and round up."""
    shared: Integers = -(-amount // count)  # type: ignore[assignment]
    return shared


def _volume(band: Band) -> int:
    return band.max_volume_cm3 or UNLIMITED


def _holding(row: Sequence[Band], weight_g: int, volume_cm3: int) -> Band:
    """Return the lightest band that holds a package, and of those the smallest; the largest where none does."""
    holding = [band for band in row if band.max_weight_g >= weight_g and _volume(band) >= volume_cm3]
    return min(holding, key=_size, default=_largest(row))


def _largest(row: Iterable[Band]) -> Band:
    return max(row, key=_size)


def _size(band: Band) -> tuple[int, int]:
    return band.max_weight_g, _volume(band)


def _cap_g(heaviest: Band, max_parcel_g: int | None) -> int:
    usual = heaviest.max_weight_g if heaviest.further_kg_minor is None else UNLIMITED
    return min(usual, max_parcel_g or UNLIMITED)


def _integers(values: Sequence[object]) -> Integers:
    return np.array(values, dtype=np.int64)
