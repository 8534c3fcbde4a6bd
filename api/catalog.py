"""Documents of nodes, articles and postal codes, turned into the rows that the rooms below take.

Called by REST resources and by imports, which read them with the same schemas. Invariant: money of the network is in
the network's currency, or the row is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from fulfillment.network import catalog as network
from fulfillment.network import edits, report, unit_prices
from fulfillment.network.rows import Place, Profile
from fulfillment.network.unit_prices import MarkdownRow, ShadowPriceRow
from kernel.errors import Fault, Rejected
from kernel.money import Money
from oms import channels
from stock import catalog, reports, safety_rules
from stock.models import Node
from stock.rows import ArticleRow, LimitRow, NodeRow, PlacementRow
from stock.safety_rules import RuleRow

Document = Mapping[str, Any]
PROFILE = frozenset(key.name for key in fields(Profile)) - {"node"}
COSTS = ("package_cost", "line_cost", "unit_cost")
NODE = ("id", "name", "kind", "status", "group", "time_zone")
SEVERITY = ("unchanged", "updated", "created")


class OtherCurrency(Rejected):
    """An amount that belongs to the network is in another currency."""

    code = "other_currency"


class UnknownChannel(Rejected):
    """A channel was named that does not exist."""

    code = "unknown_channel"


def put_nodes(session: Session, rows: Sequence[Document], *, currency: str) -> list[str]:
    """Write nodes with their profiles. Raises Rejected with every fault, by row."""
    check_currency(rows, COSTS, currency)
    nodes = catalog.put_nodes(session, [NodeRow(**{name: row[name] for name in NODE}) for row in rows])
    profiles = network.put_profiles(session, [_profile(row) for row in rows])
    return [_stronger(pair) for pair in zip(nodes, profiles, strict=True)]


def change_node(session: Session, node: str, changes: Document, *, currency: str) -> None:
    """Change some fields of a node. Raises NotFound, and Rejected with every fault."""
    check_currency([changes], COSTS, currency)
    present = reports.node(session, node)
    own = {name: changes.get(name, getattr(present, name)) for name in NODE}
    catalog.put_nodes(session, [NodeRow(**own)])
    asked = minor(changes, COSTS)
    wanted = {name: value for name, value in asked.items() if name in PROFILE}
    if wanted:
        edits.change_profile(session, node, wanted, version=version_of(session, node))


def node_with_profile(session: Session, node: str) -> tuple[Node, Any]:
    """Return a node and what it does for orders, if anything. Raises NotFound."""
    return reports.node(session, node), report.profiles(session).get(node)


def version_of(session: Session, node: str) -> int:
    """Return the version that editors of a node name. Raises NotFound."""
    return report.profile_of(session, node).version


def put_articles(session: Session, rows: Sequence[Document]) -> list[str]:
    """Write articles. Raises Rejected with every fault, by row."""
    _check_one_currency(rows)
    return list(catalog.put_articles(session, [_article(row) for row in rows]))


def put_places(session: Session, rows: Sequence[Document]) -> list[str]:
    """Write where postal codes lie. Raises Rejected with every fault, by row."""
    return list(network.put_postal_codes(session, [Place(**row) for row in rows]))


def put_shelves(session: Session, rows: Sequence[Document]) -> list[str]:
    """Write the shelves of articles. Raises Rejected with every fault, by row."""
    return list(catalog.put_placements(session, [PlacementRow(**row) for row in rows]))


def put_limits(session: Session, rows: Sequence[Document]) -> list[str]:
    """Write safety stocks and backorder limits. Raises Rejected with every fault, by row."""
    return list(catalog.put_limits(session, [LimitRow(**row) for row in rows]))


def put_shadow_prices(session: Session, rows: Sequence[Document], *, currency: str, now: datetime) -> list[str]:
    """Write what units are worth where they lie. Raises Rejected with every fault, by row."""
    check_currency(rows, ("price",), currency)
    made = [ShadowPriceRow(**minor(row, ("price",))) for row in rows]
    return list(unit_prices.put_shadow_prices(session, made, now=now))


def put_markdowns(session: Session, rows: Sequence[Document], *, currency: str) -> list[str]:
    """Write markdowns that are expected. Raises Rejected with every fault, by row."""
    check_currency(rows, ("saved",), currency)
    return list(unit_prices.put_markdowns(session, [MarkdownRow(**minor(row, ("saved",))) for row in rows]))


def put_safety_rules(session: Session, rows: Sequence[RuleRow]) -> list[str]:
    """Write rules of safety stock. Raises Rejected with every fault, by row."""
    known = {channel.id for channel in channels.known(session)}
    faults = tuple(
        Fault(f"/{place}/channel", "unknown_channel", f"there is no channel {row.channel}")
        for place, row in enumerate(rows)
        if row.channel and row.channel not in known
    )
    if faults:
        raise UnknownChannel("Some rules are for channels that do not exist.", faults=faults)
    return list(safety_rules.put(session, rows))


def _profile(row: Document) -> Profile:
    flat = minor(row, COSTS)
    return Profile(node=row["id"], **{name: flat[name] for name in PROFILE})


def _article(row: Document) -> ArticleRow:
    price: Money = row["price"]
    cost: Money | None = row["unit_cost"]
    plain = {name: value for name, value in row.items() if name not in {"price", "unit_cost"}}
    return ArticleRow(
        **plain, price_minor=price.minor, unit_cost_minor=cost.minor if cost else 0, currency=price.currency
    )


def minor(row: Document, amounts: Iterable[str]) -> dict[str, Any]:
    """Return the row with amounts as minor units; None stays None."""
    named = set(amounts)
    plain = {name: value for name, value in row.items() if name not in named}
    given = {name: row[name] for name in named if name in row}
    return plain | {f"{name}_minor": None if value is None else value.minor for name, value in given.items()}


def check_currency(rows: Sequence[Document], amounts: Iterable[str], currency: str) -> None:
    """Refuse amounts that belong to the network and are in another currency. Raises OtherCurrency with every fault."""
    faults = tuple(
        Fault(f"/{place}/{name}/currency", "other_currency", f"the network's costs are in {currency}")
        for place, row in enumerate(rows)
        for name in amounts
        if row.get(name) is not None and row[name].currency != currency
    )
    if faults:
        raise OtherCurrency("Some amounts are in another currency.", faults=faults)


def _check_one_currency(rows: Sequence[Document]) -> None:
    faults = tuple(
        Fault(f"/{place}/unit_cost/currency", "other_currency", "the cost and the price are in one currency")
        for place, row in enumerate(rows)
        if row["unit_cost"] and row["unit_cost"].currency != row["price"].currency
    )
    if faults:
        raise OtherCurrency("Some articles have two currencies.", faults=faults)


def _stronger(outcomes: tuple[str, ...]) -> str:
    return max(outcomes, key=SEVERITY.index)
