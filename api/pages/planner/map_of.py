"""What the map draws: nodes sized by load and coloured by state, and the units that would move between them.

Invariant: everything on the map stands in the table beside it, in words; the map adds only where it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import sqrt

from flask import url_for
from flask_babel import gettext, ngettext

from api.pages import words
from api.pages.planner.today import NodeToday
from fulfillment.network.models import NodeProfile
from fulfillment.planning.report import Flow

SMALLEST_PX, LARGEST_PX = 9, 30


def network(nodes: Iterable[NodeToday]) -> dict[str, object]:
    """Return the map of today: each node with its size, tone, label and address."""
    shown = list(nodes)
    most = max((node.claimed_minutes for node in shown), default=0)
    return {
        "nodes": [
            {
                "id": node.id,
                "name": node.name,
                "at": [node.longitude, node.latitude],
                "size": _size(node.claimed_minutes, most),
                "tone": words.state(node.state).tone,
                "lines": _lines(node),
                "address": url_for("pages.planner.node", node_id=node.id),
            }
            for node in shown
        ],
        "flows": [],
    }


def flows(profiles: Mapping[str, NodeProfile], names: Mapping[str, str], moved: Iterable[Flow]) -> dict[str, object]:
    """Return the map of a run: nodes sized by the units they gain or give, and a line for each pair of nodes."""
    units: dict[str, int] = {}
    balance: dict[str, int] = {}
    pairs: list[tuple[str, str, int]] = []
    for flow in moved:
        for node, sign in ((flow.source, -1), (flow.target, 1)):
            if node is not None:
                units[node] = units.get(node, 0) + flow.units
                balance[node] = balance.get(node, 0) + sign * flow.units
        if flow.source and flow.target and {flow.source, flow.target} <= profiles.keys():
            pairs.append((flow.source, flow.target, flow.units))
    most_units = max(units.values(), default=0)
    most_flow = max((count for *_, count in pairs), default=1)
    return {
        "nodes": [
            {
                "id": node,
                "name": names.get(node, node),
                "at": _at(profile),
                "size": _size(units.get(node, 0), most_units),
                "tone": "calm" if not balance.get(node) else "good" if balance[node] > 0 else "warn",
                "lines": [_gain(balance.get(node, 0))],
                "address": url_for("pages.planner.node", node_id=node),
            }
            for node, profile in profiles.items()
        ],
        "flows": [
            {
                "from": _at(profiles[source]),
                "to": _at(profiles[target]),
                "width": 1 + 4 * count / most_flow,
                "label": f"{names.get(source, source)} → {names.get(target, target)}",
                "lines": [ngettext("%(num)d unit", "%(num)d units", count)],
            }
            for source, target, count in pairs
        ],
    }


def _size(part: int, most: int) -> float:
    # The eye compares areas, so that the area follows the number.
    return round(SMALLEST_PX + (LARGEST_PX - SMALLEST_PX) * sqrt(part / most), 1) if most else SMALLEST_PX


def _lines(node: NodeToday) -> list[str]:
    return [
        str(words.state(node.state).word),
        gettext("work %(claimed)d of %(capacity)d min", claimed=node.claimed_minutes, capacity=node.capacity_minutes),
        gettext("%(to_pick)d to pick, %(late)d late", to_pick=node.to_pick, late=node.late),
    ]


def _gain(units: int) -> str:
    if units > 0:
        return ngettext("serves %(num)d unit more", "serves %(num)d units more", units)
    if units < 0:
        return ngettext("serves %(num)d unit less", "serves %(num)d units less", -units)
    return gettext("serves as much as before")


def _at(profile: NodeProfile) -> list[float]:
    return [profile.longitude, profile.latitude]
