"""Logging: one line an event, for people or for machines, each with the id of its request.

Set up once by the command line. Invariant: a line holds ids and values, never names, addresses, keys or statements.
"""

from __future__ import annotations

import io
import logging
import re
import sys

import structlog
from flask import Flask, Response, g, request

from api.config import LogSettings
from kernel.ids import new_id

REQUEST_ID = "X-Request-Id"
ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def configure(settings: LogSettings) -> None:
    """Write log lines to standard error, in the wanted form and from the wanted level on."""
    as_json = settings.format == "json"
    # Without the rich traceback, which shows the values of local variables, and with them people.
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    renderer = structlog.processors.JSONRenderer() if as_json else console
    # It tells, with each tick that it leaves out, what our own figures tell better.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if as_json else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(_StandardError()),
        cache_logger_on_first_use=True,
    )


class _StandardError(io.StringIO):
    """Standard error as it is when a line is written, since tests and servers replace it after the set-up."""

    def write(self, text: str) -> int:
        """Write a piece of a line."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Let the line be seen."""
        sys.stderr.flush()


def follow_requests(app: Flask) -> None:
    """Give each request an id, which its log lines and its answer carry."""

    @app.before_request
    def begin() -> None:
        given = request.headers.get(REQUEST_ID, "")
        g.request_id = given if ACCEPTABLE.fullmatch(given) else new_id()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers[REQUEST_ID] = g.get("request_id", "")
        return response
