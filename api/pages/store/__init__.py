"""The store pages, for a phone: what to do next, picking, packing, handing over, returns, and where stock is."""

from api.pages.store import board, counter, counting, deliveries, home, missing, order, returns, stock, tasks, walk
from api.pages.store.room import store

__all__ = [
    "board", "counter", "counting", "deliveries", "home", "missing", "order", "returns", "stock", "store", "tasks",
    "walk",
]  # fmt: skip
