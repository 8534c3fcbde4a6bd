"""The tables of the ledger: what there is, where, what moved, and who claims it.

Only `stock/ledger.py` writes postings, entries, balances, reservations and open demand; the rest of the house reads.
Invariants (I1-I4 of the ledger) are constraints here, so that no code path can break them; primary keys begin with the
SKU, so that the tables can be sharded by it.
"""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Code, Id, Name, database_now


def _index_where(name: str, *columns: str, where: str) -> Index:
    """Return an index of only those rows that are still of interest, so that its size does not grow with history."""
    return Index(name, *columns, postgresql_where=text(where), sqlite_where=text(where))


class NodeKind(enum.StrEnum):
    """What sort of place a node is."""

    WAREHOUSE = "warehouse"
    STORE = "store"
    DARK_STORE = "dark_store"
    SUPPLIER = "supplier"


class NodeStatus(enum.StrEnum):
    """Whether a node works: suspended ones come back, closed ones do not."""

    OPEN = "open"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class Account(enum.StrEnum):
    """Where units are. Accounts of a node hold stock, those outside have no node, claim accounts are not physical."""

    ON_HAND = "on_hand"
    DAMAGED = "damaged"
    QUARANTINE = "quarantine"
    IN_TRANSIT = "in_transit"
    SUPPLIER = "supplier"
    CUSTOMER = "customer"
    SHRINK = "shrink"
    ADJUSTMENT = "adjustment"
    CONVERSION = "conversion"
    AVAILABLE = "available"
    RESERVED = "reserved"
    UNPICKED = "unpicked"
    PICKED = "picked"


NODE_ACCOUNTS = frozenset({Account.ON_HAND, Account.DAMAGED, Account.QUARANTINE, Account.IN_TRANSIT})
OUTSIDE_ACCOUNTS = frozenset(
    {Account.SUPPLIER, Account.CUSTOMER, Account.SHRINK, Account.ADJUSTMENT, Account.CONVERSION}
)
CLAIM_ACCOUNTS = frozenset({Account.AVAILABLE, Account.RESERVED, Account.UNPICKED, Account.PICKED})


class Purpose(enum.StrEnum):
    """Why units are reserved."""

    ORDER = "order"
    TRANSFER = "transfer"
    HOLD = "hold"
    PUT_BACK = "put_back"


class Node(Base):
    """A place that holds stock; `group` is what the retailer calls some of them together, empty for none."""

    __tablename__ = "node"

    id: Mapped[Code] = mapped_column(primary_key=True)
    name: Mapped[Name]
    kind: Mapped[Code]
    status: Mapped[Code] = mapped_column(default=NodeStatus.OPEN)
    group: Mapped[Code] = mapped_column(default="", server_default="")
    time_zone: Mapped[Code]
    version: Mapped[int] = mapped_column(default=1)


class Article(Base):
    """What has a SKU: as sold, weighed, measured and valued.

    Nothing of it is promised before `available_from`; `backorder` tells that units still to come may be sold.
    """

    __tablename__ = "article"

    sku: Mapped[Code] = mapped_column(primary_key=True)
    name: Mapped[Name]
    gtin: Mapped[str | None] = mapped_column(unique=True)
    family: Mapped[Code] = mapped_column(default="")
    size: Mapped[Code] = mapped_column(default="")
    colour: Mapped[Code] = mapped_column(default="")
    weight_g: Mapped[int] = mapped_column(default=0)
    length_mm: Mapped[int] = mapped_column(default=0)
    width_mm: Mapped[int] = mapped_column(default=0)
    height_mm: Mapped[int] = mapped_column(default=0)
    unit_cost_minor: Mapped[int] = mapped_column(default=0)
    price_minor: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str]
    available_from: Mapped[datetime | None]
    backorder: Mapped[bool] = mapped_column(default=False, server_default=false())
    version: Mapped[int] = mapped_column(default=1)


class ArticleSubstitute(Base):
    """An article that may go instead of another where a person says so; the lowest rank first."""

    __tablename__ = "article_substitute"
    __table_args__ = (CheckConstraint("sku <> substitute", name="another"),)

    sku: Mapped[Code] = mapped_column(ForeignKey("article.sku"), primary_key=True)
    substitute: Mapped[Code] = mapped_column(ForeignKey("article.sku"), primary_key=True)
    rank: Mapped[int] = mapped_column(default=1)
    active: Mapped[bool] = mapped_column(default=True)


class Placement(Base):
    """The shelf of an article at a node; shelves sort in walking order."""

    __tablename__ = "placement"

    sku: Mapped[Code] = mapped_column(primary_key=True)
    node: Mapped[Code] = mapped_column(primary_key=True)
    shelf: Mapped[Code]


class Posting(Base):
    """One business event of the ledger; its entries say what moved."""

    __tablename__ = "posting"
    __table_args__ = (Index("ix_posting_occurred_at", "occurred_at"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    kind: Mapped[Code]
    reason: Mapped[Code]
    actor: Mapped[Code]
    reference: Mapped[Code]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())


class StockEntry(Base):
    """Units of a SKU that moved from one account to another, in one row with both sides. Never changed, never deleted.

    An entry touches a balance, which names the article; a foreign key of its own would lock the article for each entry.
    On PostgreSQL the table is partitioned, and each partition has the two unique keys (`stock/proof/partitions.py`);
    that each entry has its posting is up to the one statement that writes both, and to the proof (I3).
    """

    __tablename__ = "stock_entry"
    __table_args__ = (
        UniqueConstraint("sku", "from_node", "from_version", info={"only_on": "sqlite"}),
        UniqueConstraint("sku", "to_node", "to_version", info={"only_on": "sqlite"}),
        ForeignKeyConstraint(["posting_id"], ["posting.id"], info={"only_on": "sqlite"}),
        CheckConstraint("units > 0", name="units_positive"),
        CheckConstraint("from_account <> to_account OR from_node <> to_node", name="two_sides"),
        CheckConstraint("(from_node IS NULL) = (from_version IS NULL)", name="from_versioned"),
        CheckConstraint("(to_node IS NULL) = (to_version IS NULL)", name="to_versioned"),
        CheckConstraint("from_node IS NOT NULL OR to_node IS NOT NULL", name="touches_a_node"),
        Index("ix_stock_entry_posting", "posting_id"),
    )

    sku: Mapped[Code] = mapped_column(primary_key=True)
    posting_id: Mapped[Id] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    units: Mapped[int]
    from_node: Mapped[str | None]
    from_account: Mapped[Code]
    from_version: Mapped[int | None]
    to_node: Mapped[str | None]
    to_account: Mapped[Code]
    to_version: Mapped[int | None]
    reservation_id: Mapped[str | None]


class StockBalance(Base):
    """How many units of a SKU a node has in each account; the fold of its entries up to `version`."""

    __tablename__ = "stock_balance"
    __table_args__ = (
        CheckConstraint("on_hand >= 0", name="on_hand"),
        CheckConstraint("reserved >= 0", name="reserved"),
        CheckConstraint("picked >= 0 AND picked <= on_hand AND picked <= reserved", name="picked"),
        CheckConstraint("reserved <= on_hand + backorder_limit", name="not_oversold"),
        CheckConstraint("damaged >= 0 AND quarantine >= 0 AND in_transit >= 0", name="other_accounts"),
        CheckConstraint("safety_stock >= 0 AND backorder_limit >= 0", name="limits"),
        Index("ix_stock_balance_node", "node"),
    )

    sku: Mapped[Code] = mapped_column(ForeignKey("article.sku"), primary_key=True)
    node: Mapped[Code] = mapped_column(ForeignKey("node.id"), primary_key=True)
    on_hand: Mapped[int] = mapped_column(default=0)
    reserved: Mapped[int] = mapped_column(default=0)
    picked: Mapped[int] = mapped_column(default=0)
    damaged: Mapped[int] = mapped_column(default=0)
    quarantine: Mapped[int] = mapped_column(default=0)
    in_transit: Mapped[int] = mapped_column(default=0)
    safety_stock: Mapped[int] = mapped_column(default=0)
    backorder_limit: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=0)


class Reservation(Base):
    """A claim of units of one SKU at one node for one reference; it ends once: consumed, released or expired."""

    __tablename__ = "reservation"
    __table_args__ = (
        UniqueConstraint("reference", "sku", "purpose", "attempt"),
        CheckConstraint("units > 0 AND picked >= 0 AND consumed >= 0 AND released >= 0", name="counters"),
        CheckConstraint("picked + consumed + released <= units", name="ends_once"),
        _index_where(
            "ix_reservation_expires_at",
            "expires_at",
            where="expires_at IS NOT NULL AND consumed + released < units",
        ),
        _index_where("ix_reservation_open", "sku", "node", where="consumed + released < units"),
    )

    sku: Mapped[Code] = mapped_column(primary_key=True)
    id: Mapped[Id] = mapped_column(primary_key=True)
    node: Mapped[Code]
    reference: Mapped[Code]
    purpose: Mapped[Code]
    attempt: Mapped[int]
    units: Mapped[int]
    picked: Mapped[int] = mapped_column(default=0)
    consumed: Mapped[int] = mapped_column(default=0)
    released: Mapped[int] = mapped_column(default=0)
    rank: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime | None]
    extendable_until: Mapped[datetime | None]

    @property
    def open_units(self) -> int:
        """Units still claimed."""
        return self.units - self.consumed - self.released


class OpenDemand(Base):
    """A claim without a node: units of a SKU promised to a reference, for which no node is chosen yet."""

    __tablename__ = "open_demand"
    __table_args__ = (
        CheckConstraint("units > 0", name="units_positive"),
        Index("ix_open_demand_reference", "reference"),
    )

    sku: Mapped[Code] = mapped_column(primary_key=True)
    reference: Mapped[Code] = mapped_column(primary_key=True)
    units: Mapped[int]
    since: Mapped[datetime] = mapped_column(server_default=database_now())


class Reason(Base):
    """A reason code: what it is for, and between which accounts it moves units."""

    __tablename__ = "reason"

    code: Mapped[Code] = mapped_column(primary_key=True)
    use: Mapped[Code] = mapped_column(primary_key=True)
    from_account: Mapped[str | None]
    to_account: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)


class Revision(Base):
    """The version of a whole set of rows, named by whoever owns them; every write to the set raises it."""

    __tablename__ = "revision"

    scope: Mapped[Code] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)


class SafetyRule(Base):
    """Units that are kept back of some articles, at some nodes, from one channel or all; empty means all of them."""

    __tablename__ = "safety_rule"
    __table_args__ = (
        UniqueConstraint("sku", "family", "node", "group", "kind", "channel", name="uq_safety_rule_scope"),
        CheckConstraint("units >= 0", name="units"),
    )

    id: Mapped[Code] = mapped_column(primary_key=True)
    sku: Mapped[Code] = mapped_column(default="")
    family: Mapped[Code] = mapped_column(default="")
    node: Mapped[Code] = mapped_column(default="")
    group: Mapped[Code] = mapped_column(default="")
    kind: Mapped[Code] = mapped_column(default="")
    channel: Mapped[Code] = mapped_column(default="")
    units: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True)


class ExpectedSupply(Base):
    """Units that a room above knows to be coming, such as a customer's return, by its own reference."""

    __tablename__ = "expected_supply"
    __table_args__ = (
        CheckConstraint("units > 0", name="units_positive"),
        Index("ix_expected_supply_reference", "reference"),
    )

    sku: Mapped[Code] = mapped_column(ForeignKey("article.sku"), primary_key=True)
    reference: Mapped[Code] = mapped_column(primary_key=True)
    node: Mapped[str | None] = mapped_column(ForeignKey("node.id"))
    units: Mapped[int]
    expected_at: Mapped[datetime | None]
    kind: Mapped[Code]
