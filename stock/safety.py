"""How many units a node keeps back of an article from a channel: the most specific rule decides.

Read by availability, by sourcing and by whoever claims units. The order, from the most specific: the article first
(SKU, then family, then all), then the place (node, then group, then kind, then all), then the channel (named, then
all). A balance's own safety stock, where it has one, is the rule of its SKU at its node for all channels. Invariant:
what is remembered for other sessions is never older than the revision of the rules and the versions of the nodes say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import bindparam, select

from kernel.db import caches, table
from stock import revisions
from stock.models import Article, Node, NodeStatus, SafetyRule

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

SAFETY: Final = "safety"
_CACHE: Final = "safety_rules"
_MOST_REMEMBERED: Final = 20_000
_LOOKUP: Final = 500

ByChannel: TypeAlias = dict[str, "Rule"]
Key: TypeAlias = tuple[str, str]
ALL: Final[Key] = ("all", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Units kept back where all that is named here fits; empty fits everything."""

    units: int
    sku: str = ""
    family: str = ""
    node: str = ""
    group: str = ""
    kind: str = ""
    channel: str = ""

    @property
    def yields(self) -> bool:
        """Whether a balance's own safety stock is more specific: only a rule for article, node and channel is not."""
        return not (self.sku and self.node and self.channel)

    def keeps(self, own: int) -> int:
        """Return the units kept of a balance whose own safety stock is `own`, 0 for none."""
        return own if own and self.yields else self.units


@dataclass(frozen=True, slots=True)
class Place:
    """What matters of a node for what may be promised there."""

    kind: str
    group: str
    is_open: bool


@dataclass(frozen=True, eq=False)
class Safety:
    """The rules in force, ready to be asked; by article, then place, then channel."""

    version: tuple[int, int]
    places: Mapping[str, Place]
    rules: tuple[Rule, ...]
    _by_article: dict[Key, dict[Key, ByChannel]] = field(init=False, repr=False)
    _remembered: dict[tuple[str, str, str], Mapping[str, Rule]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Sort the rules by what they are about."""
        found: dict[Key, dict[Key, ByChannel]] = {}
        for rule in self.rules:
            by_place = found.setdefault(_of_article(rule), {})
            by_place.setdefault(_of_place(rule), {})[rule.channel] = rule
        object.__setattr__(self, "_by_article", found)

    def at_nodes(self, sku: str, family: str, channel: str | None) -> Mapping[str, Rule]:
        """Return the rule that decides at each node where one does, for an article and a channel (None: none)."""
        if not self.rules:
            return {}
        known = (sku if ("sku", sku) in self._by_article else "", family, channel or "")
        found = self._remembered.get(known)
        if found is None:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            found = self._remembered[known] = dict(self._decided(sku, family, channel or ""))
        return found

    def floor(self, sku: str, family: str, node: str, channel: str | None, *, own: int) -> int:
        """Return the units kept back of a balance from a channel."""
        rule = self.at_nodes(sku, family, channel).get(node)
        return own if rule is None else rule.keeps(own)

    def _decided(self, sku: str, family: str, channel: str) -> Iterable[tuple[str, Rule]]:
        asked = [self._by_article.get(key) for key in (("sku", sku), ("family", family), ALL)]
        of_article = [places for places in asked if places]
        for node, place in self.places.items():
            keys = (("node", node), ("group", place.group), ("kind", place.kind), ALL)
            for by_channel in (places[key] for places in of_article for key in keys if key in places):
                rule = by_channel.get(channel) or by_channel.get("")
                if rule is not None:
                    yield node, rule
                    break


def load(session: Session, known_versions: Mapping[str, int] | None = None) -> Safety:
    """Return the rules in force, from memory when nothing has changed; one query otherwise, and one for the nodes."""
    present = revisions.versions(session) if known_versions is None else known_versions
    version = (present.get(SAFETY, 0), present[revisions.NODES])
    kept: Safety | None = caches(session).get(_CACHE)
    if kept is not None and kept.version == version and revisions.may_cache(session):
        return kept
    fresh = _read(session, version)
    if revisions.may_cache(session):
        caches(session)[_CACHE] = fresh
    return fresh


def families(session: Session, skus: Iterable[str]) -> dict[str, str]:
    """Return the family of each of these articles."""
    wanted = sorted(set(skus))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), _LOOKUP):
        rows = session.execute(_FAMILIES, {"skus": wanted[start : start + _LOOKUP]})
        found |= {row[0]: row[1] for row in rows}
    return found


_ARTICLE, _NODE, _RULE = table(Article), table(Node), table(SafetyRule)
_FAMILIES = select(_ARTICLE.c.sku, _ARTICLE.c.family).where(_ARTICLE.c.sku.in_(bindparam("skus", expanding=True)))
_PLACES = select(_NODE.c.id, _NODE.c.kind, _NODE.c.group, _NODE.c.status)
_RULES = select(
    _RULE.c.units, _RULE.c.sku, _RULE.c.family, _RULE.c.node, _RULE.c.group, _RULE.c.kind, _RULE.c.channel
).where(_RULE.c.active)


def _read(session: Session, version: tuple[int, int]) -> Safety:
    places = {row.id: Place(row.kind, row.group, row.status == NodeStatus.OPEN) for row in session.execute(_PLACES)}
    rules = tuple(Rule(**row) for row in session.execute(_RULES).mappings()) if version[0] else ()
    return Safety(version, places, rules)


def _of_article(rule: Rule) -> Key:
    if rule.sku:
        return "sku", rule.sku
    return ("family", rule.family) if rule.family else ALL


def _of_place(rule: Rule) -> Key:
    named = (("node", rule.node), ("group", rule.group), ("kind", rule.kind))
    return next((key for key in named if key[1]), ALL)
