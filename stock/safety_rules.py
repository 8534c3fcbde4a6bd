"""The rules of safety stock as planners write them.

Called by the doors and by imports. Invariants: a call with a faulty row writes nothing and names every fault, by the
row's place; no two rules are about the same; every change raises the revision that copies are checked against.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import func, select

from kernel.errors import Fault, NotFound
from stock import availability, safety
from stock.availability import Level
from stock.catalog import InvalidRows
from stock.models import Article, Node, NodeKind, SafetyRule
from stock.revisions import raise_version
from stock.rows import CODE_LENGTH, MAX_NUMBER, repeated
from stock.safety import SAFETY
from stock.upsert import Outcome, chunks, upsert

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

SCOPE: Final = ("sku", "family", "node", "group", "kind", "channel")
ALTERNATIVES: Final = (("sku", "family"), ("node", "group", "kind"))
"""A rule is about one article or one family, and about one node, one group or one kind."""


class UnknownRule(NotFound):
    """No rule of safety stock has this id."""

    code = "safety_rule_unknown"


@dataclass(frozen=True, kw_only=True)
class RuleRow:
    """A rule as it should be; see SafetyRule. What is empty fits everything."""

    id: str
    units: int
    sku: str = ""
    family: str = ""
    node: str = ""
    group: str = ""
    kind: str = ""
    channel: str = ""
    active: bool = True


class Kept(NamedTuple):
    """What is kept back at a node: `level` as a channel sees it, and the rule that decides.

    `rule` is its id; None where the balance's own safety stock decides, or nothing does.
    """

    node: str
    level: Level
    rule: str | None


def put(session: Session, rows: Sequence[RuleRow]) -> list[Outcome]:
    """Write rules and tell for each whether it was created, updated or unchanged. Raises InvalidRows."""
    faults = (*repeated(rows, ("id",)), *_impossible(rows), *_unknown(session, rows))
    if found := (*faults, *_taken(session, rows)):
        raise InvalidRows(f"{len(found)} faults in the rules; nothing was written.", faults=found)
    outcomes = upsert(session, SafetyRule, [asdict(row) for row in rows], key=("id",))
    if any(outcome != "unchanged" for outcome in outcomes):
        raise_version(session, SAFETY)
    return outcomes


def remove(session: Session, rule_id: str) -> None:
    """Delete a rule. Raises UnknownRule."""
    session.delete(one(session, rule_id))
    session.flush()
    raise_version(session, SAFETY)


def known(session: Session) -> list[SafetyRule]:
    """Return all rules by id."""
    return list(session.scalars(select(SafetyRule).order_by(SafetyRule.id)))


def one(session: Session, rule_id: str) -> SafetyRule:
    """Return a rule. Raises UnknownRule."""
    rule = session.get(SafetyRule, rule_id)
    if rule is None:
        raise UnknownRule(f"There is no safety stock rule {rule_id!r}.")
    return rule


def in_order(session: Session) -> list[SafetyRule]:
    """Return all rules, the most specific first: of several that fit, the first one decides."""
    # What a rule may name stands in SCOPE from the most specific on, and it names one of the alternatives at most.
    return sorted(known(session), key=lambda rule: [(not getattr(rule, name), getattr(rule, name)) for name in SCOPE])


def sizes_of(session: Session, families: Iterable[str]) -> dict[str, int]:
    """Return how many articles each of these families has; one without any is absent."""
    counted = select(Article.family, func.count()).where(Article.family.in_(set(families))).group_by(Article.family)
    return {row[0]: row[1] for row in session.execute(counted)}


def kept(session: Session, sku: str, *, channel: str | None) -> list[Kept]:
    """Tell what is kept back of an article from a channel (None: from all) at each open node that has stock of it."""
    rules = safety.load(session)
    families = safety.families(session, [sku])
    names = {_scope(rule): rule.id for rule in known(session)}
    own = availability.levels(session, families)
    found: list[Kept] = []
    for (_, node), level in sorted(availability.promisable(session, families, channel=channel, rules=rules).items()):
        rule = rules.at_nodes(sku, families[sku], channel).get(node)
        decides = rule is not None and not (rule.yields and own[sku, node].safety_stock)
        found.append(Kept(node, level, names[_scope(rule)] if rule is not None and decides else None))
    return found


def _scope(rule: object) -> tuple[str, ...]:
    return tuple(getattr(rule, name) for name in SCOPE)


def _impossible(rows: Sequence[RuleRow]) -> Iterator[Fault]:
    for place, row in enumerate(rows):
        for name in ("id", *SCOPE):
            text = getattr(row, name)
            if len(text) > CODE_LENGTH or not text.isprintable() or (name == "id" and not text):
                yield Fault(f"/{place}/{name}", "invalid", f"must have up to {CODE_LENGTH} printable characters")
        for names in ALTERNATIVES:
            given = [name for name in names if getattr(row, name)]
            for name in given[1:]:
                yield Fault(f"/{place}/{name}", "one_too_many", f"a rule names {' or '.join(names)}, not several")
        if row.kind and row.kind not in set(NodeKind):
            yield Fault(f"/{place}/kind", "invalid", f"{row.kind!r} is none of: {', '.join(NodeKind)}")
        if not 0 <= row.units <= MAX_NUMBER:
            yield Fault(f"/{place}/units", "invalid", f"must be a whole number from 0 to {MAX_NUMBER}")


def _unknown(session: Session, rows: Sequence[RuleRow]) -> Iterator[Fault]:
    nodes = set(session.scalars(select(Node.id)))
    skus: set[str] = set()
    for some in chunks([row.sku for row in rows if row.sku]):
        skus |= set(session.scalars(select(Article.sku).where(Article.sku.in_(some))))
    for place, row in enumerate(rows):
        if row.sku and row.sku not in skus:
            yield Fault(f"/{place}/sku", "unknown_sku", f"there is no article {row.sku}")
        if row.node and row.node not in nodes:
            yield Fault(f"/{place}/node", "unknown_node", f"there is no node {row.node}")


def _taken(session: Session, rows: Sequence[RuleRow]) -> Iterator[Fault]:
    """Yield a fault for each row that is about the same as a stored rule, or a row before it, with another id."""
    about = {_scope(rule): rule.id for rule in known(session)}
    for place, row in enumerate(rows):
        other = about.setdefault(_scope(row), row.id)
        if other != row.id:
            yield Fault(f"/{place}/id", "scope_taken", f"rule {other} is about the same; change that one")
