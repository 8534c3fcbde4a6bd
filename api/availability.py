"""What a shopper may be told about stock: by node, by channel and over the network, with stores near a place.

Called by REST. Invariant: it is read from the balances each time, and promises nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from fulfillment.network import geography, nearby, policies
from fulfillment.network.nearby import Nearby
from kernel.errors import Fault, Rejected
from oms import channels
from stock import availability, reports
from stock.availability import Level


class UnknownNames(Rejected):
    """An article, node or channel was named that does not exist."""

    code = "unknown_names"


@dataclass(frozen=True, kw_only=True)
class AtNode:
    """Units of an article that a node can promise, and how far it is."""

    near: Nearby
    available: int
    in_transit: int


@dataclass(frozen=True, kw_only=True)
class Availability:
    """Units of an article that can be promised: in all, and by node, the nearest first."""

    sku: str
    network: int
    nodes: Sequence[AtNode]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked: articles, and perhaps a node, a channel or a place."""

    skus: Sequence[str]
    node: str | None = None
    channel: str | None = None
    country: str | None = None
    postal_code: str | None = None
    latitude: float | None = None
    longitude: float | None = None


def find(session: Session, asked: Asked, *, country: str, now: datetime) -> list[Availability]:
    """Return the availability of each article; a channel leaves out the nodes that its policy excludes.

    `country` is where a postal code without one is looked up. Raises UnknownNames with every fault.
    """
    policy = _policy(session, asked)
    place = geography.locate(
        session, country=asked.country or country, postal_code=asked.postal_code,
        latitude=asked.latitude, longitude=asked.longitude,
    )  # fmt: skip
    settings = policies.active(session, policy).settings
    around = nearby.nodes(
        session, place, excluded=settings.excluded_nodes, lead_minutes=settings.collect_lead_minutes, now=now
    )
    levels, waiting = availability.levels(session, asked.skus), availability.open_demand(session, asked.skus)
    return [_of(sku, around, levels, waiting.get(sku, 0), asked.node) for sku in asked.skus]


def _of(
    sku: str, around: Sequence[Nearby], levels: dict[tuple[str, str], Level], waiting: int, node: str | None
) -> Availability:
    here = [(near, levels[sku, near.node]) for near in around if (sku, near.node) in levels]
    total = sum(max(0, level.atp) for _, level in here)
    shown = [
        AtNode(near=near, available=max(0, level.atp), in_transit=level.in_transit)
        for near, level in here
        if node in {None, near.node}
    ]
    return Availability(sku=sku, network=max(0, total - waiting), nodes=shown)


def _policy(session: Session, asked: Asked) -> str:
    """Return the policy of the channel asked for, or the default one; refuse names that do not exist."""
    known = {channel.id: channel.policy for channel in channels.known(session)}
    articles = reports.articles(session, set(asked.skus))
    faults = [Fault("/sku", "unknown_sku", f"There is no article {sku}.") for sku in asked.skus if sku not in articles]
    if asked.channel is not None and asked.channel not in known:
        faults.append(Fault("/channel", "unknown_channel", f"There is no channel {asked.channel}."))
    if asked.node is not None and asked.node not in {node.id for node in reports.nodes(session)}:
        faults.append(Fault("/node", "unknown_node", f"There is no node {asked.node}."))
    if faults:
        raise UnknownNames("Some names are not known.", faults=tuple(faults))
    return known.get(asked.channel or "", policies.DEFAULT)
