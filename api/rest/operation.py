"""One REST operation, declared: its scope, schemas and status; run as one read, or as decide and commit.

A view below `api/rest` is a plain function `(session, call, **path) -> value`; this module authenticates, decodes,
takes the idempotency key, opens the session, commits, encodes and documents. Invariant: a caller bound to a node
reaches nothing unless the operation says which node it concerns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial, wraps
from typing import Any, TypeVar
from urllib.parse import urlencode

import marshmallow as ma
import structlog
from flask import Response, current_app, json, make_response, request
from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from api.access import Caller
from api.config import Config
from api.errors import Problem
from api.house import House, house
from api.rest import requests
from kernel.errors import DomainError, Fault, Rejected
from kernel.idempotency import Answer
from kernel.vault import Vault

View = Callable[..., Any]
Decorated = TypeVar("Decorated", bound=View)
log = structlog.get_logger(__name__)


def anywhere(_session: Session, _call: Call, **_path: Any) -> Iterable[str | None]:
    """Let callers bound to a node in: the operation concerns no node, or keeps to the caller's own."""
    return ()


@dataclass(frozen=True)
class Call:
    """What a view is given: who calls, the business time, the decoded request, and what decoding left behind."""

    caller: Caller
    now: datetime
    vault: Vault
    config: Config
    body: Any = None
    query: Any = field(default_factory=dict)

    @property
    def actor(self) -> str:
        """The name under which history is written."""
        return self.caller.actor

    def node(self, wanted: str | None) -> str | None:
        """Return the node to keep to: the one asked for, or the caller's own. Raises 403 for another than their own."""
        if wanted is not None and not self.caller.sees(wanted):
            raise Problem(403, "other_node", f"You work at {self.caller.node}.")
        return wanted or self.caller.node


@dataclass(frozen=True)
class Reply:
    """A value with another status than the declared one, or with what is to follow once it is committed."""

    value: Any
    status: int | None = None
    after: Callable[[House], object] | None = None


@dataclass(frozen=True)
class Operation:
    """What is declared about one operation; see `Resource.operation`."""

    view: View
    method: str
    scope: str
    body: ma.Schema | None
    query: ma.Schema | None
    answer: ma.Schema | None
    status: int
    key: bool
    decide: View | None
    at: View | None
    version: View | None
    after: Callable[[House, Call], object] | None
    each: bool

    @property
    def writes(self) -> bool:
        """Tell whether it may change anything."""
        return self.method not in requests.SAFE_METHODS

    def run(self, path: dict[str, Any]) -> Response:
        """Answer the present request."""
        present = house()
        caller = requests.authenticate(present, current_app.extensions["oms_limiter"])
        if not caller.may(self.scope):
            raise Problem(403, "missing_scope", f"This needs the scope {self.scope}.")
        requests.refuse_nul(request.args)
        key = requests.idempotency_key(present, caller, required=self.key) if self.writes else None
        query = requests.query(self.query) if self.query else {}
        body, faults = self._body()
        call = Call(caller, present.clock.now(), present.vault, present.config, body, query)
        if caller.node is not None:
            present.doors.read(lambda session: self._check_node(session, call, path))
        if faults:
            requests.refuse([*faults, *self._further_faults(present, call, path, faults)])
        if self.each:
            return _respond(self.status, self.view(present, call, **path))
        return self._write(present, call, path, key) if self.writes else self._read(present, call, path)

    def _body(self) -> tuple[Any, list[Fault]]:
        if self.body is None:
            return None, []
        return (requests.rows(self.body), []) if self.body.many else requests.body(self.body)

    def _further_faults(self, present: House, call: Call, path: dict[str, Any], known: list[Fault]) -> list[Fault]:
        """Return what the room below finds wrong with the rest of a faulty body, so that all is told at once."""
        try:
            if self.decide:
                present.doors.read(lambda session: self.decide(session, call, **path))  # type: ignore[misc]
        except Rejected as error:
            told = tuple(fault.pointer for fault in known)
            return [fault for fault in error.faults if not fault.pointer.startswith(told)]
        except DomainError:
            return []
        return []

    def _read(self, present: House, call: Call, path: dict[str, Any]) -> Response:
        def verb(session: Session) -> tuple[Any, str | None]:
            value = self.view(session, call, **path)
            tag = self.version(session, **path) if self.version else None
            return (value if isinstance(value, Response) else self._dump(value)), tag

        content, tag = present.doors.read(verb)
        response = content if isinstance(content, Response) else _respond(self.status, content)
        if tag is not None:
            response.set_etag(str(tag))
            response.make_conditional(request)
        _link_next(response, content)
        return response

    def _write(self, present: House, call: Call, path: dict[str, Any], key: Any) -> Response:
        follow: list[Callable[[], object]] = []

        def commit(session: Session, plan: Any) -> Answer:
            follow.clear()
            if self.version:
                _check_version(self.version(session, **path))
            decided = {"decided": plan} if self.decide else {}
            reply = self.view(session, call, **path, **decided)
            told = reply if isinstance(reply, Reply) else Reply(reply)
            if told.after:
                follow.append(partial(told.after, present))
            if self.after:
                follow.append(partial(self.after, present, call))
            return Answer(told.status or self.status, self._dump(told.value))

        decide = self.decide or (lambda *_args, **_path: None)
        answer, replayed = present.doors.answer(key, lambda session: decide(session, call, **path), commit)
        response = _respond(answer.status, answer.body)
        if replayed:
            response.headers["Idempotency-Replayed"] = "true"
        else:
            for step in follow:
                _afterwards(step)
        return response

    def _dump(self, value: Any) -> Any:
        return self.answer.dump(value) if self.answer else None

    def _check_node(self, session: Session, call: Call, path: dict[str, Any]) -> None:
        if self.at is None:
            raise Problem(403, "bound_to_node", "Staff and keys of one node cannot do this.")
        if not all(call.caller.sees(node) for node in self.at(session, call, **path)):
            if path:
                raise Problem(404, "not_found", "There is no such thing at your node.")
            raise Problem(403, "other_node", f"You work at {call.caller.node}.")


class Resource(Blueprint):
    """A blueprint whose views are declared operations."""

    def operation(
        self, method: str, path: str, *, scope: str, body: type[ma.Schema] | ma.Schema | None = None,
        query: type[ma.Schema] | None = None, answer: type[ma.Schema] | ma.Schema | None = None, status: int = 200,
        key: bool = False, decide: View | None = None, at: View | None = None, version: View | None = None,
        after: Callable[[House, Call], object] | None = None, each: bool = False,
        example: Any = None, content_type: str | None = None,
    ) -> Callable[[Decorated], Decorated]:  # fmt: skip
        """Declare the decorated view as an operation.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: Its path below the resource's prefix.
            scope: What the caller must hold.
            body: The schema of the document sent.
            query: The schema of the query string.
            answer: The schema of what is sent back.
            status: The status of success.
            key: Whether an Idempotency-Key is required; elsewhere it is welcome.
            decide: `(session, call, **path) -> plan`, run on a read session; the view then gets it as `decided`.
            at: `(session, call, **path) -> nodes` it concerns, for callers bound to a node; none may call without it.
            version: `(session, **path) -> int`; a read sends it as ETag, a write wants it as If-Match.
            after: `(house, call)`, run once the change is committed; a job makes up for it when it fails.
            each: The view is given the house, commits row by row and encodes itself: `(house, call, **path)`.
            example: A body that works.
            content_type: What is sent when it is not JSON.
        """

        def declare(view: Decorated) -> Decorated:
            operation = Operation(
                view=view, method=method, scope=scope, body=_instance(body), query=_instance(query),
                answer=_instance(answer), status=status, key=key, decide=decide, at=at, version=version, after=after,
                each=each,
            )  # fmt: skip

            @wraps(view)
            def endpoint(**path: Any) -> Response:
                return operation.run(path)

            endpoint.operation = operation  # type: ignore[attr-defined]
            endpoint._apidoc = self._documented(operation, example, content_type)  # type: ignore[attr-defined]  # noqa: SLF001
            self.add_url_rule(path, endpoint=view.__name__, view_func=endpoint, methods=[method])
            return view

        return declare

    def _documented(self, operation: Operation, example: Any, content_type: str | None) -> dict[str, Any]:
        """Return what flask-smorest is told, by its own decorators, about an operation."""

        def documented() -> None: ...

        documented = self.response(operation.status, operation.answer, content_type=content_type)(documented)
        if operation.body:
            documented = self.arguments(operation.body, location="json", example=example)(documented)
        if operation.query:
            documented = self.arguments(operation.query, location="query")(documented)
        documented = self.doc(**_manual(operation))(documented)
        described: dict[str, Any] = documented._apidoc  # type: ignore[attr-defined]  # noqa: SLF001
        return described


def _manual(operation: Operation) -> dict[str, Any]:
    headers = []
    if operation.writes:
        about = "Same key and request: the same answer, one effect. Kept for 72 hours."
        headers.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": operation.key,
                "description": about,
                "schema": {"type": "string", "maxLength": requests.MAX_KEY},
            }
        )
    if operation.version and operation.writes:
        about = "The ETag of what is edited; 412 when it has changed since."
        headers.append(
            {"name": "If-Match", "in": "header", "required": True, "description": about, "schema": {"type": "string"}}
        )
    manual: dict[str, Any] = {"security": [{"key": []}], "x-scope": operation.scope}
    return manual | ({"parameters": headers} if headers else {})


def _instance(schema: Any) -> ma.Schema | None:
    made: ma.Schema | None = schema() if isinstance(schema, type) else schema
    return made


def _respond(status: int, body: Any) -> Response:
    if body is None:
        return make_response("", 204 if status == 200 else status)
    return Response(json.dumps(body) + "\n", status=status, content_type="application/json")


def _link_next(response: Response, content: Any) -> None:
    """Name the next page as RFC 8288 does."""
    cursor = content.get("next_cursor") if isinstance(content, dict) else None
    if cursor:
        query = urlencode({**request.args, "cursor": cursor})
        response.headers["Link"] = f'<{request.path}?{query}>; rel="next"'


def _afterwards(follow: Callable[[], object]) -> None:
    """Do what follows a committed change; whatever goes wrong with it, the change itself is answered."""
    try:
        follow()
    except Exception:
        log.exception("afterwards_failed", path=request.path)


def _check_version(current: int) -> None:
    if not request.if_match:
        raise Problem(428, "precondition_required", "Send If-Match with the ETag of what you edit.")
    if str(current) not in request.if_match:
        raise Problem(412, "precondition_failed", "It was changed since you read it; read it again.")
