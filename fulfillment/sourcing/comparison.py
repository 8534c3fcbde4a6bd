"""What two policies would differ by, over demands that both decided: totals, shares, and how sure that is.

Pure; called by the doors. Invariant: costs are compared only where both leave as many units waiting, since what waits
costs nothing yet; how many demands that leaves out is said.

Each demand is decided by both policies, so their differences are paired: the mean difference has the interval
mean +- t s / sqrt(n) of Student (1908, doi:10.1093/biomet/6.1.1), at 95 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np

from fulfillment.sourcing.trial import Pair

WEIGHED: Final = frozenset({"lateness", "preference", "churn"})
"""Terms that a policy's own weights make: shown, and no part of what is paid."""
LEAST_PAIRS: Final = 5
"""Fewer say nothing about their spread."""
_NORMAL_975: Final = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A mean difference of draft minus live for each demand, and its 95 % interval; none for too few demands."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class TermTotals:
    """What a term costs in all under each policy, in minor units."""

    live_minor: int
    draft_minor: int

    @property
    def difference_minor(self) -> int:
        """Draft minus live."""
        return self.draft_minor - self.live_minor


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Draft and live over `demands`, of which `alike` leave as many units waiting under both.

    Costs are those of the demands alike: by term and paid in all, in minor units.
    """

    demands: int
    alike: int
    differing: int
    other_nodes: int
    more_packages: int
    fewer_packages: int
    live_waiting: int
    draft_waiting: int
    relaxed: int
    by_term: dict[str, TermTotals]
    paid: TermTotals
    paid_each: Estimate


def compared(pairs: Sequence[Pair]) -> Comparison:
    """Compare draft and live over demands."""
    alike = [pair for pair in pairs if pair.live.waiting == pair.draft.waiting]
    terms = sorted({term for pair in alike for side in (pair.live, pair.draft) for term in side.by_term})
    by_term = {term: _totals(alike, term) for term in terms}
    paid = [totals for term, totals in by_term.items() if term not in WEIGHED]
    return Comparison(
        demands=len(pairs),
        alike=len(alike),
        differing=sum(differs(pair) for pair in pairs),
        other_nodes=sum(pair.live.nodes != pair.draft.nodes for pair in pairs),
        more_packages=sum(pair.draft.packages > pair.live.packages for pair in pairs),
        fewer_packages=sum(pair.draft.packages < pair.live.packages for pair in pairs),
        live_waiting=sum(pair.live.waiting for pair in pairs),
        draft_waiting=sum(pair.draft.waiting for pair in pairs),
        relaxed=sum(bool(pair.draft.relaxed) for pair in pairs),
        by_term=by_term,
        paid=TermTotals(sum(each.live_minor for each in paid), sum(each.draft_minor for each in paid)),
        paid_each=estimate([paid_minor(pair.draft.by_term) - paid_minor(pair.live.by_term) for pair in alike]),
    )


def differs(pair: Pair) -> bool:
    """Tell whether the policies serve a demand differently."""
    live, draft = pair.live, pair.draft
    return (live.nodes, live.packages, live.waiting) != (draft.nodes, draft.packages, draft.waiting)


def paid_minor(by_term: Mapping[str, int]) -> int:
    """Return what is paid of a cost by term: all but what the policy's own weights make."""
    return sum(cost for term, cost in by_term.items() if term not in WEIGHED)


def estimate(differences: Sequence[float]) -> Estimate:
    """Return the mean of paired differences with its 95 % interval."""
    count = len(differences)
    mean = float(np.mean(differences)) if count else 0.0
    if count < LEAST_PAIRS:
        return Estimate(mean, None, None)
    reach = _student_975(count - 1) * float(np.std(differences, ddof=1)) / sqrt(count)
    return Estimate(mean, mean - reach, mean + reach)


def _totals(pairs: Sequence[Pair], term: str) -> TermTotals:
    return TermTotals(
        sum(pair.live.by_term.get(term, 0) for pair in pairs), sum(pair.draft.by_term.get(term, 0) for pair in pairs)
    )


def _student_975(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t (Abramowitz and Stegun 1964, 26.7.5), to 0.01 from 4 degrees on."""
    z = _NORMAL_975
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return float(z + sum(term / freedom**power for power, term in enumerate(terms, start=1)))
