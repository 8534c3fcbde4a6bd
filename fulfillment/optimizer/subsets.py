"""The dynamic programme over subsets of lines.

Owns the tables of the exact method for one order: `cheapest` prices every subset of lines as one package, `partition`
splits every subset into packages. decide.py, explain.py and the batch's price search call it. Invariant: subset S of n
lines is the number whose bit j says that line j is in it; a cost of IMPOSSIBLE or more cannot be had.

The order with a package cost per option is an uncapacitated facility location problem with few customers, for which
subset programming is exact: time 2^n options + 3^n.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from fulfillment.optimizer.problem import Flags, Integers

IMPOSSIBLE: Final = 1 << 57
"""More than any plan of one order can cost; a dozen of them still fit into 64 bits."""
MAX_LINES: Final = 12
_BLOCK: Final = 1 << 16
"""Numbers priced at once: small enough for the processor's cache."""
_CHAMPIONS: Final = 16


@dataclass(frozen=True, slots=True)
class Work:
    """What a package of a subset takes from the capacity of its option, where that may not be enough.

    columns  M    the options that may run out
    package  M    work of a package
    lines    n,M  work of each line
    limits   M    work that may be taken
    """

    columns: Integers
    package: Integers
    lines: Integers
    limits: Integers


@dataclass(frozen=True, slots=True)
class Level:
    """All C subsets of one size; for each its lowest line, and its P parts that hold that line with what they leave."""

    subsets: Integers
    lowest: Integers
    without_lowest: Integers
    parts: Integers
    rests: Integers


def sums(lines: Integers, base: Integers) -> Integers:
    """Add to `base` (K) the rows of `lines` (n,K) for every subset of them: (2^n,K)."""
    table = np.empty((1 << len(lines), len(base)), dtype=np.int64)
    table[0] = base
    for line, row in enumerate(lines):
        size = 1 << line
        np.add(table[:size], row, out=table[size : 2 * size])
    return table


def cheapest(package: Integers, lines: Integers, work: Work | None = None) -> Integers:
    """Price every subset of n lines as one package: (2^n), the cheapest option for each.

    `package` (K) is the cost of a package by option, `lines` (n,K) that of each line, IMPOSSIBLE where it cannot be.
    """
    best = np.full(1 << len(lines), IMPOSSIBLE, dtype=np.int64)
    for start, costs in _priced_blocks(package, lines, work):
        best[start : start + len(costs)] = costs.min(axis=1)
    return np.minimum(best, IMPOSSIBLE)


def forced(package: Integers, lines: Integers, work: Work | None, rest: Integers) -> Integers:
    """Price the best plan that has a package of each option: (K), where `rest` (2^n) prices what the package leaves."""
    best = np.full(len(package), IMPOSSIBLE, dtype=np.int64)
    others = rest[::-1].copy()
    others[0] = IMPOSSIBLE
    for start, costs in _priced_blocks(package, lines, work):
        np.minimum(best, (costs + others[start : start + len(costs), None]).min(axis=0), out=best)
    return best


def _priced_blocks(package: Integers, lines: Integers, work: Work | None) -> Iterator[tuple[int, Integers]]:
    """Price every subset from every option, block by block: the first subset, and costs (subsets,K)."""
    count, options = lines.shape
    if not options:
        return
    low = min(count, max(0, (_BLOCK // options).bit_length() - 1))
    costs = sums(lines[:low], package)
    extra = sums(lines[low:], np.zeros(options, dtype=np.int64))
    needed = work and (sums(work.lines[:low], work.package), sums(work.lines[low:], np.zeros_like(work.package)))
    for block, row in enumerate(extra):
        priced = costs + row
        if work and needed:
            full = needed[0] + needed[1][block] > work.limits
            priced[:, work.columns] = np.where(full, IMPOSSIBLE, priced[:, work.columns])
        yield block << low, priced


def partition(packages: Integers, unfilled: Integers, rest: Integers | None = None) -> Integers:
    """Split every subset into packages and unfilled lines at least cost: (2^n).

    `packages` (2^n) prices one package, `unfilled` (n) each line left. What follows the first package is priced by
    `rest`, itself the result for one package fewer; without it any number of packages may follow.
    """
    count = len(unfilled)
    best = np.zeros(1 << count, dtype=np.int64)
    following = best if rest is None else rest
    for level in levels(count):
        split = (packages[level.parts] + following[level.rests]).min(axis=1)
        best[level.subsets] = np.minimum(split, unfilled[level.lowest] + best[level.without_lowest])
    return np.minimum(best, IMPOSSIBLE)


def unpacked(unfilled: Integers) -> Integers:
    """Price every subset with no package at all: (2^n)."""
    return np.minimum(sums(unfilled[:, None], np.zeros(1, dtype=np.int64))[:, 0], IMPOSSIBLE)


def packages_of(subset: int, packages: Integers, unfilled: Integers, best: Sequence[Integers]) -> list[int]:
    """Return the packages (subsets of lines) of a subset's cheapest split; lines in none of them stay unfilled.

    `best` holds the partition, followed by those for ever fewer packages when their number is limited.
    """
    chosen: list[int] = []
    while subset:
        here, following = (best[min(len(chosen) + step, len(best) - 1)] for step in (0, 1))
        lowest = (subset & -subset).bit_length() - 1
        if here[subset] == unfilled[lowest] + here[subset & (subset - 1)]:
            subset &= subset - 1
            continue
        level = levels(len(unfilled))[subset.bit_count() - 1]
        row = int(np.searchsorted(level.subsets, subset))
        part = int(level.parts[row, (packages[level.parts[row]] + following[level.rests[row]]).argmin()])
        chosen.append(part)
        subset ^= part
    return chosen


@cache
def levels(count: int) -> tuple[Level, ...]:
    """Return the subsets of so many lines by size, from one line up."""
    sizes = np.array([subset.bit_count() for subset in range(1 << count)])
    return tuple(_level(np.flatnonzero(sizes == size), size) for size in range(1, count + 1))


def _level(subsets: Integers, size: int) -> Level:
    bits = np.zeros((len(subsets), size), dtype=np.int64)
    left = subsets.copy()
    for position in range(size):
        bits[:, position] = left & -left
        left &= left - 1
    parts = np.repeat(bits[:, :1], 1 << (size - 1), axis=1)
    for position in range(1, size):
        taken = (np.arange(1 << (size - 1)) >> (position - 1)) & 1
        parts += bits[:, position : position + 1] * taken
    lowest = np.log2(bits[:, 0]).round().astype(np.int64)
    return Level(subsets, lowest, subsets ^ bits[:, 0], parts, subsets[:, None] ^ parts)


def undominated(package: Integers, lines: Integers, full: Flags) -> Integers:
    """Return the options that none of a few good ones beats or equals in the package cost and in every line.

    An option that may run out of capacity (`full`) beats no other.
    """
    total = package + lines.sum(axis=0) + np.where(full, IMPOSSIBLE, 0)
    beaten = np.zeros(len(package), dtype=bool)
    positions = np.arange(len(package))
    for champion in np.argsort(total, kind="stable")[:_CHAMPIONS]:
        if full[champion]:
            break
        worse = (package >= package[champion]) & (lines >= lines[:, champion : champion + 1]).all(axis=0)
        better = (package > package[champion]) | (lines > lines[:, champion : champion + 1]).any(axis=0)
        beaten |= worse & (better | (positions > champion))
    return np.flatnonzero(~beaten)
