"""Boxes: the smallest that holds the goods of a package, and what the package then weighs, measures and costs.

Pure; called by `freight` for the decision, and where goods are packed. The rule is quick and careful rather than exact,
since three-dimensional packing is NP-hard: each unit must fit by its sorted sides, all goods together may fill `FILL`
of the box, and the weight must be allowed; units of one article alone may also stand in rows. Invariant: what holds
goods holds any part of them, so that fewer goods never need a larger box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

FILL: Final = 0.75
"""The share of a box that mixed goods may fill: what lies beside each other leaves gaps."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box: sides inside in millimetres, grams empty and at most with the goods in it, what it costs (minor units)."""

    id: str
    length_mm: int
    width_mm: int
    height_mm: int
    tare_g: int
    max_weight_g: int
    cost_minor: int
    name: str = ""

    @property
    def volume_mm3(self) -> int:
        """What it holds."""
        return self.length_mm * self.width_mm * self.height_mm


@dataclass(frozen=True, eq=False)
class Goods:
    """L lines: units L, weight_g L and sides_mm L,3 of one unit, the longest side first; 0 is not known."""

    units: Integers
    weight_g: Integers
    sides_mm: Integers

    @property
    def volume_mm3(self) -> Integers:
        """The volume of one unit of each line (L)."""
        volume: Integers = self.sides_mm.prod(axis=1)
        return volume


@dataclass(frozen=True, eq=False)
class BoxKinds:
    """The boxes of a node, smallest first, as arrays over B: sides sorted like those of goods."""

    boxes: tuple[Box, ...]
    sides_mm: Integers
    volume_mm3: Integers
    tare_g: Integers
    max_weight_g: Integers
    cost_minor: Integers


@dataclass(frozen=True, eq=False)
class Boxed:
    """How X sets of lines are packed: `count` equal packages of `weight_g` and `volume_mm3` each, `longest_mm` long.

    `cost_minor` is that of all boxes, `kind` indexes the kind, -1 for none. `bare` (L) are lines that no box holds:
    their units travel each as it is, and are not part of the packages. All others are X long.
    """

    count: Integers
    weight_g: Integers
    volume_mm3: Integers
    longest_mm: Integers
    cost_minor: Integers
    kind: Integers
    bare: Flags


def kinds_of(boxes: Sequence[Box]) -> BoxKinds:
    """Arrange boxes, the smallest first."""
    ordered = tuple(sorted(boxes, key=lambda box: (box.volume_mm3, box.cost_minor, box.id)))
    sides = [sorted((box.length_mm, box.width_mm, box.height_mm), reverse=True) for box in ordered]
    return BoxKinds(
        boxes=ordered,
        sides_mm=np.array(sides, dtype=np.int64).reshape(len(ordered), 3),
        volume_mm3=_integers([box.volume_mm3 for box in ordered]),
        tare_g=_integers([box.tare_g for box in ordered]),
        max_weight_g=_integers([box.max_weight_g for box in ordered]),
        cost_minor=_integers([box.cost_minor for box in ordered]),
    )


def goods_of(lines: Sequence[tuple[int, int, Sequence[int]]]) -> Goods:
    """Arrange lines: units, the grams of one and its three sides in any order."""
    units, weights, sides = zip(*lines, strict=True)
    ordered = np.array([sorted(each, reverse=True) for each in sides], dtype=np.int64)
    return Goods(_integers(units), _integers(weights), ordered)


def proposed(kinds: BoxKinds, goods: Goods) -> tuple[Box, int] | None:
    """Return the box in which all goods go, or the rest of them beside what no box holds, and how many of it."""
    if not kinds.boxes:
        return None
    boxed = packed(kinds, goods, np.ones((1, len(goods.units)), dtype=np.bool_))
    return (kinds.boxes[boxed.kind[0]], int(boxed.count[0])) if boxed.count[0] else None


def packed(kinds: BoxKinds, goods: Goods, sets: Flags) -> Boxed:
    """Choose boxes for X sets of lines (X,L): the smallest that holds all, else as many of the largest as are needed.

    Without kinds, a set is one package of its goods, as large as they are.
    """
    if not kinds.boxes:
        return _unboxed(goods, sets)
    fits = (goods.sides_mm[:, None] <= kinds.sides_mm).all(axis=2) & (goods.weight_g[:, None] <= kinds.max_weight_g)
    bare = np.logical_not(fits.any(axis=1))
    inside = sets & ~bare
    volume, weight = _sums(inside, goods)
    fitting = (fits | ~inside[:, :, None]).all(axis=1)
    room = (volume[:, None] <= FILL * kinds.volume_mm3) | _in_rows(kinds, goods, inside)
    holds = fitting & room & (weight[:, None] <= kinds.max_weight_g)
    one = holds.any(axis=1)
    kind = np.where(one, holds.argmax(axis=1), len(kinds.boxes) - 1)
    count = np.where(one, 1, _needed(kinds, volume, weight)) * inside.any(axis=1)
    each = -(-weight // np.maximum(count, 1)) + kinds.tare_g[kind]
    return Boxed(
        count=count,
        weight_g=each,
        volume_mm3=kinds.volume_mm3[kind],
        longest_mm=kinds.sides_mm[kind, 0],
        cost_minor=count * kinds.cost_minor[kind],
        kind=np.where(count > 0, kind, -1),
        bare=bare,
    )


def _unboxed(goods: Goods, sets: Flags) -> Boxed:
    volume, weight = _sums(sets, goods)
    longest = np.where(sets, goods.sides_mm[:, 0], 0).max(axis=1, initial=0)
    none = np.zeros(len(sets), dtype=np.int64)
    bare = np.zeros(len(goods.units), dtype=np.bool_)
    return Boxed(none + 1, weight, volume, longest, none, none - 1, bare)


def _sums(sets: Flags, goods: Goods) -> tuple[Integers, Integers]:
    """Return the volume and the weight of each set."""
    whole = sets.astype(np.int64)
    return whole @ (goods.units * goods.volume_mm3), whole @ (goods.units * goods.weight_g)


def _in_rows(kinds: BoxKinds, goods: Goods, inside: Flags) -> Flags:
    """Tell which sets (X) of a single line stand side by side, in rows and layers, in which kinds (X,B)."""
    rows = (kinds.sides_mm // np.maximum(goods.sides_mm, 1)[:, None]).prod(axis=2)
    stands = rows >= goods.units[:, None]
    found: Flags = (inside.sum(axis=1) == 1)[:, None] & stands[inside.argmax(axis=1)]
    return found


def _needed(kinds: BoxKinds, volume: Integers, weight: Integers) -> Integers:
    """Return how many of the largest kind goods need that no single box holds: at least two."""
    by_volume = np.ceil(volume / (FILL * kinds.volume_mm3[-1])).astype(np.int64)
    by_weight = -(-weight // kinds.max_weight_g[-1])
    needed: Integers = np.maximum(np.maximum(by_volume, by_weight), 2)
    return needed


def _integers(values: Sequence[int]) -> Integers:
    return np.array(values, dtype=np.int64)
