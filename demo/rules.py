"""The same day under simpler rules: what nearest-first and warehouse-only would have cost on the same stock.

Works on a copy of the morning's database, with the gathering and the prices of the real decision, so that only the rule
differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from api.schemas.orders import PlaceOrderSchema
from fulfillment.network.geography import distances_km
from fulfillment.planning.replay import Preference, Replayed, by_preference, optimally
from fulfillment.sourcing.gather import Gathered, gather
from fulfillment.sourcing.proposal import Wanted
from fulfillment.work.models import Method
from kernel.db import connect
from kernel.errors import DomainError
from kernel.vault import Vault
from oms import orders

WAREHOUSE = "warehouse"


@dataclass(frozen=True)
class Compared:
    """The day replayed: each order decided exactly, from the nearest node with stock, and from warehouses only."""

    demands: int
    exact: Replayed
    nearest: Replayed
    warehouse_only: Replayed


def compare(morning: Path, bodies: Sequence[dict[str, Any]], *, now: datetime) -> Compared:
    """Replay the orders of `bodies` on the stock of the morning, under each rule."""
    database = connect(f"sqlite:///{morning.resolve()}")
    vault = Vault(bytes(32))
    schema = PlaceOrderSchema()
    try:
        with database.read() as session:
            wanted: list[Wanted] = []
            for body in bodies:
                try:
                    prepared = orders.prepare(session, schema.load(body), vault=vault, now=now)
                except DomainError:
                    continue
                wanted += [change.wanted for change in prepared.proposal.changes] if prepared.proposal else []
            gathered = gather(session, wanted, now=now)
    finally:
        database.dispose()
    everywhere = np.ones(len(gathered.net.nodes), dtype=np.bool_)
    warehouses = np.array([kind == WAREHOUSE for kind in gathered.net.kinds])
    problem = gathered.problem
    return Compared(
        len(wanted),
        optimally(problem),
        by_preference(problem, _nearest(gathered, everywhere)),
        by_preference(problem, _nearest(gathered, warehouses)),
    )


def _nearest(gathered: Gathered, usable: np.ndarray[Any, np.dtype[np.bool_]]) -> Preference:
    def preference(number: int) -> tuple[Any, Any]:
        wanted, node = gathered.wanted[number], gathered.options[number].node
        if wanted.method == Method.COLLECT:
            store = gathered.net.index[wanted.collect_node or ""]
            here = gathered.net.latitude[store], gathered.net.longitude[store]
        else:
            here = wanted.location.latitude, wanted.location.longitude
        distance = distances_km(*here, gathered.net.latitude, gathered.net.longitude)
        return distance.astype(np.int64)[node], usable[node]

    return preference
