"""A first plan from prices, and small changes that make it cheaper.

Owns the greedy and the local search of a batch: moves of one order, and moves that eject another order from the last
units or minutes. batch.py calls them. Invariant: every change lowers the cost of the draft.

Ejection contains the order swaps and SKU exchanges of Xu, Allgor and Graves, "Benefits of reevaluating real-time order
fulfillment decisions", 2009 (DOI 10.1287/msom.1080.0222).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import numpy as np

from fulfillment.optimizer.blocks import FORBIDDEN, Batch, Block, Singles
from fulfillment.optimizer.choose import choose
from fulfillment.optimizer.draft import Draft, Offer, offers
from fulfillment.optimizer.lagrangian import priced
from fulfillment.optimizer.mip import Floats
from fulfillment.optimizer.problem import Integers

_LEAST_GAIN: Final = 1e-4
_WORTH_A_ROUND: Final = 1e-5
_PLACING_ROUNDS: Final = 8
_AT_ONCE: Final = 500
_VICTIMS: Final = 3


def placed(batch: Batch, prices: Floats, sequence: Sequence[int]) -> Draft:
    """Serve every order in turn as the prices say is best, out of what those before it left.

    A few orders are decided at once; those whose choice no longer fits are decided again, before the next come.
    """
    draft = Draft(batch)
    for start in range(0, len(sequence), _AT_ONCE):
        waiting = list(sequence[start : start + _AT_ONCE])
        for _ in range(_PLACING_ROUNDS):
            found: dict[int, Offer] = {}
            left = np.array(draft.left)
            for block in batch.parts(waiting):
                _, option = choose(block, *_guarded(draft, block, left, base=priced(block, prices)))
                found |= {offer.order: offer for offer in offers(batch, block, option, np.arange(len(block.orders)))}
            waiting = [order for order in waiting if not _replace(draft, found[order])]
            if not waiting:
                break
    return draft


def improve(draft: Draft, *, rounds: int, deadline: float) -> None:
    """Move single orders, then eject, until a round gains next to nothing or the clock (perf_counter) has passed."""
    for _ in range(rounds):
        before = draft.cost
        _move(draft)
        _eject(draft)
        if before - draft.cost < _WORTH_A_ROUND * abs(before) or perf_counter() > deadline:
            break


def _replace(draft: Draft, offer: Offer) -> bool:
    """Serve an order as offered if that fits, else as before; tell which."""
    before = draft.take_out(offer.order)
    fits = draft.fits(offer.needs)
    draft.put(offer if fits else before)
    return fits


def _guarded(
    draft: Draft,
    block: Block,
    left: Floats,
    *,
    base: tuple[Singles, Singles] | None = None,
    entry: Floats | None = None,
) -> tuple[Singles, Singles]:
    """Return costs (`base` or the block's) with what is used up forbidden, but for what an order itself holds.

    With prices of entry (R), what is used up is charged with them instead.
    """
    package, line = base or (block.package, block.line)
    own_row, own_work = draft.row[block.positions], draft.work_row[block.positions]
    short = (left[block.row] < block.units[:, None]) & (block.row != own_row[:, None])
    full = left[block.work_row] < block.work + block.line_work.min(axis=0)
    for held in own_work:
        full &= block.work_row != held
    charge = FORBIDDEN if entry is None else entry[block.row].astype(np.float32)
    work_charge = FORBIDDEN if entry is None else entry[block.work_row].astype(np.float32)
    nothing = np.float32(0)
    return package + np.where(full, work_charge, nothing), line + np.where(short, charge, nothing)


def _move(draft: Draft) -> bool:
    """Serve single orders in another way that fits and costs less; tell whether any was."""
    left = np.array(draft.left)
    better = [offer for block in draft.batch.blocks for offer in _better(draft, block, *_guarded(draft, block, left))]
    better.sort(key=lambda offer: offer.cost - draft.offers[offer.order].cost)
    moved = [_replace(draft, offer) for offer in better]
    return any(moved)


def _better(draft: Draft, block: Block, package: Singles, line: Singles) -> Iterable[Offer]:
    """Yield the offers that are cheaper at the given costs than what their orders have now."""
    value, option = choose(block, package, line)
    gain = _present(draft, block) - value
    yield from offers(draft.batch, block, option, np.flatnonzero(gain > _LEAST_GAIN))


def _present(draft: Draft, block: Block) -> Floats:
    return np.array([draft.offers[order].cost for order in block.orders.tolist()])


@dataclass(frozen=True, slots=True)
class _Holders:
    """For each row (R) the order that gives it up most cheaply, -1 for none, and what that costs."""

    order: Integers
    price: Floats


def _eject(draft: Draft) -> None:
    """Let orders take what others hold, where serving those in another way costs less than is gained."""
    left = np.array(draft.left)
    holders = _holders(draft, left)
    wanted: list[tuple[float, Offer]] = []
    for block in draft.batch.blocks:
        package, line = _guarded(draft, block, left, entry=holders.price)
        value, option = choose(block, package, line)
        gain = _present(draft, block) - value
        columns = np.flatnonzero(gain > _LEAST_GAIN)
        wanted += zip(gain[columns].tolist(), offers(draft.batch, block, option, columns), strict=True)
    wanted.sort(key=lambda entry: -entry[0])
    for _, offer in wanted:
        _take_over(draft, offer, holders.order)


def _take_over(draft: Draft, offer: Offer, holder: Integers) -> None:
    """Serve an order as offered, and those it takes from in another way; undo all if that costs more."""
    before = [draft.take_out(offer.order)]
    lacking = [row for row, amount in offer.needs.items() if draft.left[row] < amount]
    victims = {int(holder[row]) for row in lacking} - {offer.order}
    if len(victims) <= _VICTIMS and -1 not in victims:
        before += [draft.take_out(victim) for victim in sorted(victims)]
        if draft.fits(offer.needs):
            draft.put(offer)
            after = [offer, *(_served_alone(draft, victim) for victim in sorted(victims))]
            if sum(new.cost for new in after) < sum(old.cost for old in before) - _LEAST_GAIN:
                return
            for new in after:
                draft.take_out(new.order)
    for old in before:
        draft.put(old)


def _served_alone(draft: Draft, order: int) -> Offer:
    """Serve an order that is taken out as well as what is left allows."""
    left = np.array(draft.left)
    for block in draft.batch.parts([order]):
        _, option = choose(block, *_guarded(draft, block, left))
        for choice in (option, np.full_like(option, -1)):
            (offer,) = offers(draft.batch, block, choice, np.arange(1))
            if draft.fits(offer.needs):
                draft.put(offer)
                return offer
    raise AssertionError("an order that is not served at all fits everywhere")


def _holders(draft: Draft, left: Floats) -> _Holders:
    """Find who gives up each scarce row most cheaply, and at what cost."""
    price = np.full(len(left), float(FORBIDDEN))
    holder = np.full(len(left), -1)
    for block in draft.batch.blocks:
        present = _present(draft, block)
        for rows, of_work in ((draft.row, False), (draft.work_row, True)):
            for line, held in enumerate(rows[block.positions]):
                columns = np.flatnonzero((held > 0) & (left[held] < _appetite(block, line, of_work=of_work)))
                if not len(columns):
                    continue
                cost = _without(draft, block.of(columns), left, line, held[columns], of_work=of_work)
                release = cost - present[columns]
                cheapest_last = np.argsort(-release, kind="stable")
                for column in cheapest_last[release[cheapest_last] < price[held[columns[cheapest_last]]]]:
                    price[held[columns[column]]] = release[column]
                    holder[held[columns[column]]] = block.orders[columns[column]]
    return _Holders(holder, np.maximum(price, 0))


def _appetite(block: Block, line: int, *, of_work: bool) -> float:
    """Return the most that orders like these take at once."""
    return float((block.work + block.line_work[line]).max() if of_work else max(1.0, block.units[line].max()))


def _without(draft: Draft, block: Block, left: Floats, line: int, held: Integers, *, of_work: bool) -> Singles:
    """Decide orders without the row that a line of theirs holds; return their costs."""
    package, costs = _guarded(draft, block, left)
    if of_work:
        package[block.work_row == held] = FORBIDDEN
    else:
        costs[line][block.row[line] == held] = FORBIDDEN
    return choose(block, package, costs)[0]
