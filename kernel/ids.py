"""Identifiers: time-ordered unique ids, and short codes for people; the only source of randomness below `api/`."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import uuid_utils

# No I, L, O, U, 0, 1: nobody mistakes one for another on a paper slip or over the phone.
READABLE = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id() -> str:
    """Return a new UUIDv7 in its usual text form, ordered by the time it was made."""
    return str(uuid_utils.uuid7())


def least_id(instant: datetime) -> str:
    """Return what sorts before every id made at an instant or later, and after those made before it."""
    milliseconds = f"{int(instant.timestamp() * 1000):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}-0000-0000-000000000000"


def made_at(id_: str) -> datetime:
    """Return when an id was made, to the millisecond. Raises ValueError for what is no id of ours."""
    return datetime.fromtimestamp(int(id_[:8] + id_[9:13], 16) / 1000, UTC)


def short_code(length: int = 8) -> str:
    """Return a random code of characters that are not mistaken for one another."""
    # One draw for all characters, since each draw asks the system.
    number = secrets.randbelow(len(READABLE) ** length)
    return "".join(READABLE[number // len(READABLE) ** place % len(READABLE)] for place in range(length))


def digits(length: int = 6) -> str:
    """Return a random code of decimal digits, as shoppers read aloud at a counter."""
    return f"{secrets.randbelow(10**length):0{length}}"
