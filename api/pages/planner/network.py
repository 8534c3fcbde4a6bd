"""The network today: every node with its stock and its work, on a map and in a table, and whether anything is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from api import proof
from api.pages.export import Columns, amount, csv_file
from api.pages.links import sorted_by
from api.pages.planner import map_of
from api.pages.planner.today import NodeToday, node_today
from api.pages.visit import config, doors, now
from api.proof import Proof
from fulfillment.network import report as network_report
from fulfillment.work import report as work_report
from fulfillment.work.report import Load, WaitingReason
from stock import reports
from stock.models import NodeStatus
from stock.reports import NodeStock

STANDING_ORDER = "-late"
SORTABLE = (
    "name", "kind", "stock_value_minor", "units", "load_share", "claimed_minutes", "to_pick", "in_progress", "late",
    "rejected", "stopped",
)  # fmt: skip


@dataclass(frozen=True)
class Network:
    """All that the page answers: nodes, what waits by reason, and what the last proof of the ledger found."""

    nodes: list[NodeToday]
    waiting: list[WaitingReason]
    proof: Proof

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
    busiest = sorted(network.nodes, key=lambda node: -node.claimed_minutes)
    nodes = sorted_by(busiest, SORTABLE, STANDING_ORDER)
    if request.args.get("format") == "csv":
        return csv_file("network", columns(config().network.currency), nodes)
    return render_template(
        "planner/network.html",
        network=network,
        nodes=nodes,
        standing=STANDING_ORDER,
        map=map_of.network(nodes),
        currency=config().network.currency,
        zone=config().night.time_zone,
        now=now(),
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
    return Network(shown, work_report.waiting_reasons(session), proof.standing(session))


def columns(currency: str) -> Columns[NodeToday]:
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
