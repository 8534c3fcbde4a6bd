"""What a carrier service asks for the goods of a demand, from many nodes at once: price, surcharges, boxes.

Pure; called for each service by sourcing, which hands it what `load_of` prepared once for the demand. Invariant: each
charge is split so that it is exact for the whole order in one package and for each order of up to two lines, see
`tariffs.split`; where nothing but tariffs by distance and weight is known, nothing else is worked out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fulfillment.network import surcharges, tariffs
from fulfillment.network.boxes import Boxed, BoxKinds, Goods, kinds_of, packed
from fulfillment.network.offers import ANYTHING, CarrierOffer, Limits
from fulfillment.network.surcharges import Surcharge
from fulfillment.network.tariffs import UNLIMITED
from fulfillment.network.zones import Area

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

CHARGES: Final = ("carrier", "surcharge", "box")
"""The terms of a decision that come from here, in the order in which ways carry them."""


class Split(NamedTuple):
    """A charge by node: a part for the package (N) and one for each line (L,N)."""

    package: Integers
    lines: Integers


@dataclass(frozen=True, eq=False)
class Freight:
    """What is asked from N nodes: the first of `CHARGES` on every day, and surcharges of some days."""

    charges: tuple[Split, ...]
    dated: tuple[tuple[Surcharge, Split], ...]
    travel_days: Integers


@dataclass(frozen=True, eq=False)
class Load:
    """The goods of a demand as each group of nodes with the same boxes packs them: all lines but each one, then all.

    sets X,L; group N, the group of each node
    """

    goods: Goods
    sets: Flags
    boxed: tuple[Boxed, ...]
    group: Integers


@dataclass(frozen=True, eq=False)
class Parcels:
    """Equal packages by set, or by line, and node (N): count, and of each its grams, volume and longest side."""

    count: Integers
    weight_g: Integers
    volume_mm3: Integers
    longest_mm: Integers


def load_of(goods: Goods, kinds: Sequence[BoxKinds], group: Integers, limits: Limits = ANYTHING) -> Load:
    """Pack the goods of a demand in boxes that keep a carrier's limits.

    `kinds` are the boxes of each group of nodes, `group` that of each node (N).
    """
    lines = len(goods.units)
    all_but_one = ~np.eye(lines, dtype=np.bool_) if lines > 1 else np.zeros((0, lines), dtype=np.bool_)
    sets = np.vstack([all_but_one, np.ones((1, lines), dtype=np.bool_)])
    return Load(goods, sets, tuple(packed(within(each, limits), goods, sets) for each in kinds), group)


def asked_for(offer: CarrierOffer, load: Load, nodes: Integers, band: Integers, to: Area) -> Freight:
    """Price the goods from M nodes, whose bands of the service are `band` (M)."""
    group = load.group[nodes]
    parcels = Parcels(
        *(_by_node(load.boxed, name, group) for name in ("count", "weight_g", "volume_mm3", "longest_mm"))
    )
    due = [each for each in offer.surcharges if surcharges.goes_to(each, to)]
    charges = _charges(offer, due, band, parcels)
    bare = np.stack([each.bare for each in load.boxed])[group].T
    if bare.any():
        alone = _charges(offer, due, band, _alone(load.goods, bare))
        whole = load.sets.astype(np.int64)
        charges = {name: every + whole @ alone[name] for name, every in charges.items()}
    usual = sum((charges[each.code] for each in due if not each.dated), start=np.zeros_like(charges[""]))
    boxes = _by_node(load.boxed, "cost_minor", group)
    return Freight(
        charges=(_split(charges[""]), _split(usual), _split(boxes)),
        dated=tuple((each, _split(charges[each.code])) for each in due if each.dated),
        travel_days=_travel_days(offer, band, parcels),
    )


def asked_by_weight(offer: CarrierOffer, weights_g: Integers, band: Integers) -> Freight:
    """Price lines of `weights_g` grams (L), where nothing but their weight counts; `band` is by node (M)."""
    price = Split(*tariffs.spread(offer.tariffs, band, weights_g))
    return Freight((price,), (), offer.tariffs.travel_days(band, int(weights_g.sum())))


def within(kinds: BoxKinds, limits: Limits) -> BoxKinds:
    """Return the boxes that a carrier takes, none of them to be filled beyond what a parcel may weigh."""
    if limits == ANYTHING or not kinds.boxes:
        return kinds
    length, girth = kinds.sides_mm[:, 0], 2 * kinds.sides_mm[:, 1:].sum(axis=1)
    most_g = np.minimum(kinds.max_weight_g, (limits.parcel_g or UNLIMITED) - kinds.tare_g)
    taken = (length <= (limits.length_mm or UNLIMITED)) & (length + girth <= (limits.girth_mm or UNLIMITED))
    boxes = zip(kinds.boxes, most_g.tolist(), (taken & (most_g > 0)).tolist(), strict=True)
    return kinds_of([replace(box, max_weight_g=most) for box, most, fits in boxes if fits])


def carriable(offer: CarrierOffer, goods: Goods) -> Flags:
    """Tell which lines (L) a carrier takes: no unit of them is heavier, longer or thicker than it allows."""
    limits = offer.limits
    longest, girth = goods.sides_mm[:, 0], 2 * (goods.sides_mm[:, 1] + goods.sides_mm[:, 2])
    flags = np.ones(len(goods.units), dtype=np.bool_)
    if limits.parcel_g is not None:
        flags &= goods.weight_g <= limits.parcel_g
    if limits.length_mm is not None:
        flags &= longest <= limits.length_mm
    if limits.girth_mm is not None:
        flags &= longest + girth <= limits.girth_mm
    return flags


def _charges(offer: CarrierOffer, due: Sequence[Surcharge], band: Integers, parcels: Parcels) -> Mapping[str, Integers]:
    """Return the price, under an empty name, and each surcharge by its code, of all packages: (X,M)."""
    billed = _billed_g(offer, parcels)
    volumes = -(-parcels.volume_mm3 // 1000)
    price = offer.tariffs.price(band, billed, volumes)
    found = {"": parcels.count * price}
    if due:
        packages = offer.tariffs.packages(band, billed, volumes)
        heaviest = np.minimum(parcels.weight_g, offer.tariffs.cap_g[band])
    for each in due:
        charge = surcharges.of_price(each, price)
        charge = charge + surcharges.of_packages(each, packages) + surcharges.of_weight(each, billed)
        if each.by_size:
            charge = charge * (surcharges.oversize(each, parcels.longest_mm) & surcharges.overweight(each, heaviest))
        found[each.code] = parcels.count * charge
    return found


def _billed_g(offer: CarrierOffer, parcels: Parcels) -> Integers:
    """Return what a package is billed by, in grams: its weight, or more where it takes much room for it."""
    if offer.dimensional_divisor is None:
        return parcels.weight_g
    # Cubic millimetres by cubic centimetres a kilogram are grams.
    return np.maximum(parcels.weight_g, -(-parcels.volume_mm3 // offer.dimensional_divisor))


def _travel_days(offer: CarrierOffer, band: Integers, parcels: Parcels) -> Integers:
    """Return the working days that the whole order travels (M)."""
    return offer.tariffs.travel_days(band, _billed_g(offer, parcels)[-1], -(-parcels.volume_mm3[-1] // 1000))


def _alone(goods: Goods, bare: Flags) -> Parcels:
    """Return the units of lines that no box holds as packages of their own: (L,M)."""
    measures = (goods.weight_g, goods.volume_mm3, goods.sides_mm[:, 0])
    return Parcels(goods.units[:, None] * bare, *(np.broadcast_to(each[:, None], bare.shape) for each in measures))


def _by_node(boxed: Sequence[Boxed], name: str, group: Integers) -> Integers:
    """Return an array of the groups as one by set and node (X,M)."""
    by_group = np.stack([getattr(each, name) for each in boxed], axis=1)
    found: Integers = by_group[:, group]
    return found


def _split(prices: Integers) -> Split:
    return Split(*tariffs.split(prices))
