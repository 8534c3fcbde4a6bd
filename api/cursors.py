"""Cursors: where a page of a list ended, opaque to callers and safe to send back."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from api.errors import Problem
from kernel.errors import Fault


def encode(*key: Any) -> str:
    """Return the cursor for the sort key of the last row of a page."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def decode(cursor: str | None, *kinds: type) -> list[Any] | None:
    """Return the sort key in `cursor`, or None without one. Raises 422 when it has other parts than these types."""
    if cursor is None:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        key = None
    if not isinstance(key, list) or [type(part) for part in key] != list(kinds):
        message = "This is not a cursor of this list; send `next_cursor` as it was."
        raise Problem(422, "invalid", message, faults=[Fault("/cursor", "invalid_cursor", message)])
    return key
