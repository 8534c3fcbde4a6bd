"""The tables of the ledger's history: the order in which postings count, the states to start from, and the seals.

`positions.py`, `history.py` and `seals.py` write them, and `stock/proof/archive.py`; others read. Invariant: what is
written here follows from postings and entries alone, and what is known at a position never changes once the position is
given.
"""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, Session, mapped_column

from kernel.db import Base, Code, Id, Name, database_now


class PostingPosition(Base):
    """The place of a posting in the one order in which the ledger is read: dense from 1, given once, never changed."""

    __tablename__ = "posting_position"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    posting_id: Mapped[Id] = mapped_column(unique=True)
    entries: Mapped[int]
    digest: Mapped[bytes]


class PlacedBalance(Base):
    """A balance as it is known at the newest position; its postings since the last snapshot lie between two ids."""

    __tablename__ = "placed_balance"

    sku: Mapped[Code] = mapped_column(primary_key=True)
    node: Mapped[Code] = mapped_column(primary_key=True)
    first_position: Mapped[int]
    position: Mapped[int]
    version: Mapped[int]
    latest_occurred_at: Mapped[datetime]
    least_id: Mapped[Id]
    greatest_id: Mapped[Id]
    on_hand: Mapped[int]
    reserved: Mapped[int]
    picked: Mapped[int]
    damaged: Mapped[int]
    quarantine: Mapped[int]
    in_transit: Mapped[int]


class BalanceSnapshot(Base):
    """A balance as it was known at a position, with the latest business time of all that had been posted until then.

    Its postings since the snapshot before lie between two ids, so that only the months of those are looked into.
    """

    __tablename__ = "balance_snapshot"
    __table_args__ = (Index("ix_balance_snapshot_latest", "sku", "node", "latest_occurred_at", "position"),)

    sku: Mapped[Code] = mapped_column(primary_key=True)
    node: Mapped[Code] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
    latest_occurred_at: Mapped[datetime]
    least_id: Mapped[Id]
    greatest_id: Mapped[Id]
    on_hand: Mapped[int]
    reserved: Mapped[int]
    picked: Mapped[int]
    damaged: Mapped[int]
    quarantine: Mapped[int]
    in_transit: Mapped[int]


class LatePosting(Base):
    """What a posting did to a balance that had seen later business times; `lateness` is how much later, by class."""

    __tablename__ = "late_posting"
    __table_args__ = (Index("ix_late_posting_occurred_at", "sku", "node", "lateness", "occurred_at"),)

    sku: Mapped[Code] = mapped_column(primary_key=True)
    node: Mapped[Code] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
    occurred_at: Mapped[datetime]
    lateness: Mapped[int]
    on_hand: Mapped[int]
    reserved: Mapped[int]
    picked: Mapped[int]
    damaged: Mapped[int]
    quarantine: Mapped[int]
    in_transit: Mapped[int]


class Seal(Base):
    """A block of positions under one hash, chained to the block before it.

    The block is named by its last position in ten digits, so that seals are proven along their names as other rows are.
    """

    __tablename__ = "seal"

    block: Mapped[Code] = mapped_column(primary_key=True)
    through_position: Mapped[int] = mapped_column(unique=True)
    first_position: Mapped[int] = mapped_column(unique=True)
    entries: Mapped[int]
    previous_hash: Mapped[bytes]
    hash: Mapped[bytes]
    sealed_at: Mapped[datetime] = mapped_column(server_default=database_now())


class LedgerArchive(Base):
    """A month that has left: the positions that are in the file, its hash, and the id before which its postings lay."""

    __tablename__ = "ledger_archive"

    through_position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_position: Mapped[int]
    before_id: Mapped[Id]
    entries: Mapped[int]
    file: Mapped[Name]
    sha256: Mapped[Code]
    archived_at: Mapped[datetime] = mapped_column(server_default=database_now())


class ReservationOpening(Base):
    """How far a reservation that was still open was by the entries that are archived."""

    __tablename__ = "reservation_opening"

    sku: Mapped[Code] = mapped_column(primary_key=True)
    id: Mapped[Id] = mapped_column(primary_key=True)
    still: Mapped[int]
    picked: Mapped[int]
    consumed: Mapped[int]


class TransitOpening(Base):
    """Units that the archived entries left on their way for a reference."""

    __tablename__ = "transit_opening"

    sku: Mapped[Code] = mapped_column(primary_key=True)
    reference: Mapped[Code] = mapped_column(primary_key=True)
    units: Mapped[int]


class MarkName(enum.StrEnum):
    """How far something has come."""

    EVENTS = "events"
    """The position in the event feed up to which postings have their place."""
    SEALED = "sealed"
    """The position through which the ledger is sealed."""
    ARCHIVED = "archived"
    """The position through which postings and entries may be gone; snapshots, late postings and seals stay."""


class LedgerMark(Base):
    """How far placing, sealing and archiving have come; the row is the lock of whoever goes on."""

    __tablename__ = "ledger_mark"

    name: Mapped[Code] = mapped_column(primary_key=True)
    position: Mapped[int]


def reached(session: Session, name: MarkName) -> int:
    """Return how far something has come."""
    found = session.get(LedgerMark, name)
    return found.position if found else 0


def go_on(session: Session, name: MarkName) -> LedgerMark:
    """Return a mark under lock, so that one goes on at a time; it is given back when the transaction ends."""
    found = session.get(LedgerMark, name, with_for_update=True, populate_existing=True)
    assert found is not None, f"the migrations make the mark {name}"
    return found
