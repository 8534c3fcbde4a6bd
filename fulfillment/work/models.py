"""The tables of demands and of the work they become.

A demand is what sourcing was asked to serve; it knows the caller's reference, never an order. Its lines hold units
wanted, allocated and fulfilled, and what is left waits as open demand of the ledger. All physical work hangs on
fulfillment orders: these lines, this node, this method. No personal data here: a destination is coordinates rounded to
0.01 degree, a postal code and a country.
"""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fulfillment.work.candidates import rows
from kernel.db import Base, Code, Document, Id, database_now
from kernel.states import Transitions


class Method(enum.StrEnum):
    """How units reach the person they are for."""

    SHIP = "ship"
    COLLECT = "collect"
    CARRY_OUT = "carry_out"
    TRANSFER = "transfer"


class Status(enum.StrEnum):
    """Where a fulfillment order stands."""

    ALLOCATED = "allocated"
    AWAITING_TRANSFER = "awaiting_transfer"
    ACCEPTED = "accepted"
    PICKING = "picking"
    PICKED = "picked"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    READY = "ready"
    HANDED_OVER = "handed_over"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUSED = "refused"
    RETURNED_TO_SENDER = "returned_to_sender"


S = Status
TRANSITIONS: Transitions = {
    S.ALLOCATED: {S.AWAITING_TRANSFER, S.ACCEPTED, S.SUPERSEDED, S.REJECTED, S.CANCELLED, S.HANDED_OVER},
    S.AWAITING_TRANSFER: {S.ALLOCATED, S.REJECTED, S.CANCELLED, S.SUPERSEDED},
    S.ACCEPTED: {S.PICKING, S.REJECTED, S.CANCELLED, S.SUPERSEDED},
    S.PICKING: {S.PICKED, S.REJECTED, S.CANCELLED, S.SUPERSEDED},
    S.PICKED: {S.PACKED, S.CANCELLED, S.SUPERSEDED},
    S.PACKED: {S.SHIPPED, S.READY, S.PICKED, S.CANCELLED, S.SUPERSEDED},
    S.SHIPPED: {S.DELIVERED, S.RETURNED_TO_SENDER},
    S.READY: {S.HANDED_OVER, S.EXPIRED, S.REFUSED, S.CANCELLED, S.SUPERSEDED},
    S.DELIVERED: set(),
    S.HANDED_OVER: set(),
    S.SUPERSEDED: set(),
    S.REJECTED: set(),
    S.CANCELLED: set(),
    S.EXPIRED: set(),
    S.REFUSED: set(),
    S.RETURNED_TO_SENDER: set(),
}
NOT_STARTED = frozenset({S.ALLOCATED, S.AWAITING_TRANSFER})
UNDER_WAY = frozenset({S.ACCEPTED, S.PICKING, S.PICKED, S.PACKED, S.READY})
OPEN = NOT_STARTED | UNDER_WAY
LEFT = frozenset({S.SHIPPED, S.DELIVERED, S.RETURNED_TO_SENDER, S.HANDED_OVER})
CLOSED = frozenset(TRANSITIONS) - OPEN


TO_DECIDE = text("decide_cause IS NOT NULL")
WITH_A_PERSON = text("person_since IS NOT NULL")
UNSTARTED = text("status IN ('allocated', 'awaiting_transfer')")


class Demand(Base):
    """Lines one person wants in one way; `id` is given by the caller, `reference` groups demands of one order.

    `relaxed` names the soft fences of its policy that its last decision gave up, since with them units would wait.
    `decide_cause` says why it is to be decided again although nothing of it may wait; its decision clears it.
    `person_since` is set while a person has to say how it goes on, and nothing decides it by itself.
    """

    __tablename__ = "demand"
    __table_args__ = (
        Index("ix_demand_reference", "reference"),
        Index("ix_demand_to_decide", "id", postgresql_where=TO_DECIDE, sqlite_where=TO_DECIDE),
        Index("ix_demand_person", "person_since", postgresql_where=WITH_A_PERSON, sqlite_where=WITH_A_PERSON),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    reference: Mapped[Code]
    method: Mapped[Code]
    service: Mapped[Code]
    collect_node: Mapped[str | None]
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)
    postal_code: Mapped[str | None]
    country: Mapped[str | None]
    geocode: Mapped[Code]
    value_minor: Mapped[int]
    rank: Mapped[int] = mapped_column(default=0)
    wanted_from: Mapped[datetime | None]
    wanted_by: Mapped[datetime | None]
    promised_by: Mapped[datetime | None]
    policy: Mapped[Code]
    channel: Mapped[str | None]
    placed_at: Mapped[datetime]
    waiting_reason: Mapped[str | None]
    paused_at: Mapped[datetime | None]
    relaxed: Mapped[list[Any]] = mapped_column(Document, default=list, server_default="[]")
    decide_cause: Mapped[str | None]
    person_since: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    lines: Mapped[list[DemandLine]] = relationship(order_by="DemandLine.position")


class DemandLine(Base):
    """Units of one SKU of a demand: wanted = waiting + allocated + fulfilled; cancelling lowers wanted.

    Lines of a demand with the same `together` leave in one package where a node can serve them all.
    """

    __tablename__ = "demand_line"
    __table_args__ = (
        CheckConstraint("units >= 0 AND allocated >= 0 AND fulfilled >= 0", name="counters"),
        CheckConstraint("allocated + fulfilled <= units", name="never_more"),
        UniqueConstraint("demand_id", "position"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    demand_id: Mapped[Id] = mapped_column(ForeignKey("demand.id"))
    position: Mapped[int]
    sku: Mapped[Code] = mapped_column(ForeignKey("article.sku"))
    units: Mapped[int]
    allocated: Mapped[int] = mapped_column(default=0)
    fulfilled: Mapped[int] = mapped_column(default=0)
    divisible: Mapped[bool] = mapped_column(default=True)
    together: Mapped[str | None]
    unit_value_minor: Mapped[int] = mapped_column(default=0)
    # Nodes that whoever wanted it ruled out; those that failed it are its setbacks.
    excluded_nodes: Mapped[list[Any]] = mapped_column(Document, default=list)

    @property
    def waiting(self) -> int:
        """Units for which no node is chosen: the open demand of this line."""
        return self.units - self.allocated - self.fulfilled


class FulfillmentOrder(Base):
    """These lines, this node, this method: one package or one bag."""

    __tablename__ = "fulfillment_order"
    __table_args__ = (
        Index("ix_fulfillment_order_node", "node", "status", "ended_at"),
        Index("ix_fulfillment_order_demand", "demand_id"),
        Index("ix_fulfillment_order_pick_list", "pick_list_id"),
        Index("ix_fulfillment_order_reference", "reference"),
        Index("ix_fulfillment_order_unstarted", "ship_by", postgresql_where=UNSTARTED, sqlite_where=UNSTARTED),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    number: Mapped[Code] = mapped_column(unique=True)
    demand_id: Mapped[Id] = mapped_column(ForeignKey("demand.id"))
    reference: Mapped[Code]
    decision_id: Mapped[str | None]
    node: Mapped[Code] = mapped_column(ForeignKey("node.id"))
    method: Mapped[Code]
    status: Mapped[Code]
    service: Mapped[Code]
    carrier_service: Mapped[str | None]
    destination_node: Mapped[str | None]
    supplies: Mapped[str | None]
    work_on: Mapped[date]
    work_minutes: Mapped[int]
    ship_by: Mapped[datetime]
    promised_by: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    pick_list_id: Mapped[str | None]
    pickup_code: Mapped[str | None]
    wrong_codes: Mapped[int] = mapped_column(default=0)
    shelf: Mapped[str | None]
    weight_g: Mapped[int | None]
    packages: Mapped[int | None]
    ended_at: Mapped[datetime | None]
    rank: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())
    lines: Mapped[list[FulfillmentLine]] = relationship(order_by="FulfillmentLine.sku")


class FulfillmentLine(Base):
    """Units of a demand line at a fulfillment order; its reservation is null while they come by transfer."""

    __tablename__ = "fulfillment_line"
    __table_args__ = (
        CheckConstraint("units >= 0 AND picked >= 0 AND picked <= units", name="counters"),
        Index("ix_fulfillment_line_demand_line", "demand_line_id"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    fulfillment_order_id: Mapped[Id] = mapped_column(ForeignKey("fulfillment_order.id"), index=True)
    demand_line_id: Mapped[Id] = mapped_column(ForeignKey("demand_line.id"))
    sku: Mapped[Code]
    units: Mapped[int]
    picked: Mapped[int] = mapped_column(default=0)
    reservation_id: Mapped[str | None]


class FulfillmentHistory(Base):
    """A transition or fact of a fulfillment order, with its author."""

    __tablename__ = "fulfillment_history"
    __table_args__ = (Index("ix_fulfillment_history_order", "fulfillment_order_id", "id"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    fulfillment_order_id: Mapped[Id] = mapped_column(ForeignKey("fulfillment_order.id"))
    what: Mapped[Code]
    from_status: Mapped[str | None]
    to_status: Mapped[str | None]
    actor: Mapped[Code]
    reason: Mapped[Code] = mapped_column(default="")
    details: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())


class Setback(Base):
    """Units of a demand line that a node was given and did not serve, and why.

    `settled_at` is set once a person has said how the demand goes on: then it counts as no failed attempt any more.
    """

    __tablename__ = "setback"
    __table_args__ = (Index("ix_setback_demand", "demand_id"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    demand_id: Mapped[Id] = mapped_column(ForeignKey("demand.id"))
    demand_line_id: Mapped[Id] = mapped_column(ForeignKey("demand_line.id"))
    fulfillment_order_id: Mapped[Id] = mapped_column(ForeignKey("fulfillment_order.id"))
    sku: Mapped[Code]
    node: Mapped[Code] = mapped_column(ForeignKey("node.id"))
    units: Mapped[int]
    cause: Mapped[Code]
    reason: Mapped[Code]
    actor: Mapped[Code]
    occurred_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())


class PickList(Base):
    """Several fulfillment orders of a node picked in one walk, claimed by one person at a time."""

    __tablename__ = "pick_list"
    __table_args__ = (Index("ix_pick_list_node", "node", "status"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    number: Mapped[Code] = mapped_column(unique=True)
    node: Mapped[Code] = mapped_column(ForeignKey("node.id"))
    status: Mapped[Code]
    claimed_by: Mapped[str | None]
    claimed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())


class Scan(Base):
    """One scan of one unit, by the id that the scanning device made; the same id counts once."""

    __tablename__ = "scan"

    id: Mapped[str] = mapped_column(primary_key=True)
    fulfillment_line_id: Mapped[Id] = mapped_column(ForeignKey("fulfillment_line.id"))
    code: Mapped[Code]
    units: Mapped[int]
    actor: Mapped[Code]
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())


class Shipment(Base):
    """A package given to a carrier, or sent to another node."""

    __tablename__ = "shipment"

    id: Mapped[Id] = mapped_column(primary_key=True)
    fulfillment_order_id: Mapped[Id] = mapped_column(ForeignKey("fulfillment_order.id"), unique=True)
    carrier_service: Mapped[Code]
    tracking_number: Mapped[Code] = mapped_column(unique=True)
    weight_g: Mapped[int]
    packages: Mapped[int] = mapped_column(default=1)
    shipped_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]


class PutBack(Base):
    """Picked units that must go back to the shelf; until scanned there, a reservation of their own keeps them apart."""

    __tablename__ = "put_back"
    __table_args__ = (
        CheckConstraint("done >= 0 AND done <= units", name="counters"),
        Index("ix_put_back_node", "node"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    node: Mapped[Code] = mapped_column(ForeignKey("node.id"))
    fulfillment_order_id: Mapped[Id] = mapped_column(ForeignKey("fulfillment_order.id"))
    sku: Mapped[Code]
    units: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    reservation_id: Mapped[Id]
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())


class Decision(Base):
    """The stored plan of one demand: what was chosen, at which cost, and every candidate with its cost or its fence."""

    __tablename__ = "decision"
    __table_args__ = (Index("ix_decision_demand", "demand_id", "id"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    demand_id: Mapped[Id] = mapped_column(ForeignKey("demand.id"))
    cause: Mapped[Code]
    status: Mapped[Code]
    objective_minor: Mapped[int]
    bound_minor: Mapped[int]
    by_term: Mapped[dict[str, Any]] = mapped_column(Document)
    assignments: Mapped[list[Any]] = mapped_column(Document)
    unfilled: Mapped[list[Any]] = mapped_column(Document)
    weighed: Mapped[Any] = mapped_column("candidates", Document)
    # What the solver saw, for whoever asks what would have changed its mind; read when it is asked for alone.
    problem: Mapped[dict[str, Any] | None] = mapped_column(Document, deferred=True)
    policy: Mapped[Code]
    policy_version: Mapped[int]
    relaxed: Mapped[list[Any]] = mapped_column(Document, default=list, server_default="[]")
    run_id: Mapped[str | None]
    solve_ms: Mapped[float] = mapped_column(Float)
    decided_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())

    @property
    def candidates(self) -> list[dict[str, Any]]:
        """Every option with its cost, and every fence with the nodes that it excludes."""
        return rows(self.weighed)


class ShadowDecision(Base):
    """What a draft would have decided beside the active policy, both against the same stock at the same moment.

    `live` and `shadow` hold cost by term, nodes, packages and units left waiting.
    """

    __tablename__ = "shadow_decision"

    policy: Mapped[Code] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    decision_id: Mapped[Id] = mapped_column(ForeignKey("decision.id"), primary_key=True)
    live: Mapped[dict[str, Any]] = mapped_column(Document)
    shadow: Mapped[dict[str, Any]] = mapped_column(Document)
    decided_at: Mapped[datetime]
