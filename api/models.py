"""The tables of the doors: who may come in, which job slots were taken, and what the proof of the ledger found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Code, Document, Id, Name, database_now


class User(Base):
    """A person of the retailer who signs in to pages; staff of a store see their own node only."""

    __tablename__ = "user_account"

    id: Mapped[Id] = mapped_column(primary_key=True)
    username: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[Name]
    password_hash: Mapped[Name]
    role: Mapped[Code]
    node: Mapped[str | None]
    language: Mapped[Code] = mapped_column(default="en")
    active: Mapped[bool] = mapped_column(default=True)
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())


class ApiKey(Base):
    """A key of a machine: found by its prefix, proven by its hash, good for its scopes."""

    __tablename__ = "api_key"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name]
    prefix: Mapped[Code] = mapped_column(unique=True)
    secret_hash: Mapped[bytes]
    scopes: Mapped[list[Any]] = mapped_column(Document)
    node: Mapped[str | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())


class JobSlot(Base):
    """One run of one job: taken by a unique row with a lease, so that many schedulers run it once."""

    __tablename__ = "job_slot"

    job: Mapped[Code] = mapped_column(primary_key=True)
    slot: Mapped[Code] = mapped_column(primary_key=True)
    holder: Mapped[Code]
    fence: Mapped[int]
    lease_until: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    result: Mapped[str | None]


class ProofPass(Base):
    """One walk over the whole ledger: which part it is in, up to which key it is proven, and what it found."""

    __tablename__ = "proof_pass"

    id: Mapped[Id] = mapped_column(primary_key=True)
    part: Mapped[Code]
    after: Mapped[str | None]
    findings: Mapped[int]
    begun_at: Mapped[datetime] = mapped_column(server_default=database_now())
    finished_at: Mapped[datetime | None]


class LedgerFinding(Base):
    """A row that did not add up when it was proven; `gone_at` is when it was first proven to add up again."""

    __tablename__ = "ledger_finding"
    __table_args__ = (Index("ix_ledger_finding_place", "part", "place"),)

    invariant: Mapped[Code] = mapped_column(primary_key=True)
    table_name: Mapped[Code] = mapped_column(primary_key=True)
    key: Mapped[Name] = mapped_column(primary_key=True)
    part: Mapped[Code]
    place: Mapped[Code]
    message: Mapped[str]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    gone_at: Mapped[datetime | None]
