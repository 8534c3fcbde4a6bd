"""What every door holds: settings, clock, vault and the way to the database; put together once, here.

Pages, REST operations, jobs and commands receive it or ask for it here; commands need no web application for it.
Invariant: nothing in it changes after start, but for what it remembers to be fast.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from flask import current_app
from sqlalchemy.engine import make_url

from api.access import KeyRing
from api.clock import Clock
from api.config import Config
from api.transaction import Doors
from api.wiring import SESSION_INFO, STALE
from fulfillment.network.pick_success import HALF_LIFE_DAYS
from kernel.db import Database, connect
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


def build_house(config: Config) -> House:
    """Open the database and put together what every door holds."""
    database = open_database(config)
    doors = Doors(database, stale=STALE, tries=config.sourcing.tries)
    return House(config, Clock(config.clock.fixed_at), Vault(bytes.fromhex(config.security.master_key)), doors)


def open_database(config: Config) -> Database:
    """Open the database of the settings, with the handlers that hear its events."""
    url = make_url(config.database.url)
    if config.is_sqlite and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    database = connect(config.database.url, pool_size=config.database.pool_size)
    database.info.update(SESSION_INFO | {HALF_LIFE_DAYS: config.network.pick_half_life_days})
    return database
