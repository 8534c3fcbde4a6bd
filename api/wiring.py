"""Who hears what: the handlers inside the house, by event, and the errors that say a decision was overtaken.

Read by the composition root. Handlers run in the transaction of the event that they hear, and never solve.
"""

from __future__ import annotations

from kernel.errors import Conflict
from kernel.events import Event, Handler

HANDLERS: dict[type[Event], tuple[Handler, ...]] = {}
STALE: tuple[type[Conflict], ...] = ()
