"""The tables of what is known of an article at a node: how often it was found, and what a unit is worth there.

Written through `pick_success` and `unit_prices`, read by sourcing. Invariant: a key that names an article begins with
its SKU. Money is in minor units of the network's currency.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Code, database_now

SHADOW_PRICES: Final = "shadow_prices"
MARKDOWNS: Final = "markdowns"
"""The sets of rows whose changes are counted, see `stock.revisions`."""


class PickEvidence(Base):
    """How many lines of an article a node found, and missed, when it looked; what is old weighs less.

    The weights are those of `as_of_day`, a date as its proleptic ordinal: a line of that day counts 1.
    """

    __tablename__ = "pick_evidence"
    __table_args__ = (
        CheckConstraint("found >= 0 AND missed >= 0", name="weights"),
        Index("ix_pick_evidence_node", "node"),
    )

    sku: Mapped[Code] = mapped_column(ForeignKey("article.sku"), primary_key=True)
    node: Mapped[Code] = mapped_column(ForeignKey("node.id"), primary_key=True)
    found: Mapped[float] = mapped_column(Float(53))
    missed: Mapped[float] = mapped_column(Float(53))
    as_of_day: Mapped[int]


class NodeEvidence(Base):
    """The sum of a node's evidence over all articles, as a nightly job last worked it out."""

    __tablename__ = "node_evidence"
    __table_args__ = (CheckConstraint("found >= 0 AND missed >= 0", name="weights"),)

    node: Mapped[Code] = mapped_column(ForeignKey("node.id"), primary_key=True)
    found: Mapped[float] = mapped_column(Float(53))
    missed: Mapped[float] = mapped_column(Float(53))


class ShadowPrice(Base):
    """What one more unit of an article at a node is worth to the orders still to come, from an instant on."""

    __tablename__ = "shadow_price"
    __table_args__ = (CheckConstraint("price_minor >= 0", name="price"),)

    sku: Mapped[Code] = mapped_column(ForeignKey("article.sku"), primary_key=True)
    node: Mapped[Code] = mapped_column(ForeignKey("node.id"), primary_key=True)
    valid_from: Mapped[datetime] = mapped_column(primary_key=True)
    price_minor: Mapped[int]
    source: Mapped[Code]
    version: Mapped[int] = mapped_column(Integer, default=1)
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())


class Markdown(Base):
    """The markdown that is expected on one unit of an article, or of a family, if it stays at a node.

    Exactly one of `sku` and `family` is named, the other is empty. Both dates count, by the node's clock.
    """

    __tablename__ = "markdown"
    __table_args__ = (
        CheckConstraint("saved_minor >= 0", name="saved"),
        CheckConstraint("(sku = '') <> (family = '')", name="about"),
        Index("ix_markdown_family", "family"),
    )

    sku: Mapped[Code] = mapped_column(primary_key=True, default="")
    family: Mapped[Code] = mapped_column(primary_key=True, default="")
    node: Mapped[Code] = mapped_column(ForeignKey("node.id"), primary_key=True)
    from_on: Mapped[date] = mapped_column(primary_key=True)
    until_on: Mapped[date | None]
    saved_minor: Mapped[int]
