"""What all demands of one problem share: the network, what there is of their articles, the minutes of its nodes.

Read by `gather`. Invariant: minutes of freed fulfillment orders, and those held for the demands, count as free, those
that earlier plans have taken do not; everything else is as the database says now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import numpy as np
from sqlalchemy.orm import Session

from fulfillment.network import minutes
from fulfillment.network.days import NEVER, Days, following
from fulfillment.network.policies import ActivePolicy
from fulfillment.network.snapshot import Snapshot
from fulfillment.sourcing.proposal import Holding, Wanted
from fulfillment.sourcing.scene import Integers, early_days
from fulfillment.sourcing.stocked import Stocked
from fulfillment.sourcing.taken import Taken

DAY_MINUTES: Final = 24 * 60


@dataclass(frozen=True, eq=False)
class Ground:
    """What all demands share: the network, what there is of the articles, minutes left and in all (N,O)."""

    net: Snapshot
    days: Days
    now: datetime
    stocked: Stocked
    minutes: Integers
    capacity: Integers
    first_ordinal: int
    lines_in_all: int


def read_ground(
    session: Session,
    net: Snapshot,
    wanted: Sequence[Wanted],
    active: Sequence[ActivePolicy],
    *,
    now: datetime,
    stocked: Stocked,
    held: Holding,
    taken: Taken | None,
) -> Ground:
    """Read the minutes of all days on which nodes might work for these demands, beside what there is of the articles.

    Minutes that earlier plans have `taken` are gone; those of fulfillment orders that the demands free, and those that
    are `held` for them, are there.
    """
    days = net.days(now.date())
    first, last = _window(days, wanted, active, now)
    left, capacity = _minutes(session, net, wanted, (first, last), held=held, taken=taken)
    return Ground(
        net=net,
        days=days,
        now=now,
        stocked=stocked,
        minutes=left,
        capacity=capacity,
        first_ordinal=first,
        lines_in_all=sum(len(demand.lines) for demand in wanted),
    )


def _window(days: Days, wanted: Sequence[Wanted], active: Sequence[ActivePolicy], now: datetime) -> tuple[int, int]:
    """Return the first and last date, as ordinals, on which any node might work for these demands."""
    reaches = (
        policy.settings.horizon_days + early_days(demand, now) + policy.settings.collect_lead_minutes // DAY_MINUTES
        for demand, policy in zip(wanted, active, strict=True)
    )
    ahead = max(reaches, default=0)
    # A day ends with the cut-off for what is shipped, with the closing hour for what is collected.
    ends_s = np.maximum(days.cut_off_s, days.closes_s)
    columns = following(ends_s, int(now.timestamp()), ahead + 2)
    ordinals = np.take_along_axis(days.ordinal, columns, axis=1)
    ordinals = ordinals[ordinals != NEVER]
    if not len(ordinals):
        return now.toordinal(), now.toordinal()
    return int(ordinals.min()), int(ordinals.max())


def _minutes(
    session: Session,
    net: Snapshot,
    wanted: Sequence[Wanted],
    window: tuple[int, int],
    *,
    held: Holding,
    taken: Taken | None,
) -> tuple[Integers, Integers]:
    """Return the minutes left, and those in all, of each node on each date of the window (N,O; N,O)."""
    first, last = window
    capacity = np.repeat(net.capacity_minutes[:, None], last - first + 1, axis=1)
    left = capacity.copy()
    for node, on, changed, claimed in minutes.days_between(session, date.fromordinal(first), date.fromordinal(last)):
        place, column = net.index.get(node), on.toordinal() - first
        if place is not None:
            capacity[place, column] = capacity[place, column] if changed is None else changed
            left[place, column] = capacity[place, column] - claimed
    freed = [(each.node, each.work_on, each.work_minutes) for demand in wanted for each in demand.freed]
    gone = [(node, on, -count) for (node, on), count in taken.minutes.items()] if taken else []
    for node, on, count in (*freed, *held.minutes, *gone):
        column = on.toordinal() - first
        if 0 <= column <= last - first:
            left[net.index[node], column] += count
    return np.maximum(left, 0), capacity
