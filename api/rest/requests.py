"""Reading a request: who calls, with which idempotency key, and a body that is JSON and nothing worse.

Called by `operation.py` only. Invariant: a fault of the request is answered before any room is entered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import marshmallow as ma
from flask import json, request
from flask_limiter import Limiter
from flask_login import current_user
from flask_wtf.csrf import validate_csrf
from limits import parse as parse_limit
from webargs.multidictproxy import MultiDictProxy

from api import access
from api.access import Caller
from api.bulk import Row
from api.errors import Problem, faults_of
from api.house import House
from api.schemas import mending
from api.schemas.base import MAX_ROWS
from api.transaction import RequestKey
from kernel.errors import Fault

SAFE_METHODS = frozenset({"GET", "HEAD"})
MAX_KEY = 255
FAILED_KEYS = "failed-keys"


def body(schema: ma.Schema) -> tuple[Any, list[Fault]]:
    """Return the body as `schema` reads it, and its faults when the rest of it can still be looked at.

    Raises 415, and 422 with every fault when nothing else can be found out.
    """
    document = _document()
    try:
        return schema.load(document), []
    except ma.ValidationError as error:
        messages = error.messages
    faults = list(faults_of(messages))
    try:
        return schema.load(mending.mended(schema, document, messages)), faults
    except ma.ValidationError:
        refuse(faults)


def rows(schema: ma.Schema) -> list[Row]:
    """Return the rows of a bulk body, an array or one object, each read or with its faults. Raises 415 and 422."""
    document = _document()
    found = [document] if isinstance(document, dict) else document
    if not isinstance(found, list) or not 1 <= len(found) <= MAX_ROWS:
        message = f"Send an array of 1 to {MAX_ROWS} objects."
        refuse([Fault("", "wrong_length", message)])
    return [_row(schema, row) for row in found]


def query(schema: ma.Schema) -> Any:
    """Return the query string as `schema` reads it. Raises 422 with every fault."""
    try:
        return schema.load(MultiDictProxy(request.args, schema))
    except ma.ValidationError as error:
        refuse(list(faults_of(error.messages)))


def refuse(faults: Sequence[Fault]) -> NoReturn:
    """Refuse a request, naming every fault."""
    word = "fault" if len(faults) == 1 else "faults"
    raise Problem(422, "invalid", f"The request has {len(faults)} {word}; see errors.", faults=faults)


def decode(data: bytes) -> Any:
    """Return the JSON in `data`; refuse what is not JSON, and texts that no database can hold."""
    try:
        value = json.loads(data, parse_constant=_no_constant)
        # An escaped surrogate without its partner decodes, and then breaks whoever encodes it.
        if b"\\ud" in data.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        message = f"The body is not valid JSON: {error}."
        raise Problem(422, "malformed_json", message, faults=[Fault("", "malformed_json", message)]) from error
    if b"\\u0000" in data:
        raise Problem(
            422, "invalid", "Texts must not contain the character NUL.", faults=[Fault("", "nul", "Remove \\u0000.")]
        )
    return value


def authenticate(house: House, limiter: Limiter) -> Caller:
    """Return who calls: the owner of the key, or the person logged in. Raises 401, or 429 after many wrong keys."""
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return _by_key(house, limiter, key.strip())
    if current_user.is_authenticated:
        if request.method not in SAFE_METHODS:
            _check_csrf()
        caller: Caller = current_user.caller
        return caller
    raise _unauthenticated("Send an API key as Authorization: Bearer oms_...")


def idempotency_key(house: House, caller: Caller, *, required: bool) -> RequestKey | None:
    """Return the caller's key with a keyed hash of the request. Raises 400 when it is required and missing, or bad."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        if required:
            raise Problem(
                400, "idempotency_key_missing", "Send an Idempotency-Key header: repeating this request would cost."
            )
        return None
    if len(key) > MAX_KEY or not key.isprintable():
        raise Problem(400, "idempotency_key_invalid", f"An Idempotency-Key has at most {MAX_KEY} printable characters.")
    content = b"\0".join([request.method.encode(), request.full_path.encode(), _canonical(request.get_data())])
    return RequestKey(caller.id, key, house.vault.digest(content))


def refuse_nul(values: Mapping[str, str]) -> None:
    """Refuse a path or query that no database can search for."""
    if "\0" in request.path or any("\0" in value for value in values.values()):
        raise Problem(404, "not_found", "There is nothing here.")


def _document() -> Any:
    if not request.is_json:
        raise Problem(415, "unsupported_media_type", "Send the body as application/json.")
    return decode(request.get_data())


def _row(schema: ma.Schema, document: Any) -> Row:
    try:
        return Row(schema.load(document, many=False))
    except ma.ValidationError as error:
        return Row(None, tuple(faults_of(error.messages)))


def _by_key(house: House, limiter: Limiter, key: str) -> Caller:
    limit = parse_limit(house.config.security.failed_key_limit)
    address = request.remote_addr or ""
    if not limiter.limiter.test(limit, FAILED_KEYS, address):
        raise Problem(
            429,
            "too_many_requests",
            "Too many wrong keys from this address; wait.",
            headers={"Retry-After": str(limit.get_expiry())},
        )
    caller = house.keys.caller(
        key, lambda: house.doors.read(lambda session: access.caller_of_key(session, key, now=house.clock.now()))
    )
    if caller is None:
        limiter.limiter.hit(limit, FAILED_KEYS, address)
        raise _unauthenticated("This API key is wrong, expired or revoked.")
    return caller


def _check_csrf() -> None:
    try:
        validate_csrf(request.headers.get("X-CSRFToken"))
    except ValueError as error:
        raise Problem(403, "csrf", "Send the page's token as X-CSRFToken.") from error


def _unauthenticated(detail: str) -> Problem:
    return Problem(401, "unauthenticated", detail, headers={"WWW-Authenticate": 'Bearer realm="oms"'})


def _canonical(data: bytes) -> bytes:
    """Return the body in one spelling, so that the same document is the same request however its client orders it."""
    try:
        return json.dumps(json.loads(data), sort_keys=True).encode() if data else b""
    except (ValueError, RecursionError):
        return data


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
