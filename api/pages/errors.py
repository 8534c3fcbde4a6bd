"""Refusals and failures as pages: one sentence that says what happened, what was kept, and what to do next.

Wired by `api/pages` to its own views, and to unknown addresses outside the REST interface. Invariant: a page shows no
traceback, statement or path; what the person typed is not lost by an answer to htmx, which only adds a notice.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import structlog
from flask import Blueprint, Flask, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from api import errors as problems
from api.pages import account, bar, refusals
from api.pages.gate import OPEN_TO_ALL
from api.pages.visit import by_htmx
from kernel.errors import DomainError, NotFound

MACHINES = ("/api/", "/healthz", "/readyz", "/metrics", "/version")
log = structlog.get_logger(__name__)


def init(app: Flask, pages: Blueprint) -> None:
    """Answer what goes wrong on `pages`, and unknown addresses meant for people."""
    pages.register_error_handler(DomainError, refused)
    pages.register_error_handler(CSRFError, forged)
    pages.register_error_handler(HTTPException, failed)
    pages.register_error_handler(Exception, unexpected)
    for kind in problems.UNAVAILABLE:
        pages.register_error_handler(kind, unavailable)
    app.register_error_handler(404, unknown)
    app.register_error_handler(405, unknown)


def refused(error: DomainError) -> ResponseReturnValue:
    """Show a refusal from below: what is not possible, and what is instead."""
    status = problems.status_of(error)
    title = gettext("Not found") if isinstance(error, NotFound) else gettext("This is not possible now")
    return page(status, title, *refusals.said(error))


def forged(error: CSRFError) -> ResponseReturnValue:
    """Show that a form was too old, or not ours; who is not signed in any more is asked to."""
    if not current_user.is_authenticated and request.endpoint not in OPEN_TO_ALL:
        return account.ask_to_sign_in()
    log.info("form_refused", reason=error.description)
    return page(
        400, gettext("This page was open for too long"), gettext("Nothing was changed. Go back, reload and try again.")
    )


def failed(error: HTTPException) -> ResponseReturnValue:
    """Show an HTTP error."""
    status = error.code or 500
    if error.response is not None and status < 400:
        return error.get_response()
    title, sentence = _http_words(status)
    response = make_response(page(status, title, sentence))
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def unknown(error: HTTPException) -> ResponseReturnValue:
    """Show an unknown address: as a page to people, as a problem to machines."""
    if request.path.startswith(MACHINES):
        return problems.http(error)
    return failed(error)


def unavailable(error: Exception) -> ResponseReturnValue:
    """Show that the database does not answer."""
    # One line: the statement and its parameters may hold what must not be logged.
    log.error("database_unavailable", reason=str(getattr(error, "orig", error)).splitlines()[0])
    sentence = gettext("Nothing was changed. Wait a moment and try again; what you scanned before is kept.")
    response = make_response(page(503, gettext("The system does not answer"), sentence))
    response.headers["Retry-After"] = str(problems.RETRY_AFTER_S)
    return response


def unexpected(error: Exception) -> ResponseReturnValue:
    """Show that something of ours failed, and log it."""
    log.error("unexpected_error", kind=type(error).__name__, exc_info=error)
    return page(500, gettext("Something went wrong on our side"), gettext("It was logged. Go back and try again."))


def page(status: int, title: str, sentence: str, faults: list[str] | None = None) -> tuple[str, int, dict[str, str]]:
    """Return an error as a page, or, to htmx, as a notice above the page that stays as it is."""
    template = "_notice.html" if by_htmx() else "error.html"
    steer = {"HX-Retarget": "#notices", "HX-Reswap": "innerHTML show:top"} if by_htmx() else {}
    text = render_template(template, title=title, sentence=sentence, faults=faults or [], tone="bad", back=_back())
    return text, status, steer


def _back() -> str:
    """Return the page the person came from, or their first page."""
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc == request.host and came_from.path != request.path:
        return came_from.path + (f"?{came_from.query}" if came_from.query else "")
    return bar.first_page() if current_user.is_authenticated else "/"


def _http_words(status: int) -> tuple[str, str]:
    return {
        403: (gettext("This page is not for your role"), gettext("Ask your administrator if you need it.")),
        404: (
            gettext("Not found"),
            gettext("The address may be old, or belong to another store. Go back and look again."),
        ),
        405: (gettext("Not found"), gettext("This address takes forms only. Go back and use its button.")),
        413: (gettext("Too large"), gettext("Send a smaller file.")),
        429: (gettext("Too many tries"), gettext("Wait a minute, then try again.")),
    }.get(status, (gettext("This did not work"), gettext("Nothing was changed. Go back and check what you typed.")))
