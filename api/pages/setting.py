"""What a page view may ask of the application it runs in: the door, the time, the vault, and who is looking.

Filled by `api/pages.register`; read by views only, never by what is below them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import current_app, request
from flask_login import current_user

from api.access import Caller, SignedIn
from api.clock import Clock
from api.transaction import Doors
from kernel.vault import Vault

NAME = "pages"


@dataclass(frozen=True)
class Setting:
    """What the pages are given: the door to the rooms below, the clock, the vault and the limits."""

    doors: Doors
    clock: Clock
    vault: Vault
    currency: str = "EUR"
    pick_list_orders: int = 8
    login_limit: str = "10 per minute"


def setting() -> Setting:
    """Return the whole setting."""
    return cast("Setting", current_app.extensions[NAME])


def doors() -> Doors:
    """Return the door to the rooms below."""
    return setting().doors


def vault() -> Vault:
    """Return where personal data is."""
    return setting().vault


def now() -> datetime:
    """Return the present business time."""
    return setting().clock.now()


def person() -> SignedIn:
    """Return who is signed in."""
    return cast("SignedIn", current_user)


def caller() -> Caller:
    """Return the signed-in person as the rooms below see callers."""
    return person().caller


def by_htmx() -> bool:
    """Tell whether the page asks for a part of itself."""
    return request.headers.get("HX-Request") == "true"
