"""The network today: every node with its stock and its work, on a map and in a table, and whether anything is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from api.pages.export import amount, csv_file
from api.pages.links import sorted_by
from api.pages.visit import config, doors, now
from fulfillment.network import report as network_report
from fulfillment.network.models import NodeProfile
from fulfillment.network.report import WorkDay
from fulfillment.work import report as work_report
from fulfillment.work.report import Load, WaitingReason
from stock import reports
from stock.models import Node, NodeStatus
from stock.reports import NodeStock

BUSY_FROM = 0.85
STANDING_ORDER = "-late"
SORTABLE = (
    "name", "kind", "stock_value_minor", "units", "load_share", "claimed_minutes", "to_pick", "in_progress", "late",
    "rejected",
)  # fmt: skip


@dataclass(frozen=True)
class NodeToday:
    """One node as the network page shows it. Times are minutes of work; `load_share` is 1 when the day is full."""

    id: str
    name: str
    kind: str
    city: str
    state: str
    latitude: float
    longitude: float
    stock_value_minor: int
    units: int
    capacity_minutes: int
    claimed_minutes: int
    load_share: float
    stopped: bool
    to_pick: int
    in_progress: int
    ready: int
    late: int
    rejected: int


@dataclass(frozen=True)
class Network:
    """All that the page answers: nodes, and what waits by reason."""

    nodes: list[NodeToday]
    waiting: list[WaitingReason]

    @property
    def waiting_units(self) -> int:
        """Units for which no node is chosen."""
        return sum(reason.units for reason in self.waiting)

    def total(self, column: str) -> int:
        """Return the sum of a column over all nodes."""
        return sum(getattr(node, column) for node in self.nodes)

    def count(self, state: str) -> int:
        """Return how many nodes are in a state."""
        return sum(node.state == state for node in self.nodes)


def page() -> ResponseReturnValue:
    """Show the network, or give its table as a file."""
    network = doors().read(lambda session: gather(session, now=now()))
    nodes = sorted_by(network.nodes, SORTABLE, STANDING_ORDER)
    if request.args.get("format") == "csv":
        return csv_file("network", columns(config().network.currency), nodes)
    return render_template(
        "planner/network.html",
        network=network,
        nodes=nodes,
        standing=STANDING_ORDER,
        currency=config().network.currency,
    )


def gather(session: Session, *, now: datetime) -> Network:
    """Read the network: four statements over nodes, one over what waits."""
    nodes = [node for node in reports.nodes(session) if node.status != NodeStatus.CLOSED]
    profiles = network_report.profiles(session)
    days = network_report.today(session, now=now)
    stock = reports.by_node(session)
    load = work_report.load_by_node(session, now=now)
    shown = [
        node_today(node, profiles[node.id], days[node.id], stock.get(node.id, NodeStock()), load.get(node.id, Load()))
        for node in nodes
        if node.id in days
    ]
    return Network(shown, work_report.waiting_reasons(session))


def node_today(node: Node, profile: NodeProfile, day: WorkDay, stock: NodeStock, load: Load) -> NodeToday:
    """Lay together what the rooms know of one node."""
    return NodeToday(
        id=node.id,
        name=node.name,
        kind=node.kind,
        city=profile.city,
        state=state_of(node, day, load),
        latitude=profile.latitude,
        longitude=profile.longitude,
        stock_value_minor=stock.value_minor,
        units=stock.on_hand,
        capacity_minutes=day.capacity_minutes,
        claimed_minutes=day.claimed_minutes,
        load_share=day.load,
        stopped=day.stopped,
        to_pick=load.to_pick,
        in_progress=load.in_progress,
        ready=load.ready,
        late=load.late,
        rejected=load.rejected,
    )


def state_of(node: Node, day: WorkDay, load: Load) -> str:
    """Return the one state that a planner must know of first."""
    if node.status == NodeStatus.SUSPENDED:
        return "suspended"
    if day.stopped:
        return "stopped"
    if load.late:
        return "late"
    if day.closed:
        return "closed_today"
    if day.load >= 1:
        return "full"
    return "busy" if day.load >= BUSY_FROM else "open"


def columns(currency: str) -> dict[str, object]:
    """Return the columns of the table as a file has them."""
    return {
        "node": lambda row: row.id,
        "name": lambda row: row.name,
        "kind": lambda row: row.kind,
        "city": lambda row: row.city,
        "state": lambda row: row.state,
        "stock_value": lambda row: amount(row.stock_value_minor, currency),
        "currency": lambda _row: currency,
        "units": lambda row: row.units,
        "claimed_minutes": lambda row: row.claimed_minutes,
        "capacity_minutes": lambda row: row.capacity_minutes,
        "to_pick": lambda row: row.to_pick,
        "in_progress": lambda row: row.in_progress,
        "ready": lambda row: row.ready,
        "late": lambda row: row.late,
        "rejected": lambda row: row.rejected,
    }
