"""What people do in stores and warehouses on the demo's day: walk, scan, pack, ship, hand over, and meet surprises.

Everything is told through the REST API. Invariant: who does what is drawn from the story's seed, so that the same story
is told every time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from demo.shop import Refused, Shop

WORKED_SHARE = 0.55
"""Share of the work of the day that is done when the night begins; the rest is what the night may still move."""
NOT_FOUND_SHARE = 0.03
HANDED_OVER_SHARE = 0.5
DISPATCHED = "dispatched"


@dataclass
class Floor:
    """The hands of the day: what they did is counted under the word for it.

    `codes` are the pickup codes that shoppers were told, by fulfillment order; `names` the channel's own ids of orders.
    """

    shop: Shop
    seed: int
    codes: Mapping[str, str]
    names: Mapping[str, str]
    done: Counter[str] = field(default_factory=Counter)

    def work(self, tick: Callable[[int], None]) -> None:
        """Pick, pack and send a part of what every node has to do; `tick` hears of each fulfillment order."""
        waiting = sorted(self.shop.every("/fulfillment-orders", status="allocated"), key=_by_node)
        chosen = [order for order in waiting if self._chance("worked", order) < WORKED_SHARE]
        for node in sorted({order["node"] for order in chosen}):
            mine = [order["id"] for order in chosen if order["node"] == node]
            for start in range(0, len(mine), 8):
                self._walk(node, mine[start : start + 8])
                tick(len(mine[start : start + 8]))

    def receive_transfers(self) -> None:
        """Receive, at the stores, what other nodes sent."""
        for transfer in list(self.shop.every("/transfers", status="in_transit")):
            self._try("received", f"/transfers/{transfer['id']}/receive")

    def refuse_some(self) -> None:
        """Let stores with nobody to spare refuse what they were given."""
        allocated = self.shop.every("/fulfillment-orders", status="allocated", method="ship")
        stores = [order for order in allocated if not order["node"].endswith("-W")]
        for order in sorted(stores, key=lambda order: self._chance("refused", order))[:2]:
            self._try("rejected", f"/fulfillment-orders/{order['id']}/reject", {"reason": "no_staff"})

    def _walk(self, node: str, orders: list[str]) -> None:
        walk = self.shop.post("/pick-lists", {"node": node, "fulfillment_orders": orders})
        walked = {order_id: self.shop.get(f"/fulfillment-orders/{order_id}") for order_id in orders}
        for stop in walk["stops"]:
            self._pick(stop, walked[stop["fulfillment_order_id"]])
        for order_id in orders:
            self._finish(self.shop.get(f"/fulfillment-orders/{order_id}"))

    def _pick(self, stop: dict[str, Any], order: dict[str, Any]) -> None:
        order_id = stop["fulfillment_order_id"]
        if self._chance(stop["sku"], order) < NOT_FOUND_SHARE:
            short = {"line_id": stop["line_id"], "found": 0, "reason": "not_found"}
            self._try("short", f"/fulfillment-orders/{order_id}/short", short)
            return
        for unit in range(stop["units"]):
            scan = {
                "scan_id": f"{stop['line_id']}-{unit}",
                "code": stop["gtin"] or stop["sku"],
                "line_id": stop["line_id"],
            }
            self.shop.post(f"/fulfillment-orders/{order_id}/pick", scan)
            self.done["scans"] += 1

    def _finish(self, order: dict[str, Any]) -> None:
        """Bring a picked fulfillment order to where its method leads."""
        path = f"/fulfillment-orders/{order['id']}"
        if order["status"] != "picked":
            return
        self.shop.post(f"{path}/pack")
        if order["method"] == "ship":
            self._try("shipped", f"{path}/ship")
        elif order["method"] == "transfer":
            self._try(DISPATCHED, f"{path}/dispatch")
        else:
            self._try("ready", f"{path}/ready", {"shelf": f"C-{1 + int(30 * self._chance('shelf', order)):02d}"})
            if self._chance("handed over", order) < HANDED_OVER_SHARE:
                proof = {"code": self.codes.get(order["id"], ""), "paid_by": "card"}
                self._try("handed over", f"{path}/hand-over", proof)

    def _chance(self, what: str, order: dict[str, Any]) -> float:
        """Draw for one thing of one order, so that nothing depends on the order in which work is done."""
        lines = sorted(line["sku"] for line in order["lines"])
        name = self.names.get(order["order_id"], "")
        return Random(f"{self.seed}|{what}|{name}|{order['node']}|{order['method']}|{lines}").random()

    def _try(self, word: str, path: str, body: Any = None) -> None:
        try:
            self.shop.post(path, body)
        except Refused as refusal:
            if refusal.status >= 500:
                raise
            self.done[f"{word}: refused ({refusal.code})"] += 1
        else:
            self.done[word] += 1


def _by_node(order: dict[str, Any]) -> tuple[str, str]:
    return order["node"], order["id"]
