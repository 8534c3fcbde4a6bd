"""The candidates of a decision, kept by column and read as rows.

Written by sourcing, read by whoever tells a decision. There are dozens, and each would say the same names again: by
column they take a quarter of the room, and of the time to write them. Invariant: what was stored as rows, before there
were columns, reads the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

Candidates = Mapping[str, Any] | list[dict[str, Any]]
"""By column, one entry an option: `node`, `carrier_service`, `transfer`, `work_on` (ordinal), `arrives_s`,
`pick_success` and, by term, `cost`; `excluded` and `units` by the place of the line in `lines`. Besides, the `gaps` of
options, and `fences`. A list holds rows.
"""


def rows(kept: Candidates) -> list[dict[str, Any]]:
    """Return every option with its cost, and every fence with the nodes that it excludes."""
    if isinstance(kept, list):
        return kept
    found = [_row(kept, place) for place in range(len(kept["node"]))]
    for place, gap in kept["gaps"]:
        found[place]["gap"] = gap
    return [*found, *kept["fences"]]


def _row(kept: Mapping[str, Any], place: int) -> dict[str, Any]:
    lines = kept["lines"]
    cost = {term: costs[place] for term, costs in kept["cost"].items() if costs[place]}
    return {
        "node": kept["node"][place],
        "carrier_service": kept["carrier_service"][place],
        "transfer": bool(kept["transfer"][place]),
        "work_on": date.fromordinal(kept["work_on"][place]).isoformat(),
        "arrives_at": datetime.fromtimestamp(kept["arrives_s"][place], UTC).isoformat(),
        "pick_success": kept["pick_success"][place],
        "cost": cost,
        "total": sum(cost.values()),
        # JSON has made texts of the lines' places.
        "excluded": {lines[int(line)]: rule for line, rule in kept["excluded"][place].items()},
        "units": {lines[int(line)]: units for line, units in kept["units"][place].items()},
    }
