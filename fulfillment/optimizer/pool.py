"""The best combination of many ways to serve each order.

Owns the restricted master problem of a batch: ways to serve each order that were good at some prices or in some plan,
and the mixed integer programme that picks one of each so that all fit. batch.py calls it with a draft to improve.
Invariant: what the draft has is among the ways, so the result costs no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fulfillment.optimizer.blocks import Batch, Block
from fulfillment.optimizer.choose import choose, taken
from fulfillment.optimizer.draft import Draft, Offer, offers
from fulfillment.optimizer.lagrangian import priced
from fulfillment.optimizer.mip import Floats, Mip, Rows, solve_mip
from fulfillment.optimizer.problem import Flags, Integers

_WAYS: Final = 15
"""Most ways kept of one order."""


@dataclass(frozen=True, slots=True)
class _Ways:
    """Some ways to serve the orders of a block: block and options (L,w), and for each way the order and what it takes.

    number  w    the order; cost w its scaled cost
    row, amount  2L,w  what it takes
    """

    block: Block
    option: Integers
    number: Integers
    cost: Floats
    row: Integers
    amount: Floats


def disturbed(batch: Batch, prices: Floats, *, calls: int, spread: float, seed: int) -> list[list[Integers]]:
    """Decide all orders at randomly disturbed prices; return the options (L,m) of each block, call by call."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(calls):
        shaken = prices * np.maximum(0, 1 + spread * rng.standard_normal(len(prices)))
        found.append([choose(block, *priced(block, shaken))[1] for block in batch.blocks])
    return found


def options_of(draft: Draft) -> list[Integers]:
    """Return the options (L,m) of a draft, block by block."""
    return [draft.option[block.positions] for block in draft.batch.blocks]


def recombined(
    draft: Draft, found: Sequence[Sequence[Integers]], prices: Floats, *, reach: float, time_limit_s: float, seed: int
) -> Draft:
    """Pick the best combination of the draft's and the found options; the draft itself if none is better.

    Ways whose cost at the prices is more than `reach` (scaled) above that of the order's best are left out.
    """
    ways = [
        _ways(block, np.stack([present, *(options[number] for options in found)]), prices, reach)
        for number, (block, present) in enumerate(zip(draft.batch.blocks, options_of(draft), strict=True))
    ]
    counts = np.bincount(np.concatenate([way.number for way in ways]), minlength=len(draft.offers))
    free = [np.flatnonzero(counts[way.number] > 1) for way in ways]
    mip = _mip(draft, ways, free)
    if not len(mip.cost):
        return draft
    answer = solve_mip(mip, time_limit_s=time_limit_s, seed=seed, relative_gap=1e-5)
    return _with_ways(draft, ways, free, answer.values > 0) if len(answer.values) else draft


def _ways(block: Block, options: Integers, prices: Floats, reach: float) -> _Ways:
    """Keep the distinct good ways of each order out of options (P,L,m), of which the first is always kept."""
    keys = np.random.default_rng(0).integers(1, 1 << 62, (options.shape[1], 1), dtype=np.int64)
    code = (options * keys).sum(axis=1)
    order = np.argsort(code, axis=0, kind="stable")
    ordered = np.take_along_axis(code, order, axis=0)
    new = np.ones_like(ordered, dtype=np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    position, column = np.nonzero(new)
    call = order[position, column]
    part, chosen = block.of(column), options[call, :, column].T
    took = taken(part, chosen)
    row, amount = np.concatenate([took.row, took.work_row]), np.concatenate([took.units, took.work])
    reduced = took.cost + (amount * prices[row]).sum(axis=0)
    kept = (call == 0) | ((reduced <= _least(reduced, column)[column] + reach) & (_rank(reduced, column) < _WAYS))
    return _Ways(part.of(kept), chosen[:, kept], part.orders[kept], took.cost[kept], row[:, kept], amount[:, kept])


def _least(value: Floats, group: Integers) -> Floats:
    least = np.full(int(group.max()) + 1, np.inf)
    np.minimum.at(least, group, value)
    return least


def _rank(value: Floats, group: Integers) -> Integers:
    """Return the place of each value within its group, from 0."""
    order = np.lexsort((value, group))
    counts = np.bincount(group)
    rank = np.empty(len(value), dtype=np.int64)
    rank[order] = np.arange(len(value)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rank


def _mip(draft: Draft, ways: Sequence[_Ways], free: Sequence[Integers]) -> Mip:
    """State the choice among the free ways; orders that have one way keep it."""
    pairs = list(zip(ways, free, strict=True))
    number = np.concatenate([way.number[columns] for way, columns in pairs])
    left = np.array(draft.left)
    for offer in (draft.offers[order] for order in np.unique(number).tolist()):
        for place, amount in offer.needs.items():
            left[place] += amount
    rows = Rows()
    orders, order = np.unique(number, return_inverse=True)
    one = np.ones(len(orders))
    rows.add(order, np.arange(len(number)), np.ones(len(number)), lower=one, upper=one)
    row = np.concatenate([way.row[:, columns].ravel() for way, columns in pairs])
    taken_of_row = np.concatenate([way.amount[:, columns].ravel() for way, columns in pairs])
    column = np.concatenate(_columns(pairs))
    binding = np.flatnonzero(np.bincount(row, taken_of_row, minlength=len(left)) > left)
    numbered = np.full(len(left), -1)
    numbered[binding] = np.arange(len(binding))
    inside = (numbered[row] >= 0) & (taken_of_row > 0)
    rows.add(
        numbered[row[inside]],
        column[inside],
        taken_of_row[inside],
        lower=np.full(len(binding), -np.inf),
        upper=np.maximum(0, left[binding]),
    )
    cost = np.concatenate([way.cost[columns] for way, columns in pairs])
    return Mip(cost, np.ones(len(cost)), rows, 0.0)


def _columns(pairs: Sequence[tuple[_Ways, Integers]]) -> list[Integers]:
    """Return for each entry of the free ways the column it stands in."""
    columns, offset = [], 0
    for way, free in pairs:
        columns.append(np.tile(np.arange(offset, offset + len(free)), len(way.row)))
        offset += len(free)
    return columns


def _with_ways(draft: Draft, ways: Sequence[_Ways], free: Sequence[Integers], picked: Flags) -> Draft:
    """Return the draft with the picked ways, or the draft itself if they cost no less or do not fit."""
    other = draft.copy()
    chosen: list[Offer] = []
    offset = 0
    for way, columns in zip(ways, free, strict=True):
        mine = columns[picked[offset : offset + len(columns)]]
        chosen += offers(draft.batch, way.block, way.option, mine)
        offset += len(columns)
    for offer in chosen:
        other.take_out(offer.order)
    for offer in chosen:
        if not other.fits(offer.needs):
            return draft
        other.put(offer)
    return other if other.cost < draft.cost else draft
