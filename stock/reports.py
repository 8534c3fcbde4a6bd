"""What the network holds, node by node: the sums that planners look at.

Called by pages and reports above; reads balances and writes nothing. Invariant: one statement over the balances,
whatever the number of nodes, so that a page costs the same for three nodes and for three thousand.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kernel.errors import NotFound
from stock.models import Article, Node, StockBalance


@dataclass(frozen=True)
class NodeStock:
    """The stock of one node. `value_minor` is on hand at unit cost; `unsellable` is damaged or in quarantine."""

    articles: int = 0
    on_hand: int = 0
    reserved: int = 0
    in_transit: int = 0
    unsellable: int = 0
    value_minor: int = 0


def nodes(session: Session) -> list[Node]:
    """Return every node by name, closed ones too."""
    return list(session.scalars(select(Node).order_by(Node.name, Node.id)))


def node(session: Session, node_id: str) -> Node:
    """Return one node. Raises NotFound."""
    found = session.get(Node, node_id)
    if found is None:
        raise NotFound(f"There is no node {node_id!r}.")
    return found


def by_node(session: Session, node: str | None = None) -> dict[str, NodeStock]:
    """Return the stock of every node that has balances, or of `node` alone."""
    columns = (
        func.count().filter(StockBalance.on_hand > 0),
        func.sum(StockBalance.on_hand),
        func.sum(StockBalance.reserved),
        func.sum(StockBalance.in_transit),
        func.sum(StockBalance.damaged + StockBalance.quarantine),
        func.sum(StockBalance.on_hand * Article.unit_cost_minor),
    )
    query = select(StockBalance.node, *columns).join(Article, Article.sku == StockBalance.sku)
    if node is not None:
        query = query.where(StockBalance.node == node)
    rows = session.execute(query.group_by(StockBalance.node))
    return {name: NodeStock(*(int(value) for value in sums)) for name, *sums in rows}


def articles(session: Session, skus: set[str]) -> dict[str, Article]:
    """Return the articles of these SKUs, by SKU; unknown ones are absent."""
    found = session.scalars(select(Article).where(Article.sku.in_(skus))) if skus else ()
    return {article.sku: article for article in found}
