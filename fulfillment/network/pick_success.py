"""How likely a node finds an article: evidence by article and node, weighed against what the node is known for.

Recorded by `work` in the transaction that saw it, read by sourcing and by planners. Each line that a node looked for
counts 1, found and missed by the share of its units. The chance that a line is found is the mean of a Beta distribution
that evidence moves from its prior (conjugacy of Beta and binomial; A. Gelman et al., Bayesian Data Analysis, 3rd ed.,
2013, ch. 2). There are two levels: the planner's figure for a node is moved by all that the node found, and the result
is the prior of each article there. That such chances belong in the cost of a choice: O. Baron, A. Cire and S. Savaser,
Decentralized Online Order Fulfillment in Omni-Channel Retailers, 2024, doi:10.1177/10591478241255066.

Invariants: evidence is only ever added to, by relative updates in the order of keys, while the balance it is about is
locked, or by a count that has all but its tasks; what is old fades by a half-life that the doors set in the session's
`info`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sqlalchemy import ColumnElement, Float, bindparam, case, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from fulfillment.network.article_models import NodeEvidence, PickEvidence
from fulfillment.network.models import NETWORK, NodeProfile
from kernel.db import table
from stock.revisions import raise_version
from stock.upsert import upsert

HALF_LIFE_DAYS: Final = "pick_half_life_days"
"""Under this name a session's `info` may carry the days in which evidence loses half of its weight."""
USUAL_HALF_LIFE_DAYS: Final = 180

Floats = NDArray[np.float64]


class Looked(NamedTuple):
    """A look for a line of an article at a node, and the shares of it that were found and missed."""

    sku: str
    node: str
    found: float = 0.0
    missed: float = 0.0


@dataclass(frozen=True)
class Chance:
    """How likely a node finds an article: lines found and missed, at their present weight, and the posterior mean."""

    sku: str
    found: float
    missed: float
    pick_success: float


def posterior(prior: ArrayLike, found: ArrayLike, missed: ArrayLike, strength: float) -> Floats:
    """Return the mean of a Beta distribution after evidence; shapes broadcast.

    `prior` is the mean before, worth `strength` lines; `found` and `missed` are lines.
    """
    evidence = np.asarray(found, dtype=np.float64)
    mean: Floats = (strength * np.asarray(prior) + evidence) / (strength + evidence + np.asarray(missed))
    return mean


def faded(age_days: ArrayLike, half_life_days: float) -> Floats:
    """Return the share of its weight that evidence of this age has left; what is not older than now has all of it."""
    share: Floats = 0.5 ** (np.maximum(np.asarray(age_days, dtype=np.float64), 0.0) / half_life_days)
    return share


def half_life_days(session: Session) -> float:
    """Return the days in which evidence loses half of its weight."""
    days: float = session.info.get(HALF_LIFE_DAYS, USUAL_HALF_LIFE_DAYS)
    return days


def record(session: Session, looks: Iterable[Looked], *, now: datetime) -> None:
    """Add evidence, in one statement and in the order of keys. What is told late counts as of the day that is known."""
    summed: dict[tuple[str, str], tuple[float, float]] = {}
    for look in looks:
        found, missed = summed.get((look.sku, look.node), (0.0, 0.0))
        summed[look.sku, look.node] = found + look.found, missed + look.missed
    if not summed:
        return
    rows = [
        {"sku": sku, "node": node, "found": found, "missed": missed, "as_of_day": now.toordinal()}
        for (sku, node), (found, missed) in sorted(summed.items())
    ]
    statement = _ADD[session.get_bind().dialect.name]
    half_life = half_life_days(session)
    session.execute(statement, [row | {"half_life": half_life} for row in rows])


def sum_up(session: Session, *, now: datetime) -> int:
    """Sum up what each node found, which speaks for articles it never looked for; return how many nodes changed."""
    weight = _weight(now.toordinal(), half_life_days(session))
    sums = select(
        _EVIDENCE.c.node, func.sum(_EVIDENCE.c.found * weight), func.sum(_EVIDENCE.c.missed * weight)
    ).group_by(_EVIDENCE.c.node)
    rows = [
        # Thousandths of a line, so that a node at which nothing happened since this morning is left as it is.
        {"node": node, "found": round(found, 3), "missed": round(missed, 3)}
        for node, found, missed in session.execute(sums)
    ]
    outcomes = upsert(session, NodeEvidence, rows, key=("node",)) if rows else []
    changed = sum(outcome != "unchanged" for outcome in outcomes)
    if changed:
        raise_version(session, NETWORK)
    return changed


def worst(session: Session, node: str, *, prior: float, strength: float, now: datetime, limit: int) -> list[Chance]:
    """Return the articles that a node is least likely to find, of those that it missed; the worst first.

    `prior` is what it finds of an article that it never looked for, worth `strength` lines.
    """
    weight = _weight(now.toordinal(), half_life_days(session))
    found, missed = _EVIDENCE.c.found * weight, _EVIDENCE.c.missed * weight
    mean = (strength * prior + found) / (strength + found + missed)
    query = (
        select(_EVIDENCE.c.sku, found, missed, mean)
        .where(_EVIDENCE.c.node == node, _EVIDENCE.c.missed > 0)
        .order_by(mean, _EVIDENCE.c.sku)
        .limit(limit)
    )
    return [Chance(*row) for row in session.execute(query)]


def prior_of(session: Session, node: str, *, strength: float) -> float:
    """Return how likely a node finds an article that it never looked for; 1 for a node without a profile."""
    own = select(NodeProfile.pick_success, NodeEvidence.found, NodeEvidence.missed).outerjoin(
        NodeEvidence, NodeEvidence.node == NodeProfile.node
    )
    row = session.execute(own.where(NodeProfile.node == node)).one_or_none()
    return 1.0 if row is None else float(posterior(row[0], row[1] or 0.0, row[2] or 0.0, strength))


_EVIDENCE = table(PickEvidence)


def _weight(today: int, half_life: float) -> ColumnElement[float]:
    return _left(literal(today) - _EVIDENCE.c.as_of_day, literal(half_life, Float))


def _left(age_days: ColumnElement[int], half_life: ColumnElement[float]) -> ColumnElement[float]:
    """Say `faded` in SQL."""
    return case((age_days > 0, func.power(0.5, age_days / half_life, type_=Float)), else_=1.0)


def _adding(dialect: Any) -> Any:
    given = dialect.insert(_EVIDENCE).values(
        {name: bindparam(name) for name in ("sku", "node", "found", "missed", "as_of_day")}
    )
    known, told = _EVIDENCE.c, given.excluded
    left = _left(told.as_of_day - known.as_of_day, bindparam("half_life", type_=Float))
    return given.on_conflict_do_update(
        index_elements=["sku", "node"],
        set_={
            "found": known.found * left + told.found,
            "missed": known.missed * left + told.missed,
            "as_of_day": case((told.as_of_day > known.as_of_day, told.as_of_day), else_=known.as_of_day),
        },
    )


_ADD: Final = {"postgresql": _adding(postgresql), "sqlite": _adding(sqlite)}
