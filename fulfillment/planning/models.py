"""The tables of nightly runs: immutable proposals, and what became of each movement."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from kernel.db import Base, Code, Document, Id, database_now
from kernel.states import Transitions


class RunStatus(enum.StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    REJECTED = "rejected"
    STALE = "stale"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ROLLED_BACK = "rolled_back"


R = RunStatus
RUN_TRANSITIONS: Transitions = {
    R.QUEUED: {R.RUNNING, R.CANCELLED, R.FAILED},
    R.RUNNING: {R.PROPOSED, R.FAILED, R.CANCELLED},
    R.PROPOSED: {R.ACCEPTED, R.PARTLY_ACCEPTED, R.REJECTED, R.STALE},
    R.ACCEPTED: {R.ROLLED_BACK},
    R.PARTLY_ACCEPTED: {R.ROLLED_BACK},
    R.REJECTED: set(),
    R.STALE: set(),
    R.FAILED: set(),
    R.CANCELLED: set(),
    R.ROLLED_BACK: set(),
}


class Run(Base):
    """One nightly optimization: what it saw, how it was solved, and what it would save."""

    __tablename__ = "run"
    __table_args__ = (Index("ix_run_recorded_at", "recorded_at"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    number: Mapped[Code] = mapped_column(unique=True)
    status: Mapped[Code]
    cause: Mapped[Code]
    parent_id: Mapped[str | None]
    inputs_hash: Mapped[str | None]
    ledger_position: Mapped[int | None]
    parameters: Mapped[dict[str, Any]] = mapped_column(Document)
    seed: Mapped[int]
    solver: Mapped[str | None]
    demands: Mapped[int] = mapped_column(default=0)
    cost_before_minor: Mapped[int | None]
    cost_after_minor: Mapped[int | None]
    bound_minor: Mapped[int | None]
    before_by_term: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    after_by_term: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    progress: Mapped[list[Any]] = mapped_column(Document, default=list)
    seconds: Mapped[float | None] = mapped_column(Float)
    message: Mapped[str | None]
    decided_by: Mapped[str | None]
    planned_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())
    movements: Mapped[list[Movement]] = relationship(order_by="Movement.saving_minor.desc()")


class Movement(Base):
    """What a run would change for one demand: assignments before and after, cost of each, and its fate.

    `fate` is proposed, applied, lapsed (with the reason) or declined.
    """

    __tablename__ = "movement"

    run_id: Mapped[Id] = mapped_column(ForeignKey("run.id"), primary_key=True)
    demand_id: Mapped[Id] = mapped_column(ForeignKey("demand.id"), primary_key=True)
    demand_version: Mapped[int]
    before: Mapped[list[Any]] = mapped_column(Document)
    after: Mapped[list[Any]] = mapped_column(Document)
    cost_before_minor: Mapped[int]
    cost_after_minor: Mapped[int]
    saving_minor: Mapped[int]
    fate: Mapped[Code]
    reason: Mapped[str | None]
