"""Who may open which page: people who are signed in, of a role that opens the room. Nodes are the rooms' own matter."""

from __future__ import annotations

from collections.abc import Callable

from flask import abort, current_app, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

OPEN_TO_ALL = {"pages.sign_in"}


def admit() -> ResponseReturnValue | None:
    """Let only signed-in people in; others are asked to sign in."""
    if current_user.is_authenticated or request.endpoint in OPEN_TO_ALL:
        return None
    answer: ResponseReturnValue = current_app.login_manager.unauthorized()  # type: ignore[attr-defined]
    return answer


def for_roles(*roles: str) -> Callable[[], None]:
    """Return the check of a room that is open to `roles` only."""

    def check() -> None:
        if current_user.role not in roles:
            abort(403)

    return check
