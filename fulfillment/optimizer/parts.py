"""Orders whose parts must each be worth something: a package, or all that stays unfilled.

Owns the subset tables under that rule. decide.py calls them when the cheapest plan without the rule breaks it.
Invariant: no part of what is returned is worth less than asked, unless it is the whole order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from fulfillment.optimizer.plan import Assignment
from fulfillment.optimizer.problem import Integers, OrderProblem
from fulfillment.optimizer.subsets import IMPOSSIBLE, levels, sums, unpacked


def keeps_worth(order: OrderProblem, assignments: Sequence[Assignment]) -> bool:
    """Tell whether each part of a one-order plan is worth what the order asks for."""
    if not order.min_part_value:
        return True
    worth: Counter[int] = Counter()
    for _, line, option, units in assignments:
        worth[option] += units * order.lines[line].unit_value
    parts = list(worth.values())
    if sum(part.units for part in assignments) < sum(line.units for line in order.lines):
        parts.append(sum(line.units * line.unit_value for line in order.lines) - sum(parts))
    return len(parts) == 1 or min(parts, default=0) >= order.min_part_value


def worthy_split(worths: Integers, packages: Integers, unfilled: Integers, least: int, most: int) -> list[int] | None:
    """Return the packages (subsets of n groups) of the cheapest plan in which every part is worth `least`.

    `worths` (n) is what each group is worth, `packages` (2^n) the price of a package, `unfilled` (n) the penalty of
    leaving a group, `most` the most packages. None if groups that must be served cannot be.
    """
    whole = (1 << len(worths)) - 1
    worth = sums(worths[:, None], np.zeros(1, dtype=np.int64))[:, 0]
    allowed = worth >= least
    allowed[whole] = True
    packed = np.where(allowed, packages, IMPOSSIBLE)
    # Two parts that stay unfilled are one, worth more than each, at the same cost.
    left = np.where(allowed, unpacked(unfilled), IMPOSSIBLE)
    tables = _tables(packed, left, min(most, len(worths)))
    return None if tables[-1][whole] >= IMPOSSIBLE // 2 else _packages(whole, packed, left, tables)


def _tables(packed: Integers, left: Integers, most: int) -> list[Integers]:
    """Price the best split of every subset into at most 0, 1, ... packages and parts that stay unfilled."""
    count = len(packed).bit_length() - 1
    tables: list[Integers] = []
    for _ in range(most + 1):
        best = np.zeros(len(packed), dtype=np.int64)
        for level in levels(count):
            cost = (left[level.parts] + best[level.rests]).min(axis=1)
            if tables:
                cost = np.minimum(cost, (packed[level.parts] + tables[-1][level.rests]).min(axis=1))
            best[level.subsets] = np.minimum(cost, IMPOSSIBLE)
        tables.append(best)
    return tables


def _packages(subset: int, packed: Integers, left: Integers, tables: Sequence[Integers]) -> list[int]:
    count, most = len(packed).bit_length() - 1, len(tables) - 1
    chosen: list[int] = []
    while subset:
        level = levels(count)[subset.bit_count() - 1]
        row = int(np.searchsorted(level.subsets, subset))
        parts, rests = level.parts[row], level.rests[row]
        price = left[parts] + tables[most][rests]
        if price.min() > tables[most][subset]:
            most -= 1
            price = packed[parts] + tables[most][rests]
            chosen.append(int(parts[price.argmin()]))
        subset = int(rests[price.argmin()])
    return chosen
