"""Refusals as HTTP: the one mapping from errors to application/problem+json (RFC 9457), each with a stable code.

Called by the application when a view, or anything below it, raises. Invariant: an answer names every fault, and never
shows a traceback, a statement or a path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Self

import structlog
from flask import Flask, Response, json, request
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from api.transaction import OutcomeUnknown
from kernel.errors import Conflict, DomainError, Fault, NotFound, Rejected, step

PROBLEM = "application/problem+json"
RETRY_AFTER_S = 2
STATUS: tuple[tuple[type[DomainError], int], ...] = ((NotFound, 404), (Conflict, 409), (Rejected, 422))
UNAVAILABLE = (OperationalError, InterfaceError, PoolTimeout)
SERVERS_OWN_TROUBLE = "XX"
CODES = {
    400: "malformed_request", 401: "unauthenticated", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
    406: "not_acceptable", 408: "timed_out", 409: "conflict", 412: "precondition_failed", 413: "too_large",
    414: "too_long", 415: "unsupported_media_type", 422: "invalid", 428: "precondition_required",
    429: "too_many_requests", 500: "internal_error", 503: "unavailable",
}  # fmt: skip
Members = Mapping[type[DomainError], Callable[[Any], Mapping[str, Any]]]
log = structlog.get_logger(__name__)


class Problem(Exception):
    """A refusal that exists only at the door, such as a missing key; everything else is a DomainError."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.faults, self.headers = tuple(faults), dict(headers or {})


class Message(str):
    """A sentence about one field, with the stable code of its fault; both survive marshmallow's formatting."""

    __slots__ = ("code",)
    code: str

    def __new__(cls, text: str, code: str) -> Self:
        """Return the sentence with its code."""
        message = super().__new__(cls, text)
        message.code = code
        return message

    def __deepcopy__(self, _memo: Any) -> Message:
        return self

    def format(self, *args: Any, **kwargs: Any) -> Message:
        """Fill in the sentence and keep the code."""
        return Message(super().format(*args, **kwargs), self.code)


def faults_of(messages: Any, pointer: str = "") -> Iterator[Fault]:
    """Turn the messages of a ValidationError, nested as the document is, into faults with JSON pointers (RFC 6901)."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from faults_of(inner, pointer if key == "_schema" else f"{pointer}/{step(key)}")
    elif isinstance(messages, (list, tuple)):
        for message in messages:
            yield from faults_of(message, pointer)
    else:
        yield Fault(pointer, getattr(messages, "code", "invalid"), str(messages))


def register(app: Flask, members: Members) -> None:
    """Map every error that reaches the application to a problem; `members` tell what a kind of refusal says besides."""

    def refused(error: DomainError) -> Response:
        own = members.get(type(error), lambda _error: {})(error)
        return answer(status_of(error), error.code, error.message, faults=error.faults, members=own)

    app.register_error_handler(
        Problem,
        lambda error: answer(error.status, error.code, error.detail, faults=error.faults, headers=error.headers),
    )
    app.register_error_handler(DomainError, refused)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(OutcomeUnknown, _unknown)
    for kind in UNAVAILABLE:
        app.register_error_handler(kind, _unavailable)
    app.register_error_handler(InternalError, _internal)
    app.register_error_handler(Exception, _unexpected)


def answer(
    status: int,
    code: str,
    detail: str,
    *,
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> Response:
    """Return a problem document as the response; `members` extend it."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "instance": request.path,
        **(members or {}),
    }
    if faults:
        body["errors"] = [{"pointer": fault.pointer, "code": fault.code, "message": fault.message} for fault in faults]
    return Response(json.dumps(body), status=status, content_type=PROBLEM, headers=dict(headers or {}))


def status_of(error: DomainError) -> int:
    """Return the HTTP status of a refusal from below."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 400)


def http(error: HTTPException) -> Response:
    """Return an HTTP error as a problem, with the headers that belong to it."""
    status = error.code or 500
    if error.response is not None and status < 400:
        return error.response  # type: ignore[return-value]
    headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After", "Location"}}
    return answer(status, CODES.get(status, "error"), str(error.description), headers=headers)


def _unavailable(error: Exception) -> Response:
    # One line: the statement and its parameters may hold what must not be logged.
    log.error("database_unavailable", reason=str(getattr(error, "orig", error)).splitlines()[0])
    detail = "The database does not answer; nothing was changed. Try again shortly, with the same Idempotency-Key."
    return answer(503, "unavailable", detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def _internal(error: InternalError) -> Response:
    """Tell trouble of PostgreSQL's own, such as a file that may not grow, from a defect of ours."""
    state: str = getattr(error.orig, "sqlstate", None) or ""
    return _unavailable(error) if state.startswith(SERVERS_OWN_TROUBLE) else _unexpected(error)


def _unknown(_error: OutcomeUnknown) -> Response:
    log.error("outcome_unknown")
    detail = "The connection was lost while saving. Look whether the change was made before you repeat it."
    return answer(503, "outcome_unknown", detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def _unexpected(error: Exception) -> Response:
    log.error("unexpected_error", kind=type(error).__name__, exc_info=error)
    return answer(500, "internal_error", "Something went wrong on our side; it has been logged.")
