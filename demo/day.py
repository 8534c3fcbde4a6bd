"""The demo's day and night, told over REST: orders come in, people work, goods arrive, and the night decides again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

from demo import network, orders
from demo.floor import Floor
from demo.shop import Refused, Shop

Tick = Callable[[int], None]
LATE_DELIVERY_SHARE = 0.6
"""Share of the articles somebody waits for that the evening's delivery brings."""
REFILLS = 400
"""Deliveries of two units of something that sells to one of the stores, in the evening."""
WAREHOUSES = ("MAD-W", "BCN-W")
LONGEST_NIGHT_S = 120
OUT_OF_STOCK = "out_of_stock"
"""How a channel that must not let shoppers wait refuses an order."""


@dataclass
class Day:
    """What the day has come to so far."""

    placed: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    answer_ms: list[float] = field(default_factory=list)

    @property
    def codes(self) -> dict[str, str]:
        """The pickup code of each fulfillment order, as shoppers were told."""
        parts = (part for order in self.placed for part in order["fulfillment_orders"])
        return {part["id"]: part["pickup_code"] for part in parts if part["pickup_code"]}

    @property
    def decisions(self) -> Iterator[dict[str, Any]]:
        """Every decision as it was made when its order arrived."""
        return (decision for order in self.placed for decision in order["decisions"])


def open_channels(shop: Shop) -> None:
    """Tell the order service where orders will come from."""
    shop.post("/channels", [asdict(channel) for channel in network.channels()])


def take_orders(shop: Shop, *, seed: int, count: int, tick: Tick) -> Day:
    """Send the day's orders one after the other, as shoppers place them."""
    day = Day()
    for body in orders.orders(seed, count):
        day.bodies.append(body)
        began_at = time.perf_counter()
        try:
            day.placed.append(shop.post("/orders", body))
        except Refused as refusal:
            if refusal.code != OUT_OF_STOCK:
                raise
            day.refused[refusal.code] += 1
        day.answer_ms.append((time.perf_counter() - began_at) * 1000)
        tick(1)
    return day


def work(shop: Shop, day: Day, *, seed: int, tick: Tick) -> Counter[str]:
    """Let stores and warehouses work a part of it, with the surprises that a day brings."""
    floor = Floor(shop, seed, day.codes, {order["id"]: order["external_id"] for order in day.placed})
    floor.refuse_some()
    floor.work(tick)
    floor.receive_transfers()
    return floor.done


def change_minds(shop: Shop, day: Day, *, seed: int) -> int:
    """Let a few shoppers cancel; returns how many could, before their parcel left."""
    chosen = Random(seed).sample(day.placed, min(8, len(day.placed)))
    done = 0
    for order in chosen:
        try:
            shop.post(f"/orders/{order['id']}/cancel", {"reason": "customer"})
            done += 1
        except Refused as refusal:
            if refusal.status >= 500:
                raise
    return done


def evening_delivery(shop: Shop, day: Day, *, seed: int) -> int:
    """Receive a part of what shoppers wait for in the warehouses, and refill stores all over; returns the units."""
    rng = Random(seed)
    waiting = Counter(
        {line["sku"]: line["waiting"] for order in day.placed for line in order["lines"] if line["waiting"]}
    )
    lines = [
        {"node": rng.choice(WAREHOUSES), "sku": sku, "units": units}
        for sku, units in sorted(waiting.items())
        if rng.random() < LATE_DELIVERY_SHARE
    ]
    sold = sorted({line["sku"] for order in day.placed for line in order["lines"]})
    stores = [node.id for node in network.nodes() if node.kind == "store"]
    lines += [{"node": rng.choice(stores), "sku": rng.choice(sold), "units": 2} for _ in range(REFILLS)]
    shop.post("/stock/receipts", {"reference": f"EVENING-{seed}", "lines": lines})
    return sum(line["units"] for line in lines)


def night(shop: Shop) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run one night over everything nobody has started, accept it, and return the run and what accepting did."""
    run = shop.post("/runs")
    give_up_at = time.monotonic() + LONGEST_NIGHT_S
    while run["status"] in {"queued", "running"} and time.monotonic() < give_up_at:
        time.sleep(0.5)
        run = shop.get(f"/runs/{run['id']}")
    if run["status"] != "proposed":
        raise RuntimeError(f"The night ended as {run['status']}: {run['message'] or 'no reason given'}")
    return run, shop.post(f"/runs/{run['id']}/accept")
