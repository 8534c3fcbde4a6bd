"""The present visit: what a page view may ask for: the door, the business time, the vault, and who is looking.

Read by views only, never by what is below them.
"""

from __future__ import annotations

from datetime import datetime
from typing import cast

from flask import redirect, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from api.access import Caller, SignedIn
from api.config import Config
from api.house import house
from api.transaction import Doors
from kernel.vault import Vault


def doors() -> Doors:
    """Return the door to the rooms below."""
    return house().doors


def vault() -> Vault:
    """Return where personal data is."""
    return house().vault


def config() -> Config:
    """Return the settings."""
    return house().config


def now() -> datetime:
    """Return the present business time."""
    return house().clock.now()


def person() -> SignedIn:
    """Return who is signed in."""
    return cast("SignedIn", current_user)


def caller() -> Caller:
    """Return the signed-in person as the rooms below see callers."""
    return person().caller


def by_htmx() -> bool:
    """Tell whether the page asks for a part of itself."""
    return request.headers.get("HX-Request") == "true"


def move_on(address: str) -> ResponseReturnValue:
    """Go to another page after something was done, also from a form that htmx sent."""
    if by_htmx():
        return "", 204, {"HX-Redirect": address}
    return redirect(address, code=303)
