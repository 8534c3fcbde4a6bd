"""How a node counts: from which difference on a second count is wanted, who may post, and what is proposed.

Set by planners, read by the verbs of counting. Invariant: every node has a rule; where nobody wrote one, the
retailer's own (`EVERYWHERE`), and without that the defaults below. Values are at unit cost, in minor units.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from kernel.errors import NotFound
from stock.counting.documents import CountRule
from stock.errors import UnknownStock
from stock.models import Node

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

EVERYWHERE = "*"
LIMITS: Final = {
    "recount_units": (0, 1_000_000),
    "recount_value_minor": (0, 2**31 - 1),
    "max_age_days": (1, 3650),
    "tasks_a_day": (0, 200),
}
"""The least and the most that may be set."""


class NoOwnRule(NotFound):
    """This node has no rule of its own."""

    code = "count_rule_unknown"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The rule of one node.

    recount_units        a larger difference is counted a second time
    recount_value_minor  so is one of a larger value
    four_eyes            such a difference is not posted by the only person who counted it
    zero_checks          a pick or a sale that should have emptied the shelf proposes to look
    max_age_days         an article that makes up most of the value here is counted this often; others half, a quarter
    tasks_a_day          how many articles are proposed each night because of their age
    """

    recount_units: int = 5
    recount_value_minor: int = 20_000
    four_eyes: bool = True
    zero_checks: bool = True
    max_age_days: int = 90
    tasks_a_day: int = 20

    def wants_second(self, units: int, value_minor: int) -> bool:
        """Tell whether a difference is large enough to be counted a second time."""
        return abs(units) > self.recount_units or abs(value_minor) > self.recount_value_minor


def rule_of(session: Session, node: str) -> Rule:
    """Return the rule in force at a node."""
    rows = session.scalars(select(CountRule).where(CountRule.node.in_([node, EVERYWHERE])))
    stored = {row.node: row for row in rows}
    found = stored.get(node) or stored.get(EVERYWHERE)
    return Rule() if found is None else _rule(found)


def put(session: Session, node: str, rule: Rule) -> Rule:
    """Set the rule of a node, or of every node that has none of its own. Raises UnknownStock."""
    if node != EVERYWHERE and session.get(Node, node) is None:
        raise UnknownStock([("", node)])
    session.merge(CountRule(node=node, **asdict(rule)))
    session.flush()
    return rule


def own(session: Session) -> dict[str, Rule]:
    """Return the rules that somebody wrote, by node; the retailer's is that of `EVERYWHERE`."""
    return {row.node: _rule(row) for row in session.scalars(select(CountRule).order_by(CountRule.node))}


def remove(session: Session, node: str) -> None:
    """Take a node's own rule away: it follows the retailer's then, and the retailer the defaults. Raises NoOwnRule."""
    row = session.get(CountRule, node)
    if row is None:
        raise NoOwnRule(f"{node} has no rule of its own for counting.")
    session.delete(row)
    session.flush()


def _rule(row: CountRule) -> Rule:
    return Rule(
        recount_units=row.recount_units, recount_value_minor=row.recount_value_minor, four_eyes=row.four_eyes,
        zero_checks=row.zero_checks, max_age_days=row.max_age_days, tasks_a_day=row.tasks_a_day,
    )  # fmt: skip
