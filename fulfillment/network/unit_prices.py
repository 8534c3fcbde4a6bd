"""What a unit is worth where it lies: shadow prices, and the markdown that is avoided by taking it.

Written by planners, imports and the night, read by sourcing. Invariants: a call with a faulty row writes nothing and
names every fault, by the row's place; every change raises the revision that copies are checked against; where nothing
was ever written, nothing is read. Amounts are in minor units of the network's currency, for one unit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, bindparam, delete, or_, select
from sqlalchemy.orm import Session, aliased

from fulfillment.network.article_models import MARKDOWNS, SHADOW_PRICES, Markdown, ShadowPrice
from fulfillment.network.catalog import InvalidRows
from fulfillment.network.days import NEVER
from fulfillment.network.snapshot import Snapshot
from kernel.db import caches, table
from kernel.errors import Fault
from kernel.pages import Page, page
from stock.models import Article, Node
from stock.revisions import may_cache, raise_version
from stock.rows import CODE_LENGTH, MAX_NUMBER, repeated
from stock.upsert import Outcome, chunks, upsert

Integers = NDArray[np.int64]
Key = tuple[str, str]
"""What a price is about: ("sku", SKU) or ("family", family)."""

MOST_KEPT: Final = 20_000
"""Articles whose prices a process remembers."""


@dataclass(frozen=True, kw_only=True)
class ShadowPriceRow:
    """What one more unit of an article at a node is worth from an instant on; `source` is the run, or who says so."""

    sku: str
    node: str
    price_minor: int
    valid_from: datetime
    source: str


@dataclass(frozen=True, kw_only=True)
class MarkdownRow:
    """The markdown expected on a unit of an article or a family that stays at a node, between two dates, both included.

    Without an end it counts until a later one begins.
    """

    node: str
    saved_minor: int
    from_on: date
    until_on: date | None = None
    sku: str = ""
    family: str = ""


@dataclass(frozen=True, eq=False)
class Spans:
    """Amounts of one key by node, from an instant until another, in seconds; of two at once the later begun holds."""

    node: Integers
    from_s: Integers
    until_s: Integers
    amount_minor: Integers

    def at(self, instant_s: int, by_node: Integers) -> None:
        """Write the amounts that hold at an instant into an array by node (N)."""
        holds = (self.from_s <= instant_s) & (instant_s < self.until_s)
        by_node[self.node[holds]] = self.amount_minor[holds]


def put_shadow_prices(session: Session, rows: Sequence[ShadowPriceRow], *, now: datetime) -> list[Outcome]:
    """Write shadow prices and tell for each whether it was created, updated or unchanged; replaced ones go.

    Raises InvalidRows.
    """
    faults = [*repeated(rows, ("sku", "node", "valid_from")), *_unknown(session, rows)]
    faults += _outside(rows, "price_minor", "/price/amount")
    faults += [
        Fault(f"/{place}/source", "invalid", f"must have 1 to {CODE_LENGTH} characters")
        for place, row in enumerate(rows)
        if not 0 < len(row.source) <= CODE_LENGTH
    ]
    outcomes = _put(
        session, ShadowPrice, rows, key=("sku", "node", "valid_from"), faults=faults, revision=SHADOW_PRICES
    )
    for some in chunks(sorted({row.sku for row in rows})):
        session.execute(_REPLACED, {"skus": list(some), "now": now})
    return outcomes


def put_markdowns(session: Session, rows: Sequence[MarkdownRow]) -> list[Outcome]:
    """Write expected markdowns. Raises InvalidRows."""
    key = ("sku", "family", "node", "from_on")
    faults = [*repeated(rows, key), *_unknown(session, rows), *_outside(rows, "saved_minor", "/saved/amount")]
    for place, row in enumerate(rows):
        if bool(row.sku) == bool(row.family):
            faults.append(Fault(f"/{place}/family", "one_of_two", "name an article or a family, and not both"))
        if row.until_on is not None and row.until_on < row.from_on:
            faults.append(Fault(f"/{place}/until_on", "invalid", "must not be before from_on"))
    return _put(session, Markdown, rows, key=key, faults=faults, revision=MARKDOWNS)


def shadow_prices(
    session: Session, *, sku: str | None = None, node: str | None = None, after: Sequence[Any] | None, limit: int
) -> Page:
    """Return shadow prices by article, node and start."""
    query = _same(select(ShadowPrice), ShadowPrice, sku, node)
    return page(session, query, [ShadowPrice.sku, ShadowPrice.node, ShadowPrice.valid_from], after=after, limit=limit)


def markdowns(
    session: Session, *, sku: str | None = None, node: str | None = None, after: Sequence[Any] | None, limit: int
) -> Page:
    """Return expected markdowns by article, family, node and start."""
    query = _same(select(Markdown), Markdown, sku, node)
    key = [Markdown.sku, Markdown.family, Markdown.node, Markdown.from_on]
    return page(session, query, key, after=after, limit=limit)


def prices_at(
    session: Session, net: Snapshot, families: Mapping[str, str], versions: Mapping[str, int], *, now: datetime
) -> tuple[Integers, Integers]:
    """Return the shadow price, and the markdown avoided, of a unit of each article at each node (S,N; S,N).

    `families` are those of the articles by SKU, in the order of the rows; `versions` are the present revisions.
    """
    shape, instant_s = (len(families), len(net.nodes)), int(now.timestamp())
    shadow, saved = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    if SHADOW_PRICES in versions:
        spans = _known(session, net, SHADOW_PRICES, versions, [("sku", sku) for sku in families])
        for place, sku in enumerate(families):
            spans["sku", sku].at(instant_s, shadow[place])
    if MARKDOWNS in versions:
        keys = [("sku", sku) for sku in families] + [("family", family) for family in families.values() if family]
        spans = _known(session, net, MARKDOWNS, versions, keys)
        for place, (sku, family) in enumerate(families.items()):
            if family:
                spans["family", family].at(instant_s, saved[place])
            # What is said of the article itself is more than what is said of its family.
            spans["sku", sku].at(instant_s, saved[place])
    return shadow, saved


def _known(
    session: Session, net: Snapshot, revision: str, versions: Mapping[str, int], keys: Iterable[Key]
) -> Mapping[Key, Spans]:
    """Return the spans of these keys, from memory where nothing has changed."""
    version = (versions[revision], net.version)
    kept: tuple[Any, dict[Key, Spans]] | None = caches(session).get(revision)
    if kept is None or kept[0] != version or not may_cache(session) or len(kept[1]) > MOST_KEPT:
        kept = version, {}
        if may_cache(session):
            caches(session)[revision] = kept
    if missing := [key for key in dict.fromkeys(keys) if key not in kept[1]]:
        read = _read_shadow_prices if revision == SHADOW_PRICES else _read_markdowns
        kept[1].update(_laid_out(read(session, net, missing), net, missing))
    return kept[1]


Amount = tuple[Key, str, float, float, int]
"""A key, a node, from and until an instant in seconds, and what holds between them."""


def _read_shadow_prices(session: Session, _net: Snapshot, keys: Sequence[Key]) -> Iterator[Amount]:
    for some in chunks([sku for _, sku in keys]):
        for row in session.execute(_PRICES, {"skus": list(some)}):
            yield ("sku", row.sku), row.node, row.valid_from.timestamp(), NEVER, row.price_minor


def _read_markdowns(session: Session, net: Snapshot, keys: Sequence[Key]) -> Iterator[Amount]:
    for some in chunks(keys):
        skus, families = ([name for what, name in some if what == of] for of in ("sku", "family"))
        for row in session.execute(_SAVINGS, {"skus": skus, "families": families}):
            if row.node in net.index:
                zone = ZoneInfo(net.calendars[net.index[row.node]].time_zone)
                key = ("sku", row.sku) if row.sku else ("family", row.family)
                yield key, row.node, _midnight_s(row.from_on, zone), _end_s(row.until_on, zone), row.saved_minor


def _midnight_s(on: date, zone: ZoneInfo) -> float:
    return datetime(on.year, on.month, on.day, tzinfo=zone).timestamp()


def _end_s(until_on: date | None, zone: ZoneInfo) -> float:
    return NEVER if until_on is None else _midnight_s(until_on + timedelta(days=1), zone)


def _laid_out(rows: Iterable[Amount], net: Snapshot, keys: Iterable[Key]) -> dict[Key, Spans]:
    found: defaultdict[Key, list[tuple[int, float, float, int]]] = defaultdict(list)
    for key, node, from_s, until_s, amount in rows:
        if node in net.index:
            found[key].append((net.index[node], from_s, until_s, amount))
    return {key: _spans(found[key]) for key in keys}


def _spans(rows: Sequence[tuple[int, float, float, int]]) -> Spans:
    columns = np.array(sorted(rows, key=lambda row: row[1]), dtype=np.int64).reshape(-1, 4).T
    return Spans(*columns)


def _put(
    session: Session, model: type[Any], rows: Sequence[Any], *, key: Sequence[str], faults: list[Fault], revision: str
) -> list[Outcome]:
    if faults:
        raise InvalidRows("Some rows cannot be taken; nothing was written.", faults=tuple(faults))
    outcomes = upsert(session, model, [dict(vars(row)) for row in rows], key=key)
    if any(outcome != "unchanged" for outcome in outcomes):
        raise_version(session, revision)
    return outcomes


def _unknown(session: Session, rows: Sequence[Any]) -> Iterator[Fault]:
    nodes = set(session.scalars(select(Node.id)))
    skus: set[str] = set()
    for some in chunks(sorted({row.sku for row in rows if row.sku})):
        skus |= set(session.scalars(select(Article.sku).where(Article.sku.in_(some))))
    for place, row in enumerate(rows):
        if row.sku and row.sku not in skus:
            yield Fault(f"/{place}/sku", "unknown_sku", f"there is no article {row.sku}")
        if row.node not in nodes:
            yield Fault(f"/{place}/node", "unknown_node", f"there is no node {row.node}")


def _outside(rows: Sequence[Any], name: str, pointer: str) -> Iterator[Fault]:
    for place, row in enumerate(rows):
        if not 0 <= getattr(row, name) <= MAX_NUMBER:
            yield Fault(f"/{place}{pointer}", "invalid", f"must be from 0 to {MAX_NUMBER} minor units")


def _same(query: Select[Any], model: Any, sku: str | None, node: str | None) -> Select[Any]:
    if sku is not None:
        query = query.where(model.sku == sku)
    return query if node is None else query.where(model.node == node)


_PRICE, _MARKDOWN = table(ShadowPrice), table(Markdown)
_PRICES = select(_PRICE.c.sku, _PRICE.c.node, _PRICE.c.valid_from, _PRICE.c.price_minor).where(
    _PRICE.c.sku.in_(bindparam("skus", expanding=True))
)
_SAVINGS = select(
    _MARKDOWN.c.sku, _MARKDOWN.c.family, _MARKDOWN.c.node, _MARKDOWN.c.from_on, _MARKDOWN.c.until_on,
    _MARKDOWN.c.saved_minor,
).where(
    or_(
        _MARKDOWN.c.sku.in_(bindparam("skus", expanding=True)),
        _MARKDOWN.c.family.in_(bindparam("families", expanding=True)),
    )
)  # fmt: skip
_LATER = aliased(_PRICE)
# A price that another has replaced is of no use to anybody: each decision says what it paid.
_REPLACED = delete(_PRICE).where(
    _PRICE.c.sku.in_(bindparam("skus", expanding=True)),
    select(_LATER.c.sku)
    .where(_LATER.c.sku == _PRICE.c.sku, _LATER.c.node == _PRICE.c.node, _LATER.c.valid_from > _PRICE.c.valid_from)
    .where(_LATER.c.valid_from <= bindparam("now"))
    .exists(),
)
