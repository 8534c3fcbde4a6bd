"""What a shopper may be told about stock: by node, by channel and over the network, with stores near a place.

Called by REST. Invariants: it is read from the balances each time, and promises nothing; the number of statements does
not grow with the number of articles; who may not see figures gets words alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from fulfillment.network import geography, nearby, policies
from fulfillment.network.nearby import Nearby
from kernel.errors import Fault, Rejected
from oms import channels
from oms.models import Channel
from stock import availability, outlook, recipes, reports, supply
from stock.availability import Level
from stock.models import Article
from stock.outlook import Outlook, Status, Terms
from stock.recipes import Component, RecipeKind
from stock.supply import Supply

LOW_STOCK = 3
"""Units up to which stock is called low where no channel says otherwise."""


class UnknownNames(Rejected):
    """An article, node or channel was named that does not exist."""

    code = "unknown_names"


@dataclass(frozen=True, kw_only=True)
class AtNode:
    """Units of an article that a node can promise, and how far it is; `version` is the balance's. No figures: None."""

    near: Nearby
    status: Status
    available: int | None
    in_transit: int | None
    version: int | None


@dataclass(frozen=True, kw_only=True)
class Availability:
    """An article: what may be told of it in all and by node, the nearest first, and what is to come."""

    sku: str
    outlook: Outlook
    nodes: Sequence[AtNode]
    supply: Sequence[Supply] | None = None
    exact: bool = True

    @property
    def network(self) -> int | None:
        """Units that the network can promise; None for who sees no figures."""
        return self.outlook.network if self.exact else None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked: articles, and perhaps a node, a channel or a place; `supply` asks for what is to come as well."""

    skus: Sequence[str]
    node: str | None = None
    channel: str | None = None
    country: str | None = None
    postal_code: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    supply: bool = False


@dataclass(frozen=True)
class Seen:
    """What was read for all articles asked for and the components of bundles among them."""

    around: Sequence[Nearby]
    articles: Mapping[str, Article]
    bundles: Mapping[str, Sequence[Component]]
    levels: Mapping[tuple[str, str], Level]
    waiting: Mapping[str, int]
    coming: Mapping[str, Sequence[Supply]]
    low: int
    now: datetime

    def outlook(self, sku: str) -> Outlook:
        """Return what may be told of an article or a bundle."""
        terms = self._terms(sku)
        if sku not in self.bundles:
            levels = [self.levels[sku, near.node] for near in self.around if (sku, near.node) in self.levels]
            coming = self.coming.get(sku, ())
            return outlook.of_article(levels, self.waiting.get(sku, 0), coming, terms, low=self.low, now=self.now)
        parts = [(self.outlook(part.sku), part.units) for part in self.bundles[sku]]
        return outlook.of_bundle(parts, terms, low=self.low, now=self.now)

    def level(self, sku: str, node: str) -> Level | None:
        """Return the level of an article at a node, or of as many whole bundles as its components make there."""
        if sku not in self.bundles:
            return self.levels.get((sku, node))
        parts = [(self.levels.get((part.sku, node), Level()), part.units) for part in self.bundles[sku]]
        return outlook.bundles_of(parts) if any(level.version for level, _ in parts) else None

    def at_nodes(self, sku: str, whole: Outlook, node: str | None) -> list[AtNode]:
        """Return what each node can promise; nothing of what is not on sale yet."""
        on_sale = whole.status != Status.PRE_ORDER and self._terms(sku).on_sale(self.now)
        here = [(near, level) for near in self.around if (level := self.level(sku, near.node)) is not None]
        return [
            AtNode(
                near=near, status=outlook.at_node(level, whole, low=self.low),
                available=max(0, level.atp) if on_sale else 0, in_transit=level.in_transit, version=level.version,
            )
            for near, level in here
            if node in {None, near.node}
        ]  # fmt: skip

    def _terms(self, sku: str) -> Terms:
        article = self.articles[sku]
        return Terms(available_from=article.available_from, backorder=article.backorder)


def find(session: Session, asked: Asked, *, exact: bool, country: str, now: datetime) -> list[Availability]:
    """Return the availability of each article; a channel leaves out the nodes that its policy excludes.

    Without `exact` there are words and no figures. `country` is where a postal code without one is looked up. Raises
    UnknownNames with every fault.
    """
    seen = _seen(session, asked, country=country, now=now)
    return [_of(seen, sku, asked, exact=exact) for sku in asked.skus]


def _of(seen: Seen, sku: str, asked: Asked, *, exact: bool) -> Availability:
    whole = seen.outlook(sku)
    nodes = seen.at_nodes(sku, whole, asked.node)
    if not exact:
        bare = [replace(here, available=None, in_transit=None, version=None) for here in nodes]
        return Availability(sku=sku, outlook=replace(whole, dates=()), nodes=bare, exact=False)
    coming = seen.coming.get(sku, ()) if asked.supply else None
    return Availability(
        sku=sku, outlook=whole if asked.supply else replace(whole, dates=()), nodes=nodes, supply=coming
    )


def _seen(session: Session, asked: Asked, *, country: str, now: datetime) -> Seen:
    channel = _channel(session, asked)
    bundles = recipes.components(session, asked.skus, kind=RecipeKind.BUNDLE)
    skus = {*asked.skus, *(part.sku for parts in bundles.values() for part in parts)}
    articles = reports.articles(session, skus)
    _require_known(session, asked, articles, channel)
    families = {sku: article.family for sku, article in articles.items()}
    around = _around(session, asked, channel, country=country, now=now)
    places = {near.node for near in around}
    return Seen(
        around=around,
        articles=articles,
        bundles=bundles,
        levels=availability.promisable(session, families, channel=asked.channel),
        waiting=availability.open_demand(session, skus),
        coming=supply.at_nodes(supply.coming(session, skus), places),
        low=channel.low_stock if channel else LOW_STOCK,
        now=now,
    )


def _around(session: Session, asked: Asked, channel: Channel | None, *, country: str, now: datetime) -> list[Nearby]:
    """Return the open nodes that serve the channel, the nearest first."""
    place = geography.locate(
        session, country=asked.country or country, postal_code=asked.postal_code,
        latitude=asked.latitude, longitude=asked.longitude,
    )  # fmt: skip
    settings = policies.active(session, channel.policy if channel else policies.DEFAULT).settings
    return nearby.nodes(
        session, place, excluded=settings.excluded_nodes, lead_minutes=settings.collect_lead_minutes, now=now
    )


def _channel(session: Session, asked: Asked) -> Channel | None:
    known = {channel.id: channel for channel in channels.known(session)}
    return known.get(asked.channel or "")


def _require_known(session: Session, asked: Asked, articles: Mapping[str, Article], channel: Channel | None) -> None:
    """Refuse names that do not exist, all at once."""
    faults = [Fault("/sku", "unknown_sku", f"There is no article {sku}.") for sku in asked.skus if sku not in articles]
    if asked.channel is not None and channel is None:
        faults.append(Fault("/channel", "unknown_channel", f"There is no channel {asked.channel}."))
    if asked.node is not None and asked.node not in {node.id for node in reports.nodes(session)}:
        faults.append(Fault("/node", "unknown_node", f"There is no node {asked.node}."))
    if faults:
        raise UnknownNames("Some names are not known.", faults=tuple(faults))
