"""One node as it stands today: its stock, its work and the one state that a planner must know of first.

Laid together from what each room knows; shown by the network's page and by the node's own.
"""

from __future__ import annotations

from dataclasses import dataclass

from fulfillment.network.models import NodeProfile
from fulfillment.network.report import WorkDay
from fulfillment.work.report import Load
from stock.models import Node, NodeStatus
from stock.reports import NodeStock

BUSY_FROM = 0.85


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
