"""The store pages, for a phone: what to do next, picking, packing, handing over, returns, and where stock is."""

from api.pages.store import home
from api.pages.store.room import store

__all__ = ["home", "store"]
