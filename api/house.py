"""What every door holds: settings, clock, vault and the way to the database; put together once, in `api/app.py`.

Pages, REST operations, jobs and commands receive it or ask for it here. Invariant: nothing in it changes after start,
but for what it remembers to be fast.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import current_app

from api.access import KeyRing
from api.clock import Clock
from api.config import Config
from api.transaction import Doors
from kernel.vault import Vault

EXTENSION = "oms"


@dataclass(frozen=True)
class House:
    """The settings, the clock, the vault and the doors of one process."""

    config: Config
    clock: Clock
    vault: Vault
    doors: Doors
    keys: KeyRing = field(default_factory=KeyRing)


def house() -> House:
    """Return the house of the application that answers the present request."""
    present: House = current_app.extensions[EXTENSION]
    return present
