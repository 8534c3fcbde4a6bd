"""Cursors: where a page of a list ended, opaque to callers and safe to send back."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from api.errors import Problem
from kernel.errors import Fault
from kernel.pages import Page


def encode(*key: Any) -> str:
    """Return the cursor for the sort key of the last row of a page."""
    text = json.dumps(key, default=lambda moment: moment.isoformat())
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str | None, *kinds: type) -> list[Any] | None:
    """Return the sort key in `cursor`, or None without one. Raises 422 when it has other parts than these types."""
    if cursor is None:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        key = [_read(part, kind) for part, kind in zip(key, kinds, strict=True)]
    except (ValueError, TypeError, binascii.Error, RecursionError):
        key = None
    if key is None or [type(part) for part in key] != list(kinds):
        message = "This is not a cursor of this list; send `next_cursor` as it was."
        raise Problem(422, "invalid", message, faults=[Fault("/cursor", "invalid_cursor", message)])
    return key


def _read(part: Any, kind: type) -> Any:
    """Return a part of a key; dates and instants are written as texts, and an instant has its offset."""
    if kind is date:
        return date.fromisoformat(part)
    if kind is not datetime:
        return part
    moment = datetime.fromisoformat(part)
    if moment.tzinfo is None:
        raise ValueError("an instant without its offset")
    return moment


def page(found: Page, rows: Sequence[Any] | None = None) -> dict[str, Any]:
    """Return a page as it is sent: its rows, or what stands for them, and the cursor of the next."""
    return {"items": found.rows if rows is None else rows, "next_cursor": encode(*found.last) if found.last else None}
