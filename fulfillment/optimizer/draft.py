"""A batch's plan while it is worked on.

Owns what every order takes at the moment and what is left of every limit. search.py and pool.py change it. Invariant: a
draft always fits all limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from fulfillment.optimizer.blocks import Batch, Block
from fulfillment.optimizer.choose import taken
from fulfillment.optimizer.plan import Assignment
from fulfillment.optimizer.problem import Integers

Needs: TypeAlias = dict[int, float]
_TOLERANCE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to serve one order.

    option, row, work_row  the option of each line of the order (-1: unfilled) and the rows it takes from
    needs                  what the order takes of each row
    cost                   scaled
    """

    order: int
    option: Integers
    row: Integers
    work_row: Integers
    needs: Needs
    cost: float


class Draft:
    """One offer for each order, and what they leave of each row."""

    def __init__(self, batch: Batch) -> None:
        """Begin with nothing served."""
        lines = int(batch.starts[-1])
        self.batch = batch
        self.left: list[float] = batch.limits.tolist()
        self.option = np.full(lines, -1)
        self.row = np.zeros(lines, dtype=np.int64)
        self.work_row = np.zeros(lines, dtype=np.int64)
        self.offers: dict[int, Offer] = {}
        self._starts: list[int] = batch.starts.tolist()
        for block in batch.blocks:
            for offer in offers(batch, block, np.full(block.positions.shape, -1), np.arange(len(block.orders))):
                self.put(offer)

    @property
    def cost(self) -> float:
        """Scaled cost of the plan."""
        return sum(offer.cost for offer in self.offers.values())

    def fits(self, needs: Needs) -> bool:
        """Tell whether enough is left."""
        left = self.left
        return all(left[row] >= amount - _TOLERANCE for row, amount in needs.items())

    def put(self, offer: Offer) -> None:
        """Serve an order that is taken out, or unserved, as offered."""
        for row, amount in offer.needs.items():
            self.left[row] -= amount
        lines = slice(self._starts[offer.order], self._starts[offer.order + 1])
        self.option[lines] = offer.option
        self.row[lines] = offer.row
        self.work_row[lines] = offer.work_row
        self.offers[offer.order] = offer

    def take_out(self, order: int) -> Offer:
        """Give back what an order takes, and return its offer."""
        offer = self.offers[order]
        for row, amount in offer.needs.items():
            self.left[row] += amount
        lines = slice(self._starts[order], self._starts[order + 1])
        self.row[lines] = 0
        self.work_row[lines] = 0
        return offer

    def copy(self) -> Draft:
        """Return a draft that may be changed without changing this one."""
        twin = object.__new__(Draft)
        twin.batch, twin._starts = self.batch, self._starts
        twin.left, twin.offers = self.left.copy(), self.offers.copy()
        twin.option, twin.row, twin.work_row = self.option.copy(), self.row.copy(), self.work_row.copy()
        return twin

    def assignments(self) -> list[Assignment]:
        """Return the plan in the terms of the problem."""
        orders = self.batch.problem.orders
        return [
            Assignment(offer.order, line, option, orders[offer.order].lines[line].units)
            for offer in self.offers.values()
            for line, option in enumerate(offer.option.tolist())
            if option >= 0
        ]


def offers(batch: Batch, block: Block, option: Integers, columns: Integers) -> Iterator[Offer]:
    """Make the choices (L,m) for some orders of a block, given by their columns, into offers."""
    block, option = block.of(columns), option[:, columns]
    took = taken(block, option)
    within = block.positions - batch.starts[block.orders]
    lines = np.argsort(within, axis=0)
    option, row, work_row = (np.take_along_axis(v, lines, axis=0).T for v in (option, took.row, took.work_row))
    units, work = (np.take_along_axis(v, lines, axis=0).T for v in (took.units, took.work))
    entries = zip(row.tolist(), units.tolist(), work_row.tolist(), work.tolist(), strict=True)
    for column, (order, cost, amounts) in enumerate(
        zip(block.orders.tolist(), took.cost.tolist(), entries, strict=True)
    ):
        needs: Needs = {}
        for rows, much in (amounts[:2], amounts[2:]):
            for place, amount in zip(rows, much, strict=True):
                if place and amount:
                    needs[place] = needs.get(place, 0.0) + amount
        yield Offer(order, option[column], row[column], work_row[column], needs, cost)
