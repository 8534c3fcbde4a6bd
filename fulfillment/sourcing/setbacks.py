"""What failures mean for the next decision of a demand, by its policy: which nodes are barred or dearer, and when a
person takes over.

Read by `gather`, for every line and node, and by `decide`, before it solves. Pure. Invariant: what a failure means is a
setting, found by its reason, else by its cause; one that no setting names bars the node for the article.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from fulfillment.network.policies import ActivePolicy
from fulfillment.network.settings import Settings
from fulfillment.network.snapshot import Snapshot
from fulfillment.sourcing.proposal import Change, Failure, Missing, Rationale, Wanted
from fulfillment.sourcing.scene import Flags, Integers
from fulfillment.work.models import Method

BAR, TOMORROW, PRICE = "bar", "tomorrow", "price"
HANDED_OVER = "handed_over"
"""The status of a decision that leaves it to a person."""
NEEDS_PERSON = "needs_person"


def barred(wanted: Wanted, settings: Settings, net: Snapshot, now: datetime) -> Flags:
    """Tell which nodes are not asked again for which lines (L,N)."""
    flags = np.zeros((len(wanted.lines), len(net.nodes)), dtype=np.bool_)
    for rows, place, consequence in _felt(wanted, settings, net, now):
        if consequence == BAR and not wanted.forgiving:
            flags[rows, place] = True
    return flags


def dearer_minor(wanted: Wanted, settings: Settings, net: Snapshot, now: datetime) -> Integers:
    """Return what giving a line again to a node that failed it costs beyond its money, in minor units (L,N)."""
    costs = np.zeros((len(wanted.lines), len(net.nodes)), dtype=np.int64)
    for rows, place, consequence in _felt(wanted, settings, net, now):
        if consequence == PRICE or wanted.forgiving:
            costs[rows, place] = settings.failed_minor
    return costs


def spent(wanted: Wanted, settings: Settings, now: datetime) -> bool:
    """Tell whether so many attempts failed, in as long as the policy looks back, that a person has to decide."""
    since = now - timedelta(hours=settings.attempts_hours)
    failed = {each.attempt for each in wanted.failures if each.counts and each.failed_at > since}
    return len(failed) >= settings.most_attempts


def handed_over(wanted: Wanted, policy: ActivePolicy) -> Change:
    """Return the change that leaves a demand to a person: what waits goes on waiting, what has a node keeps it."""
    held = Counter[str]()
    for order in wanted.freed:
        for line in order.lines if order.method != Method.TRANSFER else ():
            held[line.line_id] += line.units
    left = [replace(line, units=line.units - held[line.id]) for line in wanted.lines if line.units > held[line.id]]
    return Change(
        wanted=replace(wanted, lines=tuple(left), freed=()),
        policy_version=policy.version,
        packages=(),
        missing=tuple(Missing(line.id, line.sku, line.units, NEEDS_PERSON) for line in left),
        rationale=_LEFT_TO_A_PERSON,
    )


_LEFT_TO_A_PERSON = Rationale(
    status=HANDED_OVER, objective_minor=0, bound_minor=0, by_term={}, candidates=[], solve_ms=0.0
)


def _felt(wanted: Wanted, settings: Settings, net: Snapshot, now: datetime) -> Iterator[tuple[list[int], int, str]]:
    """Yield the rows of lines and the place of the node that a failure still concerns, and what it means for them."""
    for failure in wanted.failures:
        place = net.index.get(failure.node)
        rows = [row for row, line in enumerate(wanted.lines) if line.sku == failure.sku]
        consequence = settings.after_failure.get(failure.reason) or settings.after_failure.get(failure.cause) or BAR
        if place is None or not rows:
            continue
        if consequence != TOMORROW:
            yield rows, place, consequence
        elif _same_day(failure, net.calendars[place].time_zone, now):
            yield rows, place, BAR


def _same_day(failure: Failure, time_zone: str, now: datetime) -> bool:
    zone = ZoneInfo(time_zone)
    return now.astimezone(zone).date() <= failure.failed_at.astimezone(zone).date()
