"""The documents of the stock room that send units from node to node: transfers.

A document says what people intend and have done; the units move only by postings of the ledger.
"""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from kernel.db import Base, Code, Id, database_now
from kernel.states import Transitions


class TransferStatus(enum.StrEnum):
    """The way of a transfer from a proposal to the last unit received or written off."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    PICKING = "picking"
    IN_TRANSIT = "in_transit"
    PARTLY_RECEIVED = "partly_received"
    RECEIVED = "received"
    CLOSED_SHORT = "closed_short"
    CANCELLED = "cancelled"


TRANSFER_TRANSITIONS: Transitions = {
    TransferStatus.PROPOSED: {TransferStatus.APPROVED, TransferStatus.CANCELLED},
    TransferStatus.APPROVED: {TransferStatus.PICKING, TransferStatus.IN_TRANSIT, TransferStatus.CANCELLED},
    TransferStatus.PICKING: {TransferStatus.IN_TRANSIT, TransferStatus.CANCELLED},
    TransferStatus.IN_TRANSIT: {
        TransferStatus.PARTLY_RECEIVED,
        TransferStatus.RECEIVED,
        TransferStatus.CLOSED_SHORT,
        TransferStatus.CANCELLED,
    },
    TransferStatus.PARTLY_RECEIVED: {
        TransferStatus.PARTLY_RECEIVED,
        TransferStatus.RECEIVED,
        TransferStatus.CLOSED_SHORT,
    },
    TransferStatus.RECEIVED: set(),
    TransferStatus.CLOSED_SHORT: set(),
    TransferStatus.CANCELLED: set(),
}


class Transfer(Base):
    """Units on their way from one node to another."""

    __tablename__ = "transfer"
    __table_args__ = (
        CheckConstraint("source <> destination", name="two_nodes"),
        Index("ix_transfer_destination", "destination", "status"),
        Index("ix_transfer_source", "source", "status"),
        Index("ix_transfer_reference", "reference"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    number: Mapped[Code] = mapped_column(unique=True)
    source: Mapped[Code] = mapped_column(ForeignKey("node.id"))
    destination: Mapped[Code] = mapped_column(ForeignKey("node.id"))
    reference: Mapped[Code]
    status: Mapped[Code]
    expected_at: Mapped[datetime | None]
    dispatched_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())
    lines: Mapped[list[TransferLine]] = relationship(order_by="TransferLine.line")


class TransferLine(Base):
    """Units of one SKU; `reference` is the claim they are reserved for on arrival, empty for plain stock.

    `found` are the units of `received` that came after they had been written off; `surplus` came and were never sent.
    """

    __tablename__ = "transfer_line"
    __table_args__ = (
        CheckConstraint("units > 0 AND dispatched >= 0 AND received >= 0 AND written_off >= 0", name="counters"),
        CheckConstraint("dispatched <= units AND received + written_off <= dispatched", name="never_more"),
        CheckConstraint("found >= 0 AND found <= received", name="found"),
        CheckConstraint("surplus >= 0", name="surplus"),
        Index("ix_transfer_line_reference", "reference"),
        Index("ix_transfer_line_sku", "sku"),
    )

    transfer_id: Mapped[Id] = mapped_column(ForeignKey("transfer.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sku: Mapped[Code] = mapped_column(ForeignKey("article.sku"))
    reference: Mapped[Code]
    rank: Mapped[int] = mapped_column(default=0)
    units: Mapped[int]
    dispatched: Mapped[int] = mapped_column(default=0)
    received: Mapped[int] = mapped_column(default=0)
    written_off: Mapped[int] = mapped_column(default=0)
    found: Mapped[int] = mapped_column(default=0)
    surplus: Mapped[int] = mapped_column(default=0)
